"""The directory follows what happens to people; and the mail with the workspaces of an address."""

from typing import Any
from uuid import UUID

from accounts import catalog
from accounts.directory.services import directory_rebuild_bound, directory_sync
from accounts.links import page_url
from accounts.models import Avatar, User
from accounts.services.workspaces import workspaces_of_address
from platform_site.journal.models import JournalEntry
from platform_site.mail import send_platform_mail
from platform_site.outbox.registry import reaction, request_kind
from tenancy.catalog import TENANT_RESTORED
from tenancy.erasures.services import erasures_replay


@reaction(to=catalog.USER_REGISTERED)
def list_who_registered(entry: JournalEntry) -> None:
    directory_sync(user_uuid=UUID(entry.subject_id))


@reaction(to=catalog.USER_INVITED)
def list_who_was_invited(entry: JournalEntry) -> None:
    directory_sync(user_uuid=UUID(entry.subject_id))


@reaction(to=catalog.INVITATION_ACCEPTED)
def list_who_accepted(entry: JournalEntry) -> None:
    directory_sync(user_uuid=UUID(entry.subject_id))


@reaction(to=catalog.USER_UPDATED)
def list_who_was_changed(entry: JournalEntry) -> None:
    directory_sync(user_uuid=UUID(entry.subject_id))


@reaction(to=catalog.USER_DEACTIVATED)
def list_who_was_deactivated(entry: JournalEntry) -> None:
    directory_sync(user_uuid=UUID(entry.subject_id))


@reaction(to=catalog.USER_ACTIVATED)
def list_who_was_activated(entry: JournalEntry) -> None:
    directory_sync(user_uuid=UUID(entry.subject_id))


@reaction(to=catalog.USER_ERASED)
def unlist_who_was_erased(entry: JournalEntry) -> None:
    directory_sync(user_uuid=UUID(entry.subject_id))
    # An upload that was under way while the person was erased may have come in last.
    Avatar.objects.filter(user__uuid=entry.subject_id, user__status=User.Status.ERASED).delete()


@request_kind("accounts.workspaces_forgot")
def mail_workspaces(request_id: UUID, payload: dict[str, Any]) -> None:
    """Mail the list of workspaces, when there are any. To the address as its owner wrote it, not as it was asked."""
    found = workspaces_of_address(str(payload["email"]))
    if not found:
        return
    workspaces = [
        {"name": item.name, "slug": item.slug, "url": page_url(f"/sign-in?workspace={item.slug}")} for item in found
    ]
    send_platform_mail(
        to=found[0].email, template="accounts/mail/workspaces", values={"workspaces": workspaces}, cause=request_id
    )


@reaction(to=TENANT_RESTORED)
def list_who_came_back(entry: JournalEntry) -> None:
    # Whoever was erased by a request that was under way while the tenant was restored is noted by now.
    erasures_replay()
    directory_rebuild_bound()
