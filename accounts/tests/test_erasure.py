"""``DELETE /users/:id/permanent``: what was personal is gone, everywhere, and what referred to it still does."""

from collections.abc import Iterable
from typing import Any

import pytest
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from django.utils import timezone

from accounts.directory.models import DirectoryEntry
from accounts.models import ApiKey, Avatar, LinkToken, SecondFactor, Session, User
from accounts.roles import Role
from accounts.tests.mailed_links import mails, token_in
from accounts.tests.people import journal, key_of, refusal, somebody, user_again
from accounts.tests.pictures import picture
from accounts.tests.second_factors import enrolled, proved_long_ago
from platform_site import limits, valkey
from platform_site.binding import bind
from platform_site.journal.models import JournalEntry
from platform_site.outbox import dispatcher
from platform_site.outbox.models import OutboxRow
from setup_hub.services.checking import LOOK
from tenancy.models import Tenant
from tests.support import COMPANY, PASSWORD, Api, at_once, signed_in

# Words that occur nowhere else.
ADDRESS, FIRST, LAST = "Zebedee.Quux@Wobbly.test", "Zebedee", "Quuxington"
PHONE, AGENT, CHOICE, ZONE = "+4915199887766", "Wobbler/7.7", "mauve-with-dots", "Antarctica/Troll"
TRACES = (ADDRESS, "zebedee.quux", "wobbly.test", FIRST, LAST, PHONE, AGENT, CHOICE, ZONE)
NEW_PASSWORD = "quite another sentence"
NO_ID = "0193a5c2-7d1e-7000-8000-000000000000"


def permanently(admin: Api, ref: Any) -> Any:
    return admin.call("DELETE", f"/users/{ref}/permanent")


def erased(admin: Api, person: Api) -> dict[str, Any]:
    """Deactivate and delete, as an administrator does it. Gives the answer's data."""
    assert admin.call("DELETE", f"/users/{person.user.id}").status_code == 200
    answer = permanently(admin, person.user.id)
    assert answer.status_code == 200, answer.content
    return dict(answer.json()["data"])


def everything_stored(*schemas: str) -> dict[str, str]:
    """Each table of these schemas as text; bytes as hexadecimal digits."""
    found = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT format('%%I.%%I', schemaname, tablename) FROM pg_tables WHERE schemaname = ANY(%s) ORDER BY 1",
            [list(schemas)],
        )
        for (table,) in cursor.fetchall():
            cursor.execute(f"SELECT coalesce(string_agg(row_text::text, chr(10)), '') FROM {table} AS row_text")
            found[str(table)] = str(cursor.fetchone()[0])
    return found


def everything_cached() -> dict[str, str]:
    """Each key of ours in Valkey with what is in it."""
    client, found = valkey.client(), {}
    for key in client.scan_iter(f"{valkey.key('')}*"):
        kind = client.type(key)
        if kind == b"zset":
            value: Any = client.zrange(key, 0, -1)
        else:
            value = client.get(key) if kind == b"string" else client.hgetall(key)
        found[key.decode()] = str(value)
    return found


def places_of(traces: Iterable[str], stored: dict[str, str]) -> set[tuple[str, str]]:
    """(where, what) of every trace, in any case of the letters, as text or as bytes."""
    return {
        (table, trace)
        for table, text in stored.items()
        for trace in traces
        if trace.lower() in f"{table} {text}".lower() or trace.encode().hex() in text
    }


def in_database(tenant: Tenant, traces: Iterable[str] = TRACES) -> set[tuple[str, str]]:
    return places_of(traces, everything_stored(tenant.schema_name, "public"))


