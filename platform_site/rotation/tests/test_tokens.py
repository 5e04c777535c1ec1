"""The other rings: nobody is signed out while there are two keys, and the old one opens nothing afterwards."""

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from accounts.directory.models import DirectoryEntry
from accounts.directory.selectors import tenants_of_address
from accounts.models import LinkToken, Session, User
from accounts.services.avatars import avatar_store
from accounts.services.links import link_token
from accounts.staff.models import StaffUser
from accounts.tokens import make_token
from notifications.models import Suppression
from notifications.services.suppressing import (
    address_hash,
    is_suppressed,
    suppress,
    suppressions_by_key,
    suppressions_renew,
)
from platform_site.binding import bind
from platform_site.checks import check_keys
from platform_site.rotation.finishing import what_needs_the_old_key
from platform_site.rotation.tests.conftest import NEXT
from platform_site.settings import env
from tenancy.models import Tenant
from tests.support import Api, data, error

BOUNCED = "gone@elsewhere.test"


@pytest.fixture(autouse=True)
def _no_links(database: None) -> None:
    """Those that were mailed when the tests' tenants signed up may be of this run's keys, or of another's."""
    for tenant in Tenant.objects.all():
        with bind(tenant.ref):
            LinkToken.objects.all().delete()


def rotate(*arguments: str) -> Any:
    out = StringIO()
    call_command("rotate_secrets", "--json", *arguments, stdout=out)
    return json.loads(out.getvalue())


def refusal(*arguments: str) -> str:
    with pytest.raises(CommandError) as refused:
        rotate(*arguments)
    assert refused.value.returncode == 1
    return str(refused.value)


def refresh(token: str) -> Any:
    return Api().post("/auth/refresh", {"refreshToken": token})


def invitation(alice: Api) -> str:
    data(alice.post("/users", {"email": "ed@acme.test", "firstName": "Ed", "role": "user"}), 201)
    with bind(alice.tenant.ref):
        return str(link_token(LinkToken.objects.get(kind=LinkToken.Kind.INVITATION)))


def accept(token: str) -> Any:
    return Api().post("/users/accept-invitation", {"token": token, "password": "seven seas of rye"})


# Access tokens


def test_access_tokens_work_with_both_keys_and_the_old_ones_end_with_theirs(alice: Api, settings: Any) -> None:
    old = settings.JWT_KEYS
    settings.JWT_KEYS = [NEXT, *old]
    assert alice.get("/auth/me").status_code == 200
    fresh = Api(token=data(refresh(alice.tokens.refresh_token))["accessToken"])
    finished = rotate("--finish", "JWT_KEYS")
    assert finished["without"] == {"JWT_KEYS": ":".join(NEXT)}
    assert "ACCESS_TOKEN_SECONDS" in finished["note"]
    settings.JWT_KEYS = [NEXT]
    assert fresh.get("/auth/me").status_code == 200
    assert error(alice.get("/auth/me")) == (401, "token_invalid")


# What is derived with TOKEN_KEYS


@pytest.fixture
def old_key(settings: Any) -> str:
    kid: str = settings.TOKEN_KEYS[0][0]
    return kid


def overlap(settings: Any) -> None:
    settings.TOKEN_KEYS = [NEXT, *settings.TOKEN_KEYS[-1:]]


def test_refresh_tokens_move_with_their_next_use_and_the_old_key_waits_for_them(
    alice: Api, bob: Api, old_key: str, settings: Any
) -> None:
    overlap(settings)
    first = data(refresh(alice.tokens.refresh_token))
    assert what_needs_the_old_key("TOKEN_KEYS")["accounts.sessions"] == 1
    told = refusal("--finish", "TOKEN_KEYS")
    assert f"the key {old_key} is still needed by" in told
    assert "or end within 7 days" in told
    assert data(refresh(bob.tokens.refresh_token))
    rotate("--reseal")
    assert rotate("--finish", "TOKEN_KEYS")["without"] == {"TOKEN_KEYS": ":".join(NEXT)}
    settings.TOKEN_KEYS = [NEXT]
    assert refresh(first["refreshToken"]).status_code == 200


def test_sessions_that_ended_keep_no_key(alice: Api, tenant: Tenant, settings: Any) -> None:
    overlap(settings)
    rotate("--reseal")
    assert what_needs_the_old_key("TOKEN_KEYS") == {"accounts.sessions": 1}
    with bind(tenant.ref):
        Session.objects.update(idle_expires_at=timezone.now() - timedelta(seconds=1))
    assert what_needs_the_old_key("TOKEN_KEYS") == {}


