"""What the DNS says about mail from a domain, and what is wrong with it."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import dns.resolver
from checkdmarc.dmarc import check_dmarc
from checkdmarc.spf import SPFError, parse_spf_record
from checkdmarc.utils import DNS_CACHE, DNSException
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key
from dns.exception import DNSException as DnsFailure

from notifications.email_settings.dns_lookups import SECONDS, Unknown, mail_hosts, resolver, texts

PASS, WARN, FAIL, UNKNOWN = "pass", "warn", "fail", "unknown"
_LONGEST_SHOWN: Final = 500
INCLUDES: Final[Mapping[str, str]] = {
    "amazon_ses": "amazonses.com",
    "brevo": "spf.brevo.com",
    "google": "_spf.google.com",
    "mailgun": "mailgun.org",
    "microsoft365": "spf.protection.outlook.com",
    "postmark": "spf.mtasv.net",
    "sendgrid": "sendgrid.net",
}
FREE_MAIL: Final = frozenset(
    [
        "aol.com",
        "fastmail.com",
        "gmail.com",
        "gmx.de",
        "gmx.net",
        "googlemail.com",
        "hotmail.com",
        "icloud.com",
        "live.com",
        "mail.com",
        "mail.ru",
        "me.com",
        "msn.com",
        "outlook.com",
        "proton.me",
        "protonmail.com",
        "qq.com",
        "t-online.de",
        "web.de",
        "yahoo.com",
        "yandex.ru",
        "zoho.com",
    ]
)
_ORDER: Final = (PASS, WARN, UNKNOWN, FAIL)
_STRENGTH: Final = ("none", "quarantine", "reject")


@dataclass(frozen=True, slots=True)
class Record:
    purpose: str
    type: str
    host: str
    status: str
    expected: str = ""
    found: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Findings:
    """``status`` is the worst of the records'."""

    status: str
    records: Sequence[Record]
    checks: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {
            "status": self.status,
            "records": [asdict(record) for record in self.records],
            "checks": dict(self.checks),
        }


def examine(domain: str, *, selectors: Sequence[str], provider: str | None, target: str) -> Findings:
    """Ask the DNS. Takes as long as that takes: not for requests."""
    # The library keeps answers for half an hour, for whoever asks next.
    DNS_CACHE.clear()
    asked = resolver()
    spf, spf_facts = _guarded(_spf, Record("spf", "TXT", domain, UNKNOWN), asked, domain, provider)
    dkim = [_dkim_of(asked, f"{one}._domainkey.{domain}") for one in selectors] or [
        Record(
            "dkim", "TXT", f"*._domainkey.{domain}", WARN, message="Name the selectors that your mail is signed with."
        )
    ]
    dmarc, dmarc_facts = _guarded(_dmarc, Record("dmarc", "TXT", f"_dmarc.{domain}", UNKNOWN), asked, domain, target)
    mx, _ = _guarded(_mx, Record("mx", "MX", domain, UNKNOWN), asked, domain, provider)
    free = domain in FREE_MAIL
    records = [spf, *dkim, dmarc, mx]
    if free:
        records.append(Record("domain", "TXT", domain, FAIL, message="Nobody but its provider may send from it."))
    return Findings(
        max((record.status for record in records), key=_ORDER.index),
        records,
        {
            "spf": {"status": spf.status, **spf_facts},
            "dkim": {"status": max((one.status for one in dkim), key=_ORDER.index)},
            "dmarc": {"status": dmarc.status, **dmarc_facts},
            "mx": {"status": mx.status},
            "free_mail_from": free,
        },
    )


def _guarded(check: Any, unknown: Record, *arguments: Any) -> tuple[Record, dict[str, Any]]:
    try:
        result: tuple[Record, dict[str, Any]] = check(*arguments)
    except Unknown:
        facts = {"spf": {"lookups": None, "all": None}, "dmarc": {"policy": None}}.get(unknown.purpose, {})
        return _said(unknown, UNKNOWN, "The DNS did not answer."), facts
    return result


def _said(record: Record, status: str, message: str, *, found: str = "", expected: str = "") -> Record:
    return Record(record.purpose, record.type, record.host, status, expected, found[:_LONGEST_SHOWN], message)


