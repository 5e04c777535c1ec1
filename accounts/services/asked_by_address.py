"""What somebody who is not signed in asks for by naming an address and a workspace.

The request itself looks at nothing: it counts, computes one hash as a sign-in
would, and keeps what was asked in the outbox. So its answer and its time are the
same for every address, and whether anybody gets a mail is decided afterwards.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.emails import email_key
from accounts.models import LinkToken, User
from accounts.services.invitations import invitation_send_again
from accounts.services.links import link_create
from accounts.services.passwords import spend_a_hash
from platform_site import context, limits
from platform_site.binding import bind
from platform_site.outbox.services import enqueue_request
from platform_site.tenants import ACTIVE
from tenancy.slugs import tenant_of_slug


def keep_request(*, kind: str, limit: str, email: str, tenant_slug: str) -> None:
    """Keep it for the handler of ``kind``; raises ``rate_limited``, for every address alike."""
    slug, address = tenant_slug.strip().lower(), email_key(email)
    limits.spend(limit, f"{slug}\x1f{address}")
    spend_a_hash()
    origin = context.current().origin
    enqueue_request(kind=kind, payload={"email": address, "tenantSlug": slug, "origin": origin})


@contextmanager
def asked_about(payload: dict[str, Any]) -> Iterator[User | None]:
    """Whom the request is about: an active person of an active tenant, else None.

    The tenant is bound, a transaction is open and the person's row is locked.
    What is written down names the origin of whoever asked. Somebody who was
    invited and has not accepted gets the invitation again, at most once a day.
    """
    tenant = tenant_of_slug(payload["tenantSlug"])
    if tenant is None or tenant.status != ACTIVE:
        yield None
        return
    work = replace(context.current(), origin=payload["origin"])
    with context.work_context(work), bind(tenant), transaction.atomic():
        rows = User.objects.select_for_update(of=("self",), no_key=True)
        concerned = [User.Status.ACTIVE, User.Status.PENDING]
        user = rows.filter(email_key=payload["email"], status__in=concerned).first()
        if user is not None and user.status == User.Status.PENDING:
            invitation_send_again(user=user)
            user = None
        yield user


def link_for_request(*, user: User, kind: LinkToken.Kind, request_id: UUID) -> LinkToken | None:
    """The link that this request is to have mailed, or None when it was made at an earlier attempt.

    A request may be served twice, because a process can die between the commit
    and the removal of the request's row. So the link has the request's id: with
    it goes a journal entry, and with that the mail.
    """
    if LinkToken.objects.filter(id=request_id).exists():
        return None
    return link_create(user=user, kind=kind, link_id=request_id)
