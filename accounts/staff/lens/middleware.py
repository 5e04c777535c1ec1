"""``/admin/t/<slug>/``: who may look, which tenant, and the binding around all that answers."""

import re
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import get_script_prefix, set_script_prefix, set_urlconf

from accounts.staff.lens.streams import bound_stream
from accounts.staff.services import session_of
from platform_site.binding import bind
from platform_site.context import acting_as
from tenancy.models import Tenant

_PATH = re.compile(r"(?P<lens>/admin/t/(?P<slug>[a-z0-9][a-z0-9-]*))(?P<rest>/.*)?", re.DOTALL)
# What is being made, or is gone, has nothing to look at.
VISIBLE = (Tenant.Status.ACTIVE, Tenant.Status.SUSPENDED, Tenant.Status.PENDING_DELETION)
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
        tenant = Tenant.objects.filter(slug=match["slug"], status__in=VISIBLE).first()
        if tenant is None:
            raise Http404
        if match["rest"] is None:
            return HttpResponseRedirect(f"{match['lens']}/")
        return self._inside(request, tenant, match["lens"], match["rest"])

    def _inside(self, request: Any, tenant: Tenant, lens: str, rest: str) -> HttpResponse:
        ref, outer, path = tenant.ref, get_script_prefix(), request.path_info
        request.lens_tenant, request.lens_company = ref, tenant.name
        request.staff_session = session_of(request.user, ref.id)
        request.urlconf, request.path_info = "accounts.staff.lens.urls", rest
        set_script_prefix(f"{outer.rstrip('/')}{lens}/")
        try:
            # Whatever a service records here was done by staff, also in the eyes of the tenant.
            with bind(ref), acting_as(None, request.user.email[:_LONGEST_NAME]):
                response: Any = self.get_response(request)
            if response.streaming:
                response.streaming_content = bound_stream(ref, response.streaming_content)
            return response  # type: ignore[no-any-return]
        finally:
            set_script_prefix(outer)
            set_urlconf(None)
            # Those outside go by the path as it came.
            request.path_info = path
            del request.urlconf
