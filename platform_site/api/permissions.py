"""Access rules: data on the view, enforced in one class, closed by default.

Imports nothing of ``rest_framework.views``: DRF reads this module while it is
itself being imported.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from platform_site.api.identity import Identity
from platform_site.errors import NOT_AUTHENTICATED, PERMISSION_DENIED, PERSON_REQUIRED, PlatformError
from platform_site.permissions import Permission

if TYPE_CHECKING:
    from rest_framework.views import APIView


class Access(ABC):
    """Who may call. ``check`` raises ``PlatformError`` to refuse."""

    public = False

    @abstractmethod
    def check(self, identity: Identity | None) -> None: ...


class Public(Access):
    """Anybody, also without a token. Such a view is never bound to a tenant by the token."""

    public = True

    def check(self, identity: Identity | None) -> None:
        return None


class SignedIn(Access):
    """Any person who is signed in to a tenant. An API key is nobody's, so there is no "own" for it."""

    def check(self, identity: Identity | None) -> None:
        if identity is None:
            raise PlatformError(NOT_AUTHENTICATED)
        if not identity.is_person:
            raise PlatformError(PERSON_REQUIRED)


@dataclass(frozen=True)
class Needs(Access):
    """Somebody whose effective permissions hold ``permission``; an API key too, unless it takes a ``person``."""

    permission: Permission
    person: bool = False

    def check(self, identity: Identity | None) -> None:
        if identity is None:
            raise PlatformError(NOT_AUTHENTICATED)
        if self.person and not identity.is_person:
            raise PlatformError(PERSON_REQUIRED)
        if self.permission.key not in identity.permissions:
            raise PlatformError(PERMISSION_DENIED, context={"permission": self.permission.key})


def access_of(view: object, method: str) -> Access | None:
    """The rule that a view declares for ``method``, or None when it declares none."""
    declared = getattr(view, "access", None)
    if isinstance(declared, Mapping):
        # HEAD is a GET without its body, for whoever may GET.
        declared = declared.get("GET" if method == "HEAD" else method)
    return declared if isinstance(declared, Access) else None


class DeclaredAccess(BasePermission):
    """DRF's default permission here: what the view declares, and nobody when it declares nothing."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        method = request.method or ""
        # A method the view does not have is answered with 405, which needs no rights.
        if not hasattr(view, method.lower()) or method == "OPTIONS":
            return True
        rule = access_of(view, method)
        if rule is None:
            raise PlatformError(PERMISSION_DENIED)
        rule.check(request.user if isinstance(request.user, Identity) else None)
        return True


class Anybody(BasePermission):
    """For the two documentation pages that are not API operations."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return True
