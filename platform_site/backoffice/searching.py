"""Finding a person by e-mail address and a tenant by whatever somebody has at hand.

The directory says in which tenants an address may be somebody's; only those are looked into, a bounded number,
each bound by itself. Nothing loops over all tenants.
"""

import re
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

import structlog
from django.db import DatabaseError, transaction
from django.db.models import Case, IntegerField, Q, QuerySet, Value, When

from accounts.admin import link_state
from accounts.directory.selectors import Listed, people_of_address
from accounts.emails import email_key, masked_address
from accounts.models import LinkToken, User
from accounts.staff.models import StaffUser
from accounts.staff.services import act_record
from platform_site.binding import bind
from platform_site.tenants import READABLE
from tenancy.models import Tenant

log = structlog.get_logger(__name__)

MOST_TENANTS: Final = 20
# An address is looked up in so many tenants at most.
MOST_PEOPLE: Final = 20
LONGEST: Final = 254
_CUSTOMER: Final = re.compile(r"cus_\w{1,60}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Invitation:
    """``state`` as the lens has it: open, expired, replaced or used; ``until`` is when its link ends."""

    state: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Person:
    """One person of one tenant, as the tenant says now. ``problem``: why the tenant could not be asked."""

    tenant: Tenant
    status: str
    user_id: int | None = None
    name: str = ""
    email: str = ""
    role: str = ""
    last_sign_in_at: datetime | None = None
    invitation: Invitation | None = None
    problem: str = ""


@dataclass(slots=True)
class Found:
    """``more_people``, ``more_tenants``: there are more than are shown."""

    term: str
    people: list[Person] = field(default_factory=list)
    tenants: list[Tenant] = field(default_factory=list)
    more_people: bool = False
    more_tenants: bool = False


@transaction.atomic
def search(*, term: str, staff: StaffUser) -> Found:
    """Everything that the words lead to, and one line in the staff audit. An address is masked there."""
    term = term.strip()[:LONGEST]
    found = Found(term)
    if not term or "\x00" in term:
        return found
    if "@" in term:
        _people(found, term)
    else:
        rows = list(_tenants(term)[: MOST_TENANTS + 1])
        found.tenants, found.more_tenants = rows[:MOST_TENANTS], len(rows) > MOST_TENANTS
    act_record(
        staff=staff,
        action="person.searched" if "@" in term else "tenant.searched",
        data={"for": masked_address(term) if "@" in term else term, "found": len(found.people) + len(found.tenants)},
    )
    return found


def _tenants(term: str) -> "QuerySet[Tenant]":
    word = term.lower()
    exact = Q(slug=word) | Q(schema_name=word)
    # What is no id may be a part of a name.
    with suppress(ValueError):
        exact |= Q(id=UUID(term))
    if _CUSTOMER.fullmatch(term):
        exact |= Q(billing__customer_id=term)
    rows: QuerySet[Tenant] = Tenant.objects.filter(exact | Q(slug__startswith=word) | Q(name__icontains=term))
    best = Case(
        When(exact, then=Value(0)),
        When(slug__startswith=word, then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
    return rows.order_by(best, "slug")


def _people(found: Found, address: str) -> None:
    listed = people_of_address(address)
    found.more_people = len(listed) > MOST_PEOPLE
    listed = listed[:MOST_PEOPLE]
    tenants = Tenant.objects.in_bulk([one.tenant_id for one in listed])
    for one in listed:
        tenant = tenants.get(one.tenant_id)
        if tenant is not None:
            person = _person(tenant, one, email_key(address))
            if person is not None:
                found.people.append(person)


def _person(tenant: Tenant, listed: Listed, key: str) -> Person | None:
    """What the tenant says; None for somebody who has another address by now."""
    if tenant.status not in READABLE:
        return Person(tenant, listed.status, problem=f"The tenant is {tenant.get_status_display().lower()}.")
    try:
        with bind(tenant.ref), transaction.atomic():
            user = User.objects.filter(uuid=listed.user_uuid, email_key=key).first()
            if user is None:
                return None
            invitation = _invitation(user) if user.status == User.Status.PENDING else None
    except DatabaseError as error:
        log.warning("backoffice.not_searched", tenant=str(tenant.id), error=type(error).__name__)
        return Person(tenant, listed.status, problem=f"The tenant could not be read: {type(error).__name__}.")
    return Person(
        tenant, user.status, user.id, user.display_name, user.email, user.role, user.last_sign_in_at, invitation
    )


def _invitation(user: User) -> Invitation | None:
    """The newest that was sent to this person."""
    links = LinkToken.objects.filter(user=user, kind=LinkToken.Kind.INVITATION)
    link = links.order_by("-created_at").first()
    return None if link is None else Invitation(link_state(link), link.expires_at)
