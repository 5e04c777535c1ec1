"""Celery's base task: bound to a tenant from the message's header, or it does not run.

Binding happens in the call itself, not in a signal, because Celery swallows
what its signal handlers raise and would run the task in public.
"""

from typing import Any
from uuid import UUID

from celery import Task
from django.db import close_old_connections, connection

from platform_site import pulse
from platform_site.binding import BindingError, bind, bound_tenant
from platform_site.context import WorkContext, work_context
from platform_site.tenants import working_tenant

HEADER = "tenant_id"


def _fresh_connection() -> None:
    """Drop a connection that is too old or broken; a worker lives for weeks. Never in the middle of a transaction."""
    if not connection.in_atomic_block:
        close_old_connections()


class TenantTask(Task):  # type: ignore[type-arg]
    """The default: runs inside the tenant that its header names.

    Fails without a header, for an unknown tenant and for a suspended one
    (``TenantUnavailable``); never runs in public.
    """

    abstract = True

    def apply_async(self, args: Any = None, kwargs: Any = None, **options: Any) -> Any:  # type: ignore[override]
        """Send the task for the bound tenant; ``BindingError`` when none is bound."""
        headers = dict(options.pop("headers", None) or {})
        if HEADER not in headers:
            tenant = bound_tenant()
            if tenant is None:
                raise BindingError(f"{self.name} was sent without a tenant.")
            headers[HEADER] = str(tenant.id)
        return super().apply_async(args, kwargs, headers=headers, **options)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        named = (self.request.headers or {}).get(HEADER) or getattr(self.request, HEADER, None)
        if not named:
            raise BindingError(f"{self.name} was run without a tenant.")
        _fresh_connection()
        try:
            tenant = working_tenant(UUID(str(named)))
            with work_context(WorkContext(request_id=self.request.id or "", origin=self.name)), bind(tenant):
                return self.run(*args, **kwargs)
        finally:
            _fresh_connection()


class PlatformTask(Task):  # type: ignore[type-arg]
    """A task about the platform itself, in public. A task asks for this out loud: ``base=PlatformTask``."""

    abstract = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if bound_tenant() is not None:
            raise BindingError(f"{self.name} belongs to no tenant, but one is bound.")
        if not self.request.called_directly:
            pulse.leave(pulse.Part.WORKER)
        _fresh_connection()
        try:
            with work_context(WorkContext(request_id=self.request.id or "", origin=self.name)):
                return self.run(*args, **kwargs)
        finally:
            _fresh_connection()
