"""Asks a process on this machine whether it answers: ``python probe.py PORT PATH``. Exit code 0 for 2xx."""

import http.client
import sys


def answers(port: int, path: str) -> bool:
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=4)
    try:
        client.request("GET", path)
        return 200 <= client.getresponse().status < 300
    except (OSError, http.client.HTTPException):
        return False
    finally:
        client.close()


if __name__ == "__main__":
    sys.exit(not answers(int(sys.argv[1]), sys.argv[2]))
