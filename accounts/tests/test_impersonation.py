"""Support signs in as somebody: the code, the token, its ends, and what is seen of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any

import jwt
import msgspec
import pytest
from django.db import transaction
from django.utils import timezone

from accounts.access_tokens import verify_access_token
from accounts.catalog import IMPERSONATION, MESSAGE_ACCESS_UNTIL
from accounts.models import Session, User
from accounts.services.impersonations import impersonations_end
from accounts.services.reauthentication import require_recent_authentication
from accounts.services.session_records import identity_of
from accounts.services.sessions import session_rotate
from accounts.staff.impersonation import CODE_SECONDS, impersonation_code_make
from accounts.staff.models import Impersonation, StaffAct, StaffSession, StaffUser
from accounts.staff.roles import StaffRole
from accounts.staff.services import session_close, session_open
from accounts.tests.impersonating import (
    REASON,
    code_for,
    code_in_session,
    exchanged,
    impersonating,
    staff_member,
)
from accounts.tokens import make_token
from platform_site import valkey
from platform_site.binding import bind
from platform_site.errors import PlatformError
from platform_site.journal.models import JournalEntry
from platform_site.keys import current_token_key, fingerprint
from platform_site.outbox import dispatcher
from platform_site.session_cache import Slot, forget_tenant
from tenancy.models import Tenant
from tenancy.services import tenant_suspend
from tests.support import Api, at_once, data, error, signed_in, somebody_waits, threads_close_connections

INVALID = (401, "impersonation_code_invalid")
ENDED = (401, "session_revoked")
REFUSED = (403, "not_while_impersonating")


def claims_of(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def begin(code: str) -> Any:
    return Api().post("/auth/impersonate", {"code": code})


def entries(alice: Api, key: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = data(alice.get(f"/audit?key={key}"))
    return found


@pytest.fixture
def nora(db: None) -> StaffUser:
    return staff_member()


class TestTheExchange:
    def test_a_code_becomes_an_access_token_and_nothing_more(self, bob: Api, nora: StaffUser) -> None:
        answer = begin(code_for(bob, nora))
        body = data(answer)
        assert set(body) == {"accessToken", "expiresIn", "user", "tenant", "impersonatedBy"}
        assert (body["user"]["id"], body["tenant"]["slug"]) == (str(bob.user.uuid), "acme")
        assert body["impersonatedBy"]["name"] == "Nora New"
        assert answer["Cache-Control"] == "no-store"
        assert not answer.cookies
        assert data(Api(token=body["accessToken"]).get("/auth/me"))["id"] == str(bob.user.uuid)

    def test_the_token_says_who_acts_and_lives_a_quarter_of_an_hour(self, bob: Api, nora: StaffUser) -> None:
        body = exchanged(code_for(bob, nora))
        claims = claims_of(body["accessToken"])
        assert claims["act"] == {"sub": str(nora.pk)}
        assert claims["sub"] == str(bob.user.uuid)
        assert claims["exp"] - claims["iat"] <= 15 * 60
        assert 0 < body["expiresIn"] <= 15 * 60
        assert verify_access_token(body["accessToken"]).acting == str(nora.pk)

    def test_it_ends_with_the_staff_session_at_the_latest(self, bob: Api, nora: StaffUser) -> None:
        session = session_open(staff=nora, tenant_id=bob.tenant.id, reason=REASON)
        session.ends_at = timezone.now() + timedelta(minutes=3)
        session.save(update_fields=["ends_at"])
        body = exchanged(code_in_session(bob, nora))
        assert claims_of(body["accessToken"])["exp"] <= session.ends_at.timestamp()
        assert body["expiresIn"] <= 180
        with bind(bob.tenant.ref):
            assert Session.objects.get(impersonator=nora.email).absolute_expires_at == session.ends_at

    def test_there_is_no_refreshing_it(self, bob: Api) -> None:
        body = exchanged(code_for(bob))
        session_id = verify_access_token(body["accessToken"]).session_id
        # Even for whoever knew the key of which refresh tokens are made, and could write the hash.
        forged = make_token("rt", bob.tenant.id, session_id, key_id=current_token_key(), counter=0)
        with bind(bob.tenant.ref):
            Session.objects.filter(id=session_id).update(current_hash=fingerprint(forged.secret))
        assert error(Api().post("/auth/refresh", {"refreshToken": str(forged)})) == (401, "refresh_token_invalid")
        with bind(bob.tenant.ref), pytest.raises(PlatformError, match="session_revoked"):
            session_rotate(session_id=session_id, user=bob.user)


class TestTheCode:
    def test_it_is_good_once(self, bob: Api) -> None:
        code = code_for(bob)
        assert begin(code).status_code == 200
        assert error(begin(code)) == INVALID

    @pytest.mark.commits
    def test_it_is_good_once_also_for_ten_at_once(self, bob: Api) -> None:
        code = code_for(bob)
        tried = at_once(10, lambda _: begin(code).status_code)
        assert tried.most_at_once > 1
        assert sorted(tried.results) == [200] + [401] * 9

    def test_it_is_good_for_a_minute(self, bob: Api) -> None:
        code = code_for(bob)
        row = Impersonation.objects.get()
        assert (row.code_ends_at - row.created_at).total_seconds() <= CODE_SECONDS == 60
        Impersonation.objects.update(code_ends_at=timezone.now())
        assert error(begin(code)) == INVALID

    def test_only_its_hash_is_stored(self, bob: Api) -> None:
        code = code_for(bob)
        row = Impersonation.objects.get()
        assert bytes(row.code_hash) == fingerprint(code)
        assert code not in str(Impersonation.objects.values().get()) + str(list(StaffAct.objects.values()))

    def test_whatever_is_wrong_with_one_is_answered_equally(self, bob: Api) -> None:
        used, old = code_for(bob), code_for(bob)
        # The second staff session ended the first, and with it the first code.
        fresh = code_in_session(bob, staff_member())
        exchanged(fresh)
        Impersonation.objects.filter(code_hash=fingerprint(old)).update(code_ends_at=timezone.now())
        answers = [begin(code) for code in ("x" * 43, used, fresh, old)]
        bodies = []
        for answer in answers:
            body = answer.json()
            body["error"].pop("requestId")
            bodies.append((answer.status_code, body))
        assert bodies == [bodies[0]] * 4
        assert error(answers[0]) == INVALID

    def test_guessing_is_limited(self, api: Api, settings: Any) -> None:
        settings.RATE_LIMITS = {**settings.RATE_LIMITS, "impersonate_origin": (2, 900)}
        assert [api.post("/auth/impersonate", {"code": "x"}).status_code for _ in range(3)] == [401, 401, 429]

    def test_asking_for_them_is_limited(self, bob: Api, nora: StaffUser, settings: Any) -> None:
        settings.RATE_LIMITS = {**settings.RATE_LIMITS, "impersonate_staff": (1, 900)}
        code_for(bob, nora)
        with pytest.raises(PlatformError, match="rate_limited"):
            code_in_session(bob, nora)

    @pytest.mark.parametrize("what", ["staff session", "staff account", "role", "setting", "person", "tenant"])
    def test_what_it_was_made_under_has_to_hold_still(self, what: str, alice: Api, bob: Api, nora: StaffUser) -> None:
        code = code_for(bob, nora)
        END[what](alice, bob, nora)
        assert error(begin(code)) == INVALID
        with bind(bob.tenant.ref):
            assert not Session.objects.exclude(impersonator="").exists()


class TestWhoMayAsk:
    def test_a_viewer_may_not(self, bob: Api) -> None:
        viewer = staff_member("vera", StaffRole.VIEWER)
        with pytest.raises(PlatformError, match="permission_denied"):
            code_in_session(bob, viewer)

    def test_nobody_may_without_a_session_of_the_tenant(self, bob: Api, mallory: Api, nora: StaffUser) -> None:
        session_open(staff=nora, tenant_id=mallory.tenant.id, reason=REASON)
        session_open(staff=staff_member("otto"), tenant_id=bob.tenant.id, reason=REASON)
        with pytest.raises(PlatformError, match="staff_session_required"):
            code_in_session(bob, nora)

    def test_a_reason_is_asked_for(self, bob: Api, nora: StaffUser) -> None:
        session_open(staff=nora, tenant_id=bob.tenant.id, reason=REASON)
        with pytest.raises(PlatformError, match="validation_failed"):
            impersonation_code_make(staff=nora, tenant_id=bob.tenant.id, user_id=bob.user.uuid, reason="  ")

    def test_a_tenants_people_are_its_own(self, bob: Api, mallory: Api, nora: StaffUser) -> None:
        session_open(staff=nora, tenant_id=bob.tenant.id, reason=REASON)
        with pytest.raises(PlatformError, match="not_found"):
            impersonation_code_make(staff=nora, tenant_id=bob.tenant.id, user_id=mallory.user.uuid, reason=REASON)

    def test_the_workspace_may_refuse(self, alice: Api, bob: Api, nora: StaffUser) -> None:
        switch_off(alice, bob, nora)
        with pytest.raises(PlatformError, match="impersonation_off"):
            code_for(bob, nora)

    def test_who_is_not_active_cannot_be_somebody_to_be(self, alice: Api, bob: Api, nora: StaffUser) -> None:
        deactivate(alice, bob, nora)
        with pytest.raises(PlatformError, match="account_deactivated"):
            code_for(bob, nora)


def close_session(alice: Api, bob: Api, nora: StaffUser) -> None:
    assert session_close(staff=nora, tenant_id=bob.tenant.id) == 1


def leave(alice: Api, bob: Api, nora: StaffUser) -> None:
    nora.is_active = False
    nora.save()


def demote(alice: Api, bob: Api, nora: StaffUser) -> None:
    nora.role = StaffRole.VIEWER
    nora.save()


def switch_off(alice: Api, bob: Api, nora: StaffUser) -> None:
    assert data(alice.call("PUT", f"/org-settings/{IMPERSONATION.key}", {"value": False}))["value"] is False


def deactivate(alice: Api, bob: Api, nora: StaffUser) -> None:
    data(alice.call("DELETE", f"/users/{bob.user.id}"))


def suspend(alice: Api, bob: Api, nora: StaffUser) -> None:
    tenant_suspend(tenant_id=bob.tenant.id, reason="test")


END = {
    "staff session": close_session,
    "staff account": leave,
    "role": demote,
    "setting": switch_off,
    "person": deactivate,
    "tenant": suspend,
}


class TestItsEnd:
    @pytest.mark.parametrize("what", sorted(END))
    def test_it_is_over_with_the_next_request(self, what: str, alice: Api, bob: Api, nora: StaffUser) -> None:
        support = impersonating(bob, nora)
        assert support.get("/auth/me").status_code == 200
        END[what](alice, bob, nora)
        answered = error(support.get("/auth/me"))
        assert answered == ((403, "tenant_suspended") if what == "tenant" else ENDED)

    def test_another_staff_session_ends_the_first_with_all_in_it(self, bob: Api, nora: StaffUser) -> None:
        support = impersonating(bob, nora)
        session_open(staff=nora, tenant_id=bob.tenant.id, reason="another")
        assert error(support.get("/auth/me")) == ENDED

    def test_what_others_of_staff_have_open_stays(self, bob: Api, nora: StaffUser) -> None:
        other = impersonating(bob, staff_member("otto"))
        impersonating(bob, nora)
        session_close(staff=nora, tenant_id=bob.tenant.id)
        assert other.get("/auth/me").status_code == 200

    def test_it_ends_by_itself(self, bob: Api) -> None:
        support = impersonating(bob)
        session_id = claims_of(support.token)["sid"]
        with bind(bob.tenant.ref):
            Session.objects.filter(id=session_id).update(
                idle_expires_at=timezone.now(), absolute_expires_at=timezone.now()
            )
        # With the record that was read before, too: it says when it ends.
        assert error(support.get("/auth/me")) == ENDED

    def test_support_signs_out(self, bob: Api, alice: Api) -> None:
        support = impersonating(bob)
        assert data(support.post("/auth/logout")) == {"revoked": 1}
        assert error(support.get("/auth/me")) == ENDED
        assert bob.get("/auth/me").status_code == 200
        assert entries(alice, "accounts.signed_out") == []

    def test_the_person_ends_it(self, bob: Api) -> None:
        support = impersonating(bob)
        listed = data(bob.get("/auth/sessions"))
        theirs = next(one for one in listed if one["impersonator"])
        assert (theirs["impersonator"], theirs["methods"]) == ("nora@platform.test", [])
        assert [one["impersonator"] for one in listed if one["current"]] == [None]
        assert data(bob.call("DELETE", f"/auth/sessions/{theirs['id']}")) == {"revoked": 1}
        assert error(support.get("/auth/me")) == ENDED

    def test_signing_out_everywhere_ends_it_too(self, bob: Api, alice: Api) -> None:
        support = impersonating(bob)
        assert data(bob.post("/auth/logout-all?exceptCurrent=true")) == {"revoked": 1}
        assert error(support.get("/auth/me")) == ENDED
        assert entries(alice, "accounts.signed_out") == []

    def test_switching_it_on_again_brings_nothing_back(self, alice: Api, bob: Api, nora: StaffUser) -> None:
        support = impersonating(bob, nora)
        switch_off(alice, bob, nora)
        data(alice.call("PUT", f"/org-settings/{IMPERSONATION.key}", {"value": True}))
        assert error(support.get("/auth/me")) == ENDED


@pytest.mark.commits
@pytest.mark.parametrize("what", ["staff session", "staff account", "setting", "person", "tenant"])
def test_whoever_begins_while_it_ends_waits_and_is_refused(what: str, alice: Api, bob: Api) -> None:
    """Else the end would not see a session that is not committed yet, and the beginning not see the end."""
    nora = staff_member()
    code = code_for(bob, nora)
    answers: list[Any] = []

    def work() -> None:
        with threads_close_connections():
            answers.append(begin(code))

    beginning = Thread(target=work)
    with transaction.atomic():
        END[what](alice, bob, nora)
        beginning.start()
        while not answers and not somebody_waits():
            beginning.join(0.01)
        assert not answers
    beginning.join()
    assert error(answers[0]) == INVALID


class TestTheRecord:
    def test_it_carries_the_impersonator(self, bob: Api, nora: StaffUser) -> None:
        claims = verify_access_token(impersonating(bob, nora).token)
        for _ in range(2):
            # From SQL, then from the cache.
            assert identity_of(claims).impersonator == nora.email

    def test_one_of_the_version_before_still_decodes(self, bob: Api) -> None:
        claims = verify_access_token(bob.token)
        identity_of(claims)
        slot = Slot(claims.tenant_id, claims.session_id)
        stored = msgspec.msgpack.decode(slot.read() or b"")
        assert (stored.pop("impersonator"), stored.pop("messages_until")) == ("", None)
        plant(slot, stored)
        assert identity_of(claims).impersonator == ""

    def test_one_that_forgot_the_impersonator_is_not_believed(self, bob: Api, nora: StaffUser) -> None:
        """A process of the version before, that serves at the same time, would put such a one there."""
        claims = verify_access_token(impersonating(bob, nora).token)
        identity_of(claims)
        slot = Slot(claims.tenant_id, claims.session_id)
        stored = msgspec.msgpack.decode(slot.read() or b"")
        del stored["impersonator"]
        plant(slot, stored)
        assert identity_of(claims).impersonator == nora.email

    def test_a_token_that_names_an_impersonator_opens_no_session_of_the_persons(self, bob: Api) -> None:
        with pytest.raises(PlatformError, match="tenant_mismatch"):
            identity_of(replace(verify_access_token(bob.token), acting="1"))


def plant(slot: Slot, stored: dict[str, Any]) -> None:
    valkey.client().set(slot._key, msgspec.msgpack.encode(stored), ex=60)


class TestWhatIsSeenOfIt:
    def test_me_says_who_it_is(self, bob: Api) -> None:
        assert data(bob.get("/auth/me"))["impersonatedBy"] is None
        support = impersonating(bob)
        shown = data(support.get("/auth/me"))["impersonatedBy"]
        until = datetime.fromtimestamp(claims_of(support.token)["exp"], UTC)
        assert shown["name"] == "Nora New"
        assert abs(datetime.fromisoformat(shown["until"]) - until) < timedelta(seconds=1)
        assert support.get("/users/me").content == support.get("/auth/me").content

    def test_the_audit_log_has_its_begin_with_the_reason_and_its_end(
        self, alice: Api, bob: Api, nora: StaffUser
    ) -> None:
        support = impersonating(bob, nora)
        started = entries(alice, "staff.impersonation_started")[0]
        assert started["subject"]["id"] == str(bob.user.uuid)
        assert (started["data"]["reason"], started["data"]["by"]) == (REASON, nora.email)
        assert started["data"]["until"] == data(support.get("/auth/me"))["impersonatedBy"]["until"]
        session_close(staff=nora, tenant_id=bob.tenant.id)
        (ended,) = entries(alice, "staff.impersonation_ended")
        assert (ended["data"]["by"], ended["data"]["cause"]) == (nora.email, "staff_session_closed")
        assert ended["subject"]["id"] == str(bob.user.uuid)

    def test_its_end_is_written_down_once(self, alice: Api, bob: Api, nora: StaffUser) -> None:
        impersonating(bob, nora)
        session_close(staff=nora, tenant_id=bob.tenant.id)
        switch_off(alice, bob, nora)
        assert len(entries(alice, "staff.impersonation_ended")) == 1

    def test_staffs_own_audit_has_it(self, bob: Api, nora: StaffUser) -> None:
        impersonating(bob, nora)
        act = StaffAct.objects.get(action="impersonation.started")
        session = StaffSession.objects.get(staff=nora)
        assert (act.reason, act.staff_id, act.session_id) == (REASON, nora.pk, session.id)

    def test_each_request_is_in_staffs_audit(self, bob: Api, nora: StaffUser) -> None:
        support = impersonating(bob, nora)
        support.get("/auth/me")
        support.call("PATCH", "/auth/me/profile", {"timezone": "Europe/Berlin"})
        bob.get("/auth/me")
        rows = StaffAct.objects.exclude(method="").order_by("id")
        assert list(rows.values_list("staff_id", "method", "path", "status")) == [
            (nora.pk, "GET", "/api/v1/auth/me", 200),
            (nora.pk, "PATCH", "/api/v1/auth/me/profile", 403),
        ]
        session = StaffSession.objects.get(staff=nora)
        assert {(row.tenant_id, row.session_id) for row in rows} == {(bob.tenant.id, session.id)}

    def test_what_is_done_carries_both(self, alice: Api, nora: StaffUser) -> None:
        support = impersonating(alice, nora)
        body = {"name": "Jane Doe", "app": "sales", "entityType": "lead", "entityId": "lead-1"}
        data(support.post("/entity-registry/register", body), 201)
        with bind(alice.tenant.ref):
            entry = JournalEntry.objects.filter(key__startswith="registry.").latest("id")
        assert (entry.actor_id, entry.impersonator) == (alice.user.uuid, nora.email)

    def test_it_is_no_sign_in_of_the_persons(self, alice: Api, bob: Api) -> None:
        with bind(bob.tenant.ref):
            before = User.objects.get(pk=bob.user.pk)
        impersonating(bob)
        with bind(bob.tenant.ref):
            after = User.objects.get(pk=bob.user.pk)
        assert (after.last_sign_in_at, after.updated_at) == (before.last_sign_in_at, before.updated_at)
        assert entries(alice, "accounts.signed_in") == []

    def test_it_takes_no_place_among_the_sessions_of_a_person(self, bob: Api, settings: Any) -> None:
        settings.SESSIONS_PER_USER = 2
        support = impersonating(bob)
        second = signed_in(bob.tenant, bob.user.email_key)
        assert [one.get("/auth/me").status_code for one in (bob, support, second)] == [200, 200, 200]
        third = signed_in(bob.tenant, bob.user.email_key)
        assert [one.get("/auth/me").status_code for one in (bob, support, third)] == [401, 200, 200]

    def test_administrators_are_told_and_nobody_else(self, alice: Api, bob: Api, nora: StaffUser) -> None:
        impersonating(bob, nora)
        dispatcher.drain()
        (told,) = [one for one in data(alice.get("/notifications")) if one["eventKey"] == "support.impersonated"]
        assert told["title"] == f"Support signed in as {bob.user.display_name}"
        assert told["body"] == f"{nora.email} gave as the reason: {REASON}"
        assert data(bob.get("/notifications")) == []


class TestNothingMoreComesOfIt:
    def test_it_is_no_proof_of_who_is_there(self, alice: Api) -> None:
        support = impersonating(alice)
        identity = identity_of(verify_access_token(support.token))
        with bind(alice.tenant.ref), pytest.raises(PlatformError, match="not_while_impersonating"):
            require_recent_authentication(identity)

    def test_it_does_not_nest(self, alice: Api, bob: Api, nora: StaffUser) -> None:
        support = impersonating(alice, nora)
        code = code_in_session(bob, nora)
        assert error(support.post("/auth/impersonate", {"code": code})) == REFUSED
        # Nor is the code used up by that.
        assert begin(code).status_code == 200

    def test_another_token_is_no_obstacle(self, alice: Api, bob: Api) -> None:
        assert alice.post("/auth/impersonate", {"code": code_for(bob)}).status_code == 200
        assert Api(token="nonsense").post("/auth/impersonate", {"code": code_for(bob)}).status_code == 200

    def test_unpaid_is_unpaid_for_support_too(self, alice: Api, settings: Any) -> None:
        settings.BILLING_CONFIGURED = True
        support = impersonating(alice)
        Tenant.objects.filter(pk=alice.tenant.pk).update(
            read_only_from=timezone.now() - timedelta(days=1), access_reason="payment_past_due"
        )
        forget_tenant(alice.tenant.id)
        body = {"name": "Jane Doe", "app": "sales", "entityType": "lead", "entityId": "lead-1"}
        assert error(support.post("/entity-registry/register", body)) == (402, "payment_past_due")
        assert support.get("/entity-registry/list").status_code == 200


class TestTheSettings:
    def test_they_have_their_defaults(self, alice: Api) -> None:
        shown = data(alice.get("/org-settings/by-category/support"))
        assert shown[IMPERSONATION.key] is True
        assert shown[MESSAGE_ACCESS_UNTIL.key] is None

    def test_they_are_the_administrators(self, bob: Api) -> None:
        for key in (IMPERSONATION.key, MESSAGE_ACCESS_UNTIL.key):
            assert error(bob.get(f"/org-settings/{key}")) == (404, "unknown_setting")

    @pytest.mark.parametrize(("days", "status"), [(-1, 400), (0.5, 200), (6.99, 200), (7.01, 400)])
    def test_messages_are_opened_for_a_week_at_most(self, days: float, status: int, alice: Api) -> None:
        value = (timezone.now() + timedelta(days=days)).isoformat()
        answer = alice.call("PUT", f"/org-settings/{MESSAGE_ACCESS_UNTIL.key}", {"value": value})
        assert answer.status_code == status, answer.content
        if status == 400:
            assert error(answer) == (400, "setting_value_invalid")
        else:
            assert (
                data(alice.call("PUT", f"/org-settings/{MESSAGE_ACCESS_UNTIL.key}", {"value": None}))["value"] is None
            )
            assert len(entries(alice, "tenancy.org_setting_changed")) == 2

    def test_messages_are_read_while_they_are_open(self, alice: Api, bob: Api) -> None:
        channel = data(bob.post("/chat/channels/direct", {"userId": alice.user.id}), 201)["id"]
        data(bob.post(f"/chat/channels/{channel}/messages", {"content": "between us"}), 201)
        support = impersonating(bob)
        reads = [
            ("GET", "/chat/channels", None),
            ("GET", f"/chat/channels/{channel}", None),
            ("GET", f"/chat/channels/{channel}/messages", None),
            ("GET", "/chat/search?q=between", None),
            ("POST", "/chat/sync", {"since": {channel: [0, 0]}}),
        ]

        def answers() -> list[Any]:
            return [support.call(*one) for one in reads]

        for answer in answers():
            assert error(answer) == REFUSED
            assert b"between us" not in answer.content
        path = f"/org-settings/{MESSAGE_ACCESS_UNTIL.key}"
        tomorrow = (timezone.now() + timedelta(days=1)).isoformat()
        data(alice.call("PUT", path, {"value": tomorrow}))
        for answer in answers():
            assert answer.status_code == 200
            assert b"between us" in answer.content
        data(alice.call("PUT", path, {"value": None}))
        assert {error(answer) for answer in answers()} == {REFUSED}
        assert [bob.call(*one).status_code for one in reads] == [200] * 5

    def test_the_moment_ends_by_itself(self, alice: Api, bob: Api) -> None:
        support = impersonating(bob)
        path = f"/org-settings/{MESSAGE_ACCESS_UNTIL.key}"
        data(alice.call("PUT", path, {"value": (timezone.now() + timedelta(seconds=0.7)).isoformat()}))
        identity = identity_of(verify_access_token(support.token))
        assert identity.messages_until is not None
        assert not replace(identity, messages_until=timezone.now()).reads_messages


def test_ending_them_takes_only_those_of_the_tenant(alice: Api, mallory: Api) -> None:
    here, there = impersonating(alice), impersonating(mallory)
    with bind(alice.tenant.ref):
        assert impersonations_end(reason="switched_off") == 1
    assert error(here.get("/auth/me")) == ENDED
    assert there.get("/auth/me").status_code == 200
