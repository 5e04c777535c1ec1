"""Real values for generated requests, operation by operation.

A generated e-mail address is nobody's, a generated token opens nothing, and a
generated number is nobody's number. A fill puts what is there in their place;
everything else stays as generated.
"""

import itertools
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx
from schemathesis.generation.meta import TestPhase

from accounts.models import LinkToken, User
from tests.contract import world
from tests.support import PASSWORD, Api

PLAN: dict[str, Any] = json.loads(Path(os.environ["CONTRACT_PLAN"]).read_text())
NEW_PASSWORD: Final = "another sentence of words"
MAIL_SERVER: Final = {
    "host": "smtp.acme.example",
    "port": 587,
    "fromEmail": "crm@acme.example",
    "security": "starttls",
    "password": "correct horse battery",
}

_api = httpx.Client(base_url=PLAN["api"], timeout=30)


@dataclass(frozen=True)
class Fill:
    """``always``: not one case may go out as generated.

    It would end the run's own session, or be refused with 400 for what no schema
    can say (a made-up token, a wrong password, a key that stands for another body).
    """

    put: Callable[[Any], None]
    always: bool


FILLS: dict[str, Fill] = {}


def fills(*operations: str, always: bool = False) -> Callable[[Callable[[Any], None]], Callable[[Any], None]]:
    def register(put: Callable[[Any], None]) -> Callable[[Any], None]:
        FILLS.update(dict.fromkeys(operations, Fill(put, always)))
        return put

    return register


def _as(case: Any, somebody: Api) -> Api:
    """Let this person send the request."""
    case.headers = {**(case.headers or {}), "Authorization": f"Bearer {somebody.token}"}
    return somebody


def _goes_on(case: Any) -> bool:
    """Whether the run goes on with what it made itself before."""
    return case.meta is not None and case.meta.phase.name is TestPhase.STATEFUL


def _as_maker(case: Any) -> None:
    """A company with room for one more, but the run's own one where the run goes on with what was made."""
    if not _goes_on(case):
        _as(case, world.administrator())


def _put(case: Any, **values: Any) -> None:
    case.body = {**(case.body if isinstance(case.body, dict) else {}), **values}


def _name(case: Any, **values: Any) -> None:
    """What the path names."""
    case.path_parameters = {**case.path_parameters, **values}


def _own_key(case: Any) -> None:
    """Another body under an old Idempotency-Key is refused; and a key is printable, which only a list could say."""
    key = (case.headers or {}).get("Idempotency-Key")
    if key is not None:
        printable = "".join(character if character.isprintable() else "x" for character in key)
        case.headers["Idempotency-Key"] = f"{printable[:200]}{world.unique('k')}"


def _sign_in(person: dict[str, str]) -> dict[str, Any]:
    response = _api.post("/auth/login", json=person)
    response.raise_for_status()
    tokens: dict[str, Any] = response.json()["data"]
    return tokens


@fills("auth_login")
def _login(case: Any) -> None:
    _put(case, **PLAN["acme"])


@fills("auth_refresh")
def _refresh(case: Any) -> None:
    # The last pair is spent, and the one before it would end the session.
    _put(case, refreshToken=_sign_in(PLAN["acme"])["refreshToken"])


@fills("auth_logout", "auth_logout_all", always=True)
def _own_session(case: Any) -> None:
    _as(case, world.administrator())


@fills("auth_session_end", always=True)
def _another_session(case: Any) -> None:
    somebody = _as(case, world.administrator())
    _name(case, session_id=world.session_of(somebody))


@fills("auth_verify_email", "auth_verify_email_by_get")
def _verify(case: Any) -> None:
    _name(case, token=world.link(LinkToken.Kind.VERIFY_EMAIL))


@fills("auth_password_reset", always=True)
def _reset(case: Any) -> None:
    _put(case, token=world.link(LinkToken.Kind.RESET_PASSWORD), password=NEW_PASSWORD)


@fills("auth_password_change", always=True)
def _change(case: Any) -> None:
    _as(case, world.administrator())
    _put(case, currentPassword=PASSWORD, newPassword=NEW_PASSWORD)


@fills("auth_impersonate")
def _impersonate(case: Any) -> None:
    _put(case, code=world.impersonation_code())


@fills("auth_reauthenticate", always=True)
def _reauthenticate(case: Any) -> None:
    _as(case, world.administrator())
    case.body = {"password": PASSWORD}


