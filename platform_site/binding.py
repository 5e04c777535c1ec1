"""Tenant binding: the only way into a tenant's schema.

``bind`` sets the connection's schema and a context variable together and takes
both back in ``finally``. The guard, which sits on every connection, compares
the two before each query, so code that changes one without the other gets an
error instead of somebody else's rows.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog
from django.db import connection as _connection
from django.db.backends.base.base import BaseDatabaseWrapper

from platform_site.paid_access import FULL, PaidAccess

PUBLIC = "public"
# The backend of django-tenants, which publishes no types.
connection: Any = _connection
log = structlog.get_logger(__name__)


class BindingError(RuntimeError):
    """A query or a binding that could have reached the wrong tenant. Always a bug, never bad input."""


@dataclass(frozen=True, slots=True)
class TenantRef:
    """What binding needs to know about a tenant; safe to cache and to hand between threads."""

    id: UUID
    schema_name: str
    slug: str
    status: str
    access: PaidAccess = FULL


_bound: ContextVar[TenantRef | None] = ContextVar("bound_tenant", default=None)


def bound_tenant() -> TenantRef | None:
    """The tenant this thread or task works for, or None."""
    return _bound.get()


def require_tenant() -> TenantRef:
    """The bound tenant; raises ``BindingError`` when there is none."""
    tenant = _bound.get()
    if tenant is None:
        raise BindingError("No tenant is bound.")
    return tenant


@contextmanager
def bind(tenant: TenantRef) -> Iterator[TenantRef]:
    """Work inside ``tenant``'s schema until the block ends.

    Binding the tenant that is bound already is allowed; binding another one
    while one is bound raises ``BindingError``, because the outer code would go
    on in a schema that it does not expect.
    """
    outer = _bound.get()
    if outer is not None:
        if outer.id != tenant.id:
            raise BindingError(f"Tenant {outer.id} is bound already; {tenant.id} cannot be bound inside.")
        yield outer
        return
    if connection.schema_name != PUBLIC:
        raise BindingError("The connection is in a schema that no binding explains.")
    token = _bound.set(tenant)
    connection.set_schema(tenant.schema_name)
    try:
        yield tenant
    finally:
        _bound.reset(token)
        connection.set_schema_to_public()


def guard(
    execute: Callable[[str, Any, bool, dict[str, Any]], Any],
    sql: str,
    params: Any,
    many: bool,
    context: dict[str, Any],
) -> Any:
    """Refuse a query whose schema is not the bound one (a Django execute wrapper)."""
    refuse_unbound(context["connection"].schema_name)
    return execute(sql, params, many, context)


def refuse_unbound(actual: str) -> None:
    """Raises ``BindingError`` when a connection is in another schema than the bound tenant's, or public without one."""
    tenant = _bound.get()
    expected = PUBLIC if tenant is None else tenant.schema_name
    if actual != expected:
        log.critical("binding.refused", expected=expected, actual=actual)
        raise BindingError(f"The connection is in {actual!r}, the binding says {expected!r}.")


def install_guard(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Put the guard on a new connection; called by Django's ``connection_created``."""
    if guard not in connection.execute_wrappers:
        connection.execute_wrappers.append(guard)


@contextmanager
def bound(tenant: TenantRef | None) -> Iterator[None]:
    """The context variable alone, for the asynchronous twin, which has connections of its own."""
    outer = _bound.get()
    if outer is not None:
        raise BindingError(f"Tenant {outer.id} is bound already.")
    token = _bound.set(tenant)
    try:
        yield
    finally:
        _bound.reset(token)
