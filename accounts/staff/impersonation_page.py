"""``/admin/impersonate/<tenant>/<person>/``: a staff member gives a reason and gets a link that works once.

The link is in the answer to the form and nowhere else: it is not kept, and the
page is not cached. Whoever loads it again asks again.
"""

from uuid import UUID

from django import forms
from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods

from accounts.links import page_url
from accounts.models import User
from accounts.staff.addresses import lens_page
from accounts.staff.forms import reason_field
from accounts.staff.impersonation import CODE_SECONDS, IMPERSONATION_SECONDS, impersonable, impersonation_code_make
from accounts.staff.rights import need
from accounts.staff.roles import StaffRole
from accounts.staff.services import session_of
from platform_site.binding import TenantRef, bind
from platform_site.errors import PlatformError
from platform_site.tenants import find_tenant


class ReasonForm(forms.Form):
    reason = reason_field("Why you sign in as this person. The administrators of the workspace read it.")


@require_http_methods(["GET", "HEAD", "POST"])
def impersonate_page(request: HttpRequest, tenant_id: UUID, user_id: UUID) -> HttpResponse:
    """Looking changes nothing; a POST makes a code and shows the link with it. For ``admin_view``."""
    staff = need(request, StaffRole.SUPPORT)
    tenant, person = _person(tenant_id, user_id)
    session = session_of(staff, tenant_id)
    form = ReasonForm(request.POST or None, initial={"reason": session.reason if session else ""})
    context = {
        **admin.site.each_context(request),
        "title": "Sign in as somebody",
        "tenant": tenant,
        "lens": lens_page(tenant.slug),
        "person": person,
        "form": form,
        "minutes": IMPERSONATION_SECONDS // 60,
        "seconds": CODE_SECONDS,
        "session": session,
        "obstacle": _obstacle(tenant_id, user_id),
    }
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                code = impersonation_code_make(
                    staff=staff, tenant_id=tenant_id, user_id=user_id, reason=form.cleaned_data["reason"]
                )
            except PlatformError as error:
                form.add_error(None, error.message)
                status = error.code.status
            else:
                context["link"], status = page_url(f"/impersonate/{code.text}"), 200
    return TemplateResponse(request, "staff/impersonate.html", context, status=status)


def _obstacle(tenant_id: UUID, user_id: UUID) -> str:
    """Why nobody can sign in as this person, in words; "" when nothing is in the way."""
    try:
        impersonable(tenant_id=tenant_id, user_id=user_id)
    except PlatformError as error:
        return error.message
    return ""


def _person(tenant_id: UUID, user_id: UUID) -> tuple[TenantRef, User]:
    tenant = find_tenant(id=tenant_id)
    if tenant is None:
        raise Http404
    with bind(tenant):
        person = User.objects.filter(uuid=user_id).exclude(status=User.Status.ERASED).first()
    if person is None:
        raise Http404
    return tenant, person
