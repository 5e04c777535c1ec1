"""``/auth/mfa`` and the second step of a sign-in."""

from types import SimpleNamespace
from unittest.mock import ANY
from xml.etree import ElementTree

import pytest
from django.core import mail, signing
from django.utils import timezone

from accounts import one_time_codes
from accounts.models import SecondFactor, Session, User
from accounts.services.mfa_tokens import MFA_TOKEN_SECONDS
from accounts.services.passwords import password_hash
from accounts.services.second_factor import has_second_factor, second_factor_matches
from accounts.tests.second_factors import (
    App,
    code_of,
    enrolled,
    give_password,
    mfa_required,
    mfa_token_of,
    proved_long_ago,
    verify,
)
from platform_site.binding import bind
from platform_site.journal.models import JournalEntry
from platform_site.outbox import dispatcher
from tenancy.models import Tenant
from tests.support import Api, at_once, scaled, signed_in


def entries(tenant: Tenant, key: str) -> int:
    with bind(tenant.ref):
        return JournalEntry.objects.filter(key=f"accounts.{key}").count()


def mailed() -> list[tuple[str, str]]:
    """(to, subject) of what the platform sent because of what happened."""
    mail.outbox.clear()
    dispatcher.drain()
    return [(message.to[0], str(message.subject)) for message in mail.outbox]


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The running step stands still; a test moves it by hand."""
    step = [one_time_codes.current_step()]
    monkeypatch.setattr(one_time_codes, "current_step", lambda: step[0])
    return step


@pytest.fixture
def plenty(settings: object) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "mfa_user": (1000, 900)}  # type: ignore[attr-defined]


class TestSetUp:
    def test_nobody_has_one_at_first(self, bob: Api) -> None:
        assert bob.get("/auth/mfa").json()["data"] == {
            "enabled": False,
            "required": False,
            "recoveryCodesLeft": 0,
            "pending": False,
        }

    def test_an_app_is_told_whose_code_it_shows(self, bob: Api) -> None:
        response = bob.post("/auth/mfa/totp")
        assert (response.status_code, response["Cache-Control"]) == (200, "no-store")
        data = response.json()["data"]
        assert len(data["secret"]) == 32
        assert data["otpauthUri"].startswith("otpauth://totp/Acme%20Corp:")
        assert "user%40acme.test" in data["otpauthUri"]
        assert f"secret={data['secret']}&issuer=Acme%20Corp" in data["otpauthUri"]
        assert bob.get("/auth/mfa").json()["data"]["pending"] is True

    def test_the_picture_is_an_svg_that_a_strict_policy_shows(self, bob: Api) -> None:
        picture = bob.post("/auth/mfa/totp").json()["data"]["qrSvg"]
        root = ElementTree.fromstring(picture)  # noqa: S314 - our own
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        for element in root.iter():
            assert element.tag.rpartition("}")[2] in {"svg", "g", "path"}
            assert not {"style", "class", "onload"} & set(element.attrib)

    def test_long_names_in_any_script_still_fit_into_the_picture(self, bob: Api, tenant: Tenant) -> None:
        Tenant.objects.filter(pk=tenant.pk).update(name="𐎀: " * 33)
        with bind(tenant.ref):
            User.objects.filter(pk=bob.user.id).update(email="ü" * 60 + "@" + "漢" * 180 + ".test")
        data = bob.post("/auth/mfa/totp").json()["data"]
        assert data["qrSvg"].startswith("<svg")
        assert data["otpauthUri"].count(":") == 2

    def test_a_right_code_makes_it_count(self, bob: Api, tenant: Tenant) -> None:
        mailed()
        app = App(bob.post("/auth/mfa/totp").json()["data"]["secret"])
        response = bob.post("/auth/mfa/totp/confirm", {"code": app.code()})
        assert (response.status_code, response["Cache-Control"]) == (200, "no-store")
        codes = response.json()["data"]["recoveryCodes"]
        assert len(set(codes)) == 10
        assert all(len(code) == 11 and code[5] == "-" for code in codes)
        assert bob.get("/auth/mfa").json()["data"] == {
            "enabled": True,
            "required": False,
            "recoveryCodesLeft": 10,
            "pending": False,
        }
        assert entries(tenant, "mfa_enabled") == 1
        assert mailed() == [("user@acme.test", "A second factor protects your account")]

    def test_until_then_nothing_is_asked_for(self, bob: Api) -> None:
        bob.post("/auth/mfa/totp")
        assert "accessToken" in give_password(bob).json()["data"]

    def test_a_wrong_code_does_not(self, bob: Api, tenant: Tenant) -> None:
        app = App(bob.post("/auth/mfa/totp").json()["data"]["secret"])
        response = bob.post("/auth/mfa/totp/confirm", {"code": app.wrong_code()})
        assert (response.status_code, code_of(response)) == (400, "mfa_invalid")
        assert bob.get("/auth/mfa").json()["data"]["enabled"] is False
        assert entries(tenant, "mfa_enabled") == 0

    @pytest.mark.parametrize("code", ["12345", "1234567", "abcdef", "१२३४५६", "-12345", "+12345"])
    def test_what_is_no_code_is_a_wrong_one(self, bob: Api, code: str) -> None:
        bob.post("/auth/mfa/totp")
        assert code_of(bob.post("/auth/mfa/totp/confirm", {"code": code})) == "mfa_invalid"

    def test_beginning_again_forgets_the_secret_before(self, bob: Api) -> None:
        old = App(bob.post("/auth/mfa/totp").json()["data"]["secret"])
        new = App(bob.post("/auth/mfa/totp").json()["data"]["secret"])
        if old.code() != new.code():
            assert code_of(bob.post("/auth/mfa/totp/confirm", {"code": old.code()})) == "mfa_invalid"
        assert bob.post("/auth/mfa/totp/confirm", {"code": new.code()}).status_code == 200

    def test_confirming_what_was_not_begun(self, bob: Api) -> None:
        response = bob.post("/auth/mfa/totp/confirm", {"code": "123456"})
        assert (response.status_code, code_of(response)) == (409, "mfa_not_enabled")

    def test_there_is_one_at_most(self, bob: Api) -> None:
        app = enrolled(bob)
        assert (bob.post("/auth/mfa/totp").status_code, code_of(bob.post("/auth/mfa/totp"))) == (
            409,
            "mfa_already_enabled",
        )
        assert code_of(bob.post("/auth/mfa/totp/confirm", {"code": app.code()})) == "mfa_already_enabled"

    def test_the_code_that_confirmed_is_spent(self, bob: Api, still: list[int]) -> None:
        app = App(bob.post("/auth/mfa/totp").json()["data"]["secret"])
        bob.post("/auth/mfa/totp/confirm", {"code": app.code()})
        assert code_of(verify(mfa_token_of(bob), app.code())) == "mfa_invalid"
        assert verify(mfa_token_of(bob), app.code(+1)).status_code == 200

    def test_neither_secret_nor_codes_can_be_read_in_the_table(self, bob: Api, tenant: Tenant) -> None:
        app = enrolled(bob)
        with bind(tenant.ref):
            factor = SecondFactor.objects.get(user_id=bob.user.id)
            assert app.secret.encode() not in bytes(factor.sealed_secret)
            assert [len(stored) for stored in factor.recovery_hashes] == [32] * 10
            assert not any(code.encode() in bytes(row) for row in factor.recovery_hashes for code in app.recovery_codes)

    def test_a_sealed_secret_opens_for_its_person_only(self, alice: Api, bob: Api, tenant: Tenant) -> None:
        app = enrolled(bob)
        enrolled(alice)
        from platform_site.keys import SealBroken

        with bind(tenant.ref):
            moved = SecondFactor.objects.get(user_id=bob.user.id).sealed_secret
            SecondFactor.objects.filter(user_id=alice.user.id).update(sealed_secret=moved)
            with pytest.raises(SealBroken):
                second_factor_matches(user_id=alice.user.id, code=app.code())

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("GET", "/auth/mfa"),
            ("POST", "/auth/mfa/totp"),
            ("DELETE", "/auth/mfa/totp"),
            ("POST", "/auth/mfa/totp/confirm"),
            ("POST", "/auth/mfa/recovery-codes"),
        ],
    )
    def test_nobody_is_told_to_sign_in(self, api: Api, method: str, path: str) -> None:
        response = api.call(method, path, {"code": "123456"})
        assert (response.status_code, code_of(response)) == (401, "not_authenticated")

    @pytest.mark.parametrize(
        ("body", "field", "code"),
        [
            ({}, "code", "required"),
            ({"code": 123456}, "code", "not_text"),
            ({"code": ""}, "code", "blank"),
            ({"code": "1" * 21}, "code", "max_length"),
            ({"code": "123456", "mfaToken": "x"}, "mfaToken", "unknown_field"),
        ],
    )
    def test_bad_input_is_named(self, bob: Api, body: object, field: str, code: str) -> None:
        error = bob.post("/auth/mfa/totp/confirm", body).json()["error"]
        assert [(detail["field"], detail["code"]) for detail in error["details"]] == [(field, code)]


class TestFreshProof:
    @pytest.mark.parametrize(
        ("method", "path"),
        [("POST", "/auth/mfa/totp"), ("DELETE", "/auth/mfa/totp"), ("POST", "/auth/mfa/recovery-codes")],
    )
    def test_a_session_that_was_left_open_is_not_enough(self, bob: Api, method: str, path: str) -> None:
        if path != "/auth/mfa/totp" or method == "DELETE":
            enrolled(bob)
        proved_long_ago(bob)
        response = bob.call(method, path, {} if method == "POST" else None)
        assert (response.status_code, code_of(response)) == (403, "reauth_required")

    def test_an_administrators_neither(self, alice: Api, bob: Api) -> None:
        enrolled(bob)
        proved_long_ago(alice)
        assert code_of(alice.call("DELETE", f"/users/{bob.user.id}/mfa")) == "reauth_required"


class TestSignIn:
    def test_a_password_alone_gives_no_session(self, bob: Api, tenant: Tenant) -> None:
        enrolled(bob)
        before = entries(tenant, "signed_in")
        response = give_password(bob)
        assert (response.status_code, response["Cache-Control"]) == (200, "no-store")
        data = response.json()["data"]
        assert sorted(data) == ["expiresIn", "mfaRequired", "mfaToken"]
        assert (data["mfaRequired"], data["expiresIn"]) == (True, 300)
        assert not response.cookies
        assert entries(tenant, "signed_in") == before
        with bind(tenant.ref):
            assert Session.objects.filter(user_id=bob.user.id).count() == 1

    def test_a_code_finishes_it(self, bob: Api, tenant: Tenant) -> None:
        app = enrolled(bob)
        response = verify(mfa_token_of(bob), app.code())
        assert (response.status_code, response["Cache-Control"]) == (200, "no-store")
        data = response.json()["data"]
        assert sorted(data) == ["accessToken", "expiresIn", "refreshToken", "tenant", "user"]
        assert data["user"]["email"] == "user@acme.test"
        assert Api(token=data["accessToken"]).get("/auth/me").status_code == 200
        assert response.cookies["known_device"]["path"] == "/api/v1/auth/login"
        assert entries(tenant, "signed_in") == 1
        with bind(tenant.ref):
            newest = Session.objects.filter(user_id=bob.user.id).latest("created_at")
            assert newest.methods == "pwd otp"
            assert newest.authenticated_at == newest.last_used_at

    def test_a_code_with_a_space_in_it_is_that_code(self, bob: Api) -> None:
        code = enrolled(bob).code()
        assert verify(mfa_token_of(bob), f" {code[:3]} {code[3:]} ").status_code == 200

    def test_a_wrong_code_does_not(self, bob: Api) -> None:
        response = verify(mfa_token_of_enrolled(bob), "000000x")
        assert (response.status_code, code_of(response)) == (400, "mfa_invalid")

    def test_a_code_is_good_once(self, bob: Api, still: list[int]) -> None:
        app = enrolled(bob)
        code = app.code()
        assert verify(mfa_token_of(bob), code).status_code == 200
        assert code_of(verify(mfa_token_of(bob), code)) == "mfa_invalid"

    @pytest.mark.parametrize(("offset", "status"), [(-2, 400), (-1, 200), (0, 200), (1, 200), (2, 400)], ids=str)
    def test_a_clock_may_be_one_step_off(self, bob: Api, still: list[int], offset: int, status: int) -> None:
        app = enrolled(bob)
        assert verify(mfa_token_of(bob), app.code(offset)).status_code == status

    def test_an_older_code_is_refused_after_a_newer_one(self, bob: Api, still: list[int]) -> None:
        app = enrolled(bob)
        assert verify(mfa_token_of(bob), app.code(0)).status_code == 200
        assert verify(mfa_token_of(bob), app.code(-1)).status_code == 400
        assert verify(mfa_token_of(bob), app.code(+1)).status_code == 200

    def test_the_right_password_stays_a_precondition(self, bob: Api) -> None:
        enrolled(bob)
        wrong = {"email": bob.user.email, "password": "wrong-password", "tenantSlug": "acme"}
        assert code_of(Api().post("/auth/login", wrong)) == "invalid_credentials"

    def test_a_person_with_a_profile_of_the_tenants_own(self, bob: Api, tenant: Tenant) -> None:
        from accounts.models import CustomProfile

        with bind(tenant.ref):
            CustomProfile.objects.create(id=1001, name="Field staff", name_key="field staff")
            User.objects.filter(pk=bob.user.id).update(profile_id=1001)
        app = enrolled(bob)
        data = verify(mfa_token_of(bob), app.code()).json()["data"]
        assert data["user"]["profile"] == {"id": 1001, "name": "Field staff"}
        again = Api().post("/auth/refresh", {"refreshToken": data["refreshToken"]}).json()["data"]
        assert again["user"]["profile"]["name"] == "Field staff"

    def test_whoever_was_deactivated_in_between_is_told(self, bob: Api, tenant: Tenant) -> None:
        app = enrolled(bob)
        token = mfa_token_of(bob)
        with bind(tenant.ref):
            User.objects.filter(pk=bob.user.id).update(status=User.Status.INACTIVE)
        assert code_of(verify(token, app.code())) == "account_deactivated"

    def test_a_tenant_that_was_suspended_in_between(self, bob: Api, tenant: Tenant) -> None:
        app = enrolled(bob)
        token = mfa_token_of(bob)
        Tenant.objects.filter(pk=tenant.pk).update(status="suspended")
        assert code_of(verify(token, app.code())) == "tenant_suspended"


def mfa_token_of_enrolled(client: Api) -> str:
    enrolled(client)
    return mfa_token_of(client)


class TestMfaToken:
    def test_it_lives_five_minutes(self, bob: Api, monkeypatch: pytest.MonkeyPatch) -> None:
        app = enrolled(bob)
        token = mfa_token_of(bob)
        began = timezone.now().timestamp()
        monkeypatch.setattr(signing, "time", SimpleNamespace(time=lambda: began + MFA_TOKEN_SECONDS + 2))
        response = verify(token, app.code())
        assert (response.status_code, code_of(response)) == (401, "mfa_token_invalid")
        monkeypatch.setattr(signing, "time", SimpleNamespace(time=lambda: began + MFA_TOKEN_SECONDS - 5))
        assert verify(token, app.code()).status_code == 200

    def test_it_dies_with_a_changed_password(self, bob: Api, tenant: Tenant) -> None:
        app = enrolled(bob)
        token = mfa_token_of(bob)
        with bind(tenant.ref):
            User.objects.filter(pk=bob.user.id).update(password=password_hash("quite another sentence"))
        assert code_of(verify(token, app.code())) == "mfa_token_invalid"

    def test_it_dies_with_another_second_factor(self, bob: Api) -> None:
        enrolled(bob)
        token = mfa_token_of(bob)
        bob.call("DELETE", "/auth/mfa/totp")
        assert code_of(verify(token, enrolled(bob).code())) == "mfa_token_invalid"

    def test_it_opens_its_own_person_only(self, alice: Api, bob: Api) -> None:
        enrolled(bob)
        assert code_of(verify(mfa_token_of(bob), enrolled(alice).code())) == "mfa_invalid"

    def test_it_opens_its_own_tenant_only(self, bob: Api, mallory: Api, other_tenant: Tenant) -> None:
        from accounts.services import mfa_tokens

        app = enrolled(bob)
        content = signing.loads(mfa_token_of(bob), salt=mfa_tokens.SALT)
        # Even if somebody could sign: there is no such person in that tenant.
        moved = signing.dumps({**content, "t": other_tenant.id.hex}, salt=mfa_tokens.SALT)
        assert code_of(verify(moved, app.code())) == "mfa_token_invalid"

    def test_one_that_was_changed_is_none(self, bob: Api) -> None:
        token = mfa_token_of_enrolled(bob)
        for changed in ("x", token[:-1] + ("A" if token[-1] != "A" else "B"), "x" + token[1:], token.swapcase()):
            assert code_of(verify(changed, "123456")) == "mfa_token_invalid"

    def test_one_that_is_too_long_is_bad_input(self, api: Api) -> None:
        assert code_of(verify("x" * 500, "123456")) == "validation_failed"

    def test_nothing_secret_is_in_it(self, bob: Api) -> None:
        from accounts.services import mfa_tokens

        app = enrolled(bob)
        content = str(signing.loads(mfa_token_of(bob), salt=mfa_tokens.SALT))
        assert app.secret not in content
        assert bob.user.password not in content
        assert bob.user.email not in content


class TestRecoveryCodes:
    def test_one_stands_in_for_a_code_once(self, bob: Api, tenant: Tenant) -> None:
        app = enrolled(bob)
        mailed()
        assert verify(mfa_token_of(bob), app.recovery_codes[3]).status_code == 200
        assert code_of(verify(mfa_token_of(bob), app.recovery_codes[3])) == "mfa_invalid"
        assert verify(mfa_token_of(bob), app.recovery_codes[4]).status_code == 200
        assert bob.get("/auth/mfa").json()["data"]["recoveryCodesLeft"] == 8
        with bind(tenant.ref):
            assert Session.objects.filter(user_id=bob.user.id).latest("created_at").methods == "pwd rec"
            left = JournalEntry.objects.filter(key="accounts.recovery_code_used").values_list("data", flat=True)
            assert sorted(data["left"] for data in left) == [8, 9]
        assert mailed().count(("user@acme.test", "A recovery code was used")) == 2

    def test_it_may_be_written_as_people_write(self, bob: Api) -> None:
        app = enrolled(bob)
        written = app.recovery_codes[0].upper().replace("-", " ").replace("0", "O").replace("1", "l")
        assert verify(mfa_token_of(bob), written).status_code == 200

    def test_new_ones_replace_the_old(self, bob: Api, tenant: Tenant) -> None:
        app = enrolled(bob)
        response = bob.post("/auth/mfa/recovery-codes")
        assert (response.status_code, response["Cache-Control"]) == (200, "no-store")
        new = response.json()["data"]["recoveryCodes"]
        assert not set(new) & set(app.recovery_codes)
        assert code_of(verify(mfa_token_of(bob), app.recovery_codes[0])) == "mfa_invalid"
        assert verify(mfa_token_of(bob), new[0]).status_code == 200
        assert entries(tenant, "recovery_codes_made") == 1
        assert ("user@acme.test", "New recovery codes were made") in mailed()

    def test_without_a_second_factor_there_are_none(self, bob: Api) -> None:
        bob.post("/auth/mfa/totp")
        response = bob.post("/auth/mfa/recovery-codes")
        assert (response.status_code, code_of(response)) == (409, "mfa_not_enabled")

    def test_they_confirm_nothing(self, bob: Api) -> None:
        app = enrolled(bob)
        bob.call("DELETE", "/auth/mfa/totp")
        bob.post("/auth/mfa/totp")
        assert code_of(bob.post("/auth/mfa/totp/confirm", {"code": app.recovery_codes[0]})) == "mfa_invalid"

    def test_those_of_one_person_open_nobody_else(self, alice: Api, bob: Api) -> None:
        enrolled(bob)
        assert code_of(verify(mfa_token_of(bob), enrolled(alice).recovery_codes[0])) == "mfa_invalid"


class TestLimit:
    def test_ten_codes_for_a_person_across_all_tokens(self, bob: Api) -> None:
        app = enrolled(bob)
        tokens = [mfa_token_of(bob) for _ in range(12)]
        wrong = app.wrong_code()
        # Setting it up has counted as the first.
        codes = [verify(token, wrong).status_code for token in tokens]
        assert codes == [400] * 9 + [429] * 3
        blocked = verify(mfa_token_of(bob), app.code())
        assert (blocked.status_code, code_of(blocked)) == (429, "too_many_attempts")
        assert 800 < int(blocked["Retry-After"]) <= 900

    def test_the_right_password_gives_nothing_back(self, bob: Api) -> None:
        app = enrolled(bob)
        wrong = app.wrong_code()
        # Each guess with a token of a sign-in of its own, whose password was right.
        codes = [verify(mfa_token_of(bob), wrong).status_code for _ in range(12)]
        assert codes[-1] == 429

    def test_the_last_attempt_is_written_down_once_and_the_owner_is_told(self, bob: Api, tenant: Tenant) -> None:
        app = enrolled(bob)
        mailed()
        token = mfa_token_of(bob)
        for _ in range(13):
            verify(token, app.wrong_code())
        assert entries(tenant, "mfa_blocked") == 1
        assert mailed() == [("user@acme.test", "Somebody guesses at your second factor")]
        with bind(tenant.ref):
            assert JournalEntry.objects.get(key="accounts.mfa_blocked").data == {"minutes": ANY}

    def test_confirming_counts_as_well(self, bob: Api) -> None:
        app = App(bob.post("/auth/mfa/totp").json()["data"]["secret"])
        wrong = app.wrong_code()
        codes = [bob.post("/auth/mfa/totp/confirm", {"code": wrong}).status_code for _ in range(11)]
        assert codes == [400] * 10 + [429]

    def test_one_persons_guesses_are_nobody_elses(self, alice: Api, bob: Api) -> None:
        theirs, mine = enrolled(bob), enrolled(alice)
        token = mfa_token_of(bob)
        for _ in range(12):
            verify(token, theirs.wrong_code())
        assert verify(mfa_token_of(alice), mine.code()).status_code == 200

    def test_the_same_number_in_another_tenant_is_somebody_else(self, alice: Api, mallory: Api) -> None:
        assert alice.user.id == mallory.user.id
        app = enrolled(alice)
        token = mfa_token_of(alice)
        for _ in range(12):
            verify(token, app.wrong_code())
        theirs = enrolled(mallory)
        assert verify(mfa_token_of(mallory), theirs.code()).status_code == 200

    def test_an_address_of_origin_has_a_limit_of_its_own(self, settings: object, database: None) -> None:
        settings.RATE_LIMITS = {**settings.RATE_LIMITS, "mfa_origin": (3, 900)}  # type: ignore[attr-defined]
        spray = Api()
        body = {"mfaToken": "x", "code": "123456"}
        codes = [spray.post("/auth/mfa/verify", body).status_code for _ in range(2)]
        codes.append(spray.post("/auth/mfa/enroll", {"mfaToken": "x"}).status_code)
        codes.append(spray.post("/auth/mfa/enroll/confirm", body).status_code)
        assert codes == [401] * 3 + [429]


@pytest.mark.commits
class TestAtOnce:
    def test_one_code_many_times_is_one_sign_in(self, bob: Api, tenant: Tenant, plenty: None) -> None:
        app = enrolled(bob)
        token, code, count = mfa_token_of(bob), app.code(), scaled(50, 50)
        clients = [Api() for _ in range(count)]
        tried = at_once(
            count, lambda n: clients[n].post("/auth/mfa/verify", {"mfaToken": token, "code": code}).status_code
        )
        assert tried.most_at_once > 5
        assert sorted(tried.results) == [200] + [400] * (count - 1)
        with bind(tenant.ref):
            assert Session.objects.filter(user_id=bob.user.id, methods="pwd otp").count() == 1

    def test_one_recovery_code_many_times_is_one_sign_in(self, bob: Api, tenant: Tenant, plenty: None) -> None:
        app = enrolled(bob)
        token, count = mfa_token_of(bob), 20
        body = {"mfaToken": token, "code": app.recovery_codes[0]}
        clients = [Api() for _ in range(count)]
        tried = at_once(count, lambda n: clients[n].post("/auth/mfa/verify", body).status_code)
        assert tried.most_at_once > 5
        assert sorted(tried.results) == [200] + [400] * (count - 1)
        assert entries(tenant, "recovery_code_used") == 1

    def test_different_recovery_codes_at_once_are_all_good(self, bob: Api, tenant: Tenant, plenty: None) -> None:
        app = enrolled(bob)
        token = mfa_token_of(bob)
        clients = [Api() for _ in range(10)]
        tried = at_once(
            10,
            lambda n: (
                clients[n].post("/auth/mfa/verify", {"mfaToken": token, "code": app.recovery_codes[n]}).status_code
            ),
        )
        assert tried.most_at_once > 2
        assert tried.results == [200] * 10
        with bind(tenant.ref):
            assert SecondFactor.objects.get(user_id=bob.user.id).recovery_hashes == []

    def test_confirming_many_times_gives_one_set_of_codes(self, bob: Api, tenant: Tenant, plenty: None) -> None:
        app = App(bob.post("/auth/mfa/totp").json()["data"]["secret"])
        code = app.code()
        clients = [Api(token=bob.token) for _ in range(10)]
        tried = at_once(10, lambda n: clients[n].post("/auth/mfa/totp/confirm", {"code": code}).status_code)
        assert sorted(tried.results) == [200] + [409] * 9
        assert entries(tenant, "mfa_enabled") == 1

    def test_beginning_many_times_leaves_one_secret(self, bob: Api, tenant: Tenant) -> None:
        clients = [Api(token=bob.token) for _ in range(10)]
        tried = at_once(10, lambda n: clients[n].post("/auth/mfa/totp").status_code)
        assert tried.results == [200] * 10
        with bind(tenant.ref):
            assert SecondFactor.objects.count() == 1


class TestTakingOff:
    def test_the_owner_may(self, bob: Api, tenant: Tenant) -> None:
        enrolled(bob)
        mailed()
        response = bob.call("DELETE", "/auth/mfa/totp")
        assert (response.status_code, response.json()["data"]) == (200, {"enabled": False})
        assert "accessToken" in give_password(bob).json()["data"]
        assert entries(tenant, "mfa_disabled") == 1
        assert ("user@acme.test", "Your second factor was taken off") in mailed()

    def test_what_is_not_there_cannot_go(self, bob: Api) -> None:
        response = bob.call("DELETE", "/auth/mfa/totp")
        assert (response.status_code, code_of(response)) == (409, "mfa_not_enabled")

    def test_giving_up_a_set_up_is_no_fact(self, bob: Api, tenant: Tenant) -> None:
        bob.post("/auth/mfa/totp")
        assert bob.call("DELETE", "/auth/mfa/totp").status_code == 200
        assert bob.get("/auth/mfa").json()["data"]["pending"] is False
        assert entries(tenant, "mfa_disabled") == 0

    def test_not_where_the_tenant_asks_everybody_for_one(self, bob: Api, tenant: Tenant) -> None:
        enrolled(bob)
        mfa_required(tenant)
        response = bob.call("DELETE", "/auth/mfa/totp")
        assert (response.status_code, code_of(response)) == (409, "mfa_required")
        assert bob.get("/auth/mfa").json()["data"]["enabled"] is True


class TestAdministrator:
    @pytest.mark.parametrize("form", ["id", "uuid"])
    def test_takes_a_lost_one_off(self, alice: Api, bob: Api, tenant: Tenant, form: str) -> None:
        enrolled(bob)
        mailed()
        response = alice.call("DELETE", f"/users/{getattr(bob.user, form)}/mfa")
        assert (response.status_code, response.json()["data"]) == (200, {"enabled": False})
        assert code_of(bob.get("/auth/me")) == "session_revoked"
        assert "accessToken" in give_password(bob).json()["data"]
        with bind(tenant.ref):
            entry = JournalEntry.objects.get(key="accounts.mfa_disabled")
            assert (entry.actor_id, entry.subject_id) == (alice.user.uuid, str(bob.user.uuid))
        assert mailed() == [("user@acme.test", "Your second factor was taken off")]
        assert "an administrator" in str(mail.outbox[0].body)

    def test_not_the_own(self, alice: Api) -> None:
        enrolled(alice)
        response = alice.call("DELETE", f"/users/{alice.user.id}/mfa")
        assert (response.status_code, code_of(response)) == (409, "cannot_remove_own_mfa")
        assert alice.get("/auth/mfa").json()["data"]["enabled"] is True

    def test_nobody_else_may(self, alice: Api, bob: Api, api: Api) -> None:
        enrolled(alice)
        assert code_of(bob.call("DELETE", f"/users/{alice.user.id}/mfa")) == "permission_denied"
        assert code_of(api.call("DELETE", f"/users/{alice.user.id}/mfa")) == "not_authenticated"

    def test_who_has_none_keeps_none(self, alice: Api, bob: Api) -> None:
        assert code_of(alice.call("DELETE", f"/users/{bob.user.id}/mfa")) == "mfa_not_enabled"

    def test_a_foreign_one_finds_nobody(self, bob: Api, mallory: Api, tenant: Tenant) -> None:
        enrolled(bob)
        response = mallory.call("DELETE", f"/users/{bob.user.uuid}/mfa")
        assert (response.status_code, code_of(response)) == (404, "not_found")
        # The same number is somebody of mallory's own, who has none.
        assert mallory.call("DELETE", f"/users/{bob.user.id}/mfa").status_code == 409
        with bind(tenant.ref):
            assert has_second_factor(bob.user.id)

    @pytest.mark.parametrize("ref", ["999999", "0", "x", "00000000-0000-7000-8000-000000000000", "9" * 30])
    def test_an_unknown_person_is_not_found(self, alice: Api, ref: str) -> None:
        assert alice.call("DELETE", f"/users/{ref}/mfa").status_code == 404


class TestRequired:
    def test_from_the_refusal_to_the_session(self, bob: Api, tenant: Tenant) -> None:
        mfa_required(tenant)
        refused = give_password(bob)
        assert (refused.status_code, code_of(refused)) == (403, "mfa_enrollment_required")
        context = refused.json()["error"]["context"]
        assert context["expiresIn"] == 300
        token = context["mfaToken"]
        begun = Api().post("/auth/mfa/enroll", {"mfaToken": token})
        assert begun.status_code == 200
        app = App(begun.json()["data"]["secret"])
        wrong = Api().post("/auth/mfa/enroll/confirm", {"mfaToken": token, "code": app.wrong_code()})
        assert code_of(wrong) == "mfa_invalid"
        confirmed = Api().post("/auth/mfa/enroll/confirm", {"mfaToken": token, "code": app.code()})
        assert (confirmed.status_code, confirmed["Cache-Control"]) == (200, "no-store")
        data = confirmed.json()["data"]
        assert len(data["recoveryCodes"]) == 10
        assert sorted(data["signIn"]) == ["accessToken", "expiresIn", "refreshToken", "tenant", "user"]
        assert Api(token=data["signIn"]["accessToken"]).get("/auth/mfa").json()["data"] == {
            "enabled": True,
            "required": True,
            "recoveryCodesLeft": 10,
            "pending": False,
        }
        assert "known_device" in confirmed.cookies
        assert entries(tenant, "mfa_enabled") == 1
        with bind(tenant.ref):
            assert Session.objects.filter(user_id=bob.user.id).latest("created_at").methods == "pwd otp"
        assert "mfaToken" in give_password(bob).json()["data"]

    def test_it_is_told_only_after_the_right_password(self, bob: Api, tenant: Tenant) -> None:
        mfa_required(tenant)
        wrong = {"email": bob.user.email, "password": "wrong-password", "tenantSlug": "acme"}
        assert code_of(Api().post("/auth/login", wrong)) == "invalid_credentials"

    def test_who_has_one_already_is_asked_for_a_code(self, bob: Api, tenant: Tenant) -> None:
        app = enrolled(bob)
        mfa_required(tenant)
        assert verify(mfa_token_of(bob), app.code()).status_code == 200

    def test_confirming_before_beginning(self, bob: Api, tenant: Tenant) -> None:
        mfa_required(tenant)
        body = {"mfaToken": mfa_token_of(bob), "code": "123456"}
        assert code_of(Api().post("/auth/mfa/enroll/confirm", body)) == "mfa_not_enabled"

    def test_it_is_one_tenants_choice(self, mallory: Api, tenant: Tenant) -> None:
        mfa_required(tenant)
        assert "accessToken" in give_password(mallory).json()["data"]

    @pytest.mark.parametrize(("after", "ended"), [(True, True), (False, False)], ids=["asked", "no longer asked"])
    def test_sessions_without_one_end_when_it_begins(
        self, alice: Api, bob: Api, mallory: Api, tenant: Tenant, after: bool, ended: bool
    ) -> None:
        enrolled(alice)
        set_mfa_required(tenant, after)
        dispatcher.drain()
        assert alice.get("/auth/me").status_code == 200
        assert mallory.get("/auth/me").status_code == 200
        assert bob.get("/auth/me").status_code == (401 if ended else 200)

    def test_a_set_up_that_was_only_begun_does_not_count(self, bob: Api, tenant: Tenant) -> None:
        bob.post("/auth/mfa/totp")
        set_mfa_required(tenant, True)
        dispatcher.drain()
        assert code_of(bob.get("/auth/me")) == "session_revoked"


def set_mfa_required(tenant: Tenant, value: bool) -> None:
    """Write the setting and the fact that it was changed, as the settings' own service does."""
    from django.db import transaction

    from platform_site.journal.services import record
    from tenancy.org_settings.catalog import SETTING_CHANGED
    from tenancy.org_settings.models import OrgSetting

    with bind(tenant.ref), transaction.atomic():
        OrgSetting.objects.update_or_create(key="security.mfa_required", defaults={"value": value})
        record(SETTING_CHANGED, data={"key": "security.mfa_required", "before": not value, "after": value})


