"""Every writing operation, as support that is signed in as an administrator.

An operation that is in neither list fails the suite: adding one means saying here
whether support may do it in somebody's name. What a view does not say is refused.
"""

from typing import Any

import pytest

from accounts.tests.impersonating import impersonating
from platform_site.api.impersonating import WhenImpersonated, rule_of
from platform_site.api.permissions import access_of
from tests.policy import TABLE, Row, World
from tests.support import error
from tests.test_permission_table import METHODS, routes

# Work on the workspace's records and set-up, which is seen and can be undone, and methods that only look.
ALLOWED = {
    "POST /auth/ws-ticket",
    "POST /chat/sync",
    "POST /entity-registry/auto-link",
    "POST /entity-registry/link",
    "POST /entity-registry/merge",
    "POST /entity-registry/merges/:merge_id/undo",
    "POST /entity-registry/register",
    "POST /entity-registry/:canonical_id/duplicates/:other_id/dismiss",
    "PATCH /entity-registry/:canonical_id",
    "PUT /entity-registry/:canonical_id",
    "DELETE /entity-registry/links/:link_id",
    "POST /me/action-items/:item_id/done",
    "PUT /action-items/:app/:key",
    "DELETE /action-items/:app/:key",
    "POST /notifications/preferences",
    "PUT /notifications/preferences",
    "PATCH /notifications/preferences",
    "PUT /notifications/preferences/dnd",
    "PATCH /notifications/preferences/dnd",
    "PUT /notifications/analytics/digest/settings",
    "PATCH /notifications/analytics/digest/settings",
    "POST /notifications/templates/:template/customize",
    "PUT /notifications/templates/:template/customize",
    "PATCH /notifications/templates/:template/customize",
    "POST /notifications/templates/:template/preview",
    "DELETE /notifications/templates/:template/override",
    "POST /platform-events",
    "POST /platform-events/batch",
    "POST /setup-hub/auto-check",
    "POST /setup-hub/complete",
    "PUT /setup-hub/complete",
    "PATCH /setup-hub/complete",
    "POST /setup-hub/tasks/:task_code",
    "PUT /setup-hub/tasks/:task_code",
    "PATCH /setup-hub/tasks/:task_code",
}
# Who somebody is and what they may, what they say and have read, what they pay, and what cannot be undone.
REFUSED = {
    "POST /auth/logout-all",
    "POST /auth/password/change",
    "POST /auth/reauthenticate",
    "DELETE /auth/sessions/:session_id",
    "POST /auth/mfa/totp",
    "POST /auth/mfa/totp/confirm",
    "DELETE /auth/mfa/totp",
    "POST /auth/mfa/recovery-codes",
    "PATCH /auth/me/profile",
    "PUT /auth/me/profile",
    "PATCH /auth/me/preferences",
    "PUT /auth/me/preferences",
    "POST /users",
    "PATCH /users/:ref",
    "PUT /users/:ref",
    "DELETE /users/:ref",
    "POST /users/:ref/activate",
    "PUT /users/:ref/activate",
    "PATCH /users/:ref/activate",
    "POST /users/:ref/resend-invitation",
    "DELETE /users/:ref/permanent",
    "DELETE /users/:ref/mfa",
    "POST /profiles",
    "PATCH /profiles/:profile_id",
    "PUT /profiles/:profile_id",
    "DELETE /profiles/:profile_id",
    "POST /profiles/:profile_id/activate",
    "PUT /profiles/:profile_id/activate",
    "PATCH /profiles/:profile_id/activate",
    "POST /api-keys",
    "DELETE /api-keys/:key_id",
    "PUT /org-settings/:key",
    "PATCH /org-settings/:key",
    "POST /notifications/mark-all-read",
    "PUT /notifications/mark-all-read",
    "PATCH /notifications/mark-all-read",
    "POST /notifications/:notification_id/read",
    "PUT /notifications/:notification_id/read",
    "PATCH /notifications/:notification_id/read",
    "DELETE /notifications/:notification_id",
    "PUT /notifications/preferences/defaults",
    "PATCH /notifications/preferences/defaults",
    "PUT /notifications/preferences/tracking-consent",
    "PATCH /notifications/preferences/tracking-consent",
    "POST /notifications/send",
    "PUT /settings/email/smtp",
    "PATCH /settings/email/smtp",
    "POST /settings/email/smtp",
    "POST /settings/email/smtp/test",
    "PUT /settings/email/sender",
    "PATCH /settings/email/sender",
    "PUT /settings/email/tracking",
    "PATCH /settings/email/tracking",
    "PUT /settings/email/compliance",
    "PATCH /settings/email/compliance",
    "PUT /settings/email/footer",
    "PATCH /settings/email/footer",
    "PUT /settings/email/deliverability",
    "PATCH /settings/email/deliverability",
    "DELETE /settings/email/suppressions/:suppression_id",
    "POST /chat/read-all",
    "POST /chat/channels/direct",
    "POST /chat/channels/group",
    "PUT /chat/channels/:channel_id",
    "PATCH /chat/channels/:channel_id",
    "POST /chat/channels/:channel_id/read",
    "PUT /chat/channels/:channel_id/read",
    "PATCH /chat/channels/:channel_id/read",
    "POST /chat/channels/:channel_id/leave",
    "POST /chat/channels/:channel_id/members",
    "DELETE /chat/channels/:channel_id/members/:ref",
    "POST /chat/channels/:channel_id/messages",
    "PUT /chat/channels/:channel_id/messages/:message_id",
    "PATCH /chat/channels/:channel_id/messages/:message_id",
    "DELETE /chat/channels/:channel_id/messages/:message_id",
    "PUT /chat/channels/:channel_id/messages/:message_id/reactions/:emoji",
    "DELETE /chat/channels/:channel_id/messages/:message_id/reactions/:emoji",
    "DELETE /entity-registry/:canonical_id",
    "POST /billing/checkout",
    "POST /billing/portal",
    "POST /billing/cancel",
    "POST /billing/resume",
    "POST /billing/change-plan",
    "POST /billing/sync",
}
# They take no token of a session, so there is nobody who could be impersonated. Signing out looks at it itself.
OF_NOBODY = {
    "POST /auth/login",
    "POST /auth/refresh",
    "POST /auth/logout",
    "POST /auth/verify-email/:token",
    "POST /auth/resend-verification",
    "POST /auth/password/forgot",
    "POST /auth/password/reset",
    "POST /auth/workspaces/forgot",
    "POST /auth/impersonate",
    "POST /auth/mfa/verify",
    "POST /auth/mfa/enroll",
    "POST /auth/mfa/enroll/confirm",
    "POST /users/accept-invitation",
    "POST /notifications/unsubscribe/:token",
    "POST /email/webhooks/:provider",
    "POST /billing/webhook",
    "POST /tenants/register",
}
# What people write to each other, which the workspace has to open first.
MESSAGES = {
    "GET /chat/channels",
    "GET /chat/channels/:channel_id",
    "GET /chat/channels/:channel_id/messages",
    "GET /chat/search",
    "POST /chat/sync",
}
JUDGED = [row for row in TABLE if row.name not in OF_NOBODY]


