"""The search of the admin. It is asked by POST: an address must not stand in a path, nor in anybody's log of paths."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods

from accounts.staff.addresses import act_page, person_page, tenant_page
from accounts.staff.rights import reaches, staff_of
from accounts.staff.roles import StaffRole
from platform_site.backoffice.searching import Found, Person, search


@require_http_methods(["GET", "POST"])
def find(request: HttpRequest) -> HttpResponse:
    staff = staff_of(request)
    found = search(term=request.POST.get("term", ""), staff=staff) if request.method == "POST" else Found("")
    context = {
        **admin.site.each_context(request),
        "title": "Search",
        "found": found,
        "asked": bool(found.term),
        "people": [(person, _links(person)) for person in found.people],
        "tenants": [(tenant, tenant_page(tenant.id)) for tenant in found.tenants],
        "may_resend": reaches(request, StaffRole.SUPPORT),
    }
    return TemplateResponse(request, "backoffice/find.html", context)


def _links(person: Person) -> dict[str, str]:
    page = tenant_page(person.tenant.id)
    if person.user_id is None:
        return {"tenant": page}
    return {
        "tenant": page,
        "person": person_page(person.tenant.slug, person.user_id),
        "resend": f"{act_page(person.tenant.id, 'invitation-resent')}?person={person.user_id}",
    }


view = admin.site.admin_view(find)
