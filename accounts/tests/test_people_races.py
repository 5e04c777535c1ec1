"""What must hold however many do it at once: an administrator stays, seats suffice, a link works once."""

from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from django.core import mail
from django.db import transaction

from accounts.models import LinkToken, User
from accounts.roles import Role
from accounts.seats import SeatAllowance, SeatRule, seat_rules, seats_used
from accounts.services.links import link_lock
from accounts.services.people import user_create
from accounts.services.second_factor import person_lock
from accounts.tests.mailed_links import reset_token
from accounts.tokens import parse_token
from platform_site.binding import bind
from platform_site.journal.models import JournalEntry
from platform_site.outbox import dispatcher
from tenancy.models import Tenant
from tests.support import COMPANY, Api, at_once, scaled, signed_in

pytestmark = pytest.mark.timeout(scaled(180, 1200))
PASSWORD = "quite another sentence"
ROUNDS = scaled(50, 1000)
LINKS = scaled(1, 20)


@pytest.fixture
def allowance() -> Iterator[dict[str, Any]]:
    """What the plan allows, as billing would say it."""
    plan: dict[str, Any] = {"limit": None, "may_exceed": False}
    seat_rules.add(SeatRule("tests", lambda _: SeatAllowance(**plan)))
    yield plan
    del seat_rules._entries["tests"]


