"""One spelling for what people write in many: addresses, numbers, names, dates."""

import re
import unicodedata
from collections.abc import Collection
from datetime import date
from functools import lru_cache
from typing import Final

import phonenumbers
from email_validator import EmailNotValidError, validate_email

_BLANKS: Final = re.compile(r"[\s\u200b-\u200d\u2060\ufeff]+")
_DISPLAYED: Final = re.compile(r".*<([^<>]*)>\s*", re.DOTALL)
_WORDS: Final = re.compile(r"[^\W_]+")

# What programs write where nobody is known (the lists of Segment, PostHog and Mixpanel).
NOBODY: Final = frozenset(
    {"-1", "null", "none", "nil", "n/a", "na", "undefined", "anonymous", "anon", "guest", "test", "true", "false"}
    | {"nan", "unknown", "nobody", "[objectobject]", "00000000-0000-0000-0000-000000000000"}
)
_ZEROS: Final = re.compile(r"[0-]*")
# Mailboxes that no person reads, or that many do (RFC 2142 and custom).
ROLES: Final = frozenset(
    {"noreply", "no-reply", "no_reply", "donotreply", "do-not-reply", "postmaster", "mailer-daemon", "abuse", "bounce"}
    | {"bounces", "hostmaster", "webmaster", "root", "daemon"}
)
# Providers where dots, or what follows a plus, make no other mailbox; and names that are one provider's.
_SAME_PROVIDER: Final = {
    "googlemail.com": "gmail.com",
    "me.com": "icloud.com",
    "mac.com": "icloud.com",
    "pm.me": "proton.me",
    "protonmail.com": "proton.me",
}
_WITHOUT_DOTS: Final = frozenset({"gmail.com"})
_WITHOUT_TAGS: Final = frozenset(
    {"gmail.com", "icloud.com", "proton.me", "outlook.com", "hotmail.com", "live.com", "fastmail.com"}
)
_LEGAL_FORMS: Final = frozenset(
    {"ab", "ag", "aps", "as", "asa", "bv", "bvba", "co", "company", "corp", "corporation", "cv", "eg", "ek", "eurl"}
    | {"ev", "gbr", "gesmbh", "gmbh", "gp", "inc", "incorporated", "kft", "kg", "kgaa", "limited", "llc", "llp", "lp"}
    | {"ltd", "ltda", "nv", "oy", "oyj", "plc", "pllc", "pte", "pty", "pvt", "sa", "sab", "sarl", "sas", "sca", "se"}
    | {"sl", "sp", "spa", "spzoo", "sprl", "srl", "srls", "ug", "zoo"}
)
_MONTHS: Final = {
    "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6,
    "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11, "dec": 12,
}  # fmt: skip
_DIGITS: Final = re.compile(r"\d+", re.ASCII)

# Domains that email-validator takes for special (.local, .internal and the like), and what may stand before them.
_WITHIN: Final = re.compile(
    r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?:local|internal|invalid|lan|home|corp|arpa)", re.IGNORECASE
)
_LOCAL: Final = re.compile(r"[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*")


@lru_cache(maxsize=4096)
def email_key(text: str) -> str | None:
    """What an address is known by: two spellings of one mailbox give one key, and two mailboxes never do.

    None for what is no address. Dots and tags stay: some use them to tell identities apart.
    """
    shown = _DISPLAYED.fullmatch(text)
    plain = _BLANKS.sub("", unicodedata.normalize("NFKC", shown[1] if shown else text)).removesuffix(".")
    try:
        # Names that only work within a company are addresses here; whether mail gets there is not asked.
        found = validate_email(
            plain, check_deliverability=False, allow_smtputf8=True, test_environment=True, strict=False
        )
    except EmailNotValidError:
        local, at, domain = plain.rpartition("@")
        if not at or not _WITHIN.fullmatch(domain) or not _LOCAL.fullmatch(local) or len(plain) > 254:
            return None
        return f"{local}@{domain}".casefold()
    return f"{found.local_part.casefold()}@{found.ascii_domain.lower() if found.ascii_domain else found.domain.lower()}"


def email_candidate_key(text: str) -> str | None:
    """The mailbox as its provider understands it: for finding records that may be one, never for linking them."""
    key = email_key(text)
    if key is None:
        return None
    local, _, domain = key.rpartition("@")
    domain = _SAME_PROVIDER.get(domain, domain)
    if domain in _WITHOUT_TAGS:
        local = local.partition("+")[0] or local
    if domain in _WITHOUT_DOTS:
        local = local.replace(".", "")
    return f"{local}@{domain}"


def is_blocked(text: str, shared: Collection[str] = ()) -> bool:
    """Whether this stands for nobody in particular. ``shared`` are a tenant's own: addresses, or local parts."""
    plain = email_key(text) or _BLANKS.sub("", unicodedata.normalize("NFKC", text)).casefold()
    local = (plain.rpartition("@")[0] if "@" in plain else plain).partition("+")[0]
    if _ZEROS.fullmatch(local) or local in NOBODY or local in ROLES:
        return True
    return any(one in (plain, local) for one in (entry.strip().casefold() for entry in shared) if one)


@lru_cache(maxsize=4096)
def phone_key(text: str, region: str | None = None) -> str | None:
    """E.164 of a number that is possible, or None. ``region`` is the country that numbers without one are of."""
    try:
        number = phonenumbers.parse(text[:60], region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    number.extension = None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def search_key(text: str) -> str:
    """For finding a text within another: no case, no marks, one blank between words."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    kept = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return _BLANKS.sub(" ", kept).strip()


@lru_cache(maxsize=16_384)
def words_of(text: str) -> tuple[str, ...]:
    """The words of a text without case, marks and signs."""
    return tuple(_WORDS.findall(search_key(text.replace("'", "").replace("’", ""))))


def company_name_key(name: str) -> str:
    """The words of a name without what says only of which legal form a company is."""
    words = words_of(name)
    kept = [word for word in words if word not in _LEGAL_FORMS]
    return " ".join(kept or words)


@lru_cache(maxsize=16_384)
def date_key(text: str) -> str | None:
    """YYYY-MM-DD, or None for what is no day. 1980-12-31, 19801231, 31.12.1980, 12/31/1980 and 31 Dec 1980 are one."""
    plain = search_key(text)
    parts = _DIGITS.findall(plain)
    if any(len(part) > _LONGEST_PART for part in parts):
        return None
    month = next((number for name, number in _MONTHS.items() if name in plain), None)
    if month is not None and len(parts) == 2:
        year, day = (parts[0], parts[1]) if len(parts[0]) == 4 else (parts[1], parts[0])
        return _day(year, str(month), day)
    if len(parts) >= 3 and len(parts[0]) == 4:
        return _day(parts[0], parts[1], parts[2])
    if len(parts) >= 3 and len(parts[2]) == 4:
        return _turned(parts[2], parts[0], parts[1], american="/" in plain)
    if len(parts) == 1 and len(parts[0]) == 8:
        return _day(parts[0][:4], parts[0][4:6], parts[0][6:])
    return None


# Of a year, or of a day that is written without signs.
_LONGEST_PART: Final = 8


def _turned(year: str, one: str, other: str, *, american: bool) -> str | None:
    """Day and month as the country writes them; where only one order is a day, it is that one."""
    usual, turned = ((one, other), (other, one)) if american else ((other, one), (one, other))
    return _day(year, *usual) or _day(year, *turned)


def _day(year: str, month: str, day: str) -> str | None:
    try:
        return date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        return None


def code_key(text: str) -> str:
    """Letters and digits of a number that people group in many ways: a postcode, a tax number."""
    return "".join(words_of(text))
