"""Texts of notifications: Liquid with a short list of what it may do.

No sandbox is safe because it is called one. Here a template sees plain values
only, and few tags and filters. Nothing it can write makes more work than its own
length allows: there are no ranges, a loop goes over a list that was given, and
all that loops repeat and filters read is counted.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, Final, NoReturn, cast

from liquid import BoundTemplate, Environment, RenderContext
from liquid.ast import Node
from liquid.builtin.expressions.primitive import RangeLiteral
from liquid.builtin.tags.case_tag import MultiExpressionBlockNode
from liquid.exceptions import LiquidError, LiquidSyntaxError, ResourceLimitError, UnknownFilterError
from liquid.expression import Expression

from notifications.text_filters import FILTERS

# The first three are not tags that anybody writes.
TAGS: Final = frozenset({"content", "output", "illegal", "if", "unless", "case", "for", "comment"})
MAX_OUTPUT: Final = 200 * 1024
MAX_ITERATIONS: Final = 1000
MAX_NESTING: Final = 20
# Of one expression; and so many "and" in one.
MAX_DEPTH: Final = 100
# Places where something is put in or asked, the characters of one, and of all.
MAX_PLACES: Final = 2000
MAX_PLACE: Final = 1000
MAX_INSIDE: Final = 30_000
# Characters of the template that its loops may go through, and that its filters may read.
MAX_REPEATED: Final = 300_000
MAX_FILTERED: Final = 3_000_000
_KEPT_LENGTH: Final = 4096
_DEEPEST_VALUE: Final = 5
_OPENING: Final = re.compile(r"\{[{%]")
_RAW: Final = re.compile(r"\{%-?\s{0,100}raw\s{0,100}-?%\}")
_END_OF_RAW: Final = re.compile(r"\{%-?\s{0,100}endraw\s{0,100}-?%\}")
__all__ = [
    "FILTERS",
    "TemplateError",
    "one_line",
    "place_of",
    "plain",
    "render",
    "render_body",
    "render_html",
    "render_text",
    "template_of",
]


class TemplateError(Exception):
    """A text that cannot be filled. ``place`` is its line and column, counted from one, where that is known."""

    def __init__(
        self, problem: str, *, place: tuple[int, int] | None = None, unknown_filter: bool = False, token: None = None
    ) -> None:
        super().__init__(problem)
        self.problem, self.place, self.unknown_filter = problem, place, unknown_filter

    def __str__(self) -> str:
        problem = f"{self.problem[:1].upper()}{self.problem[1:].rstrip('.')}"
        return f"{problem} (line {self.place[0]}, column {self.place[1]})." if self.place else f"{problem}."


def place_of(source: str, index: int) -> tuple[int, int]:
    """Line and column, counted from one."""
    before = source[:index]
    return before.count("\n") + 1, index - before.rfind("\n")


class _Context(RenderContext):
    """Counts what loops and filters do."""

    __slots__ = ("filtered", "iterations")

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.iterations = self.filtered = 0

    def raise_for_loop_limit(self, length: int = 1) -> None:
        self.iterations += length
        length_of_source = getattr(self.template, "source_length", 0)
        if self.iterations > MAX_ITERATIONS or self.iterations * length_of_source > MAX_REPEATED:
            raise ResourceLimitError("the loops go round too often", token=None)

    def filter(self, name: str, token: Any) -> Callable[..., object]:
        call = super().filter(name, token)

        # It has a whole parser behind it.
        weight = 10 if name == "strip_html" else 1

        def counted(value: object, *args: Any, **more: Any) -> object:
            self.filtered += weight * sum(len(one) for one in (value, *args) if isinstance(one, str))
            if self.filtered > MAX_FILTERED:
                raise ResourceLimitError("the filters have too much to do", token=token)
            result = call(value, *args, **more)
            if isinstance(result, str) and len(result) > MAX_OUTPUT:
                raise ResourceLimitError("the result is too long", token=token)
            return result

        return counted


class _Template(BoundTemplate):
    context_class = _Context
    source_length = 0


class _Environment(Environment):
    block_nesting_limit = MAX_NESTING
    context_depth_limit = MAX_NESTING + 4
    output_stream_limit = MAX_OUTPUT
    # Any number: the context counts for itself.
    loop_iteration_limit = MAX_ITERATIONS
    template_class = _Template

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        super().setup_tags_and_filters(extra=extra)
        self.tags = {name: tag for name, tag in self.tags.items() if name in TAGS}
        self.filters = dict(FILTERS)


_PLAIN: Final = _Environment()
_HTML: Final = _Environment(autoescape=True)


class _Once(Expression):
    """``when a, b`` with both true shows its block once; the library's own shows it twice."""

    __slots__ = ("inner",)

    def __init__(self, inner: Expression) -> None:
        super().__init__(token=inner.token)
        self.inner = inner

    def __str__(self) -> str:
        return str(self.inner)

    def evaluate(self, context: RenderContext) -> object:
        return [any(cast("Iterable[object]", self.inner.evaluate(context)))]

    def children(self) -> list[Expression]:
        return [self.inner]


