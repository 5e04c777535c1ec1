"""Where commands get a passphrase from: a file, the environment, or whoever sits there. Never the command line."""

import os
import sys
from argparse import ArgumentParser
from getpass import getpass
from pathlib import Path
from typing import Any, Final

from django.core.management.base import CommandError

from platform_site.management.operator import USAGE
from tenancy.archives.passphrases import SHORTEST

VARIABLE: Final = "TENANT_ARCHIVE_PASSPHRASE"


def passphrase_argument(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--passphrase-file", type=Path, help=f"a file with the passphrase (else {VARIABLE}, else it is asked for)"
    )


def passphrase_of(options: dict[str, Any], *, twice: bool = False) -> str:
    """The passphrase; ends the command with exit code 2 where there is none, or one that is too short."""
    file: Path | None = options["passphrase_file"]
    try:
        given = file.read_text().strip() if file is not None else os.environ.get(VARIABLE, "") or _asked(twice=twice)
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.", returncode=USAGE) from None
    if len(given) < SHORTEST:
        raise CommandError(
            f"Give a passphrase of at least {SHORTEST} characters by --passphrase-file or {VARIABLE}.",
            returncode=USAGE,
        )
    return given


def _asked(*, twice: bool) -> str:
    if not sys.stdin.isatty():
        return ""
    given = getpass("Passphrase: ")
    if twice and getpass("Once more: ") != given:
        raise CommandError("These were two different ones.", returncode=USAGE)
    return given
