"""What staff do to a tenant by one click. Each calls the service that a command or the API calls as well."""

import smtplib
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django import forms
from django.core.mail import EmailMessage, get_connection
from django.utils import timezone
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts.emails import email_key
from accounts.models import User
from accounts.services.invitations import invitation_resend_by_staff
from accounts.staff.actions import Asked, ReasonForm, StaffAction
from accounts.staff.roles import StaffRole
from billing.services.staff import comp, grace_end, grace_extend
from notifications.email_settings.smtp_server import server_row
from notifications.email_settings.smtp_testing import server_test_by_staff
from platform_site.binding import TenantRef, bind
from platform_site.errors import (
    CONFLICT,
    NOT_FOUND,
    SERVICE_UNAVAILABLE,
    VALIDATION_FAILED,
    PlatformError,
    invalid_field,
)
from platform_site.mail_connections import send_through
from platform_site.outbox.services import redrive
from platform_site.tenants import find_tenant
from tenancy.models import Tenant
from tenancy.services import tenant_lock, tenant_reactivate, tenant_suspend

FREE, PAYS = "free", "pays"
GRACE_DAYS = 7


def _tenant(asked: Asked) -> TenantRef:
    tenant = find_tenant(id=asked.tenant_id)
    if tenant is None:
        raise PlatformError(NOT_FOUND)
    return tenant


def _about(asked: Asked) -> dict[str, Any]:
    return {"tenant_id": _tenant(asked).id, "reason": asked.reason, "by": asked.staff.email}


class _Day(forms.DateField):
    """A day; the whole of it counts, in UTC."""

    widget = UnfoldAdminTextInputWidget(attrs={"type": "date"})

    @staticmethod
    def end(day: Any) -> datetime:
        return datetime.combine(day, time(), UTC) + timedelta(days=1)


class GraceForm(ReasonForm):
    until = _Day(
        label="Until the end of",
        required=False,
        initial=lambda: timezone.now().date() + timedelta(days=GRACE_DAYS),
        help_text="Left empty: an extension that runs is taken back.",
    )


class CompForm(ReasonForm):
    charge = forms.ChoiceField(
        label="This workspace",
        choices=[(FREE, "is free of charge"), (PAYS, "pays again")],
        widget=UnfoldAdminSelectWidget,
    )
    until = _Day(label="Until the end of", required=False, help_text="Left empty: without an end.")


class InvitedForm(ReasonForm):
    person = forms.CharField(
        label="Invited person",
        max_length=254,
        widget=UnfoldAdminTextInputWidget,
        help_text="The e-mail address that was invited, or the person's number.",
    )

    def facts(self) -> dict[str, Any]:
        # Known by number once they are found; an address has no business in an audit that outlives the person.
        return {}


def _suspend(asked: Asked) -> str:
    _not_already(asked, Tenant.Status.SUSPENDED)
    tenant = tenant_suspend(tenant_id=_tenant(asked).id, reason=asked.reason, actor=asked.staff.email)
    return f"{tenant.slug} is suspended."


def _reactivate(asked: Asked) -> str:
    _not_already(asked, Tenant.Status.ACTIVE)
    tenant = tenant_reactivate(tenant_id=_tenant(asked).id, actor=asked.staff.email)
    return f"{tenant.slug} works again."


def _not_already(asked: Asked, status: Tenant.Status) -> None:
    """The service takes a repeat for done; an audit that says twice who did it would be wrong once."""
    if tenant_lock(tenant_id=_tenant(asked).id).status == status:
        raise PlatformError(CONFLICT, f"This tenant is {status.label.lower()} already.")


def _extend_grace(asked: Asked) -> str:
    day = asked.values["until"]
    if day is None:
        grace_end(**_about(asked))
        return "The extension ended."
    account = grace_extend(until=_Day.end(day), **_about(asked))
    return f"Everything works until {account.grace_until:%Y-%m-%d %H:%M} UTC, whatever was paid."


def _comp(asked: Asked) -> str:
    day, is_free = asked.values["until"], asked.values["charge"] == FREE
    comp(is_comped=is_free, until=_Day.end(day) if day and is_free else None, **_about(asked))
    return "This workspace is free of charge." if is_free else "This workspace pays again."