@pytest.fixture
def zebedee(alice: Api, tenant: Tenant) -> Api:
    """Somebody who has been through everything: invited, signed in, with all there is to have."""
    # The sign-ups of the cast left work in the outbox.
    OutboxRow.objects.all().delete()
    invitation = {"email": ADDRESS, "firstName": FIRST, "lastName": LAST, "role": "tenant_admin"}
    assert alice.post("/users", invitation, idempotency_key=f"invite {ADDRESS}").status_code == 201
    (invited,) = mails()
    body = {"token": token_in(invited), "password": NEW_PASSWORD, "lastName": LAST}
    accepted = Api().call("POST", "/users/accept-invitation", body, user_agent=AGENT).json()["data"]
    person = signed_in(tenant, ADDRESS.lower())
    person.token = accepted["accessToken"]
    sign_in = {"email": ADDRESS, "password": NEW_PASSWORD, "tenantSlug": COMPANY}
    assert Api().call("POST", "/auth/login", sign_in, user_agent=AGENT).status_code == 200
    for _ in range(11):
        Api(address="10.200.0.1").post("/auth/login", {**sign_in, "password": "wrong-password"})
    details = {"phone": PHONE, "timezone": ZONE, "firstName": FIRST}
    assert person.call("PATCH", "/auth/me/profile", details).status_code == 200
    file = SimpleUploadedFile(f"{FIRST}.png", picture(), content_type="image/png")
    form = encode_multipart(BOUNDARY, {"avatar": file})
    assert person.call("PATCH", "/auth/me/profile", form, content_type=MULTIPART_CONTENT).status_code == 200
    assert person.call("PATCH", "/auth/me/preferences", {"chair": CHOICE}).status_code == 200
    assert person.post("/users", {"email": "guest@company.test"}).status_code == 201
    key_of(person, "users.view")
    assert alice.call("PATCH", f"/users/{person.user.id}", {"lastName": f"{LAST}-{LAST}"}).status_code == 200
    enrolled(person)
    # The latest is not served yet.
    mails()
    Api().post("/auth/password/forgot", {"email": ADDRESS, "tenantSlug": COMPANY})
    mails()
    Api().post("/auth/password/forgot", {"email": ADDRESS, "tenantSlug": COMPANY})
    return person