def test_a_code_that_a_rolled_back_transaction_used_is_not_spent(bob: Api, tenant: Tenant) -> None:
    from django.db import transaction

    app = enrolled(bob)
    code = app.code()
    with bind(tenant.ref):
        with transaction.atomic():
            assert second_factor_matches(user_id=bob.user.id, code=code)
            transaction.set_rollback(True)
        assert second_factor_matches(user_id=bob.user.id, code=code)
        assert not second_factor_matches(user_id=bob.user.id, code=code)


def test_nobody_without_a_second_factor_has_a_matching_code(bob: Api, tenant: Tenant) -> None:
    secret = bob.post("/auth/mfa/totp").json()["data"]["secret"]
    with bind(tenant.ref):
        assert not second_factor_matches(user_id=bob.user.id, code=App(secret).code())


def test_a_sign_in_of_the_cast_needs_no_second_factor(tenant: Tenant) -> None:
    assert signed_in(tenant, "user@acme.test").get("/auth/mfa").json()["data"]["enabled"] is False


class TestArithmetic:
    @pytest.mark.no_django
    @pytest.mark.parametrize(
        ("moment", "code"),
        [
            (59, "287082"),
            (1111111109, "081804"),
            (1111111111, "050471"),
            (1234567890, "005924"),
            (2000000000, "279037"),
        ],
    )
    def test_codes_are_those_of_rfc_6238(self, moment: int, code: str) -> None:
        # The seed of its appendix B, "12345678901234567890", in base32; its eight digits, cut to the last six.
        assert one_time_codes.code_at("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", moment // 30) == code
