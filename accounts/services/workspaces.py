"""Which workspaces somebody is in, for whoever forgot."""

from dataclasses import dataclass

from accounts.directory.selectors import tenants_of_address
from accounts.emails import email_display, email_key
from accounts.models import User
from platform_site import limits
from platform_site.binding import bind
from platform_site.outbox.services import enqueue_request
from tenancy.models import Tenant


@dataclass(frozen=True, slots=True)
class Workspace:
    """An active workspace and the address, as it is written there, of the active person in it."""

    name: str
    slug: str
    email: str


def workspaces_forgot(*, email: str) -> None:
    """Have the address's workspaces mailed to it. The same work, whoever asks about whom.

    Raises ``rate_limited``, also the same for every address.
    """
    limits.spend("workspaces_forgot_address", email_key(email))
    enqueue_request(kind="accounts.workspaces_forgot", payload={"email": email_display(email)})


def workspaces_of_address(email: str) -> list[Workspace]:
    """By name. The directory says where to look; only what is found in the tenant itself counts."""
    key = email_key(email)
    tenants = Tenant.objects.filter(id__in=tenants_of_address(email), status=Tenant.Status.ACTIVE)
    found = []
    for tenant in tenants.order_by("name", "slug"):
        with bind(tenant.ref):
            person = User.objects.filter(email_key=key, status=User.Status.ACTIVE).only("email").first()
        if person is not None:
            found.append(Workspace(tenant.name, tenant.slug, person.email))
    return found
