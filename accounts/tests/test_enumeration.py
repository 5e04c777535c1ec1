"""Nobody learns from an answer, or from its time, which addresses and workspaces there are.

Every path computes exactly one hash: counted with the real hasher, because the
hash is what takes the time. What is left between the paths is measured.
"""

import statistics
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.emails import email_key
from accounts.models import LinkToken, User
from accounts.services.links import link_create, link_token
from accounts.services.passwords import password_hash
from accounts.services.people import user_create
from accounts.tokens import parse_token
from platform_site.binding import bind
from platform_site.passwords import Argon2idHasher
from tenancy.models import Tenant
from tests.support import COMPANY, OTHER_COMPANY, PASSWORD, Api, scaled

pytestmark = pytest.mark.real_hasher

hashes: list[str] = []


class CountingHasher(Argon2idHasher):
    """The hasher of the product, and how often it was asked."""

    def encode(self, password: str, salt: str) -> str:
        hashes.append("encode")
        return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        hashes.append("verify")
        return super().verify(password, encoded)


@pytest.fixture(autouse=True)
def people(tenant: Tenant, other_tenant: Tenant, settings: Any) -> None:
    """One person in each state in acme; globex is suspended. Whoever has a password has a real one."""
    settings.PASSWORD_HASHERS = [f"{__name__}.CountingHasher"]
    settings.RATE_LIMITS = {name: (10**6, window) for name, (_, window) in settings.RATE_LIMITS.items()}
    encoded = password_hash(PASSWORD)
    with bind(tenant.ref):
        User.objects.update(password=encoded)
        User.objects.filter(pk=2).update(email_verified_at=timezone.now())
        user_create(email="pending@acme.test", status=User.Status.PENDING)
        user_create(email="inactive@acme.test", status=User.Status.INACTIVE, password=encoded)
        user_create(email="erased@acme.test", status=User.Status.ERASED, password=encoded)
        user_create(email="without@acme.test")
    with bind(other_tenant.ref):
        User.objects.update(password=encoded)
    Tenant.objects.filter(pk=other_tenant.pk).update(status="suspended")
    hashes.clear()


WHO = {
    "known": ("admin@acme.test", COMPANY),
    "known and verified": ("user@acme.test", COMPANY),
    "unknown address": ("nobody@acme.test", COMPANY),
    "no address": ("\N{SNOWMAN}", COMPANY),
    "unknown tenant": ("admin@acme.test", "no-such-workspace"),
    "no tenant": ("admin@acme.test", "-"),
    "pending": ("pending@acme.test", COMPANY),
    "inactive": ("inactive@acme.test", COMPANY),
    "erased": ("erased@acme.test", COMPANY),
    "without a password": ("without@acme.test", COMPANY),
    "suspended": ("admin@globex.test", OTHER_COMPANY),
    "suspended and unknown": ("nobody@globex.test", OTHER_COMPANY),
}


def counted(call: Callable[[], Any]) -> tuple[Any, int]:
    hashes.clear()
    answer = call()
    return answer, len(hashes)


def seen(answer: Any) -> tuple[int, dict[str, str], Any]:
    """What a client sees, but for the request's own id."""
    body = answer.json()
    body.get("error", {}).pop("requestId", None)
    headers = {name: value for name, value in answer.headers.items() if name not in {"X-Request-ID", "X-Request-Id"}}
    return answer.status_code, headers, body


def asked(path: str, who: tuple[str, str], **more: str) -> Any:
    # Each from an origin of its own, so that the headers about what is left of a limit are alike.
    return Api().post(path, {"email": who[0], "tenantSlug": who[1], **more})


class TestOneHashAndOneAnswer:
    def test_signing_in_with_a_wrong_password(self) -> None:
        answers = {}
        for name, who in WHO.items():
            answer, count = counted(lambda who=who: asked("/auth/login", who, password="wrong-password"))  # type: ignore[misc]
            assert count == 1, name
            answers[name] = seen(answer)
        assert answers["known"][0] == 401
        assert all(answer == answers["known"] for answer in answers.values()), answers

    @pytest.mark.parametrize(
        ("name", "code"),
        [
            ("known", ""),
            ("unknown address", "invalid_credentials"),
            ("unknown tenant", "invalid_credentials"),
            ("pending", "invalid_credentials"),
            ("erased", "invalid_credentials"),
            ("inactive", "account_deactivated"),
            ("suspended", "tenant_suspended"),
        ],
    )
    def test_signing_in_with_the_right_password(self, name: str, code: str) -> None:
        answer, count = counted(lambda: asked("/auth/login", WHO[name], password=PASSWORD))
        assert count == 1
        assert answer.json().get("error", {}).get("code", "") == code

    @pytest.mark.parametrize("path", ["/auth/password/forgot", "/auth/resend-verification"])
    def test_asking_for_a_mail(self, path: str) -> None:
        answers, bodies = {}, set()
        for name, who in WHO.items():
            answer, count = counted(lambda who=who: asked(path, who))  # type: ignore[misc]
            assert count == 1, name
            answers[name] = seen(answer)
            bodies.add(bytes(answer.content))
        assert answers["known"][0] == 202
        assert all(answer == answers["known"] for answer in answers.values()), answers
        assert len(bodies) == 1

    @pytest.mark.parametrize(
        ("slug", "status", "code"),
        [
            ("free-for-all", 201, ""),
            (COMPANY, 409, "slug_taken"),
            (OTHER_COMPANY, 409, "slug_taken"),
            ("admin", 400, "slug_reserved"),
            ("a--b", 400, "slug_invalid"),
        ],
    )
    def test_signing_up(self, slug: str, status: int, code: str) -> None:
        # The address has an account in acme, which is nobody's business here.
        body = {
            "companyName": "Another Corp",
            "slug": slug,
            "adminEmail": "admin@acme.test",
            "adminPassword": "another horse battery",
        }
        answer, count = counted(lambda: Api().post("/tenants/register", body))
        assert (answer.status_code, answer.json().get("error", {}).get("code", "")) == (status, code)
        assert count == 1

    def test_using_a_reset_link_that_is_none(self, tenant: Tenant, other_tenant: Tenant) -> None:
        answers = {}
        for name, token in links_that_are_none(tenant, other_tenant, LinkToken.Kind.RESET_PASSWORD, 1).items():
            answer, count = counted(lambda token=token: use("/auth/password/reset", token))  # type: ignore[misc]
            assert count == 1, name
            answers[name] = seen(answer)
        assert_refused_alike(answers)

    def test_accepting_an_invitation(self, tenant: Tenant, other_tenant: Tenant) -> None:
        pending = person(tenant, "pending@acme.test")
        answers = {}
        for name, token in links_that_are_none(tenant, other_tenant, LinkToken.Kind.INVITATION, pending).items():
            answer, count = counted(lambda token=token: use("/users/accept-invitation", token))  # type: ignore[misc]
            assert count == 1, name
            answers[name] = seen(answer)
        assert_refused_alike(answers)
        valid = new_link(tenant, LinkToken.Kind.INVITATION, pending)
        answer, count = counted(lambda: use("/users/accept-invitation", valid))
        assert (answer.status_code, count) == (200, 1)