@fills("auth_me_profile_update", "auth_me_profile_update_put", always=True)
def _own_profile(case: Any) -> None:
    # Which names are time zones is a list of six hundred.
    if isinstance(case.body, dict) and case.body.get("timezone"):
        _put(case, timezone="Europe/Berlin")
    if isinstance(case.body, dict) and case.body.get("avatarUrl"):
        # Only the present address is let through.
        _put(case, avatarUrl="")


@fills("auth_me_preferences_update", "auth_me_preferences_update_put", always=True)
def _own_preferences(case: Any) -> None:
    # A hundred keys at most, and those of one case stay.
    _as(case, world.administrator())


@fills("auth_mfa_totp_begin")
def _begin(case: Any) -> None:
    _as(case, world.administrator())


@fills("auth_mfa_totp_confirm", always=True)
def _confirm(case: Any) -> None:
    somebody = _as(case, world.administrator())
    _put(case, code=world.begun(somebody.tenant, somebody.user).code())


@fills("auth_mfa_totp_remove", "auth_mfa_recovery_codes")
def _with_second_factor(case: Any) -> None:
    world.enrolled(_as(case, world.administrator()))


@fills("auth_mfa_verify")
def _second_step(case: Any) -> None:
    somebody = world.administrator()
    app = world.enrolled(somebody)
    _put(case, mfaToken=world.second_step(somebody, "verify"), code=app.code())


@fills("auth_mfa_enroll")
def _enroll(case: Any) -> None:
    _put(case, mfaToken=world.second_step(world.administrator(), "enroll"))


@fills("auth_mfa_enroll_confirm")
def _enroll_confirm(case: Any) -> None:
    somebody = world.administrator()
    app = world.begun(somebody.tenant, somebody.user)
    _put(case, mfaToken=world.second_step(somebody, "enroll"), code=app.code())


@fills("users_invite", always=True)
def _invite(case: Any) -> None:
    _as_maker(case)
    _own_key(case)
    _put(case, email=f"{world.unique('new')}@contract.test")
    if "profileId" in case.body:
        _put(case, profileId=1)


@fills("users_get", "users_deactivate", "users_update", "users_update_put", always=True)
def _somebody(case: Any) -> None:
    if not _goes_on(case):
        somebody = _as(case, world.anybody())
        _name(case, ref=str(world.person(somebody.tenant).id))
    if isinstance(case.body, dict):
        # Which profiles there are, and that an address is mended only before it was accepted, is not in the schema.
        case.body = {name: value for name, value in case.body.items() if name not in ("profileId", "email")}


@fills("users_activate", "users_activate_put", "users_activate_patch", "users_erase")
def _somebody_who_is_out(case: Any) -> None:
    somebody = _as(case, world.anybody())
    _name(case, ref=str(world.person(somebody.tenant, status=User.Status.INACTIVE).id))


@fills("users_resend_invitation")
def _somebody_invited(case: Any) -> None:
    somebody = _as(case, world.anybody())
    _name(case, ref=str(world.person(somebody.tenant, status=User.Status.PENDING).id))


@fills("users_mfa_remove")
def _somebody_with_second_factor(case: Any) -> None:
    somebody = _as(case, world.anybody())
    other = world.administrator_of(somebody.tenant)
    world.enrolled(other)
    _name(case, ref=str(other.user.id))


@fills("users_accept_invitation", always=True)
def _accept(case: Any) -> None:
    token = world.link(LinkToken.Kind.INVITATION, status=User.Status.PENDING)
    _put(case, token=token, password=NEW_PASSWORD)


@fills("profiles_create", always=True)
def _new_profile(case: Any) -> None:
    _as_maker(case)
    _own_key(case)
    _put(case, name=world.unique("profile"), permissions=[1, 5])


@fills("profiles_get", "profiles_update", "profiles_update_put", "profiles_deactivate", always=True)
def _profile(case: Any) -> None:
    somebody = _as(case, world.anybody())
    _name(case, profile_id=str(world.profile(somebody)))
    case.query = {name: str(1) for name in case.query or {}}
    if isinstance(case.body, dict):
        _put(case, version=1)
        for name, value in (("name", world.unique("profile")), ("permissions", [1, 5])):
            if name in case.body:
                _put(case, **{name: value})


@fills("profiles_activate", "profiles_activate_put", "profiles_activate_patch")
def _retired_profile(case: Any) -> None:
    somebody = _as(case, world.anybody())
    _name(case, profile_id=str(world.profile(somebody, active=False)))