class TestNothingIsLeft:
    def test_neither_in_a_table_of_the_tenant_nor_in_public_nor_in_valkey(
        self, alice: Api, zebedee: Api, tenant: Tenant
    ) -> None:
        before = in_database(tenant)
        # The look that finds nothing afterwards finds all of it now.
        assert {trace for _, trace in before} == set(TRACES)
        assert {table.rpartition(".")[2] for table, _ in before} == {
            "accounts_user",
            "accounts_session",
            # "Zebedee Quuxington accepted your invitation."
            "notifications_notification",
        }
        erased(alice, zebedee)
        dispatcher.drain()
        assert in_database(tenant) == set()
        assert places_of(TRACES, everything_cached()) == set()

    def test_nor_of_accounts_own_before_the_reactions_have_run(self, alice: Api, zebedee: Api, tenant: Tenant) -> None:
        erased(alice, zebedee)
        # Apps above accounts forget the person a moment later.
        assert {table.rpartition(".")[2] for table, _ in in_database(tenant)} <= {"notifications_notification"}

    def test_nor_of_who_founded_the_workspace(self, alice: Api, tenant: Tenant) -> None:
        dora = somebody(tenant, "dora", Role.TENANT_ADMIN)
        with bind(tenant.ref):
            User.objects.filter(pk=alice.user.id).update(first_name="Alisande")
        traces = ("admin@acme.test", "Alisande")
        assert {trace for _, trace in in_database(tenant, traces)} == set(traces)
        erased(dora, alice)
        dispatcher.drain()
        assert in_database(tenant, traces) == set()

    def test_nor_of_somebody_who_never_came(self, alice: Api, tenant: Tenant) -> None:
        invitation = {"email": ADDRESS, "firstName": FIRST, "lastName": LAST}
        invited = alice.post("/users", invitation, idempotency_key="k").json()["data"]
        traces = ("zebedee.quux", FIRST, LAST)
        assert {trace for _, trace in in_database(tenant, traces)} == set(traces)
        mail.outbox.clear()
        assert permanently(alice, invited["id"]).status_code == 200
        dispatcher.drain()
        assert in_database(tenant, traces) == set()
        # And the mail that waited is not sent to anybody any more.
        assert [one.to for one in mail.outbox if ADDRESS in one.to] == []

    def test_what_belonged_to_the_person_is_deleted_row_by_row(self, alice: Api, zebedee: Api, tenant: Tenant) -> None:
        person = zebedee.user.id
        tables: list[tuple[Any, dict[str, Any]]] = [
            (Session, {"user_id": person}),
            (LinkToken, {"user_id": person}),
            (SecondFactor, {"user_id": person}),
            (Avatar, {"user_id": person}),
        ]
        with bind(tenant.ref):
            picture_address = User.objects.values_list("avatar_url", flat=True).get(pk=person)
            for table, owner in tables:
                assert table.objects.filter(**owner).exists(), table
        assert alice.client.get(picture_address[picture_address.index("/avatars/") :]).status_code == 200
        erased(alice, zebedee)
        with bind(tenant.ref):
            for table, owner in tables:
                assert not table.objects.filter(**owner).exists(), table
            (key,) = ApiKey.objects.filter(created_by_id=person)
            assert (bytes(key.secret_hash), key.revoked_at is None) == (b"", False)
        assert alice.client.get(picture_address[picture_address.index("/avatars/") :]).status_code == 404

    def test_the_tombstone_holds_nothing_but_numbers(self, alice: Api, zebedee: Api, tenant: Tenant) -> None:
        erased(alice, zebedee)
        with bind(tenant.ref):
            row: dict[str, Any] = dict(User.objects.filter(pk=zebedee.user.id).values().get())
        for kept in ("id", "uuid", "role", "profile_id", "created_at", "updated_at"):
            del row[kept]
        assert row == {
            "email": "",
            "email_key": f"erased:{zebedee.user.uuid}",
            "first_name": "",
            "last_name": "",
            "status": "erased",
            "password": "",
            "email_verified_at": None,
            "avatar_url": "",
            "timezone": "",
            "locale": "",
            "phone": "",
            "preferences": {},
            "search_text": "  ",
            "last_sign_in_at": None,
        }

    def test_the_directory_forgets_the_address(self, alice: Api, zebedee: Api) -> None:
        dispatcher.drain()
        alice.call("DELETE", f"/users/{zebedee.user.id}")
        dispatcher.drain()
        assert DirectoryEntry.objects.filter(user_uuid=zebedee.user.uuid).exists()
        assert permanently(alice, zebedee.user.id).status_code == 200
        dispatcher.drain()
        assert not DirectoryEntry.objects.filter(user_uuid=zebedee.user.uuid).exists()
        mail.outbox.clear()
        Api().post("/auth/workspaces/forgot", {"email": ADDRESS})
        dispatcher.drain()
        assert mail.outbox == []
        waiting = OutboxRow.objects.exclude(reaction=LOOK)
        assert list(waiting.values_list("reaction", "last_error", "attempts")) == []


