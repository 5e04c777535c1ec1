"""Around a mail's own words: the company's look, its footer, and what has to stand at the end."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from django.utils.html import format_html, format_html_join, linebreaks
from django.utils.safestring import SafeString

from notifications.email_settings.read import Compliance, Footer, email_settings
from notifications.mailing.cleaning import clean
from notifications.mailing.drafting import text_of
from notifications.texts import TemplateError, render_body, render_html
from platform_site.binding import require_tenant
from platform_site.mail_html import Look, look, page
from tenancy.models import Tenant

# What a list of mails shows beside the subject.
_LONGEST_PREHEADER: Final = 140


@dataclass(frozen=True, slots=True)
class WayOut:
    """Where the reader may say that it is enough; "" in mails that cannot be turned off."""

    unsubscribe_url: str = ""
    preferences_url: str = ""


@dataclass(frozen=True, slots=True)
class Frame:
    """Everything of a mail that is the same for all of a company's mails to one reader."""

    look: Look
    timezone: str
    footer_html: str
    footer_text: str

    @property
    def company(self) -> str:
        return self.look.name

    def html(self, template: str, values: Mapping[str, Any], *, subject: str, preheader: str) -> str:
        shown = {
            **values,
            "subject": subject,
            "preheader": preheader[:_LONGEST_PREHEADER],
            "footer_html": SafeString(self.footer_html),
        }
        return page(template, shown, look=self.look)

    def text(self, body: str) -> str:
        return f"{body.strip()}\n\n-- \n{self.footer_text}\n"


def frame(way_out: WayOut, *, own_footer: bool = True) -> Frame:
    """Of the bound tenant: one query for the company, one for its settings."""
    tenant = Tenant.objects.only("name", "logo_url", "colors", "timezone").get(id=require_tenant().id)
    chosen = email_settings()
    primary = tenant.colors.get("primary", "") if isinstance(tenant.colors, dict) else ""
    htmls, texts = [], []
    if own_footer and chosen.footer.enabled:
        html, text = _own_footer(chosen.footer, chosen.compliance, tenant.name, way_out)
        htmls.append(html)
        texts.append(text)
    html, text = _end(chosen.footer, chosen.compliance, tenant.name, way_out)
    return Frame(
        look=look(tenant.name, logo_url=tenant.logo_url, primary=str(primary)),
        timezone=tenant.timezone or "UTC",
        footer_html="".join([*htmls, html]),
        footer_text="\n\n".join(part for part in [*texts, text] if part),
    )


def _own_footer(footer: Footer, compliance: Compliance, company: str, way_out: WayOut) -> tuple[str, str]:
    """What the company wrote; nothing of what cannot be filled."""
    values = {
        "company": company,
        "address": compliance.physical_address,
        "unsubscribe_url": way_out.unsubscribe_url,
        "preferences_url": way_out.preferences_url,
    }
    try:
        html, text = clean(render_html(footer.html, values)), render_body(footer.text, values).strip()
    except TemplateError:
        return "", ""
    links = [(address, urlsplit(address).netloc.removeprefix("www.")) for address in footer.include_social]
    social = format_html_join(" · ", '<a href="{}">{}</a>', links)
    return (
        html + (format_html("<p>{}</p>", social) if links else ""),
        "\n".join([text or text_of(html), *footer.include_social]).strip(),
    )


def _end(footer: Footer, compliance: Compliance, company: str, way_out: WayOut) -> tuple[str, str]:
    """After whatever the company wrote: it can be neither left out nor hidden."""
    why = f"You get this mail because you have an account at {company}."
    if way_out.unsubscribe_url:
        why = f"You get this mail because of your notification settings at {company}."
    html: list[str] = [format_html("<p>{}</p>", why)]
    text = [why]
    links = []
    if way_out.unsubscribe_url:
        links.append((way_out.unsubscribe_url, "Unsubscribe"))
    if way_out.preferences_url and way_out.preferences_url != way_out.unsubscribe_url:
        links.append((way_out.preferences_url, "Preferences"))
    if compliance.gdpr and compliance.privacy_policy_url:
        links.append((compliance.privacy_policy_url, "Privacy policy"))
    if links:
        html.append(format_html("<p>{}</p>", format_html_join(" · ", '<a href="{}">{}</a>', links)))
        text.append("\n".join(f"{name}: {address}" for address, name in links))
    if compliance.physical_address and (compliance.can_spam or footer.include_address):
        address = f"{compliance.company_name or company}\n{compliance.physical_address}"
        html.append(linebreaks(address, autoescape=True))
        text.append(address)
    return "".join(html), "\n\n".join(text)