@fills("api_keys_create", always=True)
def _new_api_key(case: Any) -> None:
    _as_maker(case)
    _own_key(case)
    _put(case, permissions=[1, 5])
    if case.body.get("expiresAt"):
        _put(case, expiresAt="2099-01-01T00:00:00Z")


@fills("api_keys_revoke")
def _api_key(case: Any) -> None:
    somebody = _as(case, world.anybody())
    _name(case, key_id=str(world.api_key(somebody)))


@fills("audit", always=True)
def _audit(case: Any) -> None:
    # A cursor is what this list has given before, and one half of a subject is none.
    asked = {name: value for name, value in (case.query or {}).items() if name != "cursor"}
    if not {"subjectType", "subjectId"} <= asked.keys():
        asked = {name: value for name, value in asked.items() if not name.startswith("subject")}
    if "key" in asked:
        asked["key"] = "accounts.signed_in"
    case.query = asked


@fills("org_setting")
def _setting(case: Any) -> None:
    _name(case, key="company.date_format")


@fills("org_setting_change", "org_setting_change_put", always=True)
def _setting_and_value(case: Any) -> None:
    _name(case, key="company.date_format")
    _put(case, value="dd.MM.yyyy")


@fills("org_settings_by_category")
def _category(case: Any) -> None:
    _name(case, category="company")


@fills(
    "notifications_read",
    "notifications_read_patch",
    "notifications_read_put",
    "notifications_dismiss",
)
def _told(case: Any) -> None:
    somebody = _as(case, world.administrator())
    _name(case, notification_id=str(world.told(somebody)))


@fills(
    "notifications_preferences_set",
    "notifications_preferences_set_post",
    "notifications_preferences_set_patch",
    always=True,
)
def _preference(case: Any) -> None:
    _put(case, eventKey="sales.lead_assigned", channel="email")


@fills("notifications_defaults_set", "notifications_defaults_set_patch", always=True)
def _default(case: Any) -> None:
    _as(case, world.administrator())
    _put(case, eventKey="sales.lead_assigned", channel="email")


@fills("notifications_analytics", "notifications_digest_analytics", always=True)
def _span(case: Any) -> None:
    # Which events there are, which day is after which, and how many lie between them is not in the schema.
    yesterday = str(datetime.now(UTC).date() - timedelta(days=1))
    better = {"from": yesterday, "to": yesterday, "eventKey": "sales.lead_assigned"}
    case.query = {name: better.get(name, value) for name, value in (case.query or {}).items()}


@fills("notifications_digest_settings_set", "notifications_digest_settings_set_patch", always=True)
def _digest_settings(case: Any) -> None:
    _as(case, world.administrator())
    better = {"timezone": "Europe/Berlin", "skipIfEmpty": True}
    asked = case.body if isinstance(case.body, dict) else {}
    _put(case, **{name: value for name, value in better.items() if name in asked})


@fills("notifications_dnd_set", "notifications_dnd_set_patch", always=True)
def _quiet_hours(case: Any) -> None:
    _as(case, world.administrator())
    # Which names are time zones, that a snooze lies ahead and that hours have a length is not in the schema.
    better = {
        "timezone": "Europe/Berlin",
        "snoozeUntil": "2099-01-01T00:00:00Z",
        "startTime": "22:00",
        "endTime": "07:00",
    }
    asked = case.body if isinstance(case.body, dict) else {}
    if asked:
        _put(case, **{name: value for name, value in better.items() if asked.get(name) is not None})


@fills("notifications_subscription", "notifications_unsubscribe")
def _unsubscribe(case: Any) -> None:
    _name(case, token=world.unsubscribe(world.administrator()))


@fills("email_webhook", always=True)
def _report(case: Any) -> None:
    # The one provider that the run's platform has, with its password; others have no path.
    _name(case, provider="postmark")
    case.headers = {**(case.headers or {}), "Authorization": world.PROVIDER_PASSWORD}
    case.body = {
        "RecordType": "Delivery",
        "DeliveredAt": "2026-11-23T09:00:00Z",
        "Metadata": {"ref": world.reference(world.administrator())},
    }


@fills("notifications_send", always=True)
def _raise(case: Any) -> None:
    somebody = _as(case, world.anybody())
    _own_key(case)
    _put(case, eventKey="sales.lead_assigned", userIds=[somebody.user.id])
    if "data" in case.body:
        _put(case, data={"leadName": "Acme Corp"})


