"""What billing does when people come and go, and when Stripe tells us something."""

from django.conf import settings

from accounts import catalog as accounts
from billing.services.events import event_process
from billing.services.seats import seats_look
from platform_site.binding import require_tenant
from platform_site.journal.keys import JournalKey
from platform_site.journal.models import JournalEntry
from platform_site.outbox.registry import reaction

# A worker serves what Stripe tells us, and knows how by this import.
__all__ = ["event_process"]


def _look(entry: JournalEntry) -> None:
    if settings.BILLING_CONFIGURED:
        seats_look(tenant_id=require_tenant().id)


def _react_to(key: JournalKey) -> None:
    reaction(key, name=f"{__name__}.look_at_seats.{key.key}")(_look)


for _key in (accounts.USER_INVITED, accounts.USER_ACTIVATED):
    _react_to(_key)
