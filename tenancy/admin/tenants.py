"""Staff's list of tenants, and the page of one. Nothing is edited here: what changes a tenant is an action."""

from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.contrib.admin import display
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone

from accounts.staff.actions import action_page
from accounts.staff.addresses import act_page, audit_of_tenant, lens_page, outbox_of_tenant, tenant_page
from accounts.staff.columns import badge, when
from accounts.staff.options import RoleAdmin
from accounts.staff.rights import need
from accounts.staff.roles import StaffRole
from billing.plans import catalogue
from billing.selectors.allowance import allowance_of
from platform_site.backoffice.models import TenantFigures
from platform_site.outbox.models import OutboxRow
from platform_site.tenants import READABLE
from tenancy.admin.acts import BY_SLUG, offered
from tenancy.admin.overview import STATUS_LABELS, account_in, overview, seats_text
from tenancy.migrating.history import migrations_fingerprint
from tenancy.migrating.tenants import schema_is_behind
from tenancy.models import Tenant

BAD_MAIL = (TenantFigures.MailServer.FAILING, TenantFigures.MailServer.PAUSED)

HEALTH_LABELS = {"fine": "success", "dead letters": "danger", "schema behind": "danger", "mail server": "danger"}


def dead_letters() -> Exists:
    """Whether the tenant of the outer query has any."""
    return Exists(OutboxRow.objects.filter(tenant_id=OuterRef("id"), state=OutboxRow.State.DEAD))


class _PlanFilter(admin.SimpleListFilter):
    title = "plan"
    parameter_name = "plan"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("trial", "Trial"), *((plan.id, plan.name) for plan in catalogue().plans if plan.id != "trial")]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Tenant]") -> "QuerySet[Tenant]":
        return queryset.filter(plan=self.value()) if self.value() else queryset


class _FailingFilter(admin.SimpleListFilter):
    title = "health"
    parameter_name = "failing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("any", "Failing"), ("dead", "Dead letters"), ("schema", "Schema behind"), ("mail", "Mail server")]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Tenant]") -> "QuerySet[Tenant]":
        bad = TenantFigures.objects.filter(Q(mail_server__in=BAD_MAIL) | ~Q(error=""), tenant_id=OuterRef("id"))
        conditions = {"dead": Q(dead_letters()), "schema": schema_is_behind(), "mail": Q(Exists(bad))}
        if self.value() == "any":
            return queryset.filter(conditions["dead"] | conditions["schema"] | conditions["mail"])
        return queryset.filter(conditions[self.value() or ""]) if self.value() in conditions else queryset


@admin.register(Tenant)
class TenantAdmin(RoleAdmin):
    list_display = ("name", "slug", "state", "plan", "seats", "health", "since")
    list_filter = ("status", _PlanFilter, _FailingFilter)
    search_fields = ("name", "slug")
    search_help_text = "Name or slug"
    ordering = ("-created_at", "-id")
    sortable_by = ("name", "slug", "since")
    list_select_related = ("billing",)
    view_role: ClassVar = StaffRole.VIEWER

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Tenant]":
        figures = TenantFigures.objects.filter(tenant_id=OuterRef("id"))
        rows: QuerySet[Tenant] = super().get_queryset(request)
        annotated: QuerySet[Tenant] = rows.annotate(
            used=Subquery(figures.values("seats_used")[:1]),
            mail=Subquery(figures.values("mail_server")[:1]),
            has_dead=dead_letters(),
        )
        return annotated

    since = when("created_at", "Since")

    @badge("State", {str(status.label): label for status, label in STATUS_LABELS.items()})
    def state(self, tenant: Tenant) -> str:
        return Tenant.Status(tenant.status).label

    @display(description="Seats")
    def seats(self, tenant: Any) -> str:
        return seats_text(tenant.used, allowance_of(account_in(tenant, timezone.now())).limit)

    @badge("Health", HEALTH_LABELS)
    def health(self, tenant: Any) -> str:
        return health_word(tenant)

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<uuid:tenant_id>/do/<slug:action>/", wrap(self.act_view), name="tenancy_tenant_act"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The page of a tenant."""
        staff = need(request, self.view_role)
        if request.method != "GET":
            raise PermissionDenied
        tenant = _find(request, object_id)
        seen = overview(tenant)
        context = {
            **self.admin_site.each_context(request),
            "title": tenant.name,
            "opts": self.opts,
            "original": tenant,
            "tenant": tenant,
            "seen": seen,
            "actions": [
                (action, act_page(tenant.id, action.slug))
                for action in offered(tenant.status, seen.is_readable)
                if staff.reaches(action.needs)
            ],
            "lens": lens_page(tenant.slug) if seen.is_readable else "",
            "audit": audit_of_tenant(tenant.id),
            "outbox": outbox_of_tenant(tenant.id),
        }
        return TemplateResponse(request, "tenancy/admin/tenant.html", context)

    def act_view(self, request: HttpRequest, tenant_id: UUID, action: str) -> HttpResponse:
        """The page that asks why, and what it leads to."""
        found = BY_SLUG.get(action)
        if found is None:
            raise Http404
        need(request, found.needs)
        tenant = _find(request, str(tenant_id))
        if tenant.status not in READABLE:
            # There is nothing to act on, nor a journal to say so in.
            raise Http404
        person = request.GET.get("person", "")
        return action_page(
            request,
            found,
            tenant_id=tenant.id,
            about=f"{tenant.name} ({tenant.slug})",
            back=tenant_page(tenant.id),
            # Numbers only: an address must not stand in one.
            initial={"person": person} if person.isdecimal() else None,
        )


def _find(request: HttpRequest, tenant_id: str) -> Tenant:
    try:
        tenant: Tenant | None = Tenant.objects.select_related("billing").filter(id=UUID(tenant_id)).first()
    except ValueError:
        tenant = None
    if tenant is None:
        raise Http404
    request.about_tenant_id = tenant.id  # type: ignore[attr-defined]
    return tenant


def health_word(tenant: Any) -> str:
    """One word for the list: the worst that is known of a tenant that can be looked into."""
    if tenant.status not in READABLE:
        return "–"
    if tenant.has_dead:
        return "dead letters"
    if tenant.schema_fingerprint != migrations_fingerprint():
        return "schema behind"
    return "mail server" if tenant.mail in BAD_MAIL else "fine"