def _spf(asked: dns.resolver.Resolver, domain: str, provider: str | None) -> tuple[Record, dict[str, Any]]:
    about = Record("spf", "TXT", domain, UNKNOWN)
    include = INCLUDES.get(provider or "", "")
    expected = f"v=spf1 include:{include} ~all" if include else "v=spf1 … ~all"
    records = [text for text in texts(asked, domain) if text.lower() == "v=spf1" or text.lower().startswith("v=spf1 ")]
    nothing = {"lookups": None, "all": None}
    if not records:
        return _said(about, FAIL, "There is no SPF record.", expected=expected), nothing
    found = records[0]
    if len(records) > 1:
        return _said(about, FAIL, "There is more than one SPF record.", found=found, expected=expected), nothing
    try:
        parsed = parse_spf_record(found, domain, resolver=asked, timeout=SECONDS, retries=0)
    except DNSException:
        raise Unknown(domain) from None
    except SPFError as error:
        if _nobody_answered(error):
            raise Unknown(domain) from None
        message = "Receivers cannot use it: it is not valid, or takes more than 10 look-ups."
        return _said(about, FAIL, message, found=found, expected=expected), nothing
    default: Any = parsed["parsed"].get("all")
    facts = {"lookups": parsed["dns_lookups"], "all": default if isinstance(default, str) else None}
    if default == "pass":
        return _said(about, FAIL, "+all lets anybody send.", found=found, expected=expected), facts
    if include and include not in found.lower():
        return _said(about, FAIL, "The provider's include is missing.", found=found, expected=expected), facts
    if default not in ("fail", "softfail") and "redirect=" not in found.lower():
        return _said(about, WARN, "End it with ~all or -all.", found=found, expected=expected), facts
    return _said(about, PASS, "", found=found), facts


def _nobody_answered(error: BaseException | None) -> bool:
    """Whether a record that this one includes could not be read, which the library calls missing."""
    while error is not None:
        if isinstance(getattr(error, "error", None), DnsFailure):
            return True
        error = error.__cause__
    return False


def _dkim_of(asked: dns.resolver.Resolver, host: str) -> Record:
    about = Record("dkim", "TXT", host, UNKNOWN)
    try:
        # A CNAME to the provider's is followed by the resolver.
        found = next((text for text in texts(asked, host) if "p=" in text), None)
    except Unknown:
        return _said(about, UNKNOWN, "The DNS did not answer.")
    if found is None:
        return _said(about, FAIL, "There is no key of this selector.", expected="v=DKIM1; p=…")
    tags = dict(part.strip().partition("=")[::2] for part in found.split(";") if "=" in part)
    key = "".join(tags.get("p", "").split())
    if not key:
        return _said(about, FAIL, "This key was revoked.", found=found)
    status, message = _key_strength(tags.get("k", "rsa").strip() or "rsa", key)
    return _said(about, status, message, found=found)


def _key_strength(kind: str, key: str) -> tuple[str, str]:
    if kind != "rsa":
        return PASS, ""
    try:
        public = load_der_public_key(base64.b64decode(key, validate=True))
    except (ValueError, binascii.Error, UnsupportedAlgorithm):
        return FAIL, "This is not a key."
    bits = public.key_size if isinstance(public, RSAPublicKey) else 0
    if bits < 1024:
        return FAIL, "This key is too short."
    return (WARN, "Use a key of 2048 bits.") if bits < 2048 else (PASS, "")


def _dmarc(asked: dns.resolver.Resolver, domain: str, target: str) -> tuple[Record, dict[str, Any]]:
    about = Record("dmarc", "TXT", f"_dmarc.{domain}", UNKNOWN)
    expected = f"v=DMARC1; p={target}"
    # So that silence is not taken for a missing record.
    texts(asked, f"_dmarc.{domain}")
    said: Mapping[str, Any] = check_dmarc(
        domain, resolver=asked, timeout=SECONDS, retries=0, ignore_unrelated_records=True
    )
    found = said.get("record") or ""
    if not said["valid"]:
        message = "It is not valid." if found else "There is no DMARC record."
        return _said(about, FAIL, message, found=found, expected=expected), {"policy": None}
    policy = str(said["tags"]["p"]["value"])
    if policy in _STRENGTH and _STRENGTH.index(policy) < _STRENGTH.index(target):
        message = f"The policy is {policy}, weaker than what you want."
        return _said(about, WARN, message, found=found, expected=expected), {"policy": policy}
    advice = "Consider p=quarantine." if policy == "none" else ""
    return _said(about, PASS, advice, found=found), {"policy": policy}


def _mx(asked: dns.resolver.Resolver, domain: str, provider: str | None) -> tuple[Record, dict[str, Any]]:
    about = Record("mx", "MX", domain, UNKNOWN)
    hosts = [host for host in mail_hosts(asked, domain) if host]
    if not hosts:
        return _said(about, WARN, "The domain takes no mail, so answers and bounces get lost."), {}
    return _said(about, PASS, "", found=", ".join(hosts)), {}
