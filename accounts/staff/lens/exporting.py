"""A list as a file, written while it is sent."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Model, QuerySet
from django.http import StreamingHttpResponse

BATCH: Final = 500
# What a spreadsheet takes for the beginning of a formula (OWASP, CSV injection).
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
Row = dict[str, Any]
TYPES: Final = {"csv": "text/csv; charset=utf-8", "json": "application/json"}


def export(
    kind: str, name: str, columns: Sequence[str], rows: Callable[[], Iterable[Sequence[Row]]]
) -> StreamingHttpResponse:
    """``rows`` gives them in batches; each is one step of the stream."""
    write = {"csv": _as_csv, "json": _as_json}[kind]
    return StreamingHttpResponse(
        (text.encode() for text in write(columns, rows())),
        content_type=TYPES[kind],
        headers={"Content-Disposition": f'attachment; filename="{name}.{kind}"', "Cache-Control": "no-store"},
    )


def in_batches(queryset: "QuerySet[Any]") -> Iterator[list[Model]]:
    """All of them by their keys, so that the millionth costs what the first did and no cursor stays open meanwhile."""
    rows = queryset.order_by("pk")
    batch = list(rows[:BATCH])
    while batch:
        yield batch
        batch = list(rows.filter(pk__gt=batch[-1].pk)[:BATCH]) if len(batch) == BATCH else []


def _as_csv(columns: Sequence[str], batches: Iterable[Sequence[Row]]) -> Iterator[str]:
    # Spreadsheets take a file without this mark for one of their own code page.
    yield "\ufeff" + _lines([list(columns)])
    for batch in batches:
        yield _lines([[_cell(row[name]) for name in columns] for row in batch])


def _as_json(columns: Sequence[str], batches: Iterable[Sequence[Row]]) -> Iterator[str]:
    """A list of objects, one a line."""
    before = "[\n"
    for batch in batches:
        yield before + ",\n".join(json.dumps(row, cls=DjangoJSONEncoder, ensure_ascii=False) for row in batch)
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def _lines(rows: Iterable[Sequence[Any]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()


def _cell(value: Any) -> Any:
    """A text that a spreadsheet would run gets a quote in front; numbers stay numbers."""
    if value is None or isinstance(value, (bool, int, float)):
        return "" if value is None else value
    if isinstance(value, (dict, list)):
        value = json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False)
    text = str(value)
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text
