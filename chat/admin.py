"""Channels as staff see them in the lens: who talks where and when; what is said only while the tenant allows it."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib.admin import display
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.models import User
from accounts.staff.columns import badge, moment_text
from accounts.staff.lens.finding import by_id
from accounts.staff.lens.grants import HIDDEN, messages_may_be_read
from accounts.staff.lens.links import NOTHING, address, link, list_address, person_cell, person_link
from accounts.staff.lens.options import LensModelAdmin
from accounts.staff.lens.panels import ROWS, Cell, Panel
from accounts.staff.lens.site import lens
from chat.models import Channel, Member, Message


def _members(channel: Channel) -> Iterable[Sequence[Any]]:
    rows = Member.objects.filter(channel=channel, left_at=None).select_related("user").order_by("user")
    for one in rows[:ROWS]:
        yield person_cell(one.user), one.get_role_display(), one.last_read_seq, moment_text(one.joined_at)


def _messages(channel: Channel) -> Iterable[Sequence[Any]]:
    rows = Message.objects.filter(channel=channel).select_related("sender").defer("content").order_by("-seq")
    for one in rows[:ROWS]:
        number = Cell(str(one.seq), address(Message, one.pk))
        yield number, person_cell(one.sender), moment_text(one.created_at), _fate(one)


def _fate(message: Message) -> str:
    if message.deleted_at is not None:
        return "deleted"
    return "edited" if message.edited_at is not None else ""


@lens(Channel, "channel")
class ChannelAdmin(LensModelAdmin):
    list_display = ("created_at", "kind", "name_shown", "last_seq", "last_message_at", "archived_at")
    search_help_text = "A channel's id"
    fields = (
        "id", "kind", "name_shown", "maker", "last_seq", "change_seq", "purged_seq", "last_message_at", "archived_at",
        "created_at", "elsewhere",
    )  # fmt: skip
    panels = (
        Panel("Members", ("Person", "Role", "Read up to", "Since"), _members),
        Panel("Latest messages", ("Number", "From", "When", "State"), _messages),
    )

    def find(self, queryset: "QuerySet[Channel]", term: str) -> "QuerySet[Channel]":
        return by_id(queryset, term)

    def title_of(self, subject: Channel) -> str:
        return subject.name or "Two people"

    @display(description="name")
    def name_shown(self, channel: Channel) -> str:
        return channel.name or NOTHING

    @display(description="made by")
    def maker(self, channel: Channel) -> str:
        return person_link(User.objects.filter(pk=channel.created_by_id).first())

    @display(description="more")
    def elsewhere(self, channel: Channel) -> str:
        return link("Messages of this channel", list_address(Message, channel__id__exact=channel.pk))


@lens(Message, "message")
class MessageAdmin(LensModelAdmin):
    """Nothing searches through what was said, whatever is allowed."""

    list_display = ("created_at", "channel_shown", "seq", "sender_shown", "said", "state")
    list_select_related = ("sender", "channel")
    search_help_text = "A message's or a channel's id"
    lookups = frozenset({"channel__id__exact"})
    fields = (
        "id", "channel_shown", "seq", "sender_shown", "said", "state", "reply_to", "created_at", "edited_at",
        "deleted_at",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Message]":
        # Read only by ``fill``, which asks first.
        return super().get_queryset(request).defer("content")  # type: ignore[no-any-return]

    def fill(self, rows: Sequence[Any]) -> None:
        """Asked anew for each page of an export: what is allowed ends at its moment."""
        allowed = messages_may_be_read()
        keys = [row.pk for row in rows] if allowed else []
        contents = dict(Message.objects.filter(pk__in=keys).values_list("pk", "content"))
        for row in rows:
            row.lens_said = contents.get(row.pk, "") if allowed else HIDDEN

    def find(self, queryset: "QuerySet[Message]", term: str) -> "QuerySet[Message]":
        return by_id(queryset, term, "channel_id")

    def title_of(self, subject: Message) -> str:
        return f"Message {subject.seq}"

    @display(description="channel")
    def channel_shown(self, message: Message) -> str:
        return link(message.channel.name or "Two people", address(Channel, message.channel_id))

    @display(description="from")
    def sender_shown(self, message: Message) -> str:
        return person_link(message.sender)

    @display(description="content")
    def said(self, message: Any) -> str:
        return str(message.lens_said)

    @badge("state", {"deleted": "danger"})
    def state(self, message: Message) -> str:
        return _fate(message) or "as sent"
