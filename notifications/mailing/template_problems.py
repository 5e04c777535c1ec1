"""Whether a tenant's own text may be used: what is wrong with it, and where."""

import difflib
from collections.abc import Iterator, Mapping
from typing import Any, Final

from liquid import BoundTemplate

from notifications.texts import FILTERS, TemplateError, place_of, render, template_of
from platform_site.errors import FieldError

# More would bury what matters.
MOST_PROBLEMS: Final = 20
_FILTERS: Final = f" There are {', '.join(sorted(FILTERS))}."
_LOOPS: Final = frozenset({"forloop"})


def problems(field: str, source: str, sample: Mapping[str, Any], *, html: bool) -> list[FieldError]:
    """Everything that is wrong with ``source``, which is to be filled with what ``sample`` names."""
    try:
        template = template_of(source, html=html)
    except TemplateError as error:
        return [in_field(field, "template_syntax", error)]
    found = [
        FieldError(
            field,
            "unknown_filter",
            f"There is no filter {name[:80]} ({_at(source, spans[0].index)}).{_FILTERS}",
            {**_place(source, spans[0].index), "name": name[:80]},
        )
        for name, spans in template.analyze(include_partials=False).filters.items()
        if name not in FILTERS
    ]
    found += [_unknown(field, name, sample, source, index) for name, index in unknown_names(template, sample)]
    if not any(one.code == "unknown_filter" for one in found):
        try:
            render(source, sample, html=html)
        except TemplateError as error:
            found.append(in_field(field, "template_render", error))
    return found[:MOST_PROBLEMS]


def unknown_names(template: BoundTemplate, sample: Mapping[str, Any]) -> list[tuple[str, int]]:
    """(dotted name, where it stands) of each name that ``sample`` has not, the first place of each."""
    found: dict[str, int] = {}
    for variables in template.analyze(include_partials=False).globals.values():
        for variable in variables:
            path = list(variable.segments)
            if path[0] not in _LOOPS and not _is_there(path, sample):
                found.setdefault(".".join(str(part) for part in path), variable.span.index)
    return sorted(found.items(), key=lambda item: item[1])


def _is_there(path: list[Any], sample: Any) -> bool:
    here = sample
    for number, part in enumerate(path):
        if isinstance(part, list):
            # Whatever the value of another name says.
            return True
        if isinstance(here, Mapping):
            if part not in here:
                return False
            here = here[part]
        else:
            # Of texts and lists, only how long they are and what is at their ends.
            return number == len(path) - 1 and part in ("size", "first", "last")
    return True


def _at(source: str, index: int) -> str:
    line, column = place_of(source, index)
    return f"line {line}, column {column}"


def _place(source: str, index: int) -> dict[str, Any]:
    line, column = place_of(source, index)
    return {"line": line, "column": column}


def in_field(field: str, code: str, error: TemplateError) -> FieldError:
    """The error as a client reads it, with its place where that is known."""
    return FieldError(field, code, str(error), dict(zip(("line", "column"), error.place or (), strict=False)))


def _unknown(field: str, name: str, sample: Mapping[str, Any], source: str, index: int) -> FieldError:
    name = name[:80]
    close = difflib.get_close_matches(name, list(names_in(sample)), n=1)
    hint = f" Did you mean {close[0]}?" if close else ""
    more = {**_place(source, index), "name": name, "suggestion": close[0] if close else None}
    return FieldError(field, "unknown_variable", f"There is no variable {name} ({_at(source, index)}).{hint}", more)


def names_in(sample: Mapping[str, Any], before: str = "") -> Iterator[str]:
    """All names, dotted where they stand in others."""
    for name, value in sample.items():
        if isinstance(value, Mapping):
            yield from names_in(value, f"{before}{name}.")
        else:
            yield f"{before}{name}"
