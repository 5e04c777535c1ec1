"""Opening and ending a staff session: the one page of the lens that takes something without one."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.staff.forms import reason_field
from accounts.staff.lens.permits import open_session
from accounts.staff.lens.site import open_to_readers, site
from accounts.staff.models import StaffSession
from accounts.staff.rights import staff_of
from accounts.staff.roles import StaffRole
from accounts.staff.services import session_close, session_open

_LATEST = 10


class ReasonForm(forms.Form):
    reason = reason_field("The customer reads it in the audit log. A ticket number helps.")


@open_to_readers
def session_page(request: HttpRequest) -> HttpResponse:
    staff = staff_of(request)
    tenant: Any = request.lens_tenant  # type: ignore[attr-defined]
    if request.method == "POST" and not staff.reaches(StaffRole.SUPPORT):
        raise PermissionDenied
    if request.method == "POST" and "end" in request.POST:
        session_close(staff=staff, tenant_id=tenant.id)
        messages.success(request, "The session is over. You are reading again.")
        return HttpResponseRedirect(reverse("admin:lens_session"))
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        session_open(staff=staff, tenant_id=tenant.id, reason=form.cleaned_data["reason"])
        messages.success(request, "You may change things now, until the session ends.")
        return HttpResponseRedirect(_back(request))
    latest = StaffSession.objects.select_related("staff").filter(tenant_id=tenant.id).order_by("-opened_at")
    context = {
        **site.each_context(request),
        "title": "Staff session",
        "form": form,
        "open": open_session(request),
        "latest": latest[:_LATEST],
        "next": request.GET.get("next", ""),
    }
    return render(request, "lens/session.html", context)


def _back(request: HttpRequest) -> str:
    """Where they came from, if that was in this lens."""
    wanted, home = request.POST.get("next", ""), reverse("admin:index")
    here = url_has_allowed_host_and_scheme(wanted, allowed_hosts=None) and wanted.startswith(home)
    return wanted if here else home
