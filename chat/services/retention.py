"""How long messages are kept, where a company has said so, and the job that lets go of what is older.

It is armed by the setting, so that sending costs nothing for it, and runs once a
day for as long as the setting stands. Of each channel the oldest messages go, and
``purged_seq`` says up to where: numbers stay what they are.
"""

from datetime import datetime, timedelta
from itertools import takewhile
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import F, OuterRef, Subquery
from django.utils import timezone

from chat.catalog import RETENTION_DAYS
from chat.models import Channel, Member, Mention, Message
from chat.presenting_messages import EVERYBODY
from platform_site.outbox.clock import working_now
from platform_site.outbox.models import OutboxRow
from platform_site.outbox.registry import job_kind
from platform_site.outbox.services import Job, enqueue_jobs, jobs_move
from platform_site.retention import Retention, retentions
from tenancy.org_settings.selectors import setting_value

RETAIN: Final = "chat.retain"
EVERY: Final = timedelta(days=1)
# Messages of one transaction: who sends into the channel meanwhile waits for no more.
BATCH: Final = 500
# There is one of it in each tenant.
_THE_TENANT: Final = UUID(int=3)


def arm() -> None:
    """See to it that the job runs now, in the caller's tenant, also where it waits for tomorrow."""
    enqueue_jobs(kind=RETAIN, jobs=[Job(_THE_TENANT, queue=OutboxRow.Queue.BULK)])
    jobs_move(kind=RETAIN, subject_ids=[_THE_TENANT], due_at=timezone.now())


@job_kind(RETAIN)
def retain(_: UUID) -> datetime | None:
    """Let go of what is old. Gives tomorrow, or None when messages are kept for ever again."""
    now, days = working_now(), setting_value(RETENTION_DAYS)
    if not days:
        return None
    _let_go_all(now - timedelta(days=days))
    return now + EVERY


def let_go(now: datetime) -> int:
    """Remove messages that the company keeps no longer. Gives how many."""
    days = setting_value(RETENTION_DAYS)
    return _let_go_all(now - timedelta(days=days)) if days else 0


def _let_go_all(before: datetime) -> int:
    count = 0
    for channel_id in _with_old_ones(before):
        while gone := _purge(channel_id, before):
            count += gone
            if gone < BATCH:
                break
    return count


def count_old(now: datetime) -> int:
    """How many messages that would be."""
    days = setting_value(RETENTION_DAYS)
    rows = Message.objects.filter(created_at__lt=now - timedelta(days=days), seq__gt=F("channel__purged_seq"))
    return rows.count() if days else 0


def _with_old_ones(before: datetime) -> list[UUID]:
    """Channels whose oldest message is from before then: one look at an index for each."""
    messages = Message.objects.filter(channel_id=OuterRef("id"), seq__gt=OuterRef("purged_seq")).order_by("seq")
    channels = Channel.objects.annotate(oldest=Subquery(messages.values("created_at")[:1]))
    return list(channels.filter(oldest__lt=before).values_list("id", flat=True))


@transaction.atomic
def _purge(channel_id: UUID, before: datetime) -> int:
    """The oldest messages of a channel, as far as they are from before then: a batch at most. Gives how many."""
    # Changes of messages wait meanwhile, so nobody is named in one behind this one's back.
    channel = Channel.objects.select_for_update(no_key=True).get(id=channel_id)
    rows = Message.objects.filter(channel_id=channel_id, seq__gt=channel.purged_seq).order_by("seq")
    oldest = rows.values_list("seq", "created_at", "mentioned")[:BATCH]
    # Up to the first that stays: what goes is a beginning, whatever the clocks said.
    old = list(takewhile(lambda row: row[1] < before, oldest))
    if not old:
        return 0
    numbers = (old[0][0], old[-1][0])
    named = {number for _, _, mentioned in old for number in mentioned}
    if EVERYBODY in named:
        named |= set(Member.objects.filter(channel_id=channel_id).values_list("user_id", flat=True))
    Mention.objects.filter(user_id__in=named, channel_id=channel_id, seq__range=numbers).delete()
    # Their reactions go with them.
    Message.objects.filter(channel_id=channel_id, seq__range=numbers).delete()
    # In the same transaction: nobody sees one without the other.
    Channel.objects.filter(id=channel_id).update(purged_seq=numbers[1])
    return len(old)


retentions.add(Retention("chat.messages", count_old, let_go))
