"""The environment of everything that `make run` starts."""

from collections.abc import Mapping
from pathlib import Path

from platform_site.local import secrets
from platform_site.local.layout import Layout
from platform_site.local.server import clean_environment


def read_env_file(path: Path) -> dict[str, str]:
    """Plain `KEY=VALUE` lines, with `#` comments, an optional `export` and optional quotes."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    pairs = (_pair(line) for line in lines)
    return dict(pair for pair in pairs if pair is not None)


def _pair(line: str) -> tuple[str, str] | None:
    name, equals, value = line.strip().removeprefix("export ").partition("=")
    if not equals or name.startswith("#"):
        return None
    value = value.strip()
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        return name.strip(), value[1:-1]
    return name.strip(), value.partition(" #")[0].rstrip()


def for_children(environ: Mapping[str, str], layout: Layout) -> dict[str, str]:
    """What the caller set wins; the rest is what development needs.

    The addresses of embedded servers are left out: Django's settings take them from the same
    layout, and conclude from their absence that the servers are embedded.
    """
    defaults = {
        "DEBUG": "1",
        "DJANGO_SETTINGS_MODULE": "platform_site.settings",
        "PYTHONUNBUFFERED": "1",
        **secrets.ensure(layout.secrets_file),
    }
    return {**defaults, **clean_environment(environ), "VAR_DIR": str(layout.var_dir)}
