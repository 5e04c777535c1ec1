"""Staff in the admin: their accounts, for superusers; their sessions and what they did, for all of them."""

from datetime import datetime
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin import display
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from unfold.forms import AdminPasswordChangeForm

from accounts.staff.columns import badge, when
from accounts.staff.forms import StaffChangeForm, StaffCreationForm
from accounts.staff.models import StaffAct, StaffSession, StaffUser
from accounts.staff.options import OfTenantAdmin, RoleAdmin
from accounts.staff.rights import staff_of
from accounts.staff.roles import StaffRole
from accounts.staff.services import ABOUTS, act_record

# Staff are few and are told apart by their role.
admin.site.unregister(Group)


@admin.register(StaffUser)
class StaffAdmin(UserAdmin, RoleAdmin):  # type: ignore[type-arg]
    """Whoever may edit staff may make themselves anything, so it takes everything already.

    What somebody did stays attached to them: nobody is deleted, and whoever leaves is made inactive.
    """

    view_role: ClassVar = StaffRole.SUPERUSER
    add_role: ClassVar = StaffRole.SUPERUSER
    change_role: ClassVar = StaffRole.SUPERUSER

    form = StaffChangeForm
    add_form = StaffCreationForm
    change_password_form = AdminPasswordChangeForm

    list_display = ("email", "first_name", "last_name", "role", "is_active", "signed_in")
    list_filter = ("is_active", "role")
    search_fields = ("email", "first_name", "last_name")
    ordering = ("email",)
    readonly_fields = ("last_login", "date_joined")
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("email", "password")}),
        ("Person", {"fields": ("first_name", "last_name")}),
        ("Rights", {"fields": ("role", "is_active")}),
        ("Times", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (
            None,
            {"fields": ("email", "first_name", "last_name", "role", "usable_password", "password1", "password2")},
        ),
    )

    signed_in = when("last_login", "Last sign-in")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        # Django's mark for who may sign in to the admin; whether somebody may at the moment is said by is_active.
        obj.is_staff = True
        super().save_model(request, obj, form, change)
        act_record(
            staff=staff_of(request),
            action="staff.changed" if change else "staff.added",
            data={"account": obj.email, "role": obj.role, "active": obj.is_active, "fields": form.changed_data},
        )

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> Any:
        with transaction.atomic():
            answer = super().user_change_password(request, id, form_url)
            # The one answer that leads on is that to a new password that was accepted.
            if request.method == "POST" and answer.status_code == 302:
                act_record(staff=staff_of(request), action="staff.password_changed", data={"account": int(id)})
        return answer

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        """The staff audit has it."""

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        """The staff audit has it."""


class _StaffFilter(admin.SimpleListFilter):
    title = "staff member"
    parameter_name = "staff"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        rows = StaffUser.objects.order_by("email").values_list("pk", "email")[:200]
        return [(str(pk), email) for pk, email in rows]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        chosen = self.value()
        return queryset.filter(staff_id=int(chosen)) if chosen and chosen.isdecimal() else queryset


class _KindFilter(admin.SimpleListFilter):
    title = "kind"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("actions", "Actions"), ("requests", "Requests"), ("changes", "Requests that are no GET")]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        if self.value() == "actions":
            return queryset.exclude(action="")
        if self.value() == "requests":
            return queryset.filter(action="")
        if self.value() == "changes":
            return queryset.filter(action="").exclude(method__in=("GET", "HEAD"))
        return queryset


class _ActionFilter(admin.SimpleListFilter):
    """By the first word of an action: what it is about."""

    title = "action"
    parameter_name = "action"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(word, word.capitalize()) for word in sorted(ABOUTS)]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        word = self.value()
        if word not in ABOUTS:
            return queryset
        return queryset.exclude(action="").filter(action__startswith=f"{word}.")


@admin.register(StaffAct)
class StaffActAdmin(OfTenantAdmin):
    """The staff audit, to look at."""

    list_display = ("moment", "staff_email", "what", "tenant", "reason", "status")
    list_filter = (_KindFilter, _ActionFilter, _StaffFilter)
    # By id, which goes by time and has the indexes.
    ordering = ("-id",)
    sortable_by = ()
    fields = (
        "at", "staff_email", "action", "reason", "data", "method", "path", "status", "tenant", "session_id",
        "origin", "request_id",
    )  # fmt: skip
    readonly_fields = fields

    moment = when("at", "Time")

    @display(description="What")
    def what(self, act: StaffAct) -> str:
        # A path has no place to break, and a phone no room for it.
        told = act.action or f"{act.method} {act.path}"
        return format_html('<span class="whitespace-normal wrap-anywhere">{}</span>', told)


@admin.register(StaffSession)
class StaffSessionAdmin(OfTenantAdmin):
    """Staff sessions, newest first."""

    list_display = ("opened", "staff", "tenant", "reason", "state", "ends", "closed")
    list_filter = (_StaffFilter,)
    list_select_related = ("staff",)
    ordering = ("-id",)
    sortable_by = ()
    fields = ("id", "staff", "tenant", "reason", "opened_at", "ends_at", "closed_at", "origin")
    readonly_fields = fields

    opened, ends, closed = when("opened_at", "Opened"), when("ends_at", "Ends"), when("closed_at", "Closed")

    @badge("State", {"open": "success", "ended": "info"})
    def state(self, session: StaffSession) -> str:
        return "open" if is_open(session, timezone.now()) else "ended"


def is_open(session: StaffSession, now: datetime) -> bool:
    return session.closed_at is None and session.ends_at > now
