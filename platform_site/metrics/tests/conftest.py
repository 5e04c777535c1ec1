from collections.abc import Callable, Iterator

import pytest
from django.db import connection
from prometheus_client import CollectorRegistry

from platform_site.metrics import gauges, instruments
from platform_site.metrics.measures import time_queries

Counted = Callable[..., float]


@pytest.fixture
def registry() -> Iterator[CollectorRegistry]:
    """Everything counts here, in memory, until the test ends."""
    registry = CollectorRegistry()
    instruments.connect_all(registry)
    connection.execute_wrappers.append(time_queries)
    gauges.look.forget()
    yield registry
    connection.execute_wrappers.remove(time_queries)
    instruments.disconnect_all()


@pytest.fixture
def counted(registry: CollectorRegistry) -> Counted:
    """The value of one series; 0 where nothing was counted."""

    def value(name: str, **labels: str) -> float:
        return registry.get_sample_value(name, labels) or 0.0

    return value
