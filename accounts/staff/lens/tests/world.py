"""Two tenants of which every model of the lens has rows, and whose every text says whose it is."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.db.models import Model
from django.utils import timezone

from accounts import catalog
from accounts.models import ApiKey, CustomProfile, LinkToken, User
from accounts.profiles import MEMBER
from accounts.services.links import link_create
from accounts.services.sessions import session_start
from accounts.staff.lens.site import site
from chat.models import Channel, Member, Message
from events.models import Event
from notifications.models import Delivery, DeliveryEvent, Digest, Notification, SmtpServer
from notifications.services.suppressing import ALL, Reason, suppress
from platform_site.binding import bind
from platform_site.ids import uuid7
from platform_site.journal.models import JournalEntry
from platform_site.journal.services import record
from platform_site.outbox.models import OutboxRow
from registry.services.merging import entities_merge
from registry.services.records import AppRecord
from registry.services.registering import entity_register
from setup_hub.models import TaskState
from tenancy.models import Tenant
from tenancy.org_settings.models import OrgSetting
from tenancy.org_settings.registry import org_settings

SECRET = "secret-that-nobody-sees"


def marker(tenant: Tenant) -> str:
    """What is in every text of this tenant and in none of another one."""
    return f"mark{tenant.slug}mark"


def furnish(tenant: Tenant) -> None:
    """A few rows of everything."""
    with bind(tenant.ref), transaction.atomic():
        _furnish(tenant, marker(tenant))


def _furnish(tenant: Tenant, mark: str) -> None:
    now = timezone.now()
    person = add_people(tenant, 1)[0]
    session_start(user=person)
    link_create(user=person, kind=LinkToken.Kind.INVITATION, sender_id=person.id)
    ApiKey.objects.create(
        name=f"{mark} key", permissions=[1], key_id="k1", secret_hash=SECRET[:32].encode(), created_by=person
    )
    CustomProfile.objects.create(id=101, name=f"{mark} profile", name_key=f"{mark} profile", permissions=[1])
    told = add_notifications(person, 1)[0]
    delivery = Delivery.objects.create(notification=told, channel="email", status="sent", bounced_at=now, sent_at=now)
    DeliveryEvent.objects.create(
        delivery=delivery, kind="bounced", event_id="1", at=now, detail={"reason": f"{mark} no such mailbox"}
    )
    Digest.objects.create(user=person, kind="scheduled", due_at=now)
    suppress(person.email, Reason.HARD_BOUNCE, ALL, f"{mark} bounced")
    SmtpServer.objects.create(
        host=f"{mark}.test", port=25, security="none", from_email="a@b.test", sealed_password=SECRET.encode()
    )
    channel = Channel.objects.create(kind="group", name=f"{mark} room", created_by=person, last_seq=1)
    Member.objects.create(user=person, channel=channel)
    add_messages(channel, person, 1)
    first, second = (
        entity_register(
            name=f"{mark} record {number}",
            email=f"{mark}{number}@records.test",
            record=AppRecord("crm", "lead", f"{mark}-{number}"),
        ).entity.id
        for number in (1, 2)
    )
    entities_merge(winner_id=first, loser_id=second, reason=f"{mark} reason")
    add_events(first, mark, 1)
    text = next(item for item in org_settings if item.kind == "text" and not item.secret and not item.tenant_field)
    OrgSetting.objects.create(key=text.key, value=f"{mark} text")
    OrgSetting.objects.create(key="a.sealed.one", sealed=SECRET.encode())
    record(catalog.USER_UPDATED, subject=("user", person.uuid), data={"note": mark}, actor_id=person.uuid)
    TaskState.objects.create(code=f"{mark}.task", detail=f"{mark} detail", completed_by=person)
    add_dead_letters(tenant, 1)


def add_people(tenant: Tenant, count: int) -> list[User]:
    mark, start = marker(tenant), User.objects.count()
    return User.objects.bulk_create(
        User(
            email=f"{mark}{number}@{tenant.slug}.test",
            email_key=f"{mark}{number}@{tenant.slug}.test",
            first_name=mark.title(),
            last_name=f"Nr{number}",
            profile_id=MEMBER.id,
            status=User.Status.ACTIVE,
            password=SECRET,
        )
        for number in range(start, start + count)
    )


def add_notifications(person: User, count: int) -> list[Notification]:
    mark = person.first_name.lower()
    return Notification.objects.bulk_create(
        Notification(user=person, event_key="sales.lead_assigned", title=f"{mark} told", dedup_key=str(uuid4()))
        for _ in range(count)
    )


def add_messages(channel: Channel, sender: User, count: int) -> list[Message]:
    start = Message.objects.filter(channel=channel).count()
    return Message.objects.bulk_create(
        Message(channel=channel, seq=start + number, sender=sender, content=f"{channel.name} whisper")
        for number in range(1, count + 1)
    )


def add_events(canonical_id: Any, mark: str, count: int) -> list[Event]:
    return Event.objects.bulk_create(
        Event(canonical_id=canonical_id, app="crm", category="sales", action=f"{mark} won", occurred_at=timezone.now())
        for _ in range(count)
    )


def add_dead_letters(tenant: Tenant, count: int) -> list[OutboxRow]:
    return OutboxRow.objects.bulk_create(
        OutboxRow(
            tenant_id=tenant.id,
            entry_id=uuid7(),
            key="accounts.user_updated",
            reaction=f"{marker(tenant)}.reaction",
            state=OutboxRow.State.DEAD,
            attempts=10,
            last_error="SMTPServerDisconnected",
            available_at=timezone.now() - timedelta(hours=1),
        )
        for _ in range(count)
    )


def models() -> list[type[Model]]:
    return list(site._registry)


def place_of(model: type[Model], slug: str) -> str:
    return f"/admin/t/{slug}/{model._meta.app_label}/{model._meta.model_name}/"


def keys_of(tenant: Tenant, model: type[Model]) -> list[Any]:
    """Of all rows that the lens should show of this model."""
    with bind(tenant.ref):
        rows = model._default_manager.all()
        if model is OutboxRow:
            rows = rows.filter(tenant_id=tenant.id, state="dead")
        if model is JournalEntry:
            # Looking at exports makes more of them.
            rows = rows.filter(key=catalog.USER_UPDATED.key)
        return list(rows.order_by("-pk").values_list("pk", flat=True))


def quoted(key: Any) -> str:
    from django.contrib.admin.utils import quote

    return str(quote(key))


def addresses(tenant: Tenant, model: type[Model], which: int = 0) -> Iterable[tuple[str, str]]:
    """Every kind of page of this model that one reads: (kind, address). Of one row: the newest, -1 for the oldest."""
    place, key = place_of(model, tenant.slug), quoted(keys_of(tenant, model)[which])
    admin = site._registry[model]
    yield "list", place
    yield "page", f"{place}?p=2"
    if admin.search_help_text:
        yield "search", f"{place}?q={marker(tenant)}"
    for item in admin.list_filter:
        name = item if isinstance(item, str) else item.parameter_name
        value = _first_choice(model, name) if isinstance(item, str) else "accounts"
        yield "filter", f"{place}?{name}{'__exact' if isinstance(item, str) else ''}={value}"
    yield "detail", f"{place}{key}/change/"
    yield "history", f"{place}{key}/history/"
    yield "csv", f"{place}export.csv"
    yield "json", f"{place}export.json"


def dialogs(tenant: Tenant, model: type[Model]) -> Iterable[str]:
    """What asks for a reason, and what leads away, of the oldest row."""
    place, key = place_of(model, tenant.slug), quoted(keys_of(tenant, model)[-1])
    for name in site._registry[model].actions_detail:
        yield f"{place}{key}/{getattr(site._registry[model], name).url_path}/"


def _first_choice(model: type[Model], name: str) -> str:
    field: Any = model._meta.get_field(name)
    return str(field.choices[0][0])


def site_addresses(tenant: Tenant) -> Iterable[str]:
    home = f"/admin/t/{tenant.slug}/"
    yield home
    yield f"{home}session/"
    yield f"{home}jsi18n/"
    for label in sorted({model._meta.app_label for model in models()}):
        yield f"{home}{label}/"
    for term in (marker(tenant), "people", "session"):
        yield f"{home}search/?s={term}"
        yield f"{home}search/?s={term}&extended=1"


def text_of(answer: Any) -> str:
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return str(body.decode())
