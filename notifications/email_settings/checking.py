"""What a value of the e-mail settings has to be. Asks no DNS and no database."""

import re
from collections.abc import Mapping
from typing import Any, Final, NoReturn
from urllib.parse import urlsplit

import idna
import nh3
from email_validator import EmailNotValidError, validate_email

from notifications.texts import TemplateError, render_text
from platform_site.errors import VALIDATION_FAILED, FieldError, PlatformError

FOOTER_VARIABLES: Final = ("company", "address", "unsubscribe_url", "preferences_url")
LONGEST_FOOTER: Final = 10 * 1024
_UNSAFE_IN_NAME: Final = re.compile(r"[<>@\"\\\r\n\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_LABEL: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.ASCII)
_VARIABLE: Final = re.compile(r"\{\{-?\s*([A-Za-z_][\w.]*)")
_TABLE: Final = {"table", "thead", "tbody", "tfoot", "tr", "td", "th"}
_TAGS: Final = {"a", "p", "br", "strong", "em", "b", "i", "ul", "ol", "li", "img", *_TABLE}
_ATTRIBUTES: Final = {
    "a": {"href", "title"},
    "img": {"src", "alt", "width", "height"},
    "table": {"width", "align", "cellpadding", "cellspacing", "border"},
    **{tag: {"align", "valign", "width", "colspan", "rowspan"} for tag in ("td", "th")},
}
# What stands in a link may be one of these, which are filled in later and are ours.
_LINK_VARIABLES: Final = re.compile(r"\{\{\s*(?:unsubscribe_url|preferences_url)\s*\}\}")


def refuse(field: str, code: str, message: str) -> NoReturn:
    raise PlatformError(VALIDATION_FAILED, details=[FieldError(field, code, message)])


def safe_name(text: str) -> str:
    """A name that can stand before an address and cannot pretend to be one."""
    return " ".join(_UNSAFE_IN_NAME.sub(" ", text).split())


def check_name(field: str, text: str) -> str:
    if _UNSAFE_IN_NAME.search(text):
        refuse(field, "invalid", 'A name has no <, >, @, ", backslash, or line break in it.')
    return text.strip()


def check_address(field: str, text: str) -> str:
    """The address in its usual spelling."""
    try:
        found = validate_email(text, check_deliverability=False, test_environment=True, allow_smtputf8=False)
    except EmailNotValidError:
        refuse(field, "invalid", "This is not an e-mail address.")
    return str(found.normalized)


def check_web_address(field: str, text: str) -> None:
    try:
        parts = urlsplit(text)
        right = parts.scheme == "https" and bool(parts.hostname) and not parts.username
    except ValueError:
        right = False
    if not right or any(character in text for character in " <>\"'\\{}"):
        refuse(field, "invalid", "This is not an https address.")


def ascii_name(text: str) -> str | None:
    """A host's name as the DNS has it; None for what is none."""
    name = text.strip().rstrip(".").lower()
    if not name.isascii():
        try:
            name = idna.encode(name, uts46=True).decode()
        except idna.IDNAError:
            return None
    labels = name.split(".")
    return name if len(name) <= 253 and all(_LABEL.fullmatch(label) for label in labels) else None


def domain_name(field: str, text: str) -> str:
    name = ascii_name(text)
    if name is None or "." not in name or not re.search(r"[a-z]", name.rpartition(".")[2]):
        refuse(field, "invalid", "This is not a domain.")
    return name


def clean_footer(html: str, text: str) -> Mapping[str, Any]:
    """Both parts as they may be kept: HTML that is plain, and only what the Liquid of footers knows."""
    for field, part in (("html", html), ("text", text)):
        if len(part.encode()) > LONGEST_FOOTER:
            refuse(field, "max_length", "A footer has at most 10 KB.")
        _check_liquid(field, part)
    cleaned = clean_html(html)
    _check_liquid("html", cleaned)
    return {"html": cleaned, "text": text}


def clean_html(html: str) -> str:
    """Links that are filled in later would look relative to the cleaner, so they stand for addresses meanwhile."""
    found: list[str] = []

    def put_away(match: re.Match[str]) -> str:
        found.append(match[0])
        return f"https://footer-link.invalid/{len(found) - 1}/"

    cleaned = nh3.clean(
        _LINK_VARIABLES.sub(put_away, html),
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes={"https", "mailto"},
        url_relative="deny",
        clean_content_tags={"script", "style"},
        attribute_filter=_only_https_pictures,
        link_rel="noopener noreferrer",
    )
    for number, variable in enumerate(found):
        cleaned = cleaned.replace(f"https://footer-link.invalid/{number}/", variable)
    return cleaned


def _only_https_pictures(tag: str, name: str, value: str) -> str | None:
    return None if (tag, name) == ("img", "src") and not value.strip().lower().startswith("https://") else value


def _check_liquid(field: str, source: str) -> None:
    unknown = sorted({name for name in _VARIABLE.findall(source) if name not in FOOTER_VARIABLES})
    if unknown:
        refuse(field, "unknown_variable", f"Footers know no {', '.join(unknown)[:100]}.")
    try:
        render_text(source, dict.fromkeys(FOOTER_VARIABLES, ""), longest=LONGEST_FOOTER)
    except TemplateError:
        refuse(field, "invalid", "This is no Liquid that footers may have.")
