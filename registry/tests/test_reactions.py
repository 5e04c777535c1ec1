"""What becomes of people of the platform is told in the stream of the record that is known by their address."""

from typing import Any

import pytest
from django.core import mail

from events.models import Event
from events.tests.support import listed
from platform_site.binding import bind
from platform_site.journal.models import JournalEntry
from platform_site.outbox import dispatcher
from platform_site.outbox.models import OutboxRow
from platform_site.outbox.registry import reactions_to
from registry.reactions import APP, TOLD
from registry.tests.support import merge, register
from tests.support import Api, data

ADDRESS = "nina@company.test"
SPELLED = "Nina Doe <NINA@Company.test>"


@pytest.fixture(autouse=True)
def _nothing_waits(database: None) -> None:
    """The sign-ups of the cast left work in the outbox."""
    OutboxRow.objects.all().delete()
    mail.outbox.clear()


def invite(admin: Api, email: str = ADDRESS) -> dict[str, Any]:
    invited = data(admin.post("/users", {"email": email, "firstName": "Nina"}), 201)
    dispatcher.drain()
    return dict(invited)


def accept() -> None:
    (sent,) = (one for one in mail.outbox if one.to == [ADDRESS])
    token = str(sent.body).split("/accept-invitation/")[1].split()[0]
    data(Api().post("/users/accept-invitation", {"token": token, "password": "quite another sentence"}))
    dispatcher.drain()


def becomes(admin: Api, user_id: Any, status: str) -> None:
    assert data(admin.call("PATCH", f"/users/{user_id}", {"status": status}))["status"] == status
    dispatcher.drain()


def stream(somebody: Api, canonical_id: str) -> list[dict[str, Any]]:
    """The oldest first."""
    return list(reversed(listed(somebody, canonical_id)["data"]))


def told(somebody: Api) -> int:
    """How many events the whole tenant has."""
    with bind(somebody.tenant.ref):
        return Event.objects.count()


def once_more(somebody: Api) -> int:
    """Let the reactions run again, as after a crash between their work and its mark. Gives how many do."""
    rows = []
    with bind(somebody.tenant.ref):
        for entry in JournalEntry.objects.filter(key__in=[key.key for key in TOLD]):
            rows += [
                OutboxRow(
                    tenant_id=somebody.tenant.id,
                    entry_id=entry.id,
                    key=entry.key,
                    reaction=reaction.key,
                    queue=reaction.queue,
                )
                for reaction in reactions_to(entry.key)
                if reaction.key.startswith("registry.tell_")
            ]
    OutboxRow.objects.bulk_create(rows)
    dispatcher.drain()
    assert not OutboxRow.objects.filter(reaction__startswith="registry.tell_").exists()
    return len(rows)


def test_a_member_comes_goes_and_returns_in_the_stream_of_the_record(alice: Api) -> None:
    nina = register(alice, email=SPELLED)["canonicalId"]
    invited = invite(alice)
    accept()
    becomes(alice, invited["id"], "inactive")
    becomes(alice, invited["id"], "active")
    shown = stream(alice, nina)
    assert [one["action"] for one in shown] == ["invited", "invitation_accepted", "deactivated", "activated"]
    assert {(one["app"], one["category"]) for one in shown} == {(APP, "membership")}
    assert {(one["source"]["entityType"], one["source"]["entityId"]) for one in shown} == {("user", invited["id"])}
    by_alice, by_nina = str(alice.user.uuid), invited["id"]
    assert [one["actorId"] for one in shown] == [by_alice, by_nina, by_alice, by_alice]


def test_each_is_told_when_it_happened_and_not_when_it_was_told(alice: Api) -> None:
    nina = register(alice, email=SPELLED)["canonicalId"]
    invite(alice)
    (shown,) = stream(alice, nina)
    with bind(alice.tenant.ref):
        entry, event = JournalEntry.objects.get(id=shown["messageId"]), Event.objects.get()
    assert (entry.key, event.occurred_at) == ("accounts.user_invited", entry.at)


def test_a_reaction_that_runs_twice_tells_once(alice: Api) -> None:
    nina = register(alice, email=SPELLED)["canonicalId"]
    invite(alice)
    accept()
    before = stream(alice, nina)
    # The sign-up of the company's first administrator is among them, whom the registry does not know.
    assert once_more(alice) >= len(before) == 2
    assert stream(alice, nina) == before
    assert told(alice) == 2


def test_of_who_is_not_known_nothing_is_written(alice: Api, mallory: Api) -> None:
    # Somebody else; a company that has the address; and the person, at another company.
    register(alice, email="jane@company.test")
    register(alice, email=ADDRESS, entityClass="company")
    register(mallory, email=ADDRESS)
    invited = invite(alice)
    accept()
    becomes(alice, invited["id"], "inactive")
    assert not OutboxRow.objects.filter(reaction__startswith="registry.tell_").exists()
    assert (told(alice), told(mallory)) == (0, 0)


def test_of_an_address_of_nobody_in_particular_nothing_is_written(alice: Api) -> None:
    register(alice, email="noreply@company.test")
    invite(alice, "noreply@company.test")
    assert told(alice) == 0


def test_after_a_merge_it_is_told_to_the_winner(alice: Api) -> None:
    loser = register(alice, email=SPELLED)["canonicalId"]
    winner = register(alice, email="nina@home.test")["canonicalId"]
    merge(alice, winner, loser)
    invite(alice)
    assert [one["action"] for one in stream(alice, winner)] == ["invited"]


def test_of_who_was_erased_nothing_is_written(alice: Api) -> None:
    nina = register(alice, email=SPELLED)["canonicalId"]
    answer = alice.call("DELETE", f"/entity-registry/{nina}")
    assert answer.status_code < 300, answer.content
    invite(alice)
    assert told(alice) == 0
