"""HTML that a company wrote: what may stand in a mail stays, the rest goes."""

from typing import Final

import nh3

from notifications.mailing.tidying import tidy

_TAGS: Final = {
    *("a", "abbr", "b", "blockquote", "br", "code", "div", "em", "h1", "h2", "h3", "hr", "i", "img", "li", "ol"),
    *("p", "pre", "s", "small", "span", "strong", "sub", "sup", "table", "tbody", "td", "th", "thead", "tr", "u", "ul"),
}
_ATTRIBUTES: Final = {
    "a": {"href", "title"},
    "img": {"src", "alt", "width", "height"},
    "td": {"align", "valign", "colspan", "rowspan", "width"},
    "th": {"align", "valign", "colspan", "rowspan", "width"},
}
# Those of the layout that a text may use.
CLASSES: Final = frozenset({"button", "quiet"})
_ANYWHERE: Final = ("p", "div", "span", "a", "td", "small")
_KEPT: Final = {tag: {*_ATTRIBUTES.get(tag, ()), *(("class",) if tag in _ANYWHERE else ())} for tag in _TAGS}


def _attribute(tag: str, name: str, value: str) -> str | None:
    if tag == "img" and name == "src":
        return value if value.strip().lower().startswith("https://") else None
    return value


_CLEANER: Final = nh3.Cleaner(
    tags=_TAGS,
    clean_content_tags={"script", "style", "title", "iframe", "object", "svg", "math", "template", "noscript"},
    attributes=_ATTRIBUTES,
    attribute_filter=_attribute,
    url_schemes={"http", "https", "mailto"},
    allowed_classes={tag: set(CLASSES) for tag in _ANYWHERE},
    link_rel="noopener noreferrer",
    strip_comments=True,
)


def clean(html: str) -> str:
    """No script, no style, no form, nothing embedded; links to the web and to mailboxes, pictures over https.

    Raises ``TemplateError`` for more of it than any mail has.
    """
    return _CLEANER.clean(tidy(html, _TAGS, _KEPT))
