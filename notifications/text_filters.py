"""What a template may do with a value: the library's filters, except where those can be made to work for long."""

from collections.abc import Callable, Mapping
from html import unescape
from typing import Any, Final

import nh3
from liquid import Environment, Markup
from liquid.builtin.filters import array, math, misc, string
from liquid.exceptions import FilterArgumentError
from liquid.filter import string_filter, with_environment

_LONGEST_DATE: Final = 64


@with_environment
def _date(value: Any, format: Any, *, environment: Environment) -> Any:
    """The library's parser takes time for long texts, and C's formatter memory for long formats."""
    if any(len(str(one)) > _LONGEST_DATE for one in (value, format)):
        raise FilterArgumentError("a date and its format are short", token=None)
    return misc.date(value, format, environment=environment)


@with_environment
@string_filter
def _strip_html(value: str, *, environment: Environment) -> str:
    """By the parser that cleans mails: it takes one pass, whatever is nested in what."""
    text = nh3.clean(value, tags=set())
    return Markup(text) if environment.autoescape else unescape(text)


FILTERS: Final[Mapping[str, Callable[..., Any]]] = {
    "upcase": string.upcase,
    "downcase": string.downcase,
    "capitalize": string.capitalize,
    "strip": string.strip,
    "truncate": string.truncate,
    "truncatewords": string.truncatewords,
    "escape": string.escape,
    "url_encode": string.url_encode,
    "strip_html": _strip_html,
    "default": misc.default,
    "size": misc.size,
    "date": _date,
    "first": array.first,
    "last": array.last,
    "round": math.round_,
}
