"""The staff admin's looks."""

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy

from platform_site.settings.base import PRODUCT_NAME


def _icon(request: HttpRequest) -> str:
    return static("pages/icon.svg")


def _styles(request: HttpRequest) -> str:
    return static("backoffice/admin.css")


# Where staff arrive who opened the sign-in page itself.
LOGIN_REDIRECT_URL = "/admin/"

# Teal, as on the platform's own pages.
_PRIMARY = {
    "50": "oklch(98.4% .014 180.72)",
    "100": "oklch(95.3% .051 180.801)",
    "200": "oklch(91% .096 180.426)",
    "300": "oklch(85.5% .138 181.071)",
    "400": "oklch(77.7% .152 181.912)",
    "500": "oklch(60% .118 184.704)",
    "600": "oklch(51.1% .096 186.391)",
    "700": "oklch(43.7% .078 188.216)",
    "800": "oklch(38.6% .063 188.416)",
    "900": "oklch(27.7% .046 192.524)",
    "950": "oklch(22% .04 192.5)",
}

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": PRODUCT_NAME,
    "SITE_HEADER": PRODUCT_NAME,
    "SITE_SUBHEADER": "Staff",
    "SITE_URL": "/",
    "SITE_ICON": _icon,
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _icon}],
    "STYLES": [_styles],
    # The staff audit is the history.
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "BORDER_RADIUS": "8px",
    "COLORS": {"primary": _PRIMARY},
    "DASHBOARD_CALLBACK": "platform_site.backoffice.home.dashboard",
    "LOGIN": {"form": "accounts.staff.forms.StaffSignInForm"},
    "SIDEBAR": {
        "show_search": False,
        "show_all_applications": False,
        "navigation": [
            {
                "title": "Platform",
                "items": [
                    {"title": "Overview", "icon": "home", "link": reverse_lazy("admin:index")},
                    {
                        "title": "Tenants",
                        "icon": "domain",
                        "link": reverse_lazy("admin:tenancy_tenant_changelist"),
                    },
                    {
                        "title": "Outbox",
                        "icon": "outbox",
                        "link": reverse_lazy("admin:outbox_outboxrow_changelist"),
                    },
                    {"title": "Search", "icon": "search", "link": reverse_lazy("staff-find")},
                ],
            },
            {
                "title": "Staff",
                "separator": True,
                "items": [
                    {
                        "title": "Audit",
                        "icon": "policy",
                        "link": reverse_lazy("admin:staff_staffact_changelist"),
                    },
                    {
                        "title": "Sessions",
                        "icon": "timer",
                        "link": reverse_lazy("admin:staff_staffsession_changelist"),
                    },
                    {
                        "title": "Accounts",
                        "icon": "badge",
                        "link": reverse_lazy("admin:staff_staffuser_changelist"),
                        "permission": "accounts.staff.rights.is_superuser",
                    },
                ],
            },
        ],
    },
}