@fills(
    *(
        f"email_{section}_set{again}"
        for section in ("sender", "tracking", "compliance", "footer")
        for again in ("", "_patch")
    ),
    "email_deliverability_set",
    "email_deliverability_set_patch",
    always=True,
)
def _email_section(case: Any) -> None:
    _as(case, world.anybody())
    # Which texts are addresses and Liquid, and what cannot be otherwise, is not in the schema.
    better = {
        "fromName": "Acme Support",
        "replyTo": "support@acme.example",
        "trackSecurityEmails": False,
        "canSpam": {"enabled": True, "physicalAddress": "1 Main Street"},
        "gdpr": {"privacyPolicyUrl": "https://acme.example/privacy", "dpoEmail": None},
        "unsubscribe": {"oneClick": True},
        "html": "<p>{{ company }}</p>",
        "text": "{{ company }}",
        "includeSocial": ["https://social.example/acme"],
        "domain": "acme.example",
    }
    asked = case.body if isinstance(case.body, dict) else {}
    if asked:
        _put(case, **{name: value for name, value in better.items() if asked.get(name) is not None})


@fills("email_smtp_set", "email_smtp_set_post", "email_smtp_set_patch", always=True)
def _mail_server(case: Any) -> None:
    _as(case, world.anybody())
    _put(case, **MAIL_SERVER)


@fills("email_smtp_test", always=True)
def _mail_server_test(case: Any) -> None:
    somebody = _as(case, world.anybody())
    assert somebody.call("PUT", "/settings/email/smtp", MAIL_SERVER).status_code == 200
    if isinstance(case.body, dict) and "to" in case.body:
        _put(case, to=somebody.user.email)


@fills("email_suppression_lift")
def _suppression(case: Any) -> None:
    somebody = _as(case, world.administrator())
    _name(case, suppression_id=str(world.suppression(somebody)))


@fills("tenants_register", always=True)
def _register(case: Any) -> None:
    # Slugs are handed out once; which passwords are too common or too personal is beyond JSON Schema.
    slug = world.unique("c")[:40]
    _put(case, slug=slug, adminEmail=f"admin@{slug}.test", adminPassword=PASSWORD)
    _own_key(case)


@fills("tenants_by_slug")
def _slug(case: Any) -> None:
    _name(case, slug=PLAN["acme"]["tenantSlug"])


@fills("notifications_template", "notifications_template_preview_stored", "notifications_template_reset")
def _template(case: Any) -> None:
    _name(case, template="sales.lead_assigned:email")


@fills(
    "notifications_template_customize",
    "notifications_template_customize_patch",
    "notifications_template_customize_post",
    "notifications_template_preview",
    always=True,
)
def _written_template(case: Any) -> None:
    # What a generated text says is no Liquid, and the version is somebody's.
    _name(case, template="sales.lead_assigned:email")
    case.body = {"subject": "Hello {{ user.name }}"}


@fills("chat_users", "chat_channels", always=True)
def _channels(case: Any) -> None:
    # A cursor is what this list has given before.
    case.query = {name: value for name, value in (case.query or {}).items() if name != "cursor"}


@fills("chat_direct_open", always=True)
def _direct(case: Any) -> None:
    somebody = _as(case, world.administrator())
    _own_key(case)
    _put(case, userId=world.person(somebody.tenant).id)


@fills("chat_group_create", always=True)
def _new_group(case: Any) -> None:
    _own_key(case)
    if _goes_on(case):
        # The second person of the run's own company.
        _put(case, memberIds=[2])
    else:
        somebody = _as(case, world.administrator())
        _put(case, memberIds=[world.person(somebody.tenant).id])


@fills(
    "chat_channel",
    "chat_channel_update",
    "chat_channel_update_put",
    "chat_channel_read",
    "chat_channel_read_put",
    "chat_channel_read_patch",
    "chat_channel_leave",
    "chat_members",
    "chat_members_add",
    "chat_member_remove",
    always=True,
)
def _group(case: Any) -> None:
    members = [2]
    if not _goes_on(case):
        somebody = _as(case, world.administrator())
        channel_id, other = world.group(somebody)
        members = [world.person(somebody.tenant).id]
        _name(case, channel_id=str(channel_id))
        if "ref" in case.path_parameters:
            _name(case, ref=str(other.id))
    case.query = {name: value for name, value in (case.query or {}).items() if name != "cursor"}
    if isinstance(case.body, dict):
        if "memberIds" in case.body:
            _own_key(case)
            _put(case, memberIds=members)
        # Either a number or a message, and there is none.
        case.body = {name: value for name, value in case.body.items() if name != "messageId"}
        # RFC 3339 allows leap seconds, and nobody here knows them.
        if case.body.get("mutedUntil"):
            _put(case, mutedUntil="2099-01-01T00:00:00Z")


