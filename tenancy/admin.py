"""Staff's list of tenants: to look at. What changes a tenant goes through services."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from tenancy.models import Tenant


@admin.register(Tenant)
class TenantAdmin(ModelAdmin):
    list_display = ("name", "slug", "status", "plan", "created_at")
    list_filter = ("status",)
    search_fields = ("name", "slug")
    ordering = ("-created_at", "-id")
    # The count under a filter would read the whole table once more.
    show_full_result_count = False
    fields = (
        "id",
        "name",
        "slug",
        "status",
        "suspended_reason",
        "plan",
        "timezone",
        "locale",
        "schema_name",
        "schema_fingerprint",
        "created_at",
        "updated_at",
    )
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
