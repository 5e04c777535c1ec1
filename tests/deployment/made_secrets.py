"""``deploy/make_secrets.py`` as an operator runs it: by a bare Python, from anywhere."""

import subprocess
import sys
from pathlib import Path

from platform_site.local.layout import REPOSITORY


def make_secrets(directory: Path, *options: str) -> list[str]:
    """Gives the names that it says it has made. It sees no package of ours and none of anybody else's."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(REPOSITORY / "deploy" / "make_secrets.py"), str(directory), *options],
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    first, *names = done.stdout.splitlines()
    assert first == ("Made:" if names else "Everything was there already.")
    return names