@fills("chat_messages", always=True)
def _messages(case: Any) -> None:
    somebody = _as(case, world.administrator())
    channel_id, message_id = world.message(somebody)
    _name(case, channel_id=str(channel_id))
    # A cursor is what this list has given before, and of the rest one is enough.
    asked = {name: value for name, value in (case.query or {}).items() if name != "cursor"}
    where = [name for name in asked if name != "limit"][:1]
    case.query = {name: value for name, value in asked.items() if name in ("limit", *where)}
    if "around" in case.query:
        case.query["around"] = str(message_id)


@fills("chat_message_send", always=True)
def _message(case: Any) -> None:
    _own_key(case)
    if not _goes_on(case):
        somebody = _as(case, world.administrator())
        _name(case, channel_id=str(world.group(somebody)[0]))
    if isinstance(case.body, dict):
        # The same id stands for the same message, and there is none to answer.
        better = {"clientMessageId": world.unique("m"), "replyTo": None}
        _put(case, **{name: value for name, value in better.items() if name in case.body})


@fills(
    "chat_message_edit",
    "chat_message_edit_put",
    "chat_message_delete",
    "chat_reaction_add",
    "chat_reaction_remove",
    always=True,
)
def _message_that_is_there(case: Any) -> None:
    # A message goes with its channel, and a link knows only one id.
    somebody = _as(case, world.administrator())
    channel_id, message_id = world.message(somebody)
    _name(case, channel_id=str(channel_id), message_id=str(message_id))
    if "emoji" in case.path_parameters:
        _name(case, emoji="👍")


@fills("chat_search", always=True)
def _words(case: Any) -> None:
    # A cursor is what this list has given before; which channels there are is not in the schema.
    asked = {name: value for name, value in (case.query or {}).items() if name not in ("cursor", "channelId")}
    case.query = {**asked, "q": "hello"}


@fills("registry_search", "registry_list", "registry_duplicates", "registry_changes", always=True)
def _records(case: Any) -> None:
    # A cursor is what this list has given before, and it takes the place of a page.
    case.query = {name: value for name, value in (case.query or {}).items() if name != "cursor"}


@fills("registry_register", "registry_auto_link", always=True)
def _new_record(case: Any) -> None:
    _own_key(case)
    better = {
        # A name of an app has signs that the schema does not say, and what is linked is not linked anew.
        "app": "sales",
        "entityType": "lead",
        "entityId": world.unique("lead"),
        "entityClass": "person",
        "email": f"{world.unique('p')}@company.com",
        "snapshot": {"phone": "+12125550100"},
        "ifEmailExists": "create",
    }
    _put(case, **{name: value for name, value in better.items() if name in case.body})


@fills("registry_link", always=True)
def _new_link(case: Any) -> None:
    _own_key(case)
    record = world.record(_as(case, world.anybody()))
    better = {"snapshot": {"phone": "+12125550100"}}
    _put(
        case,
        canonicalId=record["canonicalId"],
        app="sales",
        entityType="lead",
        entityId=world.unique("lead"),
        **{name: value for name, value in better.items() if name in case.body},
    )


@fills("registry_merge", always=True)
def _merge(case: Any) -> None:
    winner, loser = (world.record(_as(case, world.anybody()))["canonicalId"] for _ in range(2))
    better: dict[str, Any] = {"fieldDecisions": {"name": "winner"}, "expectedVersions": {}}
    _put(
        case,
        winnerId=winner,
        loserId=loser,
        **{name: value for name, value in better.items() if name in case.body},
    )


@fills(
    "registry_entity_update",
    "registry_entity_update_put",
    "registry_entity_erase",
    "registry_duplicate_dismiss",
    "registry_unlink",
    "registry_merge_undo",
    always=True,
)
def _record(case: Any) -> None:
    _name_records(case, world.records(_as(case, world.anybody())))
    if isinstance(case.body, dict):
        better: dict[str, Any] = {"pin": {"name": "Jane Doe"}, "version": 2}
        _put(case, **{name: value for name, value in better.items() if name in case.body})


