"""The catalogue of what is stored sealed, and sealing it again under the first key of ``ENCRYPTION_KEYS``.

Whoever calls ``platform_site.keys.seal`` names the column in ``catalog.py``; a test compares the two. Replacing keys
goes by it, and so do archives: what is sealed is sealed for one tenant of one installation, so it travels opened, under
a passphrase, or not at all.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.apps import apps
from django.conf import settings
from django.db import models, transaction
from django.db.models import Count, Func

from platform_site.catalog import Catalog
from platform_site.keys import SealBroken, UnknownKey, current_encryption_key, seal, unseal

# Rows that are locked at a time.
BATCH: Final = 200


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """One column: ``model`` as "app.Model", ``place`` what a row's value is sealed for, inside the bound tenant.

    ``sealed_by`` is the function that seals it, as "module.function".
    """

    key: str
    model: str
    column: str
    place: Callable[[Any], str]
    sealed_by: str

    @property
    def is_shared(self) -> bool:
        """Whether its table is in public."""
        return apps.get_app_config(self.model.partition(".")[0]).name in settings.SHARED_APPS

    @property
    def name(self) -> str:
        """Where it is: "app.Model.column"."""
        return f"{self.model}.{self.column}"

    def all_rows(self) -> "models.QuerySet[Any]":
        """Those of the bound schema, whatever they hold."""
        rows: models.QuerySet[Any] = apps.get_model(self.model)._base_manager.all()
        return rows

    def rows(self) -> "models.QuerySet[Any]":
        """Those that hold something."""
        return self.all_rows().exclude(**{self.column: None}).exclude(**{self.column: b""})

    def opened(self, row: Any) -> bytes:
        """What this row holds. Raises ``UnknownKey`` or ``SealBroken``."""
        return unseal(bytes(getattr(row, self.column)), self.place(row))

    def write_sealed(self, row: Any, text: bytes) -> None:
        """Let this row hold the text, sealed under the first key, and touch nothing else of it."""
        self.all_rows().filter(pk=row.pk).update(**{self.column: seal(text, self.place(row))})


sealed_columns: Catalog[SealedColumn] = Catalog("sealed columns")


@dataclass(slots=True)
class Resealed:
    """``moved`` to the first key; ``unreadable`` are primary keys of what no key of the ring opens."""

    moved: int = 0
    unreadable: list[str] = field(default_factory=list)


class KeyName(Func):
    """The key's id in front of a sealed value."""

    template = "encode(substring(%(expressions)s FROM 1 FOR position('\\x3a'::bytea IN %(expressions)s) - 1), 'escape')"
    output_field = models.TextField()


def count_by_key(column: SealedColumn) -> dict[str, int]:
    """How many values there are under each key, in the bound schema. One query."""
    counted = column.rows().annotate(kid=KeyName(column.column)).order_by().values("kid").annotate(number=Count("*"))
    return dict(counted.values_list("kid", "number"))


def reseal(column: SealedColumn, *, batch: int = BATCH) -> Resealed:
    """Seal everything in the bound schema's column anew that is not under the first key.

    A batch is one transaction that holds its rows, so writers wait for a moment and overwrite nothing. It may be
    killed and run again: what is done is not met again.
    """
    result, after = Resealed(), None
    while page := _reseal_page(column, after, batch, result):
        after = page[-1].pk
    return result


@transaction.atomic
def _reseal_page(column: SealedColumn, after: Any, batch: int, result: Resealed) -> Sequence[Any]:
    page = list(_others(column, after).select_for_update(of=("self",), no_key=True)[:batch])
    for row in page:
        opened = _opened(column, row)
        if opened is None:
            result.unreadable.append(_name(row))
            continue
        column.write_sealed(row, opened)
        result.moved += 1
    return page


def needing(column: SealedColumn, kid: str) -> Iterator[str]:
    """Primary keys of the values under this key that it opens: they are lost without it."""
    after = None
    while page := list(_others(column, after).filter(kid=kid)[:BATCH]):
        yield from (_name(row) for row in page if _opened(column, row) is not None)
        after = page[-1].pk


def _others(column: SealedColumn, after: Any) -> "models.QuerySet[Any]":
    rows: models.QuerySet[Any] = column.rows().annotate(kid=KeyName(column.column))
    rows = rows.exclude(kid=current_encryption_key()).order_by("pk")
    return rows if after is None else rows.filter(pk__gt=after)


def _opened(column: SealedColumn, row: Any) -> bytes | None:
    try:
        return column.opened(row)
    except (UnknownKey, SealBroken):
        # Nobody could read it before either; whoever asked is told which it is.
        return None


def _name(row: Any) -> str:
    return bytes(row.pk).hex() if isinstance(row.pk, bytes | memoryview) else str(row.pk)
