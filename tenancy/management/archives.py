"""What the commands about archives have in common."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.core.management.base import CommandError

from platform_site.management.operator import REFUSED, OperatorCommand
from tenancy.archives.container import ArchiveRefused


class ArchiveCommand(OperatorCommand):
    """Runs as the database's owner, who makes and drops schemas. An archive that is refused is exit code 1."""

    writes = True
    needs_owner = True

    def work(self, **options: Any) -> Any:
        raise NotImplementedError

    def run(self, **options: Any) -> Any:
        try:
            return self.work(**options)
        except ArchiveRefused as error:
            raise CommandError(str(error), returncode=REFUSED) from None

    def watch(self, items: Iterable[Any], *, unit: str, total: int | None = None) -> Iterator[Any]:
        return self.progress(items, unit=unit, total=total)


def sized(size: int) -> str:
    """A file's size for people."""
    amount = float(size)
    for unit in ("bytes", "KiB", "MiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} GiB"