@fills(
    "registry_entity",
    "registry_genealogy",
    "registry_timeline",
    "registry_profile",
    "registry_merges",
    "registry_export",
    "registry_duplicates_of",
    "registry_by_entity",
    "events_of_record",
    "events_summary",
    "events_activity_summary",
    always=True,
)
def _record_to_read(case: Any) -> None:
    somebody, records = world.standing()
    _as(case, somebody)
    _name_records(case, records)


def _name_records(case: Any, records: world.Records) -> None:
    known = {
        "canonical_id": records.entity,
        "other_id": records.other,
        "link_id": records.link,
        "merge_id": records.merge,
        "app": records.in_app["app"],
        "entity_type": records.in_app["entityType"],
        "entity_id": records.in_app["entityId"],
    }
    _name(case, **{name: value for name, value in known.items() if name in case.path_parameters})
    # A cursor is what this list has given before; of two times the later one is the end, which no schema can say.
    case.query = {name: value for name, value in (case.query or {}).items() if name not in ("cursor", "to")}
    words = {"app": "sales", "category": "engagement", "action": "email_opened", "q": "mail"}
    case.query.update({name: word for name, word in words.items() if name in case.query})


@fills("event_write", "events_write", always=True)
def _events(case: Any) -> None:
    _own_key(case)
    somebody, records = world.standing()
    _as(case, somebody)
    event = {"canonicalId": records.entity, "app": "sales", "category": "engagement", "action": "email_opened"}
    events = case.body.get("events") if isinstance(case.body, dict) else case.body
    case.body = {"events": [event] * min(len(events), 3)} if isinstance(events, list) else event


@fills("setup_task_update", "setup_task_update_put", "setup_task_update_post", always=True)
def _task(case: Any) -> None:
    _as(case, world.anybody())
    # An optional one, before which nothing has to be done; that its check says no, no schema knows.
    _name(case, task_code="tenancy.company_profile")
    if isinstance(case.body, dict) and case.body.get("status") == "completed":
        _put(case, force=True)


@fills("setup_complete", "setup_complete_put", "setup_complete_patch", always=True)
def _all_set_up(case: Any) -> None:
    world.set_up(_as(case, world.administrator()))


@fills("me_action_items", always=True)
def _source(case: Any) -> None:
    # Which sources there are, only the platform knows.
    if "source" in (case.query or {}):
        case.query["source"] = "tasks"


@fills("me_action_item_done", always=True)
def _own_item(case: Any) -> None:
    somebody = _as(case, world.anybody())
    _name(case, item_id=world.item(somebody)["id"])


@fills("action_item_put", "action_item_withdraw", always=True)
def _item(case: Any) -> None:
    somebody = _as(case, world.anybody())
    item = world.item(somebody)
    _name(case, app=item["app"], key=item["key"])
    if isinstance(case.body, dict):
        # For exactly one of three, which no schema of ours says.
        rest = {name: value for name, value in case.body.items() if name not in ("permission", "role", "entity")}
        case.body = {**rest, "assignee": somebody.user.id}
        if "url" in case.body:
            _put(case, url="/sales/leads/42")


# Each change has to change something.
_seats = itertools.cycle(range(4, 500))


# Which plans there are, and how many seats of them are sold, is the catalogue's to say.
@fills("billing_checkout", always=True)
def _checkout(case: Any) -> None:
    # The same wish is the same page, whoever asks.
    _as(case, world.customer("buyer"))
    case.body = {"planId": "pro", "interval": "monthly", "quantity": 3, "successPath": "/billing"}


@fills("billing_portal", always=True)
def _portal(case: Any) -> None:
    _as(case, world.subscriber())
    _put(case, returnPath="/billing")


# Always: the run's own company would have no trial any more, and then nothing could be changed in it.
@fills("billing_cancel", "billing_sync", always=True)
def _subscriber(case: Any) -> None:
    _as(case, world.subscriber())


@fills("billing_resume")
def _resume(case: Any) -> None:
    assert _as(case, world.subscriber()).post("/billing/cancel").status_code == 200


@fills("billing_change_plan", always=True)
def _change_plan(case: Any) -> None:
    _as(case, world.subscriber())
    _put(case, planId="pro", interval="monthly", quantity=next(_seats))


@fills("billing_invoices", always=True)
def _invoices(case: Any) -> None:
    # A generated id is no invoice's.
    _as(case, world.subscriber())
    case.query = {name: value for name, value in (case.query or {}).items() if name != "startingAfter"}


@fills("billing_webhook", always=True)
def _stripe_event(case: Any) -> None:
    case.body, signature = world.stripe_event()
    case.headers = {**(case.headers or {}), "Stripe-Signature": signature}
