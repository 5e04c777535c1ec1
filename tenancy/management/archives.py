"""What the commands about archives have in common."""

from platform_site.management.operator import OperatorCommand
from tenancy.archives.container import ArchiveRefused


class ArchiveCommand(OperatorCommand):
    """Runs as the database's owner, who makes and drops schemas. An archive that is refused is exit code 1."""

    writes = True
    needs_owner = True
    refusals = (ArchiveRefused,)


def sized(size: int) -> str:
    """A file's size for people."""
    amount = float(size)
    for unit in ("bytes", "KiB", "MiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} GiB"
