"""HTML in which every tag is closed where it has to be.

Parsers of HTML repair whatever is wrong with it, and can be made to work very
long at that. So they are given what is right already: this takes one pass, keeps
only known tags, closes them in order, and refuses what is nested too deeply.
"""

import re
from collections.abc import Collection, Mapping
from html import escape, unescape
from typing import Final

from notifications.texts import TemplateError

MOST_TAGS: Final = 5000
DEEPEST: Final = 30
_VOID: Final = frozenset({"br", "hr", "img"})
# Not opened inside of themselves: the next one ends the one before.
_ENDED_BY_THE_NEXT: Final = frozenset({"p", "li", "td", "th", "tr"})
# A paragraph ends before them.
_NOT_IN_A_PARAGRAPH: Final = frozenset(
    {"h1", "h2", "h3", "p", "div", "ul", "ol", "table", "blockquote", "pre", "hr", "li", "td", "th", "tr"}
)
# Where one of these is open, an item or a cell belongs to it and ends nothing outside.
_HOLDING: Final = frozenset({"ul", "ol", "table", "blockquote", "div"})
# What is in them is not text.
_LEFT_OUT: Final = frozenset(
    {"script", "style", "title", "iframe", "object", "svg", "math", "template", "noscript", "textarea"}
)
_TAG: Final = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9-]*)")
_BETWEEN: Final = re.compile(r"[\s/]*")
_NAME: Final = re.compile(r"[^\s\"'<>/=]+")
_EQUALS: Final = re.compile(r"\s*=\s*")
_VALUE: Final = re.compile(r"[^\s\"'<>=`]+")


def tidy(html: str, tags: Collection[str], attributes: Mapping[str, Collection[str]]) -> str:
    """``html`` with only these tags and their attributes. Raises ``TemplateError`` for what is too much."""
    parts: list[str] = []
    stack: list[str] = []
    position, count = 0, 0
    while (start := html.find("<", position)) >= 0:
        parts.append(_text(html[position:start]))
        found = _TAG.match(html, start)
        if found is None:
            position = _after_markup(html, start, parts)
            continue
        closing, name = bool(found[1]), found[2].lower()
        given, end = _attributes(html, found.end())
        if end < 0:
            # Its end is missing: it was meant as text, or is no loss.
            parts.append("&lt;")
            position = start + 1
            continue
        position = end
        if name in _LEFT_OUT:
            position = end if closing else _after_content(html, name, end)
        if name not in tags:
            continue
        count += 1
        if count > MOST_TAGS:
            raise TemplateError(f"there are more than {MOST_TAGS} tags")
        if closing:
            _close(name, stack, parts)
            continue
        if name in _NOT_IN_A_PARAGRAPH:
            _end("p", stack, parts)
        if name in _ENDED_BY_THE_NEXT:
            _end(name, stack, parts)
        kept = "".join(f' {key}="{escape(value)}"' for key, value in given.items() if key in attributes.get(name, ()))
        parts.append(f"<{name}{kept}>")
        if name not in _VOID:
            stack.append(name)
        if len(stack) > DEEPEST:
            raise TemplateError(f"tags are nested more than {DEEPEST} deep")
    parts.append(_text(html[position:]))
    parts += [f"</{name}>" for name in reversed(stack)]
    return "".join(parts)


def _text(text: str) -> str:
    return escape(unescape(text), quote=False)


def _after_markup(html: str, start: int, parts: list[str]) -> int:
    """Comments and declarations go; a "<" that opens nothing is text."""
    if html.startswith("<!--", start):
        end = html.find("-->", start + 4)
        return len(html) if end < 0 else end + 3
    if html.startswith(("<!", "<?", "</"), start):
        end = html.find(">", start)
        return len(html) if end < 0 else end + 1
    parts.append("&lt;")
    return start + 1


def _after_content(html: str, name: str, position: int) -> int:
    """Behind the end of an element whose content is left out."""
    found = re.compile(rf"</{name}[^>]*>", re.IGNORECASE).search(html, position)
    return len(html) if found is None else found.end()


def _attributes(html: str, position: int) -> tuple[dict[str, str], int]:
    """The attributes, the first of each name, and where the tag has ended; -1 when it does not end."""
    given: dict[str, str] = {}
    while True:
        position = _end_of(_BETWEEN, html, position)
        if html.startswith(">", position):
            return given, position + 1
        name = _NAME.match(html, position)
        if name is None:
            return given, -1
        position, value = name.end(), ""
        equals = _EQUALS.match(html, position)
        if equals is not None:
            quote = html[equals.end() : equals.end() + 1]
            if quote and quote in "\"'":
                end = html.find(quote, equals.end() + 1)
                if end < 0:
                    return given, -1
                value, position = html[equals.end() + 1 : end], end + 1
            else:
                position = _end_of(_VALUE, html, equals.end())
                value = html[equals.end() : position]
        given.setdefault(name[0].lower(), unescape(value))


def _end_of(pattern: re.Pattern[str], html: str, position: int) -> int:
    found = pattern.match(html, position)
    return position if found is None else found.end()


def _close(name: str, stack: list[str], parts: list[str]) -> None:
    """With all that was opened in it; the end of what is not open is nothing."""
    if name in stack:
        while True:
            last = stack.pop()
            parts.append(f"</{last}>")
            if last == name:
                return


def _end(name: str, stack: list[str], parts: list[str]) -> None:
    """One that is open, unless something is open in it that holds the next by itself."""
    for open_one in reversed(stack):
        if open_one == name:
            _close(name, stack, parts)
            return
        if open_one in _HOLDING:
            return
