"""A connection to the database beside Django's: of no tenant, with nothing of what Django makes of one.

For whoever looks at the database without touching the connections of requests: health checks, figures for Prometheus,
the doctor.
"""

from typing import Any, Final

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections

# For those who have to notice soon that nobody answers: seconds, and milliseconds.
SOON: Final = {"connect_timeout": 2, "tcp_user_timeout": 5000}


def connect_beside(**instead: Any) -> "psycopg.Connection[Any]":
    """As a request connects, but for what is named in libpq's words, such as ``connect_timeout`` or ``user``.

    Whoever gets it closes it. Raises ``psycopg.OperationalError`` when there is none to be had.
    """
    parameters = connections[DEFAULT_DB_ALIAS].get_connection_params()
    wanted = {name: value for name, value in parameters.items() if name not in {"cursor_factory", "context"}}
    return psycopg.connect(**{**wanted, **instead}, autocommit=True)
