import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from platform_site.health import monitor
from platform_site.local.layout import Layout
from tests.servers import private_postgres
from tests.support import Api


@pytest.fixture(autouse=True)
def fresh_monitor() -> Iterator[None]:
    """No probe of another test, and none left for the next."""
    monitor.stop()
    yield
    monitor.stop()


@pytest.fixture
def visitor(django_db_setup: None) -> Api:
    """Somebody whose requests cannot reach the database: pytest-django lets no query of this test through."""
    return Api()


@pytest.fixture
def own_postgres() -> Iterator[object]:
    """A PostgreSQL that the test may kill."""
    directory = Path(tempfile.mkdtemp(prefix="health-", dir="/var/tmp"))
    directory.chmod(0o711)
    try:
        with private_postgres(directory) as server:
            yield server
    finally:
        shutil.rmtree(directory)
        shutil.rmtree(Layout(directory).socket_dir, ignore_errors=True)
