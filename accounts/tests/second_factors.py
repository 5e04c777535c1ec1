"""What tests about the second factor share: an authenticator app, and people who have one."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts import one_time_codes
from accounts.models import SecondFactor, Session, User
from accounts.services.second_factor_setup import second_factor_begin, second_factor_confirm
from platform_site.binding import bind
from tenancy.models import Tenant
from tenancy.org_settings.models import OrgSetting
from tests.support import PASSWORD, Api


@dataclass
class App:
    """An authenticator app. ``code`` is a code that is right now and was not used before."""

    secret: str
    recovery_codes: list[str] = field(default_factory=list)

    def code(self, offset: int = 0) -> str:
        return one_time_codes.code_at(self.secret, one_time_codes.current_step() + offset)

    def wrong_code(self) -> str:
        now = one_time_codes.current_step()
        near = {one_time_codes.code_at(self.secret, now + offset) for offset in range(-3, 4)}
        return next(code for code in ("000000", "111111", "222222", "333333", "444444") if code not in near)


def enrolled(client: Api) -> App:
    """Give the client's person a confirmed second factor, whose codes of now are unused."""
    with bind(client.tenant.ref):
        set_up = second_factor_begin(user_id=client.user.id)
        app = App(set_up.secret)
        app.recovery_codes = second_factor_confirm(user_id=client.user.id, code=app.code())
        SecondFactor.objects.filter(user_id=client.user.id).update(last_step=0)
    return app


def proved_long_ago(client: Api) -> None:
    """The client's session is live, but its last proof of presence is old."""
    with bind(client.tenant.ref):
        Session.objects.filter(user_id=client.user.id).update(authenticated_at=timezone.now() - timedelta(hours=1))


def mfa_required(tenant: Tenant) -> None:
    """The tenant asks everybody for a second factor; nobody's session ends by this."""
    with bind(tenant.ref):
        OrgSetting.objects.update_or_create(key="security.mfa_required", defaults={"value": True})


def give_password(client: Api, address: str = "") -> Any:
    """The answer to the person's right password, from a device that nobody knows."""
    body = {"email": client.user.email, "password": PASSWORD, "tenantSlug": client.tenant.slug}
    return Api(address=address).post("/auth/login", body)


def mfa_token_of(client: Api) -> str:
    """The token that a right password gives: for a code, or for setting up a second factor."""
    answer = give_password(client).json()
    token = answer["data"]["mfaToken"] if answer["success"] else answer["error"]["context"]["mfaToken"]
    return str(token)


def verify(token: str, code: str) -> Any:
    return Api().post("/auth/mfa/verify", {"mfaToken": token, "code": code})


def code_of(answer: Any) -> str:
    """The error's code."""
    return str(answer.json()["error"]["code"])


def user_again(client: Api) -> User:
    with bind(client.tenant.ref):
        return User.objects.get(pk=client.user.id)
