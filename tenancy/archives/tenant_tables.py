"""What an export takes of each table in a tenant's schema. A test compares it with the models.

A backup takes a schema whole; this is about moving to another installation, where keys and addresses are others.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from django.apps import apps


class Travels(StrEnum):
    YES = "yes"
    # Only with --with-secrets, in the encrypted part.
    SECRET = "secret"  # noqa: S105 - the name of a choice
    NO = "no"


@dataclass(frozen=True, slots=True)
class TenantTable:
    """``files`` is a column whose bytes are files of the archive instead, under the folder of that name."""

    model: str
    travels: Travels = Travels.YES
    why: str = ""
    files: str = ""
    folder: str = ""

    @property
    def label(self) -> str:
        return str(apps.get_model(self.model)._meta.label)

    @property
    def table(self) -> str:
        return str(apps.get_model(self.model)._meta.db_table)

    @property
    def part(self) -> str:
        return f"data/{self.label}.jsonl"


AVATARS: Final = TenantTable("accounts.Avatar", files="image", folder="files/avatars")
TENANT_TABLES: Final = (
    TenantTable("journal.JournalEntry"),
    TenantTable(
        "idempotency.IdempotencyRecord",
        Travels.NO,
        "Keys of requests are good for a day, and sealed with this platform's.",
    ),
    TenantTable("org_settings.OrgSetting"),
    TenantTable("accounts.CustomProfile"),
    TenantTable("accounts.User"),
    TenantTable("accounts.ApiKey", Travels.NO, "A key names the tenant and the platform that made it."),
    AVATARS,
    TenantTable("accounts.LinkToken", Travels.NO, "Mailed links lead to the platform that mailed them."),
    TenantTable("accounts.SecondFactor", Travels.SECRET, "Secrets of authenticator apps."),
    TenantTable("accounts.Session", Travels.NO, "Nobody is signed in at another installation."),
    TenantTable("events.Event"),
    TenantTable("events.EventStat"),
    TenantTable("registry.Entity"),
    TenantTable("registry.Identifier"),
    TenantTable("registry.Link"),
    TenantTable("registry.HistoryEntry"),
    TenantTable("registry.Merge"),
    TenantTable("registry.Duplicate"),
    TenantTable("chat.Channel"),
    TenantTable("chat.DirectPair"),
    TenantTable("chat.Member"),
    TenantTable("chat.Message"),
    TenantTable("chat.Mention"),
    TenantTable("chat.Reaction"),
    TenantTable("notifications.DailyCount"),
    TenantTable("notifications.CountChange"),
    TenantTable("notifications.DigestSetting"),
    TenantTable("notifications.Digest"),
    TenantTable("notifications.EmailSection"),
    TenantTable("notifications.SmtpServer"),
    TenantTable("notifications.DomainCheck"),
    TenantTable("notifications.Suppression"),
    TenantTable("notifications.SoftBounce", Travels.NO, "Hashes under this platform's key, of the last seven days."),
    TenantTable("notifications.Notification"),
    TenantTable("notifications.Delivery"),
    TenantTable("notifications.DeliveryEvent"),
    TenantTable("notifications.Preference"),
    TenantTable("notifications.DoNotDisturb"),
    TenantTable("notifications.TenantPreference"),
    TenantTable("notifications.TrackingConsent"),
    TenantTable("notifications.TemplateOverride"),
    TenantTable("setup_hub.Setup"),
    TenantTable("setup_hub.TaskState"),
    TenantTable("me.StoredItem"),
)
