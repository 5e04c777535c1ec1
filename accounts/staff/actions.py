"""What staff do by one click: a reason, and then the service that everybody else calls.

``carry_out`` does it, for the public admin and for the lens alike: what is done and the two records of it, in the
staff audit and in the tenant's journal, are one transaction. An action that talks to the outside world cannot be in
one: it is written down before it begins.

What differs is how it is asked for. In the public admin a ``StaffAction`` is a page about a tenant, for a role, and
needs no session (``action_page``). In the lens it is a dialog about one thing in the tenant and needs an open staff
session (``staff_action`` in ``lens/actions.py``).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from accounts.staff.forms import reason_field
from accounts.staff.models import StaffUser
from accounts.staff.rights import need
from accounts.staff.roles import StaffRole
from accounts.staff.services import act_record
from platform_site.errors import PlatformError


class ReasonForm(forms.Form):
    """Asks for nothing but a reason; an action that needs more puts its fields before it."""

    reason = reason_field("Why you do this. The tenant's administrators can read it.")
    field_order: list[str] | None = None

    def order_fields(self, field_order: Any) -> None:
        super().order_fields([*(name for name in self.fields if name != "reason"), "reason"])

    def facts(self) -> dict[str, Any]:
        """What was asked for besides the reason, as the audit keeps it."""
        return {
            name: value if isinstance(value, bool | int | None) else str(value)
            for name, value in self.cleaned_data.items()
            if name != "reason"
        }


@dataclass(frozen=True, slots=True)
class Asked:
    """One click: by whom, about which tenant (None: about none or several), why, and with which choices.

    ``facts`` is what the audit keeps besides the reason; what is done may add to it. ``session_id`` is the staff
    session in which it is done, if it needs one.
    """

    staff: StaffUser
    tenant_id: UUID | None
    reason: str
    values: Mapping[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    session_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class StaffAction:
    """``run`` does it and gives a sentence about what came of it; it raises ``PlatformError`` to refuse.

    ``name`` is the dotted word of the audit. ``outside``: it sends something, in no transaction.
    """

    name: str
    label: str
    text: str
    needs: StaffRole
    run: Callable[[Asked], str]
    form: type[ReasonForm] = ReasonForm
    icon: str = "bolt"
    danger: bool = False
    outside: bool = False

    @property
    def slug(self) -> str:
        """For addresses: ``tenant.suspended`` is ``tenant-suspended``."""
        return self.name.replace(".", "-").replace("_", "-")


def carry_out(asked: Asked, *, name: str, needs: StaffRole, run: Callable[[Asked], str], outside: bool = False) -> str:
    """Do it and write it down. Raises what ``run`` raises, and then nothing is done or written.

    For an action that goes outside, what was written stays: that somebody tried is a fact too.
    """
    if not asked.staff.reaches(needs):
        raise PermissionDenied
    if outside:
        with transaction.atomic():
            _write_down(name, asked)
        return run(asked)
    with transaction.atomic():
        said = run(asked)
        _write_down(name, asked)
    return said


def _write_down(name: str, asked: Asked) -> None:
    act_record(
        staff=asked.staff,
        action=name,
        tenant_id=asked.tenant_id,
        reason=asked.reason,
        data=asked.facts,
        session_id=asked.session_id,
    )


def perform(action: StaffAction, asked: Asked) -> str:
    return carry_out(asked, name=action.name, needs=action.needs, run=action.run, outside=action.outside)


def action_page(
    request: HttpRequest,
    action: StaffAction,
    *,
    tenant_id: UUID | None,
    about: str,
    back: str,
    initial: Mapping[str, Any] | None = None,
    more: Mapping[str, Any] | None = None,
) -> HttpResponse:
    """The page that asks for a reason, and its answer. A refusal comes back on the page, with all that was typed.

    ``more`` are values that ``run`` gets and that are no fields of the form.
    """
    staff = need(request, action.needs)
    form = action.form(request.POST if request.method == "POST" else None, initial=dict(initial or {}))
    if request.method == "POST" and form.is_valid():
        values = {**form.cleaned_data, **(more or {})}
        asked = Asked(staff, tenant_id, values.pop("reason"), values, form.facts())
        try:
            said = perform(action, asked)
        except PlatformError as error:
            explain(form, error)
        else:
            messages.success(request, said)
            return HttpResponseRedirect(back)
    context = {
        **admin.site.each_context(request),
        "title": action.label,
        "action": action,
        "about": about,
        "form": form,
        "back": back,
    }
    status = 400 if form.errors else 200
    return TemplateResponse(request, "staff/action.html", context, status=status)


def explain(form: forms.Form, error: PlatformError, *, otherwise: str | None = None) -> None:
    """Each complaint at its field, where the form has it; the rest at ``otherwise``, or above all fields."""
    for detail in error.details:
        form.add_error(detail.field if detail.field in form.fields else otherwise, detail.message)
    if not error.details:
        form.add_error(otherwise, error.message)
