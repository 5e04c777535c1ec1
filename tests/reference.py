"""Data that others published as packages: fetched once, by name and version, into ``var/reference``."""

import subprocess
import sys
from pathlib import Path

VAR = Path(__file__).parents[1] / "var" / "reference"


def from_pypi(requirement: str, file: str) -> Path:
    """The file of this exact requirement (``name==1.0``), as PyPI has it. Nothing of it is installed or run by us."""
    path = VAR / file
    if not path.exists():
        VAR.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--dest", str(VAR), requirement]
        subprocess.run(command, check=True, capture_output=True, timeout=300)
    return path