class TestAfterwards:
    def test_every_door_is_shut(self, alice: Api, zebedee: Api, tenant: Tenant) -> None:
        refresh = zebedee.tokens.refresh_token
        robot = key_of(zebedee, "users.view")
        mails()
        Api().post("/auth/password/forgot", {"email": ADDRESS, "tenantSlug": COMPANY})
        reset = token_in(mails()[-1])
        erased(alice, zebedee)
        assert zebedee.get("/auth/me").status_code == 401
        assert robot.get("/users").status_code == 401
        assert Api().post("/auth/refresh", {"refreshToken": refresh}).status_code == 401
        refused = Api().post("/auth/password/reset", {"token": reset, "password": "a third sentence here"})
        assert refusal(refused) == (400, "link_token_invalid")
        sign_in = {"email": ADDRESS, "password": NEW_PASSWORD, "tenantSlug": COMPANY}
        limits.forget("sign_in_account", f"{COMPANY}\x1f{ADDRESS.lower()}")
        assert refusal(Api().post("/auth/login", sign_in)) == (401, "invalid_credentials")
        for address in (f"erased:{zebedee.user.uuid}", f"erased:{zebedee.user.uuid}@x.test"):
            assert Api().post("/auth/login", {**sign_in, "email": address, "password": ""}).status_code in (400, 401)

    def test_the_person_is_in_no_list_and_under_no_number(self, alice: Api, zebedee: Api) -> None:
        erased(alice, zebedee)
        for ref in (zebedee.user.id, zebedee.user.uuid):
            assert refusal(alice.get(f"/users/{ref}")) == (410, "user_erased")
            for method, path in (
                ("PATCH", ""),
                ("DELETE", ""),
                ("POST", "/activate"),
                ("POST", "/resend-invitation"),
                ("DELETE", "/permanent"),
                ("DELETE", "/mfa"),
            ):
                assert refusal(alice.call(method, f"/users/{ref}{path}", {})) == (410, "user_erased"), path
        for query in ("", "?status=all", "?status=inactive", "?search=zebedee", "?search=erased"):
            assert zebedee.user.id not in [one["userId"] for one in alice.get(f"/users{query}").json()["data"]]
        assert alice.get("/profiles/1").json()["data"]["userCount"] == 1

    def test_the_address_is_free_for_somebody_else(self, alice: Api, zebedee: Api, tenant: Tenant) -> None:
        erased(alice, zebedee)
        mails()
        again = alice.post("/users", {"email": ADDRESS.upper()})
        assert again.status_code == 201
        data = again.json()["data"]
        assert data["userId"] != zebedee.user.id
        assert (data["firstName"], data["timezone"], data["avatarUrl"]) == ("", None, None)
        token = token_in([one for one in mails() if one.to][-1])
        accepted = Api().post("/users/accept-invitation", {"token": token, "password": NEW_PASSWORD})
        assert accepted.status_code == 200
        # Nothing of the other one's comes with the address.
        newcomer = Api(token=accepted.json()["data"]["accessToken"])
        assert newcomer.get("/auth/mfa").json()["data"]["enabled"] is False
        assert newcomer.get("/auth/me").json()["data"]["role"] == "user"

    def test_two_of_them_do_not_get_into_each_other_s_way(self, alice: Api, bob: Api, tenant: Tenant) -> None:
        dan = somebody(tenant, "dan", Role.USER)
        for person in (bob, dan):
            erased(alice, person)
        assert {user_again(one).display_name for one in (bob, dan)} == {
            f"Deleted user {bob.user.id}",
            f"Deleted user {dan.user.id}",
        }

    def test_the_journal_goes_on_knowing_a_number_and_no_name(self, alice: Api, zebedee: Api, tenant: Tenant) -> None:
        with bind(tenant.ref):
            before = JournalEntry.objects.filter(actor_id=zebedee.user.uuid).count()
        assert before > 3
        erased(alice, zebedee)
        name = f"Deleted user {zebedee.user.id}"
        shown = alice.get(f"/audit?actor={zebedee.user.uuid}&limit=100")
        for trace in TRACES:
            assert trace.lower() not in shown.content.decode().lower()
        actors = [one["actor"] for one in shown.json()["data"]]
        assert len(actors) == before - 2  # what the person changed of the own profile is not audited
        assert all(
            (one["id"], one["userId"], one["displayName"]) == (str(zebedee.user.uuid), zebedee.user.id, name)
            for one in actors
        )
        (entry,) = journal(tenant, "accounts.user_erased")
        assert (entry.actor_id, entry.subject_id, entry.data) == (alice.user.uuid, str(zebedee.user.uuid), {})
        (found,) = alice.get("/audit?key=accounts.user_erased").json()["data"]
        assert found["subject"]["label"] == name

    def test_keys_and_invitations_of_the_person_are_called_after_nobody(self, alice: Api, bob: Api) -> None:
        alice.call("PATCH", f"/users/{bob.user.id}", {"role": "tenant_admin", "firstName": FIRST})
        key_of(bob, "users.view", name="Hers")
        erased(alice, bob)
        with bind(alice.tenant.ref):
            assert ApiKey.objects.get(name="Hers").created_by.display_name == f"Deleted user {bob.user.id}"
        assert alice.get("/api-keys").json()["data"] == []


