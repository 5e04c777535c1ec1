"""What a process that answers loads once and holds to its end."""

import gc
from importlib import import_module

from django.conf import settings


def load_views() -> None:
    """Import what Django would at the first request."""
    import_module(settings.ROOT_URLCONF)


def keep_what_is_loaded() -> None:
    """Leave all that is there out of garbage collection for good.

    A full collection looks at every object and halts all threads and sockets of the process meanwhile. Nearly all
    that it would look at is code; ``make bench ARGS=full_collection`` says how long that takes.
    """
    gc.collect()
    gc.freeze()
