"""Tables of a tenant's schema: what people were told, on which ways, and how they want it."""

from notifications.models.counts import CountChange, DailyCount
from notifications.models.digests import Digest, DigestSetting
from notifications.models.email import DomainCheck, EmailSection, SmtpServer, SoftBounce, Suppression
from notifications.models.inbox import Delivery, DeliveryEvent, Notification
from notifications.models.preferences import DoNotDisturb, Preference, TenantPreference, TrackingConsent
from notifications.models.templates import TemplateOverride

__all__ = [
    "CountChange",
    "DailyCount",
    "Delivery",
    "DeliveryEvent",
    "Digest",
    "DigestSetting",
    "DoNotDisturb",
    "DomainCheck",
    "EmailSection",
    "Notification",
    "Preference",
    "SmtpServer",
    "SoftBounce",
    "Suppression",
    "TemplateOverride",
    "TenantPreference",
    "TrackingConsent",
]
