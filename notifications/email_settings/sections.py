"""The sections of the e-mail settings, in one table: defaults, and what has to be true of the whole."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from notifications.email_settings.checking import (
    check_address,
    check_name,
    check_web_address,
    clean_footer,
    domain_name,
    refuse,
)

Values = Mapping[str, Any]
PROVIDERS: Final = ("amazon_ses", "brevo", "google", "mailgun", "microsoft365", "postmark", "sendgrid", "other")
DMARC_POLICIES: Final = ("none", "quarantine", "reject")
LAWFUL_BASES: Final = ("consent", "contract", "legal_obligation", "legitimate_interest")


def _as_it_is(values: Values) -> Values:
    return values


@dataclass(frozen=True, slots=True)
class Section:
    """``check`` gets all values, those that were chosen over the defaults, and gives them as they are kept.

    It raises ``validation_failed``. Values in a map of ``defaults`` are values of
    their own: what is not named in it stays.
    """

    key: str
    defaults: Values
    check: Callable[[Values], Values] = field(default=_as_it_is)


def merged(defaults: Values, chosen: Values) -> dict[str, Any]:
    """Chosen values over the defaults; what the defaults do not know is left out."""
    return {
        name: merged(default, chosen.get(name) or {}) if isinstance(default, Mapping) else chosen.get(name, default)
        for name, default in defaults.items()
    }


def changed(defaults: Values, chosen: Values, changes: Values) -> dict[str, Any]:
    """What is chosen after ``changes``; None goes back to the default, whole maps too."""
    result = dict(chosen)
    for name, value in changes.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(defaults[name], Mapping):
            result[name] = changed(defaults[name], chosen.get(name) or {}, value)
        else:
            result[name] = value
    return result


def _check_sender(values: Values) -> Values:
    checked = dict(values)
    if values["from_name"] is not None:
        checked["from_name"] = check_name("fromName", values["from_name"]) or None
    if values["reply_to"] is not None:
        checked["reply_to"] = check_address("replyTo", values["reply_to"])
    return checked


def _check_compliance(values: Values) -> Values:
    can_spam, gdpr = values["can_spam"], dict(values["gdpr"])
    if can_spam["enabled"] and not can_spam["physical_address"]:
        refuse("canSpam.physicalAddress", "required", "Mail needs the company's postal address at its end.")
    if gdpr["privacy_policy_url"] is not None:
        check_web_address("gdpr.privacyPolicyUrl", gdpr["privacy_policy_url"])
    if gdpr["dpo_email"] is not None:
        gdpr["dpo_email"] = check_address("gdpr.dpoEmail", gdpr["dpo_email"])
    return {**values, "gdpr": gdpr}


def _check_footer(values: Values) -> Values:
    for number, address in enumerate(values["include_social"]):
        check_web_address(f"includeSocial.{number}", address)
    return {**values, **clean_footer(values["html"], values["text"])}


def _check_domain(values: Values) -> Values:
    if values["domain"] is None:
        return values
    return {**values, "domain": domain_name("domain", values["domain"])}


SENDER: Final = Section("sender", {"from_name": None, "reply_to": None}, _check_sender)
TRACKING: Final = Section(
    "tracking",
    {
        "open_tracking": False,
        "click_tracking": False,
        "require_consent": True,
        # Never: a link that signs somebody in goes through nothing.
        "track_security_emails": False,
        "anonymize_ip": True,
        "retention_days": 90,
    },
)
COMPLIANCE: Final = Section(
    "compliance",
    {
        "can_spam": {"enabled": False, "company_name": "", "physical_address": ""},
        "gdpr": {
            "enabled": False,
            "privacy_policy_url": None,
            "dpo_email": None,
            "lawful_basis": "legitimate_interest",
            "consent_text": "",
            "retention_days": 90,
        },
        # Gmail, Yahoo and RFC 8058 leave no choice.
        "unsubscribe": {"one_click": True, "list_unsubscribe": True},
        "suppress_on_complaint": True,
    },
    _check_compliance,
)
FOOTER: Final = Section(
    "footer",
    {
        "enabled": False,
        "html": "",
        "text": "",
        "include_address": True,
        "include_unsubscribe": True,
        "include_social": [],
    },
    _check_footer,
)
DELIVERABILITY: Final = Section(
    "deliverability",
    {"domain": None, "dkim_selectors": [], "provider": None, "dmarc_policy_target": "none"},
    _check_domain,
)
