"""What a value of the e-mail settings has to be. Asks no DNS and no database."""

import re
from collections.abc import Mapping
from typing import Any, Final, NoReturn

import idna
from email_validator import EmailNotValidError, validate_email

from notifications.mailing.cleaning import clean_footer_source
from notifications.mailing.template_problems import problems
from notifications.texts import TemplateError
from platform_site.errors import VALIDATION_FAILED, FieldError, PlatformError
from tenancy.org_settings.catalog import valid_https_url

FOOTER_VARIABLES: Final = ("company", "address", "unsubscribe_url", "preferences_url")
LONGEST_FOOTER: Final = 10 * 1024
_UNSAFE_IN_NAME: Final = re.compile(r"[<>@\"\\\r\n\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_LABEL: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.ASCII)


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
        right = bool(valid_https_url(text)) and not {"{", "}"} & set(text)
    except ValueError:
        right = False
    if not right:
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
    cleaned = _cleaned(html)
    found = [*_problems("html", html), *_problems("html", cleaned), *_problems("text", text)]
    if found:
        raise PlatformError(VALIDATION_FAILED, details=list({(one.field, one.code): one for one in found}.values()))
    return {"html": cleaned, "text": text}


def _cleaned(html: str) -> str:
    try:
        return clean_footer_source(html)
    except TemplateError as error:
        refuse("html", "invalid", str(error))


def _problems(field: str, source: str) -> list[FieldError]:
    return problems(field, source, dict.fromkeys(FOOTER_VARIABLES, ""), html=field == "html")
