"""A nudge makes the dispatcher look at once instead of at its next sweep. It may get lost."""

import time

import structlog
from kombu.exceptions import OperationalError as BrokerAway

log = structlog.get_logger(__name__)
# While the broker is away each attempt costs a connection; one a second is enough.
_QUIET_SECONDS = 1.0
_away_until = 0.0


def nudge() -> None:
    """Ask a worker to run the dispatcher. Without a broker the rows wait for the next sweep."""
    global _away_until
    from platform_site.outbox.tasks import dispatch

    if time.monotonic() < _away_until:
        return
    try:
        dispatch.apply_async(retry=False, expires=60)
    except (BrokerAway, OSError) as error:
        _away_until = time.monotonic() + _QUIET_SECONDS
        log.warning("outbox.nudge_lost", error=type(error).__name__)