def _resend_invitation(asked: Asked) -> str:
    with bind(_tenant(asked)):
        user = invitation_resend_by_staff(ref=_number_of(asked.values["person"]))
    asked.facts["person"] = user.id
    return f"A new invitation to {user.email} is on its way. The link before works no longer."


def _number_of(written: str) -> int:
    """Of the person who was invited, in the bound tenant; raises ``validation_failed`` at the field."""
    written = written.strip()
    lookup = {"id": int(written)} if written.isdecimal() else {"email_key": email_key(written)}
    rows = User.objects.filter(**lookup)
    number: int | None = rows.exclude(status=User.Status.ERASED).values_list("id", flat=True).first()
    if number is None:
        raise invalid_field("person", VALIDATION_FAILED, "There is nobody like that in this tenant.")
    return number


def _retry(asked: Asked) -> str:
    count = redrive(tenant_id=_tenant(asked).id)
    asked.facts["rows"] = count
    if not count:
        raise PlatformError(CONFLICT, "There are no dead letters of this tenant.")
    return f"Tried again: {count} dead letter{'s' if count > 1 else ''}."


def _send_test_mail(asked: Asked) -> str:
    to = asked.staff.email
    with bind(_tenant(asked)):
        if server_row() is not None:
            result = server_test_by_staff(to=to)
            if result.ok:
                return f"The tenant's mail server took a mail to {to} in {result.latency_ms} ms."
            said = f" {result.smtp_code}" if result.smtp_code else ""
            raise PlatformError(SERVICE_UNAVAILABLE, f"It failed at {result.stage}: {result.code}{said}.")
    _through_the_platform(to)
    return f"The tenant has no mail server of its own; the platform's took a mail to {to}."


def _through_the_platform(to: str) -> None:
    message = EmailMessage(
        subject="Test of the mail server",
        body="This mail went through the platform's mail server. It works.\n",
        to=[to],
        headers={"Auto-Submitted": "auto-generated"},
    )
    try:
        send_through("platform", get_connection, message)
    except (smtplib.SMTPException, OSError) as error:
        raise PlatformError(
            SERVICE_UNAVAILABLE, f"The platform's mail server did not take it: {type(error).__name__}."
        ) from error


ACTIONS = (
    StaffAction(
        "invitation.resent", "Resend invitation",
        "The person gets a new link by mail, and the one before works no longer.",
        StaffRole.SUPPORT, _resend_invitation, InvitedForm, icon="forward_to_inbox",
    ),
    StaffAction(
        "outbox.redriven", "Retry dead letters",
        "All of this tenant's work that was given up gets another round of attempts.",
        StaffRole.SUPPORT, _retry, icon="replay",
    ),
    StaffAction(
        "mail.tested", "Send test mail",
        "A mail to your own address goes through the mail server that this tenant uses.",
        StaffRole.SUPPORT, _send_test_mail, icon="mark_email_read", outside=True,
    ),
    StaffAction(
        "billing.grace_extended", "Extend grace",
        "Everything works until then, whatever was paid. One extension at a time.",
        StaffRole.OPERATOR, _extend_grace, GraceForm, icon="more_time",
    ),
    StaffAction(
        "billing.comped", "Free of charge",
        "A subscription that is there goes on: cancel it as well if nobody should pay.",
        StaffRole.OPERATOR, _comp, CompForm, icon="redeem",
    ),
    StaffAction(
        "tenant.suspended", "Suspend",
        "Nobody in this tenant can do anything any more, within a second, until it is reactivated. People who call"
        " read the reason.",
        StaffRole.OPERATOR, _suspend, icon="block", danger=True,
    ),
    StaffAction(
        "tenant.reactivated", "Reactivate",
        "Everybody in this tenant can work again, and what waited meanwhile is done now.",
        StaffRole.OPERATOR, _reactivate, icon="play_circle",
    ),
)  # fmt: skip
BY_SLUG = {action.slug: action for action in ACTIONS}


def offered(status: str, is_readable: bool) -> list[StaffAction]:
    """Those that make sense for a tenant of this status."""
    never = {"tenant.reactivated"} if status == "active" else {"tenant.suspended"}
    if status not in ("active", "suspended"):
        never |= {"tenant.reactivated"}
    return [action for action in ACTIONS if is_readable and action.name not in never]
