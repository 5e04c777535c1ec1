"""A company signs up and sets itself up by doing things, over HTTP: the percentage follows, to 100."""

import re

import pytest
from django.core import mail

from notifications.tests.test_deliverability import Names, names
from notifications.tests.test_smtp_server import encrypted, server, values_of
from platform_site.outbox import dispatcher
from platform_site.outbox.models import OutboxRow
from setup_hub.tests.support import look, say, seen, statuses
from setup_hub.tests.test_overview import OURS
from tests.smtp_server import SmtpServer
from tests.support import PASSWORD, Api, data

__all__ = ["encrypted", "names", "server"]
REGISTER = {
    "companyName": "Initech",
    "slug": "initech",
    "adminEmail": "admin@initech.test",
    "adminPassword": PASSWORD,
    "adminFirstName": "Irene",
}


def mailed(to: str, page: str) -> str:
    """The token of the link in the last mail to this address."""
    dispatcher.drain()
    text = next(str(message.body) for message in reversed(mail.outbox) if message.to == [to])
    found = re.search(rf"/{page}/(\S+)", text)
    assert found
    return found[1]


def done(admin: Api) -> set[str]:
    """Tasks that are done once all that happened was reacted to."""
    dispatcher.drain()
    return {code for code, status in statuses(admin).items() if status == "completed"}


@pytest.mark.commits
def test_a_company_comes_to_100_percent_by_doing_things(api: Api, server: SmtpServer, names: Names) -> None:
    OutboxRow.objects.all().delete()
    admin = Api(token=data(api.post("/tenants/register", REGISTER), 201)["accessToken"])
    assert (seen(admin)["status"], seen(admin)["progress"]["percent"]) == ("not_started", 0)
    steps: list[int] = []

    def step(*codes: str) -> None:
        """These are done now, and it has come further."""
        assert set(codes) <= done(admin)
        steps.append(seen(admin)["progress"]["percent"])

    data(api.post(f"/auth/verify-email/{mailed('admin@initech.test', 'verify-email')}"))
    step("accounts.verify_email")

    data(admin.call("PUT", "/org-settings/company.logo_url", {"value": "https://initech.example/logo.png"}))
    step("tenancy.company_profile")

    data(admin.post("/users", {"email": "peter@initech.test", "role": "user"}), 201)
    assert "accounts.invite_team" not in done(admin)
    assert statuses(admin)["accounts.invite_team"] == "in_progress"
    accepted = {"token": mailed("peter@initech.test", "accept-invitation"), "password": PASSWORD}
    peter = data(api.post("/users/accept-invitation", accepted))["user"]
    step("accounts.invite_team")

    data(admin.call("PUT", "/settings/email/sender", {"fromName": "Initech"}))
    step("notifications.sender")

    data(admin.call("PUT", "/settings/email/smtp", values_of(server)))
    assert "notifications.smtp_tested" not in done(admin)
    assert data(admin.post("/settings/email/smtp/test"))["ok"] is True
    step("notifications.smtp_tested")

    domain = {"domain": "acme.example", "dkimSelectors": ["pm"], "provider": "postmark"}
    data(admin.call("PUT", "/settings/email/deliverability", domain))
    data(admin.post("/chat/channels/group", {"name": "Everybody", "memberIds": [peter["userId"]]}), 201)
    step("chat.first_channel")

    record = {"name": "Jane Doe", "app": "sales", "entityType": "lead", "entityId": 42}
    canonical_id = data(admin.post("/entity-registry/register", record), 201)["canonicalId"]
    event = {"canonicalId": canonical_id, "app": "sales", "category": "engagement", "action": "email_opened"}
    data(admin.post("/platform-events", event), 201)
    # Of these no fact tells: imports and events come by the million. Looking does.
    looked = look(admin)
    assert looked["errors"] == []
    assert {"registry.first_record", "events.first_event"} <= {move["code"] for move in looked["changed"]}
    step(*OURS)

    # What other apps contribute, billing before all, is not this test's.
    for code in set(statuses(admin)) - set(OURS):
        data(say(admin, code, "completed", force=True))
    assert steps == sorted(set(steps))
    at_the_end = seen(admin)
    assert (at_the_end["progress"]["percent"], at_the_end["canComplete"], at_the_end["nextTask"]) == (100, True, None)
    by_doing = [one["code"] for one in at_the_end["tasks"] if one["source"] == "auto"]
    assert set(by_doing) == set(OURS)
    assert data(admin.post("/setup-hub/complete"))["status"] == "completed"