class TestRefusals:
    def test_it_takes_a_fresh_proof_of_presence(self, alice: Api, bob: Api) -> None:
        alice.call("DELETE", f"/users/{bob.user.id}")
        proved_long_ago(alice)
        assert refusal(permanently(alice, bob.user.id)) == (403, "reauth_required")
        assert user_again(bob).email == "user@acme.test"
        alice.post("/auth/reauthenticate", {"password": PASSWORD})
        assert permanently(alice, bob.user.id).status_code == 200

    def test_it_is_asked_for_before_anything_is_said_about_the_person(self, alice: Api, bob: Api) -> None:
        proved_long_ago(alice)
        for ref in (alice.user.id, bob.user.id, NO_ID, 999999):
            assert refusal(permanently(alice, ref)) == (403, "reauth_required")

    def test_who_is_in_has_to_be_deactivated_first(self, alice: Api, bob: Api, tenant: Tenant) -> None:
        assert refusal(permanently(alice, bob.user.id)) == (409, "must_deactivate_first")
        dora = somebody(tenant, "dora", Role.TENANT_ADMIN)
        assert refusal(permanently(alice, dora.user.uuid)) == (409, "must_deactivate_first")
        assert bob.get("/auth/me").status_code == 200

    def test_nobody_deletes_oneself(self, alice: Api) -> None:
        for ref in (alice.user.id, alice.user.uuid):
            assert refusal(permanently(alice, ref)) == (409, "cannot_delete_self")
        assert alice.get("/auth/me").status_code == 200

    def test_only_administrators(self, alice: Api, bob: Api, tenant: Tenant, api: Api) -> None:
        carol = somebody(tenant, "carol", Role.MANAGER)
        dan = somebody(tenant, "dan", Role.USER)
        robot = key_of(alice, "users.deactivate", "users.view")
        alice.call("DELETE", f"/users/{dan.user.id}")
        for client, expected in (
            (bob, (403, "permission_denied")),
            (carol, (403, "permission_denied")),
            (robot, (403, "person_required")),
            (api, (401, "not_authenticated")),
        ):
            assert refusal(permanently(client, dan.user.id)) == expected
        assert user_again(dan).email == "dan@acme.test"

    def test_an_administrator_of_another_tenant_finds_nobody(self, alice: Api, bob: Api, mallory: Api) -> None:
        alice.call("DELETE", f"/users/{bob.user.id}")
        assert refusal(permanently(mallory, bob.user.uuid)) == (404, "not_found")
        # The number is somebody else's there, who is still in.
        assert refusal(permanently(mallory, bob.user.id)) == (409, "must_deactivate_first")
        assert user_again(bob).email == "user@acme.test"

    @pytest.mark.parametrize("ref", ["0", "999999", NO_ID, "x", "9" * 30])
    def test_what_is_not_there_is_404(self, alice: Api, ref: str) -> None:
        assert refusal(permanently(alice, ref)) == (404, "not_found")

    def test_the_second_time_there_is_nobody_any_more(self, alice: Api, bob: Api, tenant: Tenant) -> None:
        data = erased(alice, bob)
        assert data == {"id": str(bob.user.uuid), "userId": bob.user.id, "erased": True}
        assert refusal(permanently(alice, bob.user.id)) == (410, "user_erased")
        assert len(journal(tenant, "accounts.user_erased")) == 1


@pytest.mark.commits
class TestAtOnce:
    def test_of_many_who_delete_one_person_one_does(self, alice: Api, bob: Api, tenant: Tenant) -> None:
        alice.call("DELETE", f"/users/{bob.user.id}")
        done = at_once(6, lambda _: permanently(Api(token=alice.token), bob.user.id).status_code)
        assert done.most_at_once > 2
        assert sorted(done.results) == [200] + [410] * 5
        assert len(journal(tenant, "accounts.user_erased")) == 1

    def test_who_is_let_in_and_deleted_at_once_is_either(self, alice: Api, bob: Api, tenant: Tenant) -> None:
        for _ in range(5):
            person = somebody(tenant, f"p{timezone.now().timestamp()}".replace(".", ""), Role.USER)
            alice.call("DELETE", f"/users/{person.user.id}")
            paths = [("DELETE", "permanent"), ("POST", "activate")]

            def call(number: int, person: Api = person, paths: Any = paths) -> int:
                method, path = paths[number]
                answer = Api(token=alice.token).call(method, f"/users/{person.user.id}/{path}", {})
                return int(answer.status_code)

            done = at_once(2, call)
            state = user_again(person)
            assert (done.results, state.status, bool(state.email)) in [
                ([200, 410], "erased", False),
                ([409, 200], "active", True),
            ]