def person(tenant: Tenant, email: str) -> int:
    with bind(tenant.ref):
        return User.objects.get(email_key=email_key(email)).id


def new_link(tenant: Tenant, kind: LinkToken.Kind, user_id: int) -> str:
    with bind(tenant.ref), transaction.atomic():
        return str(link_token(link_create(user=User.objects.get(pk=user_id), kind=kind)))


def put(tenant: Tenant, token: str, **columns: Any) -> str:
    """The link of this token, live but for ``columns``."""
    link = parse_token(token, token.partition("_")[0])
    assert link is not None
    with bind(tenant.ref):
        LinkToken.objects.filter(pk=link.id).update(**{"used_at": None, "superseded_at": None, **columns})
    return token


def links_that_are_none(tenant: Tenant, other: Tenant, kind: LinkToken.Kind, user_id: int) -> dict[str, str]:
    now = timezone.now()
    used, superseded, expired, good = (new_link(tenant, kind, user_id) for _ in range(4))
    return {
        "malformed": "x",
        "unknown tenant": good.replace(tenant.id.hex, "0" * 32),
        "another tenant's": new_link(other, kind, 1).replace(other.id.hex, tenant.id.hex),
        "a changed secret": good[:-3] + "AAA",
        "used": put(tenant, used, used_at=now),
        "superseded": put(tenant, superseded, superseded_at=now),
        "expired": put(tenant, expired, expires_at=now - timedelta(seconds=1)),
        "of somebody inactive": new_link(tenant, kind, person(tenant, "inactive@acme.test")),
        "of somebody erased": new_link(tenant, kind, person(tenant, "erased@acme.test")),
        "of a suspended tenant": new_link(other, kind, 1),
    }


def use(path: str, token: str) -> Any:
    return Api().post(path, {"token": token, "password": "another horse battery"})


def assert_refused_alike(answers: dict[str, Any]) -> None:
    """Only who holds a genuine token learns more: that it came too late, or that the workspace is suspended."""
    late, suspended = answers.pop("expired"), answers.pop("of a suspended tenant")
    assert (late[0], late[2]["error"]["code"]) == (410, "link_token_expired")
    assert (suspended[0], suspended[2]["error"]["code"]) == (403, "tenant_suspended")
    assert answers["malformed"][0] == 400
    assert all(answer == answers["malformed"] for answer in answers.values()), answers


PAIRS = scaled(60, 200)
ATTEMPTS = 3


class TestTime:
    """Medians over interleaved pairs (200 in soak) differ by at most 5 ms or a tenth, whichever is more."""

    def test_signing_in(self) -> None:
        assert_alike(lambda who: asked("/auth/login", who, password="wrong-password"), status=401)

    def test_forgetting_a_password(self) -> None:
        assert_alike(lambda who: asked("/auth/password/forgot", who), status=202)


def assert_alike(call: Callable[[tuple[str, str]], Any], status: int) -> None:
    """``ATTEMPTS`` times, because the machine has other work as well."""
    measured = []
    for _ in range(ATTEMPTS):
        known, unknown = medians(call, status)
        measured.append((known, unknown))
        if abs(known - unknown) <= max(0.005, 0.1 * min(known, unknown)):
            return
    raise AssertionError(f"Median seconds, known and unknown: {measured}")


def medians(call: Callable[[tuple[str, str]], Any], status: int) -> tuple[float, float]:
    times: dict[str, list[float]] = {"known": [], "unknown address": []}
    for pair in range(PAIRS):
        # Whatever comes first warms something for what comes second, so they take turns.
        for name in sorted(times, reverse=bool(pair % 2)):
            began = time.perf_counter()
            answer = call(WHO[name])
            times[name].append(time.perf_counter() - began)
            assert answer.status_code == status
    known, unknown = (statistics.median(values) for values in times.values())
    return known, unknown