def template_of(source: str, *, html: bool = False) -> BoundTemplate:
    """The template, with values escaped for HTML or not. Raises ``TemplateError`` for whatever is wrong with it."""
    return (_kept if len(source) <= _KEPT_LENGTH else _parse)(source, html)


def _parse(source: str, html: bool) -> BoundTemplate:
    _look_through(source)
    try:
        template = (_HTML if html else _PLAIN).from_string(source)
        _tame(template)
    except Exception as error:
        _refuse(error, source)
    template.source_length = len(source)  # type: ignore[attr-defined]
    return template


_kept = lru_cache(maxsize=512)(_parse)


def _look_through(source: str) -> None:
    """In one pass, refuse what the library's lexer and parser would take long for."""
    places = inside = longest = position = 0
    while (opening := _OPENING.search(source, position)) is not None:
        start = opening.start()
        raw = _RAW.match(source, start)
        if raw is not None:
            end_of_raw = _END_OF_RAW.search(source, raw.end())
            if end_of_raw is None:
                raise TemplateError("there is no endraw for this", place=place_of(source, start))
            position = end_of_raw.end()
        else:
            closing = "}}" if opening[0] == "{{" else "%}"
            end = source.find(closing, start + 2)
            if end < 0:
                raise TemplateError(f"there is no {closing} for this", place=place_of(source, start))
            position = end + 2
            inside += position - start
            longest = max(longest, position - start)
            if not source[start + 2 : end].strip(" \t\r\n-"):
                raise TemplateError("there is nothing between the braces", place=place_of(source, start))
        places += 1
        if places > MAX_PLACES or inside > MAX_INSIDE or longest > MAX_PLACE:
            raise TemplateError("this is too much for one text", place=place_of(source, start))


def _refuse(error: Exception, source: str) -> NoReturn:
    """The library lets through what Python says about absurd numbers, dates and nesting."""
    if isinstance(error, RecursionError):
        raise TemplateError("this is nested too deeply") from None
    if not isinstance(error, LiquidError):
        raise TemplateError(f"this cannot be worked out ({type(error).__name__})") from error
    index = error.token.start_index if error.token is not None else -1
    raise TemplateError(
        str(error.message)[:200],
        place=place_of(source, index) if 0 <= index <= len(source) else None,
        unknown_filter=isinstance(error, UnknownFilterError),
    ) from error


def _tame(template: BoundTemplate) -> None:
    """Refuse ranges, which are loops over nothing, and let no block be shown more often than it stands there."""
    context = RenderContext(template)
    nodes: list[Node] = list(template.nodes)
    while nodes:
        node = nodes.pop()
        if isinstance(node, MultiExpressionBlockNode):
            node.expression = _Once(node.expression)  # type: ignore[assignment]
        expressions = [(one, 1) for one in node.expressions()]
        while expressions:
            expression, depth = expressions.pop()
            if depth > MAX_DEPTH:
                raise ResourceLimitError("this is nested too deeply", token=node.token)
            if isinstance(expression, RangeLiteral):
                raise LiquidSyntaxError("ranges are not allowed here", token=expression.token)
            expressions += [(one, depth + 1) for one in expression.children()]
        nodes += node.children(context)


def plain(value: Any, deepest: int = _DEEPEST_VALUE) -> Any:
    """``value`` as texts, numbers, lists and maps: nothing that has methods of its own."""
    # Exact types: who derives one may have added something.
    if value is None or type(value) in (str, int, float, bool):
        return value
    if deepest and isinstance(value, Mapping):
        return {str(name): plain(one, deepest - 1) for name, one in value.items()}
    if deepest and isinstance(value, (list, tuple)):
        return [plain(one, deepest - 1) for one in value]
    return "" if isinstance(value, (Mapping, list, tuple)) else str(value)


def render(source: str, values: Mapping[str, Any], *, html: bool = False) -> str:
    """The text filled with ``values``. Raises ``TemplateError``."""
    template = template_of(source, html=html)
    try:
        return template.render(plain(values))
    except Exception as error:
        _refuse(error, source)


def render_text(source: str, values: Mapping[str, Any], *, longest: int) -> str:
    """One line of plain text, cut to ``longest`` characters. Raises ``TemplateError``."""
    text = one_line(render(source, values))
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def one_line(text: str) -> str:
    """Without line breaks and other control characters: it may become a mail's header."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())


def render_body(source: str, values: Mapping[str, Any]) -> str:
    """Plain text of several lines. Raises ``TemplateError``."""
    return render(source, values)


def render_html(source: str, values: Mapping[str, Any]) -> str:
    """HTML in which values are escaped; what the template itself says is not, and is to be cleaned."""
    return render(source, values, html=True)
