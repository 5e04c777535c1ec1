"""The tenant lens: the staff admin's looks, and a menu of its own."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse_lazy

from platform_site.settings.admin import UNFOLD


def _company(request: HttpRequest) -> str:
    return str(getattr(request, "lens_company", ""))


def _elsewhere(request: HttpRequest) -> bool:
    """What leads out of the lens is never where one is."""
    return False


# Title, icon, and the model whose list it leads to.
_MENU = {
    "People": [
        ("People", "group", "accounts_user"),
        ("Sessions", "devices", "accounts_session"),
        ("Mailed links", "link", "accounts_linktoken"),
        ("Profiles", "badge", "accounts_customprofile"),
        ("API keys", "key", "accounts_apikey"),
    ],
    "Mail and notifications": [
        ("Notifications", "notifications", "notifications_notification"),
        ("Deliveries", "outgoing_mail", "notifications_delivery"),
        ("Digests", "stacked_email", "notifications_digest"),
        ("Suppressions", "block", "notifications_suppression"),
        ("Mail server", "dns", "notifications_smtpserver"),
        ("Waiting work", "error", "outbox_outboxrow"),
    ],
    "Chat": [("Channels", "forum", "chat_channel"), ("Messages", "chat", "chat_message")],
    "Records": [
        ("Records", "contacts", "registry_entity"),
        ("Links", "hub", "registry_link"),
        ("Merges", "merge", "registry_merge"),
        ("Events", "timeline", "events_event"),
    ],
    "Organisation": [
        ("Settings", "tune", "org_settings_orgsetting"),
        ("Set-up", "checklist", "setup_hub_taskstate"),
        ("Journal", "history", "journal_journalentry"),
    ],
}
# Addresses are made anew for each page, so they are the tenant's.
_LOOKS = (
    "SITE_TITLE", "SITE_ICON", "SITE_FAVICONS", "STYLES", "SHOW_HISTORY", "SHOW_VIEW_ON_SITE", "BORDER_RADIUS",
    "COLORS",
)  # fmt: skip
UNFOLD_LENS: dict[str, Any] = {name: UNFOLD[name] for name in _LOOKS} | {
    "SITE_HEADER": _company,
    "SITE_SUBHEADER": "Customer",
    "SITE_URL": None,
    "ACCOUNT": {"navigation": [{"title": "Back to all tenants", "link": "/admin/"}]},
    "SIDEBAR": {
        "show_search": True,
        "command_search": True,
        "show_all_applications": False,
        "navigation": [
            {
                "items": [
                    {"title": "All tenants", "icon": "arrow_back", "link": "/admin/", "active": _elsewhere},
                    {"title": "Overview", "icon": "home", "link": reverse_lazy("admin:index")},
                    {"title": "Staff session", "icon": "edit_note", "link": reverse_lazy("admin:lens_session")},
                ],
            },
            *(
                {
                    "title": heading,
                    "separator": True,
                    "items": [
                        {"title": title, "icon": icon, "link": reverse_lazy(f"admin:{model}_changelist")}
                        for title, icon, model in entries
                    ],
                }
                for heading, entries in _MENU.items()
            ),
        ],
    },
}
