"""Tenants in the admin: the list, the page of one, and what staff do there by one click."""

from tenancy.admin.tenants import TenantAdmin

__all__ = ["TenantAdmin"]