def test_a_key_that_is_gone_makes_no_refresh_token_that_counts(alice: Api, tenant: Tenant, settings: Any) -> None:
    """Whoever has a leaked key can make the token of any session that was derived with it."""
    settings.TOKEN_KEYS = [NEXT]
    assert error(refresh(alice.tokens.refresh_token)) == (401, "refresh_token_invalid")


def test_a_mailed_link_works_with_both_keys(alice: Api, settings: Any) -> None:
    token = invitation(alice)
    overlap(settings)
    assert what_needs_the_old_key("TOKEN_KEYS")["accounts.links"] == 1
    assert accept(token).status_code == 200
    assert what_needs_the_old_key("TOKEN_KEYS")["accounts.links"] == 0


def test_a_mailed_link_ends_with_its_key(alice: Api, settings: Any) -> None:
    token = invitation(alice)
    settings.TOKEN_KEYS = [NEXT]
    assert error(accept(token)) == (400, "link_token_invalid")


def test_an_api_key_outlives_it(alice: Api, settings: Any, old_key: str) -> None:
    made = data(alice.post("/api-keys", {"name": "shop", "permissions": [1]}), 201)
    key = Api(token=made["key"])
    overlap(settings)
    assert key.get("/users").status_code == 200
    assert rotate("--status")["rings"]["TOKEN_KEYS"]["values"]["accounts.api_keys"] == {old_key: 1}
    settings.TOKEN_KEYS = [NEXT]
    assert key.get("/users").status_code == 200


def test_directory_pictures_and_suppressions_are_written_anew(alice: Api, tenant: Tenant, settings: Any) -> None:
    call_command("directory_rebuild", verbosity=0)
    with bind(tenant.ref):
        User.objects.filter(pk=1).update(avatar_url=avatar_store(user=User.objects.get(pk=1), image=b"picture"))
        suppress(BOUNCED, Suppression.Reason.HARD_BOUNCE, Suppression.Scope.ALL)
        Session.objects.all().delete()
    overlap(settings)
    people = DirectoryEntry.objects.filter(tenant_id=tenant.id).count()
    needed = {"accounts.directory": people, "accounts.pictures": 1, "notifications.suppressions": 1}
    assert _of(tenant, what_needs_the_old_key("TOKEN_KEYS")) == needed
    assert _of(tenant, rotate("--reseal")["renewed"]) == needed
    assert what_needs_the_old_key("TOKEN_KEYS") == {}
    settings.TOKEN_KEYS = [NEXT]
    assert tenants_of_address("admin@acme.test") == [tenant.id]
    with bind(tenant.ref):
        assert is_suppressed(BOUNCED, optional=False)
        address = User.objects.get(pk=1).avatar_url
    assert Client().get(address.removeprefix(settings.PUBLIC_URL)).status_code == 200


def _of(tenant: Tenant, needed: Any) -> dict[str, int]:
    """Without the other tenant's part of the directory."""
    others = DirectoryEntry.objects.exclude(tenant_id=tenant.id).count()
    return {**needed, "accounts.directory": needed["accounts.directory"] - others}


def test_an_address_that_came_in_under_both_keys_keeps_what_lasts(in_tenant: Any, settings: Any) -> None:
    suppress(BOUNCED, Suppression.Reason.HARD_BOUNCE, Suppression.Scope.ALL)
    overlap(settings)
    soon = timezone.now() + timedelta(days=1)
    suppress(BOUNCED, Suppression.Reason.SOFT_BOUNCE, Suppression.Scope.ALL, expires_at=soon)
    assert Suppression.objects.count() == 2
    assert suppressions_renew() == 1
    assert suppressions_by_key() == {NEXT[0]: 1}
    kept = Suppression.objects.get()
    assert (kept.reason, kept.expires_at) == ("hard_bounce", None)
    assert bytes(kept.address_hash) == address_hash(BOUNCED)


