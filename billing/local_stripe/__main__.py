"""python -m billing.local_stripe --port 8003 --state var/stripe/state.sqlite3 --webhook-url http://...

The key and the secret of the endpoint come from STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRETS, since arguments are
seen by every account of the machine.
"""

import argparse
import logging
import os
import signal
import sys
import threading
from pathlib import Path

from billing.local_stripe.server import LocalStripe, running
from billing.local_stripe.world import Behaviour

logger = logging.getLogger("billing.local_stripe")


def main() -> int:
    arguments = _parser().parse_args()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    server = LocalStripe(
        key=os.environ.get("STRIPE_SECRET_KEY") or None,
        state=arguments.state,
        port=arguments.port,
        webhook_url=arguments.webhook_url,
        webhook_secret=os.environ.get("STRIPE_WEBHOOK_SECRETS", "").partition(",")[0] or None,
        behaviour=Behaviour(after_retries=arguments.after_retries, draft_for=arguments.draft_for),
    )
    finished = threading.Event()
    for what in (signal.SIGINT, signal.SIGTERM):
        signal.signal(what, lambda *_: finished.set())
    with running(server):
        logger.info("local Stripe on %s", server.url)
        if not os.environ.get("STRIPE_SECRET_KEY"):
            logger.info("its key of this run: %s", server.key)
        finished.wait()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m billing.local_stripe", description=__doc__)
    parser.add_argument("--port", type=int, default=8003, help="on 127.0.0.1; 0 for any free one")
    parser.add_argument("--state", type=Path, help="a file that keeps everything; without it nothing outlives the run")
    parser.add_argument("--webhook-url", help="where events are sent")
    parser.add_argument("--after-retries", choices=("canceled", "unpaid"), default="canceled")
    parser.add_argument("--draft-for", type=int, default=0, help="seconds until a renewal's invoice is final")
    return parser


if __name__ == "__main__":
    sys.exit(main())