def error(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


@pytest.fixture
def dora(tenant: Tenant) -> Api:
    """A second administrator."""
    with bind(tenant.ref), transaction.atomic():
        user_create(email=f"dora@{COMPANY}.test", role=Role.TENANT_ADMIN)
    return signed_in(tenant, f"dora@{COMPANY}.test")


def administrators(tenant: Tenant) -> int:
    with bind(tenant.ref):
        return User.objects.filter(role=Role.TENANT_ADMIN, status="active").count()


DEMOTE, DEACTIVATE = ("PATCH", {"role": "user"}), ("DELETE", None)


@pytest.mark.commits
@pytest.mark.parametrize(
    "ways",
    [(DEMOTE, DEMOTE), (DEACTIVATE, DEACTIVATE), (DEMOTE, DEACTIVATE)],
    ids=["demote", "deactivate", "one each"],
)
def test_two_administrators_who_take_each_other_out_leave_one(
    tenant: Tenant, alice: Api, dora: Api, ways: tuple[tuple[str, Any], tuple[str, Any]]
) -> None:
    overlapped, rounds = 0, ROUNDS if ways == (DEMOTE, DEMOTE) else ROUNDS // 4

    def take_out(people: list[Api], number: int) -> int:
        method, body = ways[number]
        status: int = people[number].call(method, f"/users/{people[1 - number].user.id}", body).status_code
        return status

    for _ in range(rounds):
        people = [signed_in(tenant, one.user.email) for one in (alice, dora)]
        done = at_once(2, partial(take_out, people))
        overlapped += done.most_at_once == 2
        assert administrators(tenant) == 1
        assert sorted(done.results)[0] == 200
        assert done.results.count(200) == 1
        with bind(tenant.ref):
            User.objects.filter(id__in=[alice.user.id, dora.user.id]).update(role=Role.TENANT_ADMIN, status="active")
    assert overlapped > rounds // 2


@pytest.mark.commits
def test_fifty_invitations_at_once_never_exceed_the_seats(
    tenant: Tenant, alice: Api, allowance: dict[str, Any]
) -> None:
    free = 7

    def invite_one(number: int, round_: int) -> int:
        status: int = Api(token=alice.token).post("/users", {"email": f"p{number}@r{round_}.test"}).status_code
        return status

    for number in range(scaled(1, 8)):
        with bind(tenant.ref):
            allowance["limit"] = seats_used() + free
        done = at_once(50, partial(invite_one, round_=number))
        assert done.most_at_once > 10
        assert Counter(done.results) == {201: free, 402: 50 - free}
        with bind(tenant.ref):
            assert seats_used() == allowance["limit"]


@pytest.mark.commits
def test_who_comes_back_and_who_is_invited_share_the_seats(
    tenant: Tenant, alice: Api, allowance: dict[str, Any]
) -> None:
    with bind(tenant.ref), transaction.atomic():
        gone = [
            user_create(email=f"gone{n}@company.test", password="x", status=User.Status.INACTIVE) for n in range(25)
        ]
        allowance["limit"] = seats_used() + 9

    def take(number: int) -> bool:
        person = Api(token=alice.token)
        if number % 2:
            answer = person.post(f"/users/{gone[number // 2].id}/activate")
        else:
            answer = person.post("/users", {"email": f"p{number}@company.test"})
        assert answer.status_code in (200, 201, 402)
        return answer.status_code != 402

    done = at_once(50, take)
    assert done.most_at_once > 10
    assert sum(done.results) == 9
    with bind(tenant.ref):
        assert seats_used() == allowance["limit"]


@pytest.mark.commits
def test_twenty_invitations_of_one_address_make_one_person(tenant: Tenant, alice: Api) -> None:
    done = at_once(20, lambda _: Api(token=alice.token).post("/users", {"email": "One@company.test"}).status_code)
    assert done.most_at_once > 5
    assert Counter(done.results) == {201: 1, 409: 19}


@pytest.mark.commits
def test_fifty_uses_of_one_invitation_let_one_in(tenant: Tenant, alice: Api) -> None:
    for number in range(LINKS):
        token = invite(alice, f"new{number}@company.test")
        done = at_once(50, partial(use, "/users/accept-invitation", token))
        assert done.most_at_once > 10
        assert Counter(done.results) == {200: 1, 400: 49}
    with bind(tenant.ref):
        assert JournalEntry.objects.filter(key="accounts.invitation_accepted").count() == LINKS


@pytest.mark.commits
def test_fifty_uses_of_one_reset_link_set_one_password(tenant: Tenant, bob: Api) -> None:
    for number in range(LINKS):
        token = reset_token(tenant, bob.user.id)
        done = at_once(50, partial(use, "/auth/password/reset", token))
        assert done.most_at_once > 10
        assert Counter(done.results) == {200: 1, 400: 49}
        body = {"email": bob.user.email, "password": f"{PASSWORD} {done.results.index(200)}", "tenantSlug": COMPANY}
        assert Api().post("/auth/login", body).status_code == 200
        with bind(tenant.ref):
            assert JournalEntry.objects.filter(key="accounts.password_reset").count() == number + 1


@pytest.mark.commits
def test_a_link_in_use_is_locked_itself_as_well_as_its_person(tenant: Tenant, bob: Api) -> None:
    """Either lock lets only one in, so the races above do not notice when one of them is missing."""
    token = parse_token(reset_token(tenant, bob.user.id), "rst")
    assert token is not None

    def free(_: int) -> list[bool]:
        with bind(tenant.ref), transaction.atomic():
            return [
                rows.select_for_update(no_key=True, skip_locked=True).exists()
                for rows in (LinkToken.objects.filter(id=token.id), User.objects.filter(id=bob.user.id))
            ]

    with bind(tenant.ref), transaction.atomic():
        link_lock(token, LinkToken.Kind.RESET_PASSWORD)
        assert at_once(1, free).results == [[False, True]]
        person_lock(id=bob.user.id)
        assert at_once(1, free).results == [[False, False]]


def use(path: str, token: str, number: int) -> int:
    """Everybody wants a password of the own, so that it shows whose was taken."""
    status: int = Api().post(path, {"token": token, "password": f"{PASSWORD} {number}"}).status_code
    return status


def invite(admin: Api, email: str = "new@company.test") -> str:
    """The token that was mailed."""
    assert admin.post("/users", {"email": email}).status_code == 201
    dispatcher.drain()
    (sent,) = (one for one in mail.outbox if one.to == [email])
    return str(sent.body).split("/accept-invitation/")[1].split()[0]


class TestSeats:
    def test_without_a_rule_there_is_no_limit(self, alice: Api) -> None:
        assert alice.post("/users", {"email": "a@b.test"}).status_code == 201

    def test_a_full_house_says_how_many_there_are(self, alice: Api, allowance: dict[str, Any]) -> None:
        allowance["limit"] = 2
        refused = alice.post("/users", {"email": "a@b.test"})
        assert error(refused) == (402, "seat_limit_reached")
        assert refused.json()["error"]["context"] == {"limit": 2, "used": 2}

    def test_who_is_here_already_is_the_better_answer(self, alice: Api, allowance: dict[str, Any]) -> None:
        allowance["limit"] = 2
        assert error(alice.post("/users", {"email": "user@acme.test"})) == (409, "user_exists")

    def test_who_leaves_makes_room_and_needs_it_to_come_back(
        self, alice: Api, bob: Api, allowance: dict[str, Any]
    ) -> None:
        allowance["limit"] = 2
        alice.call("DELETE", f"/users/{bob.user.id}")
        assert alice.post("/users", {"email": "a@b.test"}).status_code == 201
        assert error(alice.post(f"/users/{bob.user.id}/activate")) == (402, "seat_limit_reached")

    def test_an_invitation_holds_its_seat_until_it_is_accepted(
        self, alice: Api, api: Api, allowance: dict[str, Any]
    ) -> None:
        allowance["limit"] = 3
        token = invite(alice)
        assert alice.post("/users", {"email": "a@b.test"}).status_code == 402
        # Also when the plan has shrunk in the meantime: the seat was promised.
        allowance["limit"] = 1
        accepted = api.post("/users/accept-invitation", {"token": token, "password": PASSWORD})
        assert accepted.status_code == 200

    def test_more_than_the_plan_only_where_plan_and_tenant_want_it(self, alice: Api, allowance: dict[str, Any]) -> None:
        allowance["limit"] = 2
        alice.call("PUT", "/org-settings/seats.when_full", {"value": "exceed"})
        assert alice.post("/users", {"email": "a@b.test"}).status_code == 402
        allowance["may_exceed"] = True
        assert alice.post("/users", {"email": "a@b.test"}).status_code == 201
        alice.call("PUT", "/org-settings/seats.when_full", {"value": None})
        assert alice.post("/users", {"email": "c@b.test"}).status_code == 402

    def test_the_smallest_allowance_counts(self, tenant: Tenant, allowance: dict[str, Any], alice: Api) -> None:
        seat_rules.add(SeatRule("tests.more", lambda _: SeatAllowance(100)))
        try:
            allowance["limit"] = 2
            assert alice.post("/users", {"email": "a@b.test"}).json()["error"]["context"]["limit"] == 2
        finally:
            del seat_rules._entries["tests.more"]
