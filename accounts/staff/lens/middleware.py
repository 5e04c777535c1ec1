"""``/admin/t/<slug>/``: who may look, which tenant, and the binding around all that answers."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import get_script_prefix, get_urlconf, set_script_prefix, set_urlconf

from accounts.staff.lens.streams import stepwise
from accounts.staff.services import session_of
from platform_site.binding import TenantRef, bind
from platform_site.context import acting_as
from platform_site.tenants import READABLE
from tenancy.models import Tenant

_PATH = re.compile(r"(?P<lens>/admin/t/(?P<slug>[a-z0-9][a-z0-9-]*))(?P<rest>/.*)?", re.DOTALL)
_URLCONF: Final = "accounts.staff.lens.urls"
# As long as the column that keeps it.
_LONGEST_NAME = 80


class LensMiddleware:
    """Stands last: the view and the rendering of its template happen inside, signing in and messages outside.

    A page is routed by what follows the tenant's prefix, in a URLconf of its own, and the prefix is
    put before every address that is made meanwhile. So the admin needs to know of no tenant.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        match = _PATH.fullmatch(request.path_info)
        if match is None:
            return self.get_response(request)
        staff: Any = request.user
        if not (staff.is_active and staff.is_staff):
            # Before the tenant is looked up: nobody learns by this which ones there are.
            return redirect_to_login(request.get_full_path(), settings.LOGIN_URL)
        tenant = Tenant.objects.filter(slug=match["slug"], status__in=READABLE).first()
        if tenant is None:
            raise Http404
        if match["rest"] is None:
            return HttpResponseRedirect(f"{match['lens']}/")
        return self._answer(request, tenant, match["lens"], match["rest"])

    def _answer(self, request: Any, tenant: Tenant, lens: str, rest: str) -> HttpResponse:
        ref, path = tenant.ref, request.path_info
        request.lens_tenant, request.lens_company = ref, tenant.name
        request.staff_session = session_of(request.user, ref.id)
        request.urlconf, request.path_info = _URLCONF, rest
        inside = partial(_inside, ref, f"{get_script_prefix().rstrip('/')}{lens}/", request.user.email)
        try:
            with inside():
                response: Any = self.get_response(request)
            if response.streaming:
                response.streaming_content = stepwise(inside, response.streaming_content)
            return response  # type: ignore[no-any-return]
        finally:
            # Those outside go by the path as it came.
            request.path_info = path
            del request.urlconf


@contextmanager
def _inside(tenant: TenantRef, prefix: str, staff: str) -> Iterator[None]:
    """The tenant is bound, addresses are the lens's, and what a service records was done by this staff member."""
    outer, urlconf = get_script_prefix(), get_urlconf()
    set_script_prefix(prefix)
    set_urlconf(_URLCONF)
    try:
        with bind(tenant), acting_as(None, staff[:_LONGEST_NAME]):
            yield
    finally:
        set_script_prefix(outer)
        set_urlconf(urlconf)
