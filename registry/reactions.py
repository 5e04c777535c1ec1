"""What happens to people of the platform whom the registry knows by their address is written to their stream."""

from typing import Final

from accounts import catalog as accounts
from accounts.models import User
from events.services.writing import Happening, events_write
from platform_site.journal.keys import JournalKey
from platform_site.journal.models import JournalEntry
from platform_site.outbox.models import OutboxRow
from platform_site.outbox.registry import reaction
from registry.services.records import PERSON, identifier_key, identifier_owner

APP: Final = "accounts"
# Journal key -> (category, action) of the event.
TOLD: Final[dict[JournalKey, tuple[str, str]]] = {
    accounts.USER_INVITED: ("membership", "invited"),
    accounts.INVITATION_ACCEPTED: ("membership", "invitation_accepted"),
    accounts.EMAIL_VERIFIED: ("membership", "email_verified"),
    accounts.USER_DEACTIVATED: ("membership", "deactivated"),
    accounts.USER_ACTIVATED: ("membership", "activated"),
}


def _tell(entry: JournalEntry) -> None:
    """Once for each entry, however often it is tried: the entry's id is the event's name."""
    user = User.objects.filter(uuid=entry.subject_id).only("email", "status").first()
    if user is None or not user.email:
        return
    key = identifier_key(user.email)
    canonical_id = identifier_owner(PERSON, key) if key else None
    if canonical_id is None:
        return
    category, action = next(told for key, told in TOLD.items() if key.key == entry.key)
    happening = Happening(
        canonical_id=canonical_id,
        app=APP,
        category=category,
        action=action,
        message_id=str(entry.id),
        occurred_at=entry.at,
        actor_id=entry.actor_id,
        source=("user", entry.subject_id),
    )
    events_write(happenings=[happening])


for _key in TOLD:
    reaction(to=_key, queue=OutboxRow.Queue.BULK, name=f"registry.tell_{_key.key.partition('.')[2]}")(_tell)
