"""How the public admin shows a model: ``RoleAdmin``, and for rows that carry a tenant's id ``OfTenantAdmin``.

The lens has its own, ``lens/options.py``: there a tenant is bound, and what is changed needs a staff session.
"""

from typing import Any, ClassVar
from uuid import UUID

from django.contrib.admin import display
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.paginator import InfinitePaginator

from accounts.staff.rights import reaches
from accounts.staff.roles import StaffRole
from tenancy.models import Tenant


class RoleAdmin(ModelAdmin):
    """A model in the admin: which role sees it, and which may add and change. None: nobody may. Nothing is deleted.

    Lists count nothing: a number of pages is not worth reading a whole table.
    """

    view_role: ClassVar[StaffRole] = StaffRole.VIEWER
    add_role: ClassVar[StaffRole | None] = None
    change_role: ClassVar[StaffRole | None] = None

    list_per_page = 50
    paginator = InfinitePaginator
    show_full_result_count = False

    def has_module_permission(self, request: HttpRequest) -> bool:
        return reaches(request, self.view_role)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return reaches(request, self.view_role)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.add_role is not None and reaches(request, self.add_role)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.change_role is not None and reaches(request, self.change_role)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        # What staff did is in the staff audit; Django's own history would show a part of it.
        raise PermissionDenied


class OfTenantAdmin(RoleAdmin):
    """Rows that carry a tenant's id: they show its slug, and are searched by its slug or id."""

    search_help_text = "Tenant: slug or id"
    search_fields = ("tenant_id",)

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        slug = Tenant.objects.filter(id=OuterRef("tenant_id")).values("slug")[:1]
        rows: QuerySet[Any] = super().get_queryset(request)
        annotated: QuerySet[Any] = rows.annotate(slug=Subquery(slug))
        return annotated

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[Any]", search_term: str
    ) -> tuple["QuerySet[Any]", bool]:
        wanted = search_term.strip().lower()
        return (queryset.filter(tenant_id=tenant_id_of(wanted)) if wanted else queryset), False

    @display(description="Tenant")
    def tenant(self, row: Any) -> str:
        return row.slug or (str(row.tenant_id) if row.tenant_id else "–")


def tenant_id_of(text: str) -> UUID:
    """The id that was written, or that of the tenant with this slug; where there is none, an id of nobody."""
    try:
        return UUID(text)
    except ValueError:
        found: UUID | None = Tenant.objects.filter(slug=text).values_list("id", flat=True).first()
        return found or UUID(int=0)
