"""HTTP and sockets on one port, in one process: what `make run` starts. Arguments: host and port."""

import sys

from platform_site.realtime.serving import serve

if __name__ == "__main__":
    sys.exit(
        serve(
            "platform_site.asgi",
            host=sys.argv[1],
            port=int(sys.argv[2]),
            # h11 refuses oversized headers.
            http="h11",
            timeout_keep_alive=30,
        )
    )
