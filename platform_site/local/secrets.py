"""The secrets of one home: made once, kept in a file that only its owner reads."""

import base64
import fcntl
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


def key_pair() -> str:
    """One `kid:key` pair.  A second, older one may follow after a comma while keys are replaced.

    The key keeps its base64 padding: decoders that add their own accept it as well.
    """
    key = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    return f"k{secrets.token_hex(3)}:{key}"


def plain_key() -> str:
    return secrets.token_urlsafe(50)


_MAKERS: Mapping[str, Callable[[], str]] = {
    "SECRET_KEY": plain_key,
    "JWT_KEYS": key_pair,
    "TOKEN_KEYS": key_pair,
    "ENCRYPTION_KEYS": key_pair,
}


def generate() -> dict[str, str]:
    """A fresh set, kept nowhere.  Tests live with it."""
    return {name: make() for name, make in _MAKERS.items()}


def load(path: Path) -> dict[str, str]:
    """What the file holds; nothing when there is none."""
    try:
        lines = path.read_text().splitlines()
    except FileNotFoundError:
        return {}
    pairs = (line.partition("=") for line in lines if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip() for name, _, value in pairs}


def ensure(path: Path, makers: Mapping[str, Callable[[], str]] = _MAKERS) -> dict[str, str]:
    """Load, and first make whatever is missing.  Two processes at once get the same answer."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with _alone(path):
        kept = load(path)
        complete = {name: kept.get(name) or make() for name, make in makers.items()}
        if kept != kept | complete:
            _write(path, kept | complete)
        return kept | complete


def change(path: Path, changes: Mapping[str, str]) -> None:
    """Let the file hold these values; an empty one is taken out."""
    with _alone(path):
        values = {**load(path), **changes}
        _write(path, {name: value for name, value in values.items() if value})


def _write(path: Path, values: Mapping[str, str]) -> None:
    """Replace the file at once.  Losing half of it would make every stored ciphertext unreadable."""
    unfinished = path.with_name(f"{path.name}.new")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write("# Made by `make run`. Whoever reads this can pass for the platform.\n")
        file.writelines(f"{name}={value}\n" for name, value in values.items())
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    with path.with_name(f"{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
