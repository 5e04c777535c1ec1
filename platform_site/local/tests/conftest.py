import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from platform_site.local.layout import Layout


@pytest.fixture
def home() -> Iterator[Layout]:
    """An empty VAR_DIR that the account of a server can reach, unlike pytest's own directories."""
    directory = Path(tempfile.mkdtemp(prefix="home-", dir="/var/tmp"))
    directory.chmod(0o711)
    layout = Layout(directory)
    yield layout
    shutil.rmtree(directory)
    shutil.rmtree(layout.socket_dir, ignore_errors=True)
