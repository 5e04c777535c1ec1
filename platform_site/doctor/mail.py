"""The platform's own mail: its server, its sender, and whether others believe the sender."""

import os
import smtplib
import ssl
from email.utils import parseaddr
from typing import Final

from django.conf import settings

from notifications.email_settings.domain_records import PASS, examine
from platform_site.doctor.catalog import Examination, Finding, fine, problem, skipped, warning

_SECONDS: Final = 5.0
# Nobody's: names that are reserved for tests and examples.
_RESERVED: Final = (".test", ".example", ".invalid", ".localhost", "example.com", "example.org", "example.net")


def server() -> Finding:
    """It greets, offers what was asked for, and lets us in."""
    if not settings.EMAIL_BACKEND.endswith("smtp.EmailBackend"):
        return fine(f"Mail goes by {settings.EMAIL_BACKEND}.")
    context = ssl.create_default_context()
    if settings.EMAIL_USE_SSL:
        connection: smtplib.SMTP = smtplib.SMTP_SSL(
            settings.EMAIL_HOST, settings.EMAIL_PORT, timeout=_SECONDS, context=context
        )
    else:
        connection = smtplib.SMTP(settings.EMAIL_HOST, settings.EMAIL_PORT, timeout=_SECONDS)
    with connection:
        connection.ehlo_or_helo_if_needed()
        if settings.EMAIL_USE_TLS:
            connection.starttls(context=context)
            connection.ehlo()
        if settings.EMAIL_HOST_USER:
            connection.login(settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD)
    return fine("The mail server greets" + (" and lets us in." if settings.EMAIL_HOST_USER else "."))


def sender() -> Finding:
    if settings.DEBUG and settings.EMBEDDED_DATABASE:
        return fine("Mail stays on this machine.")
    own_backend = not settings.EMAIL_BACKEND.endswith("smtp.EmailBackend")
    if not own_backend and not (os.environ.get("EMAIL_URL") or os.environ.get("EMAIL_URL_FILE")):
        return problem("EMAIL_URL is not set.", "Set it as .env.example shows, or name a provider by EMAIL_BACKEND.")
    domain = _domain()
    if not domain or domain.endswith(_RESERVED):
        return problem(f"DEFAULT_FROM_EMAIL sends from {domain or 'nowhere'}.", "Set it to an address of your domain.")
    if settings.MESSAGE_ID_DOMAIN.endswith(_RESERVED):
        return warning(f"MESSAGE_ID_DOMAIN is {settings.MESSAGE_ID_DOMAIN}.", "Set it to a domain of yours.")
    return fine(f"Mail comes from {domain}.")


def domain_records() -> Finding:
    """What receivers ask the DNS before they believe the sender."""
    domain = _domain()
    if not domain or domain.endswith(_RESERVED):
        return skipped("The sender has no domain that the DNS knows.")
    found = examine(domain, selectors=(), provider=None, target="none")
    wrong = [record for record in found.records if record.purpose in {"spf", "dmarc"} and record.status != PASS]
    if wrong:
        first = wrong[0]
        return warning(
            f"{first.purpose.upper()} of {domain}: {first.message or first.status}",
            f"Publish the TXT record at {first.host}{': ' + first.expected if first.expected else ''}.",
        )
    return fine(f"SPF and DMARC vouch for {domain}.")


def _domain() -> str:
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2].lower()


EXAMINATIONS: Final = (
    Examination("mail.server", server, timeout=15.0),
    Examination("mail.sender", sender),
    Examination("mail.domain", domain_records, online=True, timeout=30.0),
)