def test_every_writing_operation_is_judged_once() -> None:
    there = {f"{method} {path}" for path, view in routes() for method in METHODS if hasattr(view, method.lower())}
    writing = {name for name in there if not name.startswith("GET ")}
    assert sorted([*ALLOWED, *REFUSED, *OF_NOBODY]) == sorted(writing)
    assert there >= MESSAGES


def test_the_table_and_the_views_agree() -> None:
    for path, view in routes():
        for method in METHODS:
            name = f"{method} {path}"
            rule = rule_of(view.when_impersonated, method)
            access = access_of(view, method)
            if not hasattr(view, method.lower()) or (access is not None and access.public):
                continue
            if name in MESSAGES:
                assert rule is WhenImpersonated.MESSAGES, name
            elif method != "GET":
                assert (rule is WhenImpersonated.WORKS) == (name in ALLOWED), name


@pytest.mark.parametrize("row", JUDGED, ids=[row.name for row in JUDGED])
def test_support_is_answered_as_the_table_says(row: Row, tenant: Any, other_tenant: Any) -> None:
    world = World(tenant, other_tenant, row)
    support = impersonating(world.client("admin"))
    answer = support.call(row.method, world.fill(row.url), world.fill(row.body) if row.method != "GET" else None)
    if row.name in REFUSED | MESSAGES:
        assert error(answer) == (403, "not_while_impersonating")
    else:
        assert answer.status_code == row.expected("admin"), answer.content