def test_resealing_needs_no_old_key_for_what_is_derived(alice: Api, tenant: Tenant, settings: Any) -> None:
    """A key that leaked is dropped at once."""
    call_command("directory_rebuild", verbosity=0)
    with bind(tenant.ref):
        User.objects.filter(pk=1).update(avatar_url=avatar_store(user=User.objects.get(pk=1), image=b"picture"))
        suppress(BOUNCED, Suppression.Reason.HARD_BOUNCE, Suppression.Scope.ALL)
    settings.TOKEN_KEYS = [NEXT]
    rotate("--reseal")
    assert tenants_of_address("admin@acme.test") == [tenant.id]
    with bind(tenant.ref):
        assert is_suppressed(BOUNCED, optional=False)
        address = User.objects.get(pk=1).avatar_url
    assert Client().get(address.removeprefix(settings.PUBLIC_URL)).status_code == 200


def test_a_token_made_with_a_leaked_key_that_was_dropped_is_refused(
    alice: Api, tenant: Tenant, settings: Any, old_key: str
) -> None:
    overlap(settings)
    leaked = settings.TOKEN_KEYS[-1:]
    settings.TOKEN_KEYS = leaked
    with bind(tenant.ref):
        session = Session.objects.get()
        forged = make_token("rt", tenant.id, session.id, key_id=old_key, counter=session.counter)
    settings.TOKEN_KEYS = [NEXT]
    assert refresh(str(forged)).status_code == 401


# Django's own key


@pytest.fixture
def root(db: None) -> Client:
    browser = Client()
    browser.force_login(StaffUser.objects.create_superuser("root@platform.test", "a long walk by the sea"))
    return browser


def test_staff_stay_signed_in_with_the_key_before_and_are_signed_out_without_it(root: Client, settings: Any) -> None:
    before = settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "s" * 60, [before]
    assert what_needs_the_old_key("SECRET_KEY") == {"staff.sessions": 1}
    assert "1 of staff.sessions" in refusal("--finish", "SECRET_KEY")
    settings.SECRET_KEY_FALLBACKS = []
    assert root.get("/admin/").status_code == 302


def test_a_staff_session_moves_with_its_next_use(root: Client, settings: Any) -> None:
    before = settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "s" * 60, [before]
    assert root.get("/admin/").status_code == 200
    assert rotate("--finish", "SECRET_KEY")["without"] == {"SECRET_KEY": "s" * 60, "SECRET_KEY_FALLBACK": ""}
    settings.SECRET_KEY_FALLBACKS = []
    assert root.get("/admin/").status_code == 200


# Making a key


@pytest.mark.parametrize("name", ["JWT_KEYS", "TOKEN_KEYS", "ENCRYPTION_KEYS"])
def test_a_new_key_comes_behind_first_and_in_front_then(
    name: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = getattr(settings, name)[0]
    made = rotate("--new", name)
    rings = []
    for variables in (made["known"], made["first"]):
        monkeypatch.setenv(name, variables[name])
        rings.append(env.keyring(name))
    assert [kid for kid, _ in rings[0]] == [old[0], made["kid"]]
    assert rings[1] == rings[0][::-1]
    assert old in rings[1]
    setattr(settings, name, rings[1])
    assert check_keys() == []
    # A third one would push out what is still needed.
    assert "two keys already" in refusal("--new", name)


def test_django_s_own_key_is_replaced_with_the_old_one_behind(settings: Any) -> None:
    before = settings.SECRET_KEY
    made = rotate("--new", "SECRET_KEY")
    assert made["known"]["SECRET_KEY"] == made["first"]["SECRET_KEY_FALLBACK"] == before
    assert made["first"]["SECRET_KEY"] == made["known"]["SECRET_KEY_FALLBACK"] != before
    assert len(made["first"]["SECRET_KEY"]) >= 50


def test_there_is_nothing_to_finish_with_one_key() -> None:
    assert "has one key" in refusal("--finish", "TOKEN_KEYS")


def test_writing_is_for_embedded_servers_alone() -> None:
    assert "the environment holds the keys" in refusal("--new", "TOKEN_KEYS", "--write")


def test_status_for_people_names_keys_and_shows_none(alice: Api, settings: Any) -> None:
    overlap(settings)
    out = StringIO()
    call_command("rotate_secrets", "--status", stdout=out)
    told = out.getvalue()
    assert f"TOKEN_KEYS: {NEXT[0]} makes new values, {settings.TOKEN_KEYS[1][0]} is still accepted" in told
    assert "accounts.sessions            1 under" in told
    for _, key in (*settings.TOKEN_KEYS, *settings.JWT_KEYS, *settings.ENCRYPTION_KEYS):
        assert key not in told
