"""Links in a mail's HTML: found by a parser, and nothing else of it is changed."""

from collections.abc import Callable
from html import escape
from html.parser import HTMLParser


class _Finder(HTMLParser):
    """Where the links with an http(s) address stand, and where the body ends."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self._lines = [0]
        for line in html.split("\n")[:-1]:
            self._lines.append(self._lines[-1] + len(line) + 1)
        # (start, end, attributes)
        self.links: list[tuple[int, int, list[tuple[str, str | None]]]] = []
        self.body_end: int | None = None
        self.feed(html)
        self.close()

    def _place(self) -> int:
        line, column = self.getpos()
        return self._lines[line - 1] + column

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        address = next((value for name, value in attrs if name == "href"), None)
        if tag in ("a", "area") and address and address.strip().lower().startswith(("http://", "https://")):
            start = self._place()
            self.links.append((start, start + len(self.get_starttag_text() or ""), attrs))

    def handle_endtag(self, tag: str) -> None:
        if tag == "body":
            self.body_end = self._place()


def with_links(html: str, change: Callable[[str], str]) -> str:
    """Each http(s) address of a link as ``change`` gives it. All other tags stay letter by letter."""
    parts, done = [], 0
    for start, end, attributes in _Finder(html).links:
        address = next(value for name, value in attributes if name == "href") or ""
        changed = change(address.strip())
        if changed == address.strip():
            continue
        parts += [html[done:start], _tag(html[start:end], attributes, changed)]
        done = end
    return "".join([*parts, html[done:]])


def _tag(source: str, attributes: list[tuple[str, str | None]], address: str) -> str:
    name = "area" if source[1:5].lower() == "area" else "a"
    written, first = [name], True
    for key, value in attributes:
        if key == "href" and first:
            # Of several, browsers take the first.
            value, first = address, False
        written.append(key if value is None else f'{key}="{escape(value)}"')
    return f"<{' '.join(written)}{' /' if source.endswith('/>') else ''}>"


def with_pixel(html: str, address: str) -> str:
    """With an invisible picture at the end of the body."""
    picture = f'<img src="{escape(address)}" width="1" height="1" alt="" style="display:none">'
    end = _Finder(html).body_end
    return html + picture if end is None else html[:end] + picture + html[end:]
