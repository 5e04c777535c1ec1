"""Reading the e-mail settings, inside the bound tenant: one query for one section, one for all."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from notifications.email_settings.sections import COMPLIANCE, FOOTER, SENDER, TRACKING, Section, merged
from notifications.models import EmailSection

Chosen = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Sender:
    """``from_name`` "" is the company's name; ``reply_to`` "" is nobody."""

    from_name: str
    reply_to: str


@dataclass(frozen=True, slots=True)
class Tracking:
    open_tracking: bool
    click_tracking: bool
    require_consent: bool
    anonymize_ip: bool
    retention_days: int


@dataclass(frozen=True, slots=True)
class Compliance:
    """``company_name`` and ``physical_address`` stand at the end of mail where ``can_spam`` is on."""

    can_spam: bool
    company_name: str
    physical_address: str
    gdpr: bool
    privacy_policy_url: str
    dpo_email: str
    lawful_basis: str
    consent_text: str
    # How long is kept what became of mails, where ``gdpr`` is on.
    retention_days: int
    suppress_on_complaint: bool


@dataclass(frozen=True, slots=True)
class Footer:
    """``html`` is cleaned; both are Liquid over ``checking.FOOTER_VARIABLES``."""

    enabled: bool
    html: str
    text: str
    include_address: bool
    include_unsubscribe: bool
    include_social: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EmailSettings:
    sender: Sender
    tracking: Tracking
    compliance: Compliance
    footer: Footer


def section_values(section: Section) -> dict[str, Any]:
    """All values of a section: one query."""
    row = EmailSection.objects.filter(key=section.key).first()
    return merged(section.defaults, row.value if row else {})


def all_chosen() -> Chosen:
    """What was chosen in each section: one query."""
    return dict(EmailSection.objects.values_list("key", "value"))


def email_settings(chosen: Chosen | None = None) -> EmailSettings:
    """All sections; one query, or none for who has read them already."""
    found = all_chosen() if chosen is None else chosen
    return EmailSettings(
        sender=_sender(_values(SENDER, found)),
        tracking=_tracking(_values(TRACKING, found)),
        compliance=_compliance(_values(COMPLIANCE, found)),
        footer=_footer(_values(FOOTER, found)),
    )


def sender_settings() -> Sender:
    return _sender(section_values(SENDER))


def tracking_settings() -> Tracking:
    return _tracking(section_values(TRACKING))


def compliance_settings() -> Compliance:
    return _compliance(section_values(COMPLIANCE))


def _values(section: Section, chosen: Chosen) -> dict[str, Any]:
    return merged(section.defaults, chosen.get(section.key, {}))


def _sender(values: Mapping[str, Any]) -> Sender:
    return Sender(values["from_name"] or "", values["reply_to"] or "")


def _tracking(values: Mapping[str, Any]) -> Tracking:
    return Tracking(
        open_tracking=values["open_tracking"],
        click_tracking=values["click_tracking"],
        require_consent=values["require_consent"],
        anonymize_ip=values["anonymize_ip"],
        retention_days=values["retention_days"],
    )


def _compliance(values: Mapping[str, Any]) -> Compliance:
    can_spam, gdpr = values["can_spam"], values["gdpr"]
    return Compliance(
        can_spam=can_spam["enabled"],
        company_name=can_spam["company_name"],
        physical_address=can_spam["physical_address"],
        gdpr=gdpr["enabled"],
        privacy_policy_url=gdpr["privacy_policy_url"] or "",
        dpo_email=gdpr["dpo_email"] or "",
        lawful_basis=gdpr["lawful_basis"],
        consent_text=gdpr["consent_text"],
        retention_days=gdpr["retention_days"],
        suppress_on_complaint=values["suppress_on_complaint"],
    )


def _footer(values: Mapping[str, Any]) -> Footer:
    return Footer(**{**values, "include_social": tuple(values["include_social"])})
