"""What staff do by one click: a page that asks for a reason, and then the service that everybody else calls.

An action says which role it takes and what it does; the rest is the same for all. What it does and the two
records of it, in the staff audit and in the tenant's journal, are one transaction. An action that talks to the
outside world cannot be in one: it is written down before it begins.
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
from unfold.widgets import UnfoldAdminTextareaWidget

from accounts.staff.models import StaffUser
from accounts.staff.rights import need
from accounts.staff.roles import StaffRole
from accounts.staff.services import REASON_LENGTH, act_record
from platform_site.errors import PlatformError


class ReasonForm(forms.Form):
    """Asks for nothing but a reason; an action that needs more puts its fields before it."""

    reason = forms.CharField(
        max_length=REASON_LENGTH,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="Why you do this. The tenant's administrators can read it.",
        error_messages={"required": "Give a reason."},
    )
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

    ``facts`` is what the audit keeps besides the reason; what is done may add to it.
    """

    staff: StaffUser
    tenant_id: UUID | None
    reason: str
    values: Mapping[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)


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


def perform(action: StaffAction, asked: Asked) -> str:
    """Do it and write it down. Raises what the action raises, and then nothing is done or written.

    For an action that goes outside, what was written stays: that somebody tried is a fact too.
    """
    if not asked.staff.reaches(action.needs):
        raise PermissionDenied
    if action.outside:
        with transaction.atomic():
            _written(action, asked)
        return action.run(asked)
    with transaction.atomic():
        said = action.run(asked)
        _written(action, asked)
    return said


def _written(action: StaffAction, asked: Asked) -> None:
    act_record(staff=asked.staff, action=action.name, tenant_id=asked.tenant_id, reason=asked.reason, data=asked.facts)


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
        asked = Asked(staff, tenant_id, values.pop("reason").strip(), values, form.facts())
        try:
            said = perform(action, asked)
        except PlatformError as error:
            _explain(form, error)
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


def _explain(form: ReasonForm, error: PlatformError) -> None:
    """Each complaint at its field, where the form has it; the rest above all fields."""
    for detail in error.details:
        form.add_error(detail.field if detail.field in form.fields else None, detail.message)
    if not error.details:
        form.add_error(None, error.message)
