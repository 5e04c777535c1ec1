"""Every request that a signed-in staff member makes to the admin, written into the staff audit."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from accounts.staff.models import StaffUser
from accounts.staff.services import request_record


class StaffRequestLog:
    """Stands after authentication, so that the answer is known and who asked is too.

    The path alone is kept: what stands behind a question mark may be somebody's name or address. In the lens of
    a tenant, ``request.lens_tenant`` (a ``TenantRef``) and ``request.staff_session`` say where and under which
    session; a page of /admin/ about one tenant says so with ``request.about_tenant_id``.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # The whole path: the lens shortens ``path_info``. The words of Django's scripts are a file like others.
        if not request.path.startswith("/admin/") or request.path.endswith("/jsi18n/"):
            return self.get_response(request)
        before = _staff(request)
        response = self.get_response(request)
        # Signing in ends with somebody, signing out begins with somebody.
        if staff := _staff(request) or before:
            tenant, session = getattr(request, "lens_tenant", None), getattr(request, "staff_session", None)
            request_record(
                staff=staff,
                method=request.method or "",
                path=request.path,
                status=response.status_code,
                tenant_id=tenant.id if tenant else getattr(request, "about_tenant_id", None),
                session_id=session.id if session else None,
            )
        return response


def _staff(request: HttpRequest) -> StaffUser | None:
    # Looked up when first asked for; what stands there until then acts like the person, its class included.
    return request.user if isinstance(request.user, StaffUser) else None
