"""What is unread, against counting it by hand: whatever people do in whatever order, both say the same.

The model keeps every message with what became of it, and every mark. It knows no
numbers of the tables and subtracts nothing.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import hypothesis
import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from accounts.roles import Role
from accounts.services.people import user_create
from chat.catalog import HISTORY_FOR_NEW_MEMBERS
from chat.models import Channel, Member, Message
from chat.presenting_channels import FOR_EVER
from chat.selectors.channels import memberships
from chat.services.channels import ChannelChanges, channel_change, direct_open, group_create
from chat.services.members import member_leave, members_add
from chat.services.message_changes import message_delete
from chat.services.messages import message_send
from chat.services.reading import channel_mark_read, channels_mark_read
from chat.unread import Totals, unread_totals
from platform_site.api.identity import Identity
from platform_site.binding import require_tenant
from platform_site.errors import PlatformError
from platform_site.ids import uuid7
from tenancy.org_settings.models import OrgSetting
from tests.support import scaled

EXAMPLES, STEPS = scaled(15, 300), scaled(40, 80)
PEOPLE, GROUPS = 3, 1
ALL = -1
somebody = st.integers(0, PEOPLE - 1)
somewhere = st.integers(0, GROUPS)


@dataclass
class Said:
    """``named``: who had to be told of it."""

    sender: int
    named: frozenset[int] = frozenset()
    deleted: bool = False
    purged: bool = False


@dataclass
class Place:
    """One channel. ``unread``: of each member the numbers of messages that were not read."""

    id: Any
    owner: int
    group: bool
    members: set[int]
    said: list[Said] = field(default_factory=list)
    unread: dict[int, set[int]] = field(default_factory=dict)
    muted: set[int] = field(default_factory=set)
    archived: bool = False

    def open_for(self, who: int) -> bool:
        return who in self.members

    def left_to_read(self, who: int) -> list[Said]:
        messages = (self.said[seq - 1] for seq in self.unread.get(who, ()))
        return [one for one in messages if not one.deleted and not one.purged]


class Unread(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.people = [
            user_create(email=f"m{number}@acme.test", first_name=f"M{number}", role=Role.USER)
            for number in range(PEOPLE)
        ]
        self.places: list[Place] = []

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)

    def actor(self, who: int) -> Identity:
        user = self.people[who]
        return Identity(
            tenant=require_tenant(), session_id=uuid7(), user_id=user.id, user_uuid=user.uuid, role=user.role,
            profile_id=user.profile_id, permissions=frozenset(), email_verified=True,
        )  # fmt: skip

    def out(self) -> list[tuple[Place, int]]:
        """Who could come back, and where to."""
        return [
            (place, who)
            for place in self.places
            if place.group and not place.archived
            for who in range(PEOPLE)
            if who not in place.members
        ]

    @initialize()
    def channels(self) -> None:
        everybody = [person.id for person in self.people]
        for number in range(GROUPS):
            made = group_create(actor=self.actor(number), name=f"g{number}", member_refs=everybody)
            self.places.append(Place(made, number, True, set(range(PEOPLE))))
        opened = direct_open(actor=self.actor(0), ref=self.people[1].id)
        self.places.append(Place(opened.channel_id, 0, False, {0, 1}))
        for place in self.places:
            for who in (0, 0, 1):
                self.say_once(place, who, {ALL})

    @rule(
        who=somebody,
        where=somewhere,
        times=st.integers(1, 4),
        named=st.sets(st.one_of(somebody, st.just(ALL)), max_size=2),
    )
    def say(self, who: int, where: int, times: int, named: set[int]) -> None:
        place = self.places[where]
        if place.open_for(who) and not place.archived:
            for _ in range(times):
                self.say_once(place, who, named)

    def say_once(self, place: Place, who: int, named: set[int]) -> None:
        tags = "".join(f" <@{'all' if one == ALL else self.people[one].uuid}>" for one in named)
        message_send(actor=self.actor(who), channel_id=place.id, content=f"x{tags}")
        told = place.members if ALL in named else named & place.members
        place.said.append(Said(who, frozenset(told) - {who}))
        # Who says something has read what is above it.
        place.unread[who] = set()
        for other in place.members - {who}:
            place.unread.setdefault(other, set()).add(len(place.said))

    @rule(who=somebody, where=somewhere, back=st.integers(0, 5))
    def read(self, who: int, where: int, back: int) -> None:
        """Some device says what it has seen, perhaps long after another one."""
        place = self.places[where]
        if not place.open_for(who):
            return
        seq = max(len(place.said) - back, 0)
        channel_mark_read(user_id=self.people[who].id, channel_id=place.id, seq=seq)
        place.unread[who] = {one for one in place.unread.get(who, ()) if one > seq}

    @rule(who=somebody)
    def read_all(self, who: int) -> None:
        channels_mark_read(user_id=self.people[who].id)
        for place in self.places:
            if place.open_for(who):
                place.unread[who] = set()

    @rule(where=somewhere, back=st.integers(0, 5))
    def delete(self, where: int, back: int) -> None:
        place = self.places[where]
        seq = len(place.said) - back
        if seq < 1 or place.said[seq - 1].purged:
            return
        sender = place.said[seq - 1].sender
        row = Message.objects.get(channel_id=place.id, seq=seq)
        try:
            message_delete(actor=self.actor(sender), channel_id=place.id, message_id=row.id)
        except PlatformError:
            # Who has left, or does not see it any more, deletes nothing.
            return
        place.said[seq - 1].deleted = True

    @rule(where=somewhere, back=st.integers(0, 5))
    def let_go(self, where: int, back: int) -> None:
        """The company keeps messages up to here no longer."""
        place = self.places[where]
        seq = max(len(place.said) - back, 0)
        row = Channel.objects.get(id=place.id)
        if seq > row.purged_seq:
            Message.objects.filter(channel_id=place.id, seq__lte=seq).delete()
            Channel.objects.filter(id=place.id).update(purged_seq=seq)
            for one in place.said[:seq]:
                one.purged = True

    @rule(who=somebody, where=st.integers(0, GROUPS - 1))
    def leave(self, who: int, where: int) -> None:
        place = self.places[where]
        # Somebody has to be there to let others in.
        if place.open_for(who) and who != place.owner:
            member_leave(actor=self.actor(who), channel_id=place.id)
            place.members.discard(who)

    @precondition(lambda self: self.out())
    @rule(which=st.integers(0, PEOPLE), history=st.booleans())
    def come_back(self, which: int, history: bool) -> None:
        out = self.out()
        place, who = out[which % len(out)]
        OrgSetting.objects.update_or_create(key=HISTORY_FOR_NEW_MEMBERS.key, defaults={"value": history})
        # Who is in it already stays as they are.
        members_add(
            actor=self.actor(place.owner),
            channel_id=place.id,
            member_refs=[self.people[one].id for one in {who} | place.members],
        )
        place.members.add(who)
        place.unread[who] = set()
        place.muted.discard(who)

    @rule(who=somebody, where=somewhere, until=st.sampled_from([None, "past", "future", "for ever"]))
    def mute(self, who: int, where: int, until: str | None) -> None:
        place = self.places[where]
        if not place.open_for(who):
            return
        moments = {
            "past": timezone.now() - timedelta(days=1),
            "future": datetime(2090, 1, 1, tzinfo=UTC),
            "for ever": FOR_EVER,
        }
        change = ChannelChanges(muted=False) if until is None else ChannelChanges(muted_until=moments[until])
        channel_change(actor=self.actor(who), channel_id=place.id, changes=change)
        (place.muted.add if until in ("future", "for ever") else place.muted.discard)(who)

    @rule(where=st.integers(0, GROUPS - 1), archived=st.sampled_from([False, False, True]))
    def archive(self, where: int, archived: bool) -> None:
        place = self.places[where]
        channel_change(actor=self.actor(place.owner), channel_id=place.id, changes=ChannelChanges(archived=archived))
        place.archived = archived

    @invariant()
    def every_channel_says_what_is_left_to_read(self) -> None:
        rows: Any = memberships(user_ids=[person.id for person in self.people])
        seen = {(row.user_id, row.channel_id): (row.unread, row.mentions) for row in rows}
        assert seen == {
            (person.id, place.id): (len(left), sum(who in one.named for one in left))
            for who, person in enumerate(self.people)
            for place in self.places
            if place.open_for(who)
            for left in [place.left_to_read(who)]
        }

    @invariant()
    def the_total_is_what_asks_for_attention(self) -> None:
        expected = {}
        for who, person in enumerate(self.people):
            open_ones = [p for p in self.places if p.open_for(who) and not p.archived and who not in p.muted]
            left = [place.left_to_read(who) for place in open_ones]
            expected[person.id] = Totals(
                unread=sum(map(len, left)),
                channels=sum(bool(one) for one in left),
                mentions=sum(who in one.named for messages in left for one in messages),
            )
        assert unread_totals(expected) == expected

    @invariant()
    def nobody_has_read_further_than_there_is(self) -> None:
        for row in Member.objects.select_related("channel"):
            assert row.last_read_seq <= row.channel.last_seq


@pytest.mark.timeout(1200)
def test_unread_is_what_one_counts_by_hand(in_tenant: Any, settings: Any) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "chat_send_user": (1_000_000, 10)}
    run_state_machine_as_test(
        Unread,
        settings=hypothesis.settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
