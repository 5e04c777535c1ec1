"""The company's own mail server: reading it and changing it."""

import re
from collections.abc import Mapping
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from notifications import catalog, errors
from notifications.email_settings.checking import ascii_name, check_address, refuse
from notifications.mailing.address_guard import is_public, literal
from notifications.mailing.guarded_smtp import Server
from notifications.models import SmtpServer
from platform_site.binding import require_tenant
from platform_site.errors import ErrorCode
from platform_site.journal.services import record
from platform_site.keys import seal, unseal
from platform_site.names import camel

PORTS: Final = frozenset({25, 465, 587, 2525})
SECURITIES: Final = ("starttls", "tls", "none")
# The password is kept for these and no others.
BOUND: Final = ("host", "port", "username", "security")
_TESTED: Final = (*BOUND, "from_email")
_DEFAULT_PORTS: Final = {"tls": 465, "starttls": 587, "none": 25}


def server_row() -> SmtpServer | None:
    """What was configured, None for nothing: one query."""
    return SmtpServer.objects.filter(id=1).first()


def password_place(row: SmtpServer) -> str:
    """What the password is sealed for: with anything of it changed it cannot be opened."""
    values = (require_tenant().id.hex, row.host, str(row.port), row.username, row.security)
    return "\x1f".join(("smtp password", *values))


def server_of(row: SmtpServer) -> Server:
    """As it is connected to. Raises ``SealBroken`` when the password is another server's."""
    sealed = row.sealed_password
    password = unseal(bytes(sealed), password_place(row)).decode() if sealed is not None else ""
    return Server(row.host, row.port, row.username, password, row.security)


@transaction.atomic
def server_set(changes: Mapping[str, Any]) -> SmtpServer | None:
    """Change what ``changes`` names; None goes back to the default, and a ``host`` of None removes all.

    A password that is not named is kept only while host, port, user and security
    stay what they are. Any change of what is connected to has to be tested again.
    Gives what is configured now.
    """
    row = _locked_row()
    before = {name: getattr(row, name) for name in _TESTED}
    if "host" in changes and changes["host"] is None:
        row.delete()
        _record(changes)
        return None
    if not row.host and not changes.get("host"):
        if changes.keys() <= {"enabled"} and not changes.get("enabled"):
            # Nothing is there to be turned off.
            row.delete()
            return None
        refuse("host", "required", "This field is required.")
    _apply(row, changes)
    same = all(getattr(row, name) == before[name] for name in BOUND)
    _apply_password(row, changes, same=same)
    if "password" in changes or any(getattr(row, name) != before[name] for name in _TESTED):
        row.verified_at = row.last_test = row.paused_until = None
        row.failures = 0
    row.save()
    _record(changes)
    return row


def _locked_row() -> SmtpServer:
    """The row, perhaps new. Somebody may remove it while we wait for it, so this asks until it has it."""
    while True:
        SmtpServer.objects.bulk_create([SmtpServer(id=1, port=0)], ignore_conflicts=True)
        row = SmtpServer.objects.select_for_update().filter(id=1).first()
        if row is not None:
            return row


def _record(changes: Mapping[str, Any]) -> None:
    record(
        catalog.EMAIL_SETTINGS_CHANGED,
        subject=("email_settings", "smtp"),
        data={"section": "smtp", "changed": sorted(camel(name) for name in changes)},
    )


def _apply(row: SmtpServer, changes: Mapping[str, Any]) -> None:
    if "host" in changes:
        row.host = _host(changes["host"])
    if "security" in changes:
        row.security = changes["security"] or ""
    row.security = row.security or "starttls"
    if "username" in changes:
        row.username = changes["username"] or ""
    if "port" in changes:
        row.port = changes["port"] or 0
    row.port = row.port or _DEFAULT_PORTS[row.security]
    if row.port not in PORTS and not settings.SMTP_ALLOW_PRIVATE:
        _refuse("port", errors.PORT_NOT_ALLOWED)
    if row.security == "none" and row.username and not settings.SMTP_ALLOW_PRIVATE:
        _refuse("security", errors.ENCRYPTION_REQUIRED)
    if changes.get("from_email"):
        row.from_email = check_address("fromEmail", changes["from_email"])
    elif "from_email" in changes or not row.from_email:
        refuse("fromEmail", "required", "This field is required.")
    for name, default in (("enabled", True), ("fallback_to_platform", False)):
        if name in changes:
            setattr(row, name, default if changes[name] is None else changes[name])


def _apply_password(row: SmtpServer, changes: Mapping[str, Any], *, same: bool) -> None:
    if "password" in changes:
        text = changes["password"]
        row.sealed_password = seal(text.encode(), password_place(row)) if text else None
        row.password_updated_at = timezone.now() if text else None
        return
    if same:
        return
    if row.username:
        _refuse("password", errors.PASSWORD_REQUIRED)
    # Nobody signs in any more, so it is of no use.
    row.sealed_password = row.password_updated_at = None


def _host(text: str) -> str:
    """A host's name as the DNS has it, or a public address. What a name leads to is looked at on connecting."""
    address = literal(text)
    if address is not None:
        if not settings.SMTP_ALLOW_PRIVATE and not is_public(address):
            _refuse("host", errors.ADDRESS_NOT_ALLOWED)
        return str(address)
    name = ascii_name(text)
    if name is None or "_" in name:
        refuse("host", "invalid", "This is not a host's name.")
    lone = "." not in name or name.endswith((".localhost", ".local", ".internal"))
    if (lone or not re.search(r"[a-z]", name.rpartition(".")[2])) and not settings.SMTP_ALLOW_PRIVATE:
        _refuse("host", errors.ADDRESS_NOT_ALLOWED)
    return name


def _refuse(field: str, code: ErrorCode) -> None:
    refuse(field, code.key, code.message)
