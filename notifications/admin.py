"""What people were told, what became of it, and who gets no mail, as staff see it in the lens."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django.contrib.admin import display
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse

from accounts.models import User
from accounts.staff.columns import badge, moment_text
from accounts.staff.lens.actions import staff_action
from accounts.staff.lens.finding import by_id_or_address
from accounts.staff.lens.links import NOTHING, address, link, person_link
from accounts.staff.lens.options import LensModelAdmin
from accounts.staff.lens.panels import ROWS, Cell, Panel
from accounts.staff.lens.site import lens
from notifications.models import Delivery, DeliveryEvent, Digest, Notification, SmtpServer, Suppression
from notifications.services.resending import delivery_send_again
from notifications.services.suppressing import addresses_hashed, suppression_lift, suppressions_of

_STATES = {"Pending": "info", "Sent": "success", "Suppressed": "warning", "Failed": "danger", "bounced": "danger"}


def state_of(delivery: Delivery) -> str:
    """In one word, the last thing that is known."""
    for name in ("complained", "bounced"):
        if getattr(delivery, f"{name}_at") is not None:
            return name
    return str(delivery.get_status_display())


def why(delivery: Delivery) -> str:
    """Why it did not arrive, so far as anybody said."""
    return delivery.reason or delivery.last_error


def _deliveries(told: Notification) -> Iterable[Sequence[Any]]:
    for one in told.deliveries.order_by("id")[:ROWS]:
        yield Cell(one.channel, address(Delivery, one.pk)), state_of(one), why(one), moment_text(one.sent_at)


@lens(Notification, "notification")
class NotificationAdmin(LensModelAdmin):
    list_display = ("created_at", "title", "event_key", "person", "read")
    list_select_related = ("user",)
    search_help_text = "A person's whole address, or a notification's id"
    lookups = frozenset({"user__id__exact"})
    fields = (
        "id", "person", "event_key", "title", "body", "action_url", "data", "actor_id", "in_inbox", "created_at",
        "read_at", "dismissed_at",
    )  # fmt: skip
    panels = (Panel("On its ways out", ("Channel", "State", "Why", "Sent"), _deliveries, "In the inbox only."),)

    def find(self, queryset: "QuerySet[Notification]", term: str) -> "QuerySet[Notification]":
        return by_id_or_address(queryset, term, "user__email_key")

    def title_of(self, subject: Notification) -> str:
        return subject.title

    @display(description="to")
    def person(self, told: Notification) -> str:
        return person_link(told.user)

    @display(description="read", boolean=True)
    def read(self, told: Notification) -> bool:
        return told.read_at is not None


def _events(delivery: Delivery) -> Iterable[Sequence[Any]]:
    for one in DeliveryEvent.objects.filter(delivery=delivery).order_by("-at")[:ROWS]:
        yield moment_text(one.at), one.kind, one.detail.get("reason", ""), one.detail.get("status", "")


def _suppressed(delivery: Delivery) -> Iterable[Sequence[Any]]:
    for one in suppressions_of(delivery.notification.user.email):
        yield (
            Cell(one.get_reason_display(), address(Suppression, one.pk)),
            one.get_scope_display(),
            one.detail,
            moment_text(one.created_at),
        )


@lens(Delivery, "delivery", "deliveries")
class DeliveryAdmin(LensModelAdmin):
    """With what a mail server or provider said about it."""

    list_display = ("created_at", "told", "person", "channel", "state", "why_shown", "sent_at")
    list_select_related = ("notification__user",)
    list_filter = ("status",)
    search_help_text = "A person's whole address, or a delivery's id"
    fields = (
        "id", "told", "person", "channel", "state", "why_shown", "held_until", "digest_shown", "mailer",
        "provider_message_id", "template_version", "template_fallback", "created_at", "sent_at", "delivered_at",
        "opened_at", "clicked_at", "bounced_at", "complained_at", "unsubscribed_at",
    )  # fmt: skip
    panels = (
        Panel("What the mail provider said", ("When", "What", "Why", "Status"), _events, "Nothing."),
        Panel("The address is suppressed", ("Reason", "Which mail", "Detail", "Since"), _suppressed, "It is not."),
    )
    actions_detail = ("send_again",)

    def find(self, queryset: "QuerySet[Delivery]", term: str) -> "QuerySet[Delivery]":
        return by_id_or_address(queryset, term, "notification__user__email_key")

    def title_of(self, subject: Delivery) -> str:
        return f"{subject.channel}: {subject.notification.title}"

    @display(description="notification")
    def told(self, delivery: Delivery) -> str:
        return link(delivery.notification.title, address(Notification, delivery.notification_id))

    @display(description="to")
    def person(self, delivery: Delivery) -> str:
        return person_link(delivery.notification.user)

    @badge("state", _STATES)
    def state(self, delivery: Delivery) -> str:
        return state_of(delivery)

    @display(description="why")
    def why_shown(self, delivery: Delivery) -> str:
        return why(delivery) or NOTHING

    @display(description="in the digest")
    def digest_shown(self, delivery: Delivery) -> str:
        return link(delivery.digest_id, address(Digest, delivery.digest_id)) if delivery.digest_id else NOTHING

    @staff_action(
        name="delivery.sent_again",
        label="Send again",
        explanation="The mail goes out once more, to the address that the person has now.",
        icon="forward_to_inbox",
    )
    def send_again(self, request: HttpRequest, delivery: Delivery) -> str:
        new = delivery_send_again(delivery_id=UUID(str(delivery.pk)))
        return "The mail goes out again." if new else "It was on its way already."


def _carried(digest: Digest) -> Iterable[Sequence[Any]]:
    rows = Delivery.objects.filter(digest=digest).select_related("notification").order_by("-id")
    for one in rows[:ROWS]:
        yield Cell(one.notification.title, address(Delivery, one.pk)), state_of(one), why(one)


@lens(Digest, "digest")
class DigestAdmin(LensModelAdmin):
    list_display = ("due_at", "person", "kind", "status", "items", "sent_at")
    list_select_related = ("user",)
    search_help_text = "A person's whole address, or a digest's id"
    fields = ("id", "person", "kind", "status", "due_at", "items", "created_at", "sent_at", "opened_at", "clicked_at")
    panels = (Panel("What it brings", ("Notification", "State", "Why"), _carried),)

    def find(self, queryset: "QuerySet[Digest]", term: str) -> "QuerySet[Digest]":
        return by_id_or_address(queryset, term, "user__email_key")

    @display(description="to")
    def person(self, digest: Digest) -> str:
        return person_link(digest.user)


@lens(Suppression, "suppression")
class SuppressionAdmin(LensModelAdmin):
    list_display = ("created_at", "email_shown", "reason_shown", "scope", "detail", "expires_at")
    list_filter = ("reason", "scope")
    search_help_text = "A whole address"
    in_quick_search = True
    fields = ("id", "email_shown", "person", "reason_shown", "scope", "detail", "created_at", "expires_at")
    actions_detail = ("lift",)

    def find(self, queryset: "QuerySet[Suppression]", term: str) -> "QuerySet[Suppression]":
        # By the hash, which has the index and also finds who was erased.
        return queryset.filter(address_hash__in=addresses_hashed(term))

    def title_of(self, subject: Suppression) -> str:
        return subject.email or "An address that was erased"

    def address_after(self, subject: Suppression) -> str:
        return reverse("admin:notifications_suppression_changelist")

    @display(description="address")
    def email_shown(self, one: Suppression) -> str:
        return one.email or "(erased)"

    @display(description="person")
    def person(self, one: Suppression) -> str:
        return person_link(User.objects.filter(email_key=one.email).first() if one.email else None)

    @badge("reason", {"Hard bounce": "danger", "Complaint": "danger", "Soft bounce": "warning"})
    def reason_shown(self, one: Suppression) -> str:
        return str(one.get_reason_display())

    @staff_action(
        name="suppression.lifted",
        label="Lift",
        explanation="Mail goes to this address again. What bounced is not sent again by itself.",
        icon="mark_email_read",
    )
    def lift(self, request: HttpRequest, one: Suppression) -> str:
        suppression_lift(UUID(str(one.pk)))
        return "The address gets mail again."


@lens(SmtpServer, "mail server")
class SmtpServerAdmin(LensModelAdmin):
    """The tenant's own server, without its password."""

    list_display = ("host", "port", "from_email", "enabled", "failures", "paused_until", "verified_at")
    fields = (
        "host", "port", "username", "security", "from_email", "enabled", "fallback_to_platform", "password_updated_at",
        "verified_at", "last_test", "failures", "paused_until", "updated_at",
    )  # fmt: skip
