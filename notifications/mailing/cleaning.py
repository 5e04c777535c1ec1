"""HTML that a company wrote: what may stand in a mail stays, the rest goes."""

import re
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


_FOOTER_TAGS: Final = {
    *("a", "b", "br", "em", "i", "img", "li", "ol", "p", "strong", "ul"),
    *("table", "tbody", "td", "tfoot", "th", "thead", "tr"),
}
_FOOTER_ATTRIBUTES: Final = {
    **_ATTRIBUTES,
    "table": {"width", "align", "cellpadding", "cellspacing", "border"},
}
# What may stand in a footer's link and is filled in later, by us.
_LINK_VARIABLES: Final = re.compile(r"\{\{\s*(?:unsubscribe_url|preferences_url)\s*\}\}")


def _only_https_pictures(tag: str, name: str, value: str) -> str | None:
    return None if (tag, name) == ("img", "src") and not value.strip().lower().startswith("https://") else value


_CLEANER: Final = nh3.Cleaner(
    tags=_TAGS,
    clean_content_tags={"script", "style", "title", "iframe", "object", "svg", "math", "template", "noscript"},
    attributes=_ATTRIBUTES,
    attribute_filter=_only_https_pictures,
    url_schemes={"http", "https", "mailto"},
    allowed_classes={tag: set(CLASSES) for tag in _ANYWHERE},
    link_rel="noopener noreferrer",
    strip_comments=True,
)
_FOOTER_CLEANER: Final = nh3.Cleaner(
    tags=_FOOTER_TAGS,
    clean_content_tags={"script", "style"},
    attributes=_FOOTER_ATTRIBUTES,
    attribute_filter=_only_https_pictures,
    url_schemes={"https", "mailto"},
    url_relative="deny",
    link_rel="noopener noreferrer",
    strip_comments=True,
)


def clean(html: str) -> str:
    """No script, no style, no form, nothing embedded; links to the web and to mailboxes, pictures over https.

    Raises ``TemplateError`` for more of it than any mail has.
    """
    return _CLEANER.clean(tidy(html, _TAGS, _KEPT))


def clean_footer_source(html: str) -> str:
    """A footer as it is kept, its Liquid not filled yet: fewer tags than a text has, and links over https.

    Links that are filled in later would look relative, so they stand for addresses
    meanwhile. Raises ``TemplateError`` as ``clean`` does.
    """
    found: list[str] = []

    def put_away(match: re.Match[str]) -> str:
        found.append(match[0])
        return f"https://footer-link.invalid/{len(found) - 1}/"

    whole = tidy(_LINK_VARIABLES.sub(put_away, html), _FOOTER_TAGS, _FOOTER_ATTRIBUTES)
    cleaned = _FOOTER_CLEANER.clean(whole)
    for number, variable in enumerate(found):
        cleaned = cleaned.replace(f"https://footer-link.invalid/{number}/", variable)
    return cleaned
