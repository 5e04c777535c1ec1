"""What mail providers report: who is believed, what it changes, and that it changes nothing twice or elsewhere."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from notifications.mailing.tokens import Purpose, make_mail_token
from notifications.mailing.way_back import provider_metadata
from notifications.models import CountChange, Delivery, DeliveryEvent, Digest, Preference, SoftBounce, Suppression
from notifications.services import consent
from notifications.services.provider_events import Report
from notifications.tests.support import LEAD, deliveries, raise_lead
from notifications.tests.test_tracking import READER, Chosen
from platform_site.binding import bind
from platform_site.outbox import dispatcher
from platform_site.outbox.models import OutboxRow
from tests.support import Api

KEY, SECRET = "mailgun-signing-key", "postmark:a-long-password"
MAILGUN, POSTMARK = "/email/webhooks/mailgun", "/email/webhooks/postmark"
COUNTS = ("delivered", "bounced", "complained", "opened", "machine_opened", "clicked", "unsubscribed")


@pytest.fixture(autouse=True)
def _providers(settings: Any) -> None:
    settings.ANYMAIL = {
        "MAILGUN_WEBHOOK_SIGNING_KEY": KEY,
        "POSTMARK_SERVER_TOKEN": "t",
        "WEBHOOK_SECRET": [SECRET],
    }


@pytest.fixture
def delivery(alice: Api, bob: Api) -> Delivery:
    raise_lead(alice, bob)
    dispatcher.drain()
    with bind(bob.tenant.ref):
        Delivery.objects.update(sent_at=timezone.now() - timedelta(minutes=5))
    return deliveries(bob)[0]


def ref_of(tenant: Any, delivery: Any, kind: str = "d") -> str:
    with bind(tenant.ref):
        return provider_metadata(kind, delivery.id)["ref"]


def basic(password: str) -> str:
    return f"Basic {base64.b64encode(password.encode()).decode()}"


def postmark(ref: str, record: str = "Delivery", password: str = SECRET, **more: Any) -> Any:
    """The answer to a report as Postmark sends it."""
    moment = more.pop("at", None) or timezone.now().isoformat()
    body = {
        "RecordType": record,
        "MessageID": "m-1",
        "Recipient": "somebody@acme.test",
        "Metadata": {"ref": ref},
        {"Delivery": "DeliveredAt", "Bounce": "BouncedAt", "SpamComplaint": "BouncedAt"}.get(
            record, "ReceivedAt"
        ): moment,
        **more,
    }
    return Api().post(POSTMARK, body, authorization=basic(password))


def mailgun(ref: str, event: str, data: Any = None, *, key: str = KEY, token: str = "", **more: Any) -> Any:
    """The answer to a report as Mailgun sends and signs it. Where there is a password, it gives that too."""
    stamp, token = str(int(timezone.now().timestamp())), token or uuid4().hex
    signature = hmac.new(key.encode(), f"{stamp}{token}".encode(), hashlib.sha256).hexdigest()
    event_data = {
        "event": event,
        "timestamp": float(stamp),
        "recipient": "user@acme.test",
        "user-variables": {"ref": ref},
        "message": {"headers": {"message-id": "m@acme.test"}},
        **(data or {}),
        **more,
    }
    body = {"signature": {"timestamp": stamp, "token": token, "signature": signature}, "event-data": event_data}
    return Api().post(MAILGUN, body, authorization=basic(SECRET))


def counted(tenant: Any, channel: str = "email") -> dict[str, int]:
    with bind(tenant.ref):
        rows = list(CountChange.objects.filter(channel=channel).values(*COUNTS))
    return {name: total for name in COUNTS if (total := sum(row[name] for row in rows))}


def suppressions(tenant: Any) -> dict[str, str]:
    with bind(tenant.ref):
        return {row.email: row.reason for row in Suppression.objects.all()}


def test_a_ref_fits_every_provider(tenant: Any, delivery: Delivery) -> None:
    # Postmark takes 80 characters, Resend only these.
    ref = ref_of(tenant, delivery)
    assert len(ref) <= 80
    assert ref.replace("-", "").replace("_", "").isalnum()


def test_only_what_the_provider_proves_is_believed(tenant: Any, delivery: Delivery) -> None:
    ref = ref_of(tenant, delivery)
    forged, guessed = mailgun(ref, "delivered", key="other"), postmark(ref, password="postmark:guess")
    for refused in (forged, guessed, Api().post(POSTMARK)):
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "webhook_refused")
    assert Api().call("POST", MAILGUN, b"no json", authorization=basic(SECRET)).status_code == 403
    assert not OutboxRow.objects.filter(tenant_id=None).exists()
    assert mailgun(ref, "delivered").status_code == 200


def test_only_the_provider_that_is_set_up_has_a_path(settings: Any, tenant: Any, delivery: Delivery) -> None:
    ref = ref_of(tenant, delivery)
    for unknown in ("brevo", "sendgrid", "nobody", "base"):
        assert Api().post(f"/email/webhooks/{unknown}").status_code == 404
    # Without a password anybody could report.
    settings.ANYMAIL = {"POSTMARK_SERVER_TOKEN": "t"}
    assert postmark(ref).status_code == 404
    settings.ANYMAIL = {"WEBHOOK_SECRET": [SECRET]}
    assert postmark(ref).status_code == 404
    settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
    assert postmark(ref).status_code == 200


def test_a_garbled_report_of_the_provider_is_refused_and_not_kept(tenant: Any) -> None:
    for body in (b"no json", b"[1]", b'{"RecordType": "Inbound"}'):
        answer = Api().call("POST", POSTMARK, body, authorization=basic(SECRET))
        assert answer.json()["error"]["code"] == "webhook_unreadable"
    assert not OutboxRow.objects.filter(tenant_id=None).exists()


def test_reports_in_any_order_and_again_are_counted_once(
    tenant: Any, delivery: Delivery, bob: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consent, "tracking_settings", lambda: Chosen(require_consent=False))
    ref = ref_of(tenant, delivery)
    reader = {"client-info": {"user-agent": READER}}
    yesterday = (timezone.now() - timedelta(days=1)).isoformat()
    for _ in range(2):
        mailgun(ref, "clicked", reader, token="t1", url="https://a.test")
        mailgun(ref, "opened", reader, token="t2")
        mailgun(ref, "delivered", token="t3")
        postmark(ref, at=yesterday)
        dispatcher.drain()
    assert counted(tenant) == {"delivered": 1, "opened": 1, "clicked": 1}
    with bind(tenant.ref):
        assert DeliveryEvent.objects.count() == 4
    (after,) = deliveries(bob)
    assert None not in (after.delivered_at, after.opened_at, after.clicked_at)


@pytest.mark.parametrize("order", ["delivered first", "bounced first"])
def test_one_that_came_back_after_all_has_not_arrived(tenant: Any, delivery: Delivery, order: str) -> None:
    ref = ref_of(tenant, delivery)
    reports = [lambda: postmark(ref), lambda: postmark(ref, "Bounce", Type="HardBounce", ID=1)]
    for report in reports if order == "delivered first" else reversed(reports):
        report()
        dispatcher.drain()
    assert counted(tenant) == {"bounced": 1}


def test_an_earlier_time_that_comes_later_is_kept(tenant: Any, delivery: Delivery, bob: Api) -> None:
    ref = ref_of(tenant, delivery)
    times = [timezone.now() - timedelta(minutes=minutes) for minutes in (2, 3, 1)]
    for at in times:
        postmark(ref, at=at.isoformat())
        dispatcher.drain()
    assert deliveries(bob)[0].delivered_at == times[1]
    assert counted(tenant) == {"delivered": 1}


@pytest.mark.parametrize(
    ("report", "reason"),
    [
        ({"record": "Bounce", "Type": "HardBounce", "ID": 1}, "hard_bounce"),
        ({"record": "SpamComplaint", "Type": "SpamComplaint", "ID": 2}, "complaint"),
        ({"record": "Bounce", "Type": "BadEmailAddress", "ID": 3}, "hard_bounce"),
    ],
    ids=["bounce", "complaint", "no address"],
)
def test_what_ends_mail_to_an_address(
    tenant: Any, other_tenant: Any, delivery: Delivery, report: Any, reason: str
) -> None:
    ref = ref_of(tenant, delivery)
    for _ in range(2):
        postmark(ref, Email="user@acme.test", **report)
        dispatcher.drain()
    assert suppressions(tenant) == {"user@acme.test": reason}
    assert counted(tenant) == {"complained" if reason == "complaint" else "bounced": 1}
    assert (suppressions(other_tenant), counted(other_tenant)) == ({}, {})


def test_an_old_address_that_bounces_does_not_silence_the_new_one(tenant: Any, delivery: Delivery, bob: Api) -> None:
    postmark(ref_of(tenant, delivery), "Bounce", Type="HardBounce", ID=1, Email="before@acme.test")
    dispatcher.drain()
    assert list(suppressions(tenant)) == ["before@acme.test"]


def test_soft_bounces_pause_after_the_third_and_repeats_do_not_count(tenant: Any, delivery: Delivery) -> None:
    ref = ref_of(tenant, delivery)
    for number in (1, 1, 1, 2):
        postmark(ref, "Bounce", Type="SoftBounce", ID=number, Email="user@acme.test")
        dispatcher.drain()
    assert suppressions(tenant) == {}
    postmark(ref, "Bounce", Type="SoftBounce", ID=3, Email="user@acme.test")
    dispatcher.drain()
    assert suppressions(tenant) == {"user@acme.test": "soft_bounce"}
    assert counted(tenant) == {"bounced": 1}


@pytest.mark.parametrize(
    ("reason", "status", "soft", "hard"),
    [
        ("bounced", "5.1.1", None, True),
        ("bounced", "", None, True),
        ("other", "5.1.1", None, True),
        ("bounced", "5.4.4", None, False),
        ("bounced", "4.2.2", None, False),
        ("bounced", "5.2.2", True, False),
        ("blocked", "5.7.1", None, False),
        ("other", "5.7.1", False, True),
        ("timed_out", "", None, False),
    ],
)
def test_which_bounces_are_for_good(reason: str, status: str, soft: bool | None, hard: bool) -> None:
    report = Report("r", "bounced", "1", datetime.now(UTC), reason=reason, status=status, soft=soft)
    assert report.is_hard is hard


def test_a_provider_block_pauses_nobody_at_once(tenant: Any, delivery: Delivery) -> None:
    ref = ref_of(tenant, delivery)
    postmark(ref, "Bounce", Type="DMARCPolicy", ID=1, Email="user@acme.test")
    mailgun(ref, "failed", severity="temporary", reason="generic")
    dispatcher.drain()
    assert suppressions(tenant) == {}
    with bind(tenant.ref):
        assert not SoftBounce.objects.exists()


def test_who_unsubscribes_at_the_provider_unsubscribes_here(tenant: Any, delivery: Delivery, bob: Api) -> None:
    ref = ref_of(tenant, delivery)
    for _ in range(2):
        mailgun(ref, "unsubscribed")
        dispatcher.drain()
    with bind(tenant.ref):
        (row,) = Preference.objects.all()
        assert (row.user_id, row.event_key, row.channel, row.enabled) == (bob.user.id, LEAD, "email", False)
    assert counted(tenant) == {"unsubscribed": 1}


def test_a_report_of_one_tenant_changes_nothing_in_another(
    tenant: Any, other_tenant: Any, delivery: Delivery, bob: Api
) -> None:
    # The provider is the same for both, so only the token says whose it is.
    postmark(ref_of(other_tenant, delivery), "Bounce", Type="HardBounce", ID=1, Email=bob.user.email)
    postmark(ref_of(tenant, tenant), "Bounce", Type="HardBounce", ID=2, Email=bob.user.email)
    with bind(tenant.ref):
        # A token that stands in every mail for its reader is none for reports.
        wrong = make_mail_token(Purpose.OPEN, delivery.id, "d")
    postmark(wrong, "Bounce", Type="HardBounce", ID=3, Email=bob.user.email)
    dispatcher.drain()
    assert not OutboxRow.objects.filter(reaction="notifications.provider_event").exists()
    for one in (tenant, other_tenant):
        assert (suppressions(one), counted(one)) == ({}, {})
    assert deliveries(bob)[0].bounced_at is None


def test_what_is_too_old_is_dropped_and_what_is_ahead_is_now(tenant: Any, delivery: Delivery, bob: Api) -> None:
    ref = ref_of(tenant, delivery)
    postmark(ref, at=(timezone.now() - timedelta(days=91)).isoformat())
    dispatcher.drain()
    assert deliveries(bob)[0].delivered_at is None
    postmark(ref, at=(timezone.now() + timedelta(days=400)).isoformat())
    dispatcher.drain()
    at = deliveries(bob)[0].delivered_at
    assert at is not None
    assert at <= timezone.now()


def test_without_consent_the_providers_own_tracking_is_not_kept(tenant: Any, delivery: Delivery) -> None:
    mailgun(ref_of(tenant, delivery), "opened", {"client-info": {"user-agent": READER}})
    dispatcher.drain()
    assert counted(tenant) == {}
    with bind(tenant.ref):
        assert not DeliveryEvent.objects.exists()


def test_a_digest_is_delivered_with_all_that_it_brought(tenant: Any, alice: Api, bob: Api) -> None:
    for _ in range(2):
        raise_lead(alice, bob)
    dispatcher.drain()
    with bind(tenant.ref):
        now = timezone.now()
        digest = Digest.objects.create(user=bob.user, kind="held", status="sent", due_at=now, sent_at=now)
        Delivery.objects.update(digest=digest)
    ref = ref_of(tenant, digest, "g")
    for _ in range(2):
        mailgun(ref, "delivered")
        dispatcher.drain()
    assert counted(tenant) == {"delivered": 2}
    assert counted(tenant, "digest") == {"delivered": 1}


def test_what_is_kept_of_a_report_names_nobody(tenant: Any, delivery: Delivery) -> None:
    mailgun(
        ref_of(tenant, delivery),
        "failed",
        {"delivery-status": {"message": "550 5.1.1 <user@acme.test> unknown", "description": ""}},
        severity="permanent",
        reason="bounce",
    )
    dispatcher.drain()
    with bind(tenant.ref):
        (event,) = DeliveryEvent.objects.all()
        assert event.detail == {"reason": "bounced", "status": "5.1.1"}
        assert "@" not in Suppression.objects.get().detail
