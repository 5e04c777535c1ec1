"""Who is told that the set-up is complete."""

from typing import Any

from accounts.roles import Role
from accounts.tests.people import somebody
from notifications.tests.support import told
from platform_site.outbox import dispatcher
from setup_hub.tests.support import install, say, task
from tests.support import Api, data


def test_the_other_administrators_are_told(alice: Api, bob: Api, tenant: Any, monkeypatch: Any) -> None:
    carol = somebody(tenant, "carol", Role.TENANT_ADMIN)
    install(monkeypatch, task("a.one"))
    say(alice, "a.one", "completed")
    data(alice.post("/setup-hub/complete"))
    dispatcher.drain()
    assert [one["eventKey"] for one in told(carol)] == ["setup_hub.completed"]
    assert told(alice) == told(bob) == []
