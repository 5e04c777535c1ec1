"""Demo data: the sign-ins of ``make run``, and tenants of any size."""

import json
from collections import Counter
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Count, F, Max, Min

from accounts.directory.models import DirectoryEntry
from accounts.models import User
from chat.models import Channel, Member, Message
from events.models import Event, EventStat
from notifications.models import Delivery, Notification
from platform_site.binding import bind
from platform_site.management.seeding.filling import Size, fill
from platform_site.management.seeding.words import chance, company
from registry.models import Entity, Identifier, Link
from tenancy.models import Tenant
from tests.rows import row_counts
from tests.support import Api, data

SIZES = {"people": 30, "messages": 250, "entities": 60, "events": 700, "notifications": 90}
ARGUMENTS = [part for name, count in SIZES.items() for part in (f"--{name}", str(count))]


def seed(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    call_command("seed_demo", "--json", *arguments)
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told


@pytest.fixture(autouse=True)
def _debug(settings: Any) -> None:
    settings.DEBUG = True


@pytest.mark.commits
@pytest.mark.timeout(180)
class TestSizes:
    def test_they_are_what_was_asked_for_and_hold_together(
        self, api: Api, tenant: Tenant, capsys: pytest.CaptureFixture[str]
    ) -> None:
        told = seed(capsys, "--tenants", "2", *ARGUMENTS)
        # The administrator is one of the people and was there before.
        assert {name: told[name] for name in SIZES} == {
            name: 2 * (count - (name == "people")) for name, count in SIZES.items()
        }
        for slug in told["workspaces"]:
            made = Tenant.objects.get(slug=slug)
            assert DirectoryEntry.objects.filter(tenant_id=made.id).count() == SIZES["people"]
            with bind(made.ref):
                self.holds_together()
        slug = told["workspaces"][0]
        signed_in = api.post(
            "/auth/login", {"email": f"admin@{slug}.test", "password": "demo-admin-pass", "tenantSlug": slug}
        )
        admin = Api(data(signed_in)["accessToken"])
        assert admin.get("/users").json()["meta"]["total"] == SIZES["people"]
        channels = data(admin.get("/chat/channels"))
        assert channels
        assert data(admin.get(f"/chat/channels/{channels[0]['id']}/messages"))
        with bind(Tenant.objects.get(slug=slug).ref):
            name = Entity.objects.order_by("id").values_list("name", flat=True)[0]
        found = data(admin.get(f"/entity-registry/search?q={name.split()[0]}"))
        assert found
        assert data(admin.get(f"/platform-events/{found[0]['canonicalId']}")) is not None

    def holds_together(self) -> None:
        assert User.objects.filter(status="active").count() > SIZES["people"] // 2
        assert Message.objects.count() == SIZES["messages"]
        spoken = Channel.objects.annotate(top=Max("messages__seq"), low=Min("messages__seq"), n=Count("messages"))
        for channel in spoken.filter(n__gt=0):
            assert (channel.low, channel.top, channel.n) == (1, channel.last_seq, channel.last_seq)
            times = list(channel.messages.order_by("seq").values_list("created_at", flat=True))
            assert times == sorted(times)
        assert not Member.objects.filter(last_read_seq__gt=F("channel__last_seq")).exists()
        assert Entity.objects.count() == Link.objects.count() == Identifier.objects.count() == SIZES["entities"]
        assert sum(EventStat.objects.values_list("total", flat=True)) == Event.objects.count() == SIZES["events"]
        assert set(Event.objects.values_list("canonical_id", flat=True)) <= set(
            Entity.objects.values_list("id", flat=True)
        )
        assert Delivery.objects.count() == Notification.objects.count() // 3

    def test_again_makes_only_what_is_missing(self, database: None, capsys: pytest.CaptureFixture[str]) -> None:
        seed(capsys, *ARGUMENTS)
        before = row_counts()
        assert {name: seed(capsys, *ARGUMENTS)[name] for name in SIZES} == dict.fromkeys(SIZES, 0)
        assert row_counts() == before
        more = seed(capsys, "--people", "35", "--messages", "400", "--entities", "61", "--events", "701")
        assert (more["people"], more["messages"], more["entities"], more["events"]) == (5, 150, 1, 1)
        with bind(Tenant.objects.get(slug=more["workspaces"][0]).ref):
            numbers = Counter(Message.objects.values_list("channel_id", flat=True))
            assert dict(Channel.objects.values_list("id", "last_seq")) == dict(numbers)

    def test_a_rehearsal_writes_nothing(self, database: None, capsys: pytest.CaptureFixture[str]) -> None:
        before = row_counts()
        told = seed(capsys, "--tenants", "3", *ARGUMENTS, "--dry-run")
        assert (told["tenants"], told["messages"]) == (3, 750)
        assert seed(capsys, "--dry-run") == {"seeded": True, "dryRun": True}
        assert row_counts() == before


def test_the_same_seed_says_the_same(tenant: Tenant, other_tenant: Tenant) -> None:
    def said(one: Tenant, number: int) -> list[Any]:
        with bind(one.ref):
            list(fill(Size(people=20, messages=50, entities=20), seed=number, slug="x", password=""))
            return [
                sorted(User.objects.filter(email__endswith="@x.test").values_list("email", flat=True)),
                sorted(Message.objects.values_list("content", flat=True)),
                sorted(Entity.objects.values_list("name", flat=True)),
            ]

    first = said(tenant, 7)
    assert said(other_tenant, 7) == first
    assert len(first[0]) == 18
    with bind(tenant.ref):
        list(fill(Size(people=40), seed=8, slug="y", password=""))
        others = sorted(User.objects.filter(email__endswith="@y.test").values_list("email", flat=True))
    assert [one.replace("@y", "@x") for one in others] != first[0]


def test_slugs_are_slugs_and_each_is_its_own() -> None:
    from tenancy.slugs import slug_refusal

    slugs = [f"{company(chance(9, 'company', number), number)[1]}-9" for number in range(1, 3000)]
    assert len(set(slugs)) == len(slugs)
    assert [slug for slug in slugs if slug_refusal(slug)] == []


class TestRefused:
    def refused(self, *arguments: str) -> int:
        with pytest.raises(CommandError) as error:
            call_command("seed_demo", *arguments)
        return error.value.returncode

    def test_without_debug_unless_said_so(self, database: None, settings: Any) -> None:
        settings.DEBUG = False
        before = Tenant.objects.count()
        assert self.refused("--tenants", "1") == 1
        assert self.refused("--people", "1", "--dry-run") == 1
        assert Tenant.objects.count() == before
        call_command("seed_demo", "--tenants", "1", "--passwords-known-to-all", verbosity=0)
        assert Tenant.objects.count() == before + 1

    @pytest.mark.parametrize(
        "arguments",
        [
            ["--tenants", "0"],
            ["--people", "-1"],
            ["--messages", "5"],
            ["--events", "5"],
        ],
    )
    def test_sizes_that_cannot_be_meant(self, database: None, arguments: list[str]) -> None:
        assert self.refused(*arguments) == 2


class TestPlain:
    def test_if_empty_does_nothing_beside_other_tenants(
        self, tenant: Tenant, capsys: pytest.CaptureFixture[str], settings: Any
    ) -> None:
        settings.DEBUG = False
        assert seed(capsys, "--if-empty")["seeded"] is False
        assert seed(capsys)["seeded"] is True
        assert seed(capsys)["seeded"] is False
        assert Tenant.objects.filter(slug="demo").count() == 1

    @pytest.mark.commits
    def test_as_make_run_calls_it(self, manage: Any, database: None) -> None:
        done = manage("seed_demo", "--if-empty")
        assert (done.returncode, done.stdout) == (0, "There is data already; nothing was seeded.\n")
        assert manage("seed_demo", "--people", "many").returncode == 2
