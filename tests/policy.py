"""The policy table: for every route and method, who may call it and what the others get.

It is read in two ways: ``test_permission_table`` runs every row as every
persona, and fails for a route that is not here. Braces in a path or a body name
something in the ``World`` that each test makes.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support import COMPANY, PASSWORD, Api, signed_in

ANYBODY, SIGNED_IN = "anybody", "signed in"
ROLES = ("user", "manager", "admin")
PERSONAS = ("nobody", *ROLES, "pending", "inactive", "suspended", "foreign admin", "key", "small key")
# The one permission of the small key; "key" holds every permission that a key can hold.
SMALL_KEY_HOLDS = "users.view"
RANKS = {"user": 1, "manager": 2, "tenant_admin": 3}


@dataclass(frozen=True)
class Row:
    """``status`` is what those who may call get with ``body``.

    ``who`` is ANYBODY, SIGNED_IN (any person, no API key), or the permission it
    takes. ``person``: no API key may, whatever its permissions. ``foreign`` is
    what an administrator of another tenant gets who names this tenant's things;
    without it, what everybody gets. ``but`` are exceptions by persona.
    """

    method: str
    route: str
    who: str
    status: int
    path: str = ""
    body: Any = field(default_factory=dict)
    person: bool = False
    foreign: int = 0
    but: Mapping[str, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.method} {self.route}"

    @property
    def url(self) -> str:
        return self.path or self.route

    def expected(self, persona: str) -> int:
        """The status that this persona gets."""
        if persona in self.but:
            return self.but[persona]
        if self.who == ANYBODY:
            return self.status
        if persona in ("nobody", "pending", "inactive"):
            return 401
        if persona == "suspended":
            return 403
        if persona == "foreign admin":
            return self.foreign or self.status
        if persona in ("key", "small key"):
            holds = self.who != SIGNED_IN and (persona == "key" or self.who == SMALL_KEY_HOLDS)
            return self.status if holds and not self.person else 403
        return self.status if self._role_may(persona) else 403

    def _role_may(self, persona: str) -> bool:
        from platform_site.permissions import permissions

        needed = "user" if self.who == SIGNED_IN else permissions.get(self.who).min_role
        return RANKS[{"admin": "tenant_admin"}.get(persona, persona)] >= RANKS[needed]


SELECTION = {"planId": "pro", "interval": "monthly"}
SIGN_IN = {"email": "user@acme.test", "password": PASSWORD, "tenantSlug": COMPANY}
REGISTER = {
    "companyName": "Initech",
    "slug": "initech",
    "adminEmail": "a@initech.test",
    "adminPassword": "secure-password",
}
NEW_PASSWORD = "quite another sentence"
ADDRESS = {"email": "user@acme.test", "tenantSlug": COMPANY}
TEMPLATE = "sales.lead_assigned:email"
PREFERENCE = {"eventKey": "sales.lead_assigned", "channel": "email", "enabled": False}
DEFAULT = {"eventKey": "sales.lead_assigned", "channel": "email", "defaultEnabled": False}
QUIET = {"enabled": True, "startTime": "22:00", "endTime": "08:00", "timezone": "America/New_York"}
MAIL_MANAGER = "email_settings.manage"
SMTP = {"host": "smtp.example.com", "fromEmail": "crm@example.com", "username": "m", "password": "p"}
RAISED = {"eventKey": "sales.lead_assigned", "userIds": ["{target}"], "data": {"leadName": "Acme"}}
MESSAGES, MESSAGE = "/chat/channels/:channel_id/messages", "/chat/channels/{channel}/messages/{message}"
AN_ENTITY, ITS_PATH = "/entity-registry/:canonical_id", "/entity-registry/{entity}"
AN_APPS = {"app": "sales", "entityType": "lead", "entityId": 43}
HAPPENED = {"canonicalId": "{entity}", "app": "sales", "category": "engagement", "action": "email_opened"}
TO_DO = {"assignee": "{target}", "title": "Call Jane Doe back"}
SETUP, A_TASK = "setup_hub.manage", "/setup-hub/tasks/chat.first_channel"
# It checks the token itself, because an expired one must be able to sign out; ending it twice is fine.
_OWN_CHECK = {"nobody": 401, "pending": 200, "inactive": 200, "suspended": 200, "key": 401, "small key": 401}

TABLE = [
    Row("POST", "/auth/login", ANYBODY, 200, body=SIGN_IN, but={"suspended": 403}),
    Row("POST", "/auth/refresh", ANYBODY, 401, body={"refreshToken": "x"}),
    Row("POST", "/auth/logout", SIGNED_IN, 200, but=_OWN_CHECK),
    Row("POST", "/auth/logout-all", SIGNED_IN, 200),
    Row("POST", "/auth/verify-email/:token", ANYBODY, 400, "/auth/verify-email/x"),
    Row("GET", "/auth/verify-email/:token", ANYBODY, 400, "/auth/verify-email/x"),
    Row("POST", "/auth/resend-verification", ANYBODY, 202, body=ADDRESS),
    Row("POST", "/auth/password/forgot", ANYBODY, 202, body=ADDRESS),
    Row("POST", "/auth/password/reset", ANYBODY, 400, body={"token": "x", "password": NEW_PASSWORD}),
    Row(
        "POST",
        "/auth/password/change",
        SIGNED_IN,
        200,
        body={"currentPassword": PASSWORD, "newPassword": NEW_PASSWORD},
    ),
    Row("POST", "/auth/workspaces/forgot", ANYBODY, 202, body={"email": "user@acme.test"}),
    Row("POST", "/auth/impersonate", ANYBODY, 401, body={"code": "x"}),
    Row("POST", "/auth/reauthenticate", SIGNED_IN, 200, body={"password": PASSWORD}),
    Row("GET", "/auth/sessions", SIGNED_IN, 200),
    Row("DELETE", "/auth/sessions/:session_id", SIGNED_IN, 200, "/auth/sessions/{session}", foreign=404),
    Row("GET", "/auth/mfa", SIGNED_IN, 200),
    Row("POST", "/auth/mfa/totp", SIGNED_IN, 200),
    Row("POST", "/auth/mfa/totp/confirm", SIGNED_IN, 409, body={"code": "123456"}),
    Row("DELETE", "/auth/mfa/totp", SIGNED_IN, 409),
    Row("POST", "/auth/mfa/verify", ANYBODY, 401, body={"mfaToken": "x", "code": "123456"}),
    Row("POST", "/auth/mfa/enroll", ANYBODY, 401, body={"mfaToken": "x"}),
    Row("POST", "/auth/mfa/enroll/confirm", ANYBODY, 401, body={"mfaToken": "x", "code": "123456"}),
    Row("POST", "/auth/mfa/recovery-codes", SIGNED_IN, 409),
    Row("POST", "/auth/ws-ticket", SIGNED_IN, 200),
    Row("GET", "/auth/me", SIGNED_IN, 200),
    Row("GET", "/auth/me/profile", SIGNED_IN, 200),
    Row("PATCH", "/auth/me/profile", SIGNED_IN, 200, body={"timezone": "Europe/Berlin"}),
    Row("PUT", "/auth/me/profile", SIGNED_IN, 200, body={"timezone": "Europe/Berlin"}),
    Row("GET", "/auth/me/preferences", SIGNED_IN, 200),
    Row("PATCH", "/auth/me/preferences", SIGNED_IN, 200, body={"theme": "dark"}),
    Row("PUT", "/auth/me/preferences", SIGNED_IN, 200, body={"theme": "dark"}),
    Row("POST", "/users", "users.invite", 201, body={"email": "new@example.test", "firstName": "N", "role": "user"}),
    Row("GET", "/users", "users.view", 200),
    Row("GET", "/users/profiles", "users.view", 200),
    Row("GET", "/users/me", SIGNED_IN, 200),
    Row("GET", "/users/:ref", "users.view", 200, "/users/{target}", foreign=404),
    Row("PATCH", "/users/:ref", "users.edit", 200, "/users/{target}", {"firstName": "New"}, foreign=404),
    Row("PUT", "/users/:ref", "users.edit", 200, "/users/{target}", {"firstName": "New"}, foreign=404),
    Row("DELETE", "/users/:ref", "users.deactivate", 200, "/users/{target}", foreign=404),
    Row("POST", "/users/:ref/activate", "users.deactivate", 200, "/users/{inactive}/activate", foreign=404),
    Row("PUT", "/users/:ref/activate", "users.deactivate", 200, "/users/{inactive}/activate", foreign=404),
    Row("PATCH", "/users/:ref/activate", "users.deactivate", 200, "/users/{inactive}/activate", foreign=404),
    Row(
        "POST",
        "/users/:ref/resend-invitation",
        "users.invite",
        202,
        "/users/{pending}/resend-invitation",
        foreign=404,
        but={"manager": 403, "key": 403},
    ),
    Row("POST", "/users/accept-invitation", ANYBODY, 400, body={"token": "x", "password": NEW_PASSWORD}),
    Row(
        "DELETE",
        "/users/:ref/permanent",
        "users.deactivate",
        200,
        "/users/{inactive}/permanent",
        person=True,
        foreign=404,
    ),
    Row("DELETE", "/users/:ref/mfa", "users.deactivate", 409, "/users/{target}/mfa", person=True, foreign=404),
    Row("GET", "/profiles", "profiles.view", 200),
    Row("GET", "/profiles/permissions", "profiles.view", 200),
    Row("GET", "/profiles/:profile_id", "profiles.view", 200, "/profiles/{profile}", foreign=404),
    Row("POST", "/profiles", "profiles.manage", 201, body={"name": "Support", "permissions": [1, 5]}),
    Row("PATCH", "/profiles/:profile_id", "profiles.manage", 200, "/profiles/{profile}", {"name": "X"}, foreign=404),
    Row("PUT", "/profiles/:profile_id", "profiles.manage", 200, "/profiles/{profile}", {"name": "X"}, foreign=404),
    Row("DELETE", "/profiles/:profile_id", "profiles.manage", 200, "/profiles/{profile}", foreign=404),
    Row("POST", "/profiles/:profile_id/activate", "profiles.manage", 200, "/profiles/102/activate", foreign=404),
    Row("PUT", "/profiles/:profile_id/activate", "profiles.manage", 200, "/profiles/102/activate", foreign=404),
    Row("PATCH", "/profiles/:profile_id/activate", "profiles.manage", 200, "/profiles/102/activate", foreign=404),
    Row("GET", "/permissions/me", SIGNED_IN, 200),
    Row("GET", "/api-keys", "api_keys.manage", 200, person=True),
    Row("POST", "/api-keys", "api_keys.manage", 201, body={"name": "CRM", "permissions": [1]}, person=True),
    Row("DELETE", "/api-keys/:key_id", "api_keys.manage", 200, "/api-keys/{api_key}", person=True, foreign=404),
    Row("GET", "/audit", "audit.view", 200),
    Row("GET", "/org-settings", "org_settings.view", 200),
    Row("GET", "/org-settings/by-category/:category", "org_settings.view", 200, "/org-settings/by-category/company"),
    Row("GET", "/org-settings/:key", "org_settings.view", 200, "/org-settings/company.date_format"),
    Row(
        "PUT",
        "/org-settings/:key",
        "org_settings.manage",
        200,
        "/org-settings/company.date_format",
        {"value": "dd.MM.yyyy"},
    ),
    Row(
        "PATCH",
        "/org-settings/:key",
        "org_settings.manage",
        200,
        "/org-settings/company.date_format",
        {"value": "dd.MM.yyyy"},
    ),
    Row("GET", "/notifications", SIGNED_IN, 200),
    Row("GET", "/notifications/unread-count", SIGNED_IN, 200),
    *(Row(method, "/notifications/mark-all-read", SIGNED_IN, 200) for method in ("POST", "PUT", "PATCH")),
    *(
        Row(
            method,
            "/notifications/:notification_id/read",
            SIGNED_IN,
            200,
            "/notifications/{notification}/read",
            foreign=404,
        )
        for method in ("POST", "PUT", "PATCH")
    ),
    Row("DELETE", "/notifications/:notification_id", SIGNED_IN, 200, "/notifications/{notification}", foreign=404),
    Row("GET", "/notifications/preferences/catalog", SIGNED_IN, 200),
    Row("GET", "/notifications/preferences", SIGNED_IN, 200),
    *(
        Row(method, "/notifications/preferences", SIGNED_IN, 200, body=PREFERENCE)
        for method in ("POST", "PUT", "PATCH")
    ),
    Row("GET", "/notifications/preferences/dnd", SIGNED_IN, 200),
    *(Row(method, "/notifications/preferences/dnd", SIGNED_IN, 200, body=QUIET) for method in ("PUT", "PATCH")),
    Row("GET", "/notifications/preferences/defaults", "notification_defaults.manage", 200),
    *(
        Row(method, "/notifications/preferences/defaults", "notification_defaults.manage", 200, body=DEFAULT)
        for method in ("PUT", "PATCH")
    ),
    Row("GET", "/notifications/templates", SIGNED_IN, 200),
    Row("GET", "/notifications/templates/:template", SIGNED_IN, 200, f"/notifications/templates/{TEMPLATE}"),
    *(
        Row(
            method,
            "/notifications/templates/:template/customize",
            "notification_templates.manage",
            200,
            f"/notifications/templates/{TEMPLATE}/customize",
            {"subject": "Hello"},
        )
        for method in ("POST", "PUT", "PATCH")
    ),
    *(
        Row(
            method,
            "/notifications/templates/:template/preview",
            SIGNED_IN,
            200,
            f"/notifications/templates/{TEMPLATE}/preview",
        )
        for method in ("GET", "POST")
    ),
    Row(
        "DELETE",
        "/notifications/templates/:template/override",
        "notification_templates.manage",
        200,
        f"/notifications/templates/{TEMPLATE}/override",
    ),
    Row("GET", "/notifications/analytics", SIGNED_IN, 200),
    Row("GET", "/notifications/analytics/digest", SIGNED_IN, 200),
    Row("GET", "/notifications/analytics/digest/settings", SIGNED_IN, 200),
    *(
        Row(method, "/notifications/analytics/digest/settings", SIGNED_IN, 200, body={"frequency": "daily"})
        for method in ("PUT", "PATCH")
    ),
    Row("GET", "/notifications/preferences/tracking-consent", SIGNED_IN, 200),
    *(
        Row(method, "/notifications/preferences/tracking-consent", SIGNED_IN, 200, body={"consent": True})
        for method in ("PUT", "PATCH")
    ),
    *(
        Row(method, "/notifications/unsubscribe/:token", ANYBODY, 200, "/notifications/unsubscribe/{unsubscribe}")
        for method in ("GET", "POST")
    ),
    # No provider is set up here; who reports is for the provider's signature to say.
    Row("POST", "/email/webhooks/:provider", ANYBODY, 404, "/email/webhooks/mailgun"),
    Row("POST", "/notifications/send", "notifications.send", 202, body=RAISED, foreign=400),
    Row("GET", "/settings/email/smtp", MAIL_MANAGER, 200),
    *(Row(method, "/settings/email/smtp", MAIL_MANAGER, 200, body=SMTP) for method in ("PUT", "PATCH", "POST")),
    Row("POST", "/settings/email/smtp/test", MAIL_MANAGER, 409, person=True),
    *(
        row
        for section in ("sender", "tracking", "compliance", "footer", "deliverability")
        for row in (
            Row("GET", f"/settings/email/{section}", SIGNED_IN, 200),
            Row("PUT", f"/settings/email/{section}", MAIL_MANAGER, 200),
            Row("PATCH", f"/settings/email/{section}", MAIL_MANAGER, 200),
        )
    ),
    Row("GET", "/settings/email/status", SIGNED_IN, 200),
    Row("GET", "/settings/email/suppressions", MAIL_MANAGER, 200),
    Row(
        "DELETE",
        "/settings/email/suppressions/:suppression_id",
        MAIL_MANAGER,
        200,
        "/settings/email/suppressions/{suppression}",
        foreign=404,
    ),
    Row("GET", "/chat/users", SIGNED_IN, 200),
    Row("GET", "/chat/unread-count", SIGNED_IN, 200),
    Row("POST", "/chat/read-all", SIGNED_IN, 200),
    Row("GET", "/chat/channels", SIGNED_IN, 200),
    Row("POST", "/chat/channels/direct", SIGNED_IN, 201, body={"userId": "{target}"}, foreign=404),
    # There are a first and a second person in every tenant.
    Row("POST", "/chat/channels/group", SIGNED_IN, 201, body={"name": "Project Alpha", "memberIds": [1, 2]}),
    Row("GET", "/chat/channels/:channel_id", SIGNED_IN, 200, "/chat/channels/{channel}", foreign=404),
    *(
        Row(
            method, "/chat/channels/:channel_id", SIGNED_IN, 200, "/chat/channels/{channel}", {"name": "B"}, foreign=404
        )
        for method in ("PUT", "PATCH")
    ),
    *(
        Row(method, "/chat/channels/:channel_id/read", SIGNED_IN, 200, "/chat/channels/{channel}/read", foreign=404)
        for method in ("POST", "PUT", "PATCH")
    ),
    Row("POST", "/chat/channels/:channel_id/leave", SIGNED_IN, 200, "/chat/channels/{channel}/leave", foreign=404),
    Row("GET", "/chat/channels/:channel_id/members", SIGNED_IN, 200, "/chat/channels/{channel}/members", foreign=404),
    Row(
        "POST",
        "/chat/channels/:channel_id/members",
        SIGNED_IN,
        200,
        "/chat/channels/{channel}/members",
        {"memberIds": ["{manager}"]},
        foreign=404,
    ),
    Row(
        "DELETE",
        "/chat/channels/:channel_id/members/:ref",
        SIGNED_IN,
        200,
        "/chat/channels/{channel}/members/{target}",
        foreign=404,
    ),
    Row("GET", MESSAGES, SIGNED_IN, 200, "/chat/channels/{channel}/messages", foreign=404),
    Row("POST", MESSAGES, SIGNED_IN, 201, "/chat/channels/{channel}/messages", {"content": "Hello"}, foreign=404),
    *(
        Row(method, f"{MESSAGES}/:message_id", SIGNED_IN, 200, MESSAGE, {"content": "Changed"}, foreign=404)
        for method in ("PUT", "PATCH")
    ),
    Row("DELETE", f"{MESSAGES}/:message_id", SIGNED_IN, 200, MESSAGE, foreign=404),
    *(
        Row(method, f"{MESSAGES}/:message_id/reactions/:emoji", SIGNED_IN, 200, f"{MESSAGE}/reactions/👍", foreign=404)
        for method in ("PUT", "DELETE")
    ),
    Row("GET", "/chat/search", SIGNED_IN, 200, "/chat/search?q=hello"),
    Row("POST", "/chat/sync", SIGNED_IN, 200, body={"since": {}}),
    # No Stripe is set up here: who may gets as far as that.
    Row("GET", "/billing/status", SIGNED_IN, 200),
    Row("GET", "/billing/plans", ANYBODY, 200),
    Row("POST", "/billing/checkout", "billing.manage", 503, body=SELECTION, person=True),
    Row("POST", "/billing/portal", "billing.manage", 503, person=True),
    Row("POST", "/billing/cancel", "billing.manage", 503, person=True),
    Row("POST", "/billing/resume", "billing.manage", 503, person=True),
    Row("POST", "/billing/change-plan", "billing.manage", 503, body=SELECTION, person=True),
    Row("POST", "/billing/sync", "billing.manage", 503, person=True),
    Row("GET", "/billing/invoices", "billing.manage", 503, person=True),
    Row("POST", "/billing/webhook", ANYBODY, 503),
    Row("POST", "/platform-events", "events.write", 201, body=HAPPENED, foreign=404),
    Row("POST", "/platform-events/batch", "events.write", 201, body={"events": [HAPPENED]}, foreign=422),
    *(
        Row(
            "GET",
            f"/platform-events/:canonical_id{part}",
            "events.view",
            200,
            f"/platform-events/{{entity}}{part}",
            foreign=404,
        )
        for part in ("", "/summary", "/activity-summary")
    ),
    Row("GET", "/entity-registry/search", "registry.view", 200, "/entity-registry/search?q=jane"),
    *(Row("GET", f"/entity-registry/{part}", "registry.view", 200) for part in ("list", "duplicates", "changes")),
    Row(
        "GET",
        "/entity-registry/by-entity/:app/:entity_type/:entity_id",
        "registry.view",
        200,
        "/entity-registry/by-entity/sales/lead/42",
        foreign=404,
    ),
    *(
        Row("GET", f"{AN_ENTITY}{part}", "registry.view", 200, f"{ITS_PATH}{part}", foreign=404)
        for part in ("", "/genealogy", "/profile", "/merges", "/duplicates")
    ),
    Row("GET", f"{AN_ENTITY}/timeline", "events.view", 200, f"{ITS_PATH}/timeline", foreign=404),
    Row("GET", f"{AN_ENTITY}/export", "registry.erase", 200, f"{ITS_PATH}/export", foreign=404),
    Row("POST", "/entity-registry/register", "registry.edit", 201, body={"name": "Jane", **AN_APPS}),
    Row("POST", "/entity-registry/auto-link", "registry.edit", 201, body={"email": "j@company.com", **AN_APPS}),
    Row(
        "POST", "/entity-registry/link", "registry.edit", 201, body={"canonicalId": "{entity}", **AN_APPS}, foreign=404
    ),
    Row(
        "POST",
        "/entity-registry/merge",
        "registry.merge",
        200,
        body={"winnerId": "{entity}", "loserId": "{other_entity}"},
        foreign=404,
    ),
    Row(
        "POST",
        "/entity-registry/merges/:merge_id/undo",
        "registry.merge",
        200,
        "/entity-registry/merges/{merge}/undo",
        foreign=404,
    ),
    Row(
        "POST",
        f"{AN_ENTITY}/duplicates/:other_id/dismiss",
        "registry.merge",
        200,
        f"{ITS_PATH}/duplicates/{{other_entity}}/dismiss",
        foreign=404,
    ),
    Row(
        "DELETE",
        "/entity-registry/links/:link_id",
        "registry.unlink",
        200,
        "/entity-registry/links/{entity_link}",
        foreign=404,
    ),
    *(
        Row(method, AN_ENTITY, "registry.edit", 200, ITS_PATH, {"locked": True}, foreign=404)
        for method in ("PATCH", "PUT")
    ),
    Row("DELETE", AN_ENTITY, "registry.erase", 200, ITS_PATH, foreign=404),
    Row("GET", "/me/unread-counts", SIGNED_IN, 200),
    Row("GET", "/me/action-items", SIGNED_IN, 200),
    Row("POST", "/me/action-items/:item_id/done", SIGNED_IN, 200, "/me/action-items/{item}/done", foreign=404),
    Row("PUT", "/action-items/:app/:key", "action_items.write", 201, "/action-items/sales/lead-1", TO_DO, foreign=400),
    Row("DELETE", "/action-items/:app/:key", "action_items.write", 200, "/action-items/sales/theirs", foreign=404),
    Row("GET", "/setup-hub", SIGNED_IN, 200),
    *(
        Row(method, "/setup-hub/tasks/:task_code", SETUP, 200, A_TASK, {"status": "skipped"}, person=True)
        for method in ("PATCH", "PUT", "POST")
    ),
    Row("POST", "/setup-hub/auto-check", SETUP, 200, person=True),
    *(Row(method, "/setup-hub/complete", SETUP, 409, person=True) for method in ("POST", "PUT", "PATCH")),
    Row("POST", "/tenants/register", ANYBODY, 201, body=REGISTER),
    Row("GET", "/tenants/me", SIGNED_IN, 200),
    Row("GET", "/tenants/by-slug/:slug", ANYBODY, 200, "/tenants/by-slug/acme"),
    Row("GET", "/tenants/check-slug/:slug", ANYBODY, 200, "/tenants/check-slug/acme"),
    Row("GET", "/health", ANYBODY, 200),
    Row("GET", "/health/system", ANYBODY, 200),
    Row("GET", "/health/services", SIGNED_IN, 200),
    Row("GET", "/health/live", ANYBODY, 200),
    Row("GET", "/health/ready", ANYBODY, 200),
]


class World:
    """What a row may name: people in every state, a profile, a key, sessions. All of the first tenant.

    All of it is there once, as the administrator's; what the row names is made anew for each persona whose own it is.
    Records of the registry are there for the rows that can show them.
    """

    def __init__(self, tenant: Any, other_tenant: Any, row: Row) -> None:
        from django.db import transaction

        from accounts.models import ApiKey, CustomProfile, User
        from accounts.roles import Role
        from accounts.services.passwords import password_hash
        from accounts.services.people import user_create
        from platform_site.binding import bind

        self.tenant, self.other_tenant = tenant, other_tenant
        text = f"{row.url}{row.body}"
        # A message is said in a channel.
        self._own = {name for name in _OWN if f"{{{name}}}" in text or (name == "channel" and "{message}" in text)}
        with bind(tenant.ref), transaction.atomic():
            for name, role, status in (
                ("manager", Role.MANAGER, User.Status.ACTIVE),
                ("pending", Role.USER, User.Status.PENDING),
                ("inactive", Role.USER, User.Status.INACTIVE),
                ("target", Role.USER, User.Status.ACTIVE),
            ):
                user_create(
                    email=f"{name}@{COMPANY}.test",
                    first_name=name.title(),
                    role=role,
                    status=status,
                    password=password_hash(PASSWORD),
                )
            self.names = {name: User.objects.get(email_key=f"{name}@{COMPANY}.test").uuid for name in _PEOPLE}
            profile = CustomProfile.objects.create(id=101, name="Sales", name_key="sales", permissions=[1, 5])
            self.names["profile"] = profile.id
            CustomProfile.objects.create(id=102, name="Old", name_key="old", permissions=[], is_active=False)
            admin = User.objects.get(uuid=self.names["admin"])
            key = ApiKey.objects.create(name="CRM", permissions=[1], created_by=admin, secret_hash=b"", key_id="k1")
            self.names["api_key"] = key.id

        self.names["suppression"] = self._suppression()
        self.names["unsubscribe"] = self._unsubscribe()
        if row.route.startswith(("/entity-registry", "/platform-events")):
            self.names.update(self._registry())
        self._make("admin", _OWN)
        self._everybodys = self.names

    def _make(self, person: str, wanted: Collection[str]) -> None:
        """These things, as this person's."""
        for name, make in _OWN.items():
            if name in wanted:
                self.names[name] = make(self, f"{person}@{COMPANY}.test")

    def client(self, persona: str) -> Api:
        """Somebody of this kind. ``{session}``, ``{channel}`` and the like are theirs, or the administrator's."""
        person = _SIGN_IN_AS.get(persona, "admin")
        self.names = dict(self._everybodys)
        if person != "admin":
            self._make(person, self._own)
        if persona == "nobody":
            return Api()
        if persona in ("key", "small key"):
            return Api(token=self._key(everything=persona == "key"))
        tenant = self.other_tenant if persona == "foreign admin" else self.tenant
        client = signed_in(tenant, f"{person}@{tenant.slug}.test")
        if persona == "suspended":
            from tenancy.services import tenant_suspend

            tenant_suspend(tenant_id=self.tenant.id, reason="test")
        return client

    def _session(self, email: str) -> Any:
        from accounts.models import Session
        from platform_site.binding import bind

        signed_in(self.tenant, email)
        with bind(self.tenant.ref):
            return Session.objects.filter(user__email_key=email).latest("id").id

    def _notification(self, email: str) -> Any:
        from accounts.models import User
        from notifications.models import Notification
        from platform_site.binding import bind

        with bind(self.tenant.ref):
            person = User.objects.get(email_key=email)
            return Notification.objects.create(user=person, event_key="sales.lead_assigned", title="New lead").id

    def _item(self, email: str) -> Any:
        """What a module wants this person to do."""
        from accounts.models import User
        from platform_site.binding import bind
        from platform_site.me.models import StoredItem

        with bind(self.tenant.ref):
            to_do = {"assignee": User.objects.get(email_key=email), "type": "task", "title": "Call", "priority": 1}
            return StoredItem.objects.update_or_create(app="sales", key="theirs", defaults=to_do)[0].id

    def _channel(self, email: str) -> Any:
        """A group of this person, with the target in it."""
        from accounts.models import User
        from chat.models import Channel, Member
        from platform_site.binding import bind

        with bind(self.tenant.ref):
            owner, target = User.objects.get(email_key=email), User.objects.get(uuid=self.names["target"])
            channel = Channel.objects.create(kind=Channel.Kind.GROUP, name="Project", created_by=owner)
            Member.objects.create(user=owner, channel=channel, role=Member.Role.OWNER)
            Member.objects.create(user=target, channel=channel)
            return channel.id

    def _message(self, email: str) -> Any:
        """What this person said in that group."""
        from accounts.models import User
        from chat.models import Channel, Message
        from platform_site.binding import bind

        with bind(self.tenant.ref):
            Channel.objects.filter(id=self.names["channel"]).update(last_seq=1)
            sender = User.objects.get(email_key=email)
            return Message.objects.create(channel_id=self.names["channel"], seq=1, sender=sender, content="Hello").id

    def _registry(self) -> dict[str, Any]:
        """A person in the registry with a link and one who was merged into it, and another one."""
        from django.utils import timezone

        from platform_site.binding import bind
        from registry.models import Entity, Link, Merge

        known = {"entity_class": "person", "name": "Jane Doe", "name_key": "jane doe", "search_text": "jane doe"}
        before = {"name": "Jane Doe", "email": "", "attributes": {}, "provenance": {}, "pins": {}}
        with bind(self.tenant.ref):
            one, other = Entity.objects.create(**known, links_count=1), Entity.objects.create(**known)
            lost = Entity.objects.create(**known, status=Entity.Status.MERGED, merged_into=one)
            link = Link.objects.create(
                entity=one,
                origin_id=one.id,
                app="sales",
                entity_type="lead",
                entity_id_in_app="42",
                snapshot_at=timezone.now(),
                method=Link.Method.REGISTER,
            )
            merge = Merge.objects.create(
                winner=one,
                loser=lost,
                pre_image={"merged": [], "winner": before, "loserPins": {}, "winnerPinsAfter": {}, "pairs": []},
            )
        return {"entity": one.id, "other_entity": other.id, "entity_link": link.id, "merge": merge.id}

    def _unsubscribe(self) -> str:
        from notifications.mailing.tokens import EVERYTHING_SCOPE, Purpose, make_mail_token
        from platform_site.binding import bind

        with bind(self.tenant.ref):
            return make_mail_token(Purpose.UNSUBSCRIBE, self.names["target"], EVERYTHING_SCOPE)

    def _suppression(self) -> Any:
        from notifications.models import Suppression
        from platform_site.binding import bind

        with bind(self.tenant.ref):
            row, _ = Suppression.objects.get_or_create(
                address_hash=b"gone", scope=Suppression.Scope.ALL, defaults={"reason": "manual"}
            )
            return row.id

    def _key(self, *, everything: bool) -> str:
        from accounts.services.api_keys import NOT_GRANTABLE
        from platform_site.permissions import permissions

        granted = {item.key for item in permissions} - NOT_GRANTABLE if everything else {SMALL_KEY_HOLDS}
        numbers = [item.number for item in permissions if item.key in granted]
        alice = signed_in(self.tenant, f"admin@{COMPANY}.test")
        made = alice.post("/api-keys", {"name": "robot", "permissions": numbers})
        assert made.status_code == 201, made.content
        return str(made.json()["data"]["key"])

    def fill(self, value: Any) -> Any:
        """Names in braces replaced, in a path or anywhere in a body."""
        if isinstance(value, str):
            return value.format(**self.names)
        if isinstance(value, dict):
            return {name: self.fill(item) for name, item in value.items()}
        if isinstance(value, list):
            return [self.fill(item) for item in value]
        return value


# In the order in which one needs the other.
_OWN: Mapping[str, Callable[[World, str], Any]] = {
    "session": World._session,
    "notification": World._notification,
    "item": World._item,
    "channel": World._channel,
    "message": World._message,
}
_PEOPLE = ("admin", "user", "manager", "pending", "inactive", "target")
_SIGN_IN_AS = {
    "user": "user",
    "manager": "manager",
    "admin": "admin",
    "pending": "pending",
    "inactive": "inactive",
    "suspended": "admin",
    "foreign admin": "admin",
}
