"""Names that are locked in a tenant where no row stands for what is meant, until the caller's transaction ends."""

from typing import Final

from django.db import connection

# Merges touch any number of rows; one after the other they cannot run in a circle.
MERGING: Final = "registry merging"
# Whoever stores something about records holds it shared, erasing takes it alone: nothing is stored about
# somebody behind the back of their erasure. One lock for all, because ingest names hundreds of records at once.
ERASING: Final = "registry erasing"
# Held shared by who writes history, from before a number is taken until it is committed. Who reads the feed takes it
# alone for a moment and knows then that every number below the highest is there.
FEED: Final = "registry feed"

_ALONE: Final = "SELECT pg_advisory_xact_lock(hashtext(current_schema()), hashtext(%s))"
_SHARED: Final = "SELECT pg_advisory_xact_lock_shared(hashtext(current_schema()), hashtext(%s))"


def lock_alone(name: str) -> None:
    """Nobody else holds this name from now on."""
    with connection.cursor() as cursor:
        cursor.execute(_ALONE, [name])


def lock_shared(name: str) -> None:
    """Nobody holds this name alone from now on."""
    with connection.cursor() as cursor:
        cursor.execute(_SHARED, [name])
