"""What the platform's own apps write down, without a request."""

from uuid import UUID

import pytest
from django.utils import timezone

from events.services.writing import Happening, events_write
from events.subjects import NoDirectory, directory, plug_in
from events.tests.support import UNKNOWN, entity, erase, listed, merge, recounted, stats
from platform_site.binding import bind
from tests.support import Api


def happening(canonical_id: str, message_id: str, **fields: object) -> Happening:
    return Happening(UUID(canonical_id), "billing", "payment", "invoice_paid", message_id, **fields)  # type: ignore[arg-type]


def test_it_is_written_once_however_often_it_is_said(alice: Api) -> None:
    jane = entity(alice)
    said = [
        happening(jane, "i-1", metadata={"amount": 6.007789165824158e16}, source=("invoice", "42")),
        happening(jane, "i-2", actor_id=alice.user.uuid, occurred_at=timezone.now()),
        happening(jane, "i-1", metadata={"second": True}),
    ]
    with bind(alice.tenant.ref):
        assert [events_write(happenings=said), events_write(happenings=said)] == [2, 0]
    shown = {one["messageId"]: one for one in listed(alice, jane)["data"]}
    assert shown["i-1"]["metadata"] == said[0].metadata == {"amount": 6.007789165824158e16}
    assert shown["i-1"]["source"] == {"entityType": "invoice", "entityId": "42"}
    assert shown["i-2"]["actorId"] == str(alice.user.uuid)
    assert stats(alice) == recounted(alice)


def test_nothing_is_written_about_who_is_not_there_any_more(alice: Api) -> None:
    jane, gone = entity(alice), entity(alice)
    loser = entity(alice)
    merge(alice, loser, jane)
    erase(alice, gone)
    said = [happening(one, one) for one in (gone, UNKNOWN, loser)]
    with bind(alice.tenant.ref):
        assert events_write(happenings=said) == 1
    (shown,) = listed(alice, jane)["data"]
    assert shown["sentCanonicalId"] == loser


@pytest.mark.no_django
def test_without_somebody_who_keeps_records_nobody_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("events.subjects._directory", None)
    with pytest.raises(NoDirectory):
        directory()
    keeper = object()
    plug_in(keeper)  # type: ignore[arg-type]
    assert directory() is keeper
