"""Passwords: what is accepted, and hashing that neither leaks nor runs away."""

import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import BoundedSemaphore

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.password_validation import CommonPasswordValidator

from accounts import catalog, errors
from accounts.models import User
from platform_site.binding import bound_tenant, require_tenant
from platform_site.errors import invalid_field
from tenancy.models import Tenant
from tenancy.org_settings.selectors import setting_value


@cache
def _hashing_slots() -> BoundedSemaphore:
    return BoundedSemaphore(settings.PASSWORD_HASHES_AT_ONCE)


@contextmanager
def _hashing() -> Iterator[None]:
    """Few hashes at once: each takes 19 MiB and a core, and a burst of sign-ins must not take all."""
    with _hashing_slots():
        yield


@cache
def _common_passwords() -> frozenset[str]:
    """Django's list of 20,000 passwords from breaches; it is part of the package, so no network is asked."""
    return frozenset(CommonPasswordValidator().passwords)


def normalized(password: str) -> str:
    """NFKC, so that the same keys on two machines give the same password (NIST 800-63B)."""
    return unicodedata.normalize("NFKC", password)


def password_check(password: str, *, field: str, context: list[str]) -> None:
    """Refuse a password that is too short, too long, well known, or little more than ``context``.

    ``context`` are the person's and the company's names and addresses. How short
    is too short is for the bound tenant to say, if one is bound. Raises
    ``password_…`` with ``field`` in the details. There are no composition rules.
    """
    text = normalized(password)
    minimum = _shortest()
    if len(text) < minimum:
        raise invalid_field(field, errors.PASSWORD_TOO_SHORT, f"Use at least {minimum} characters.")
    if len(text) > settings.PASSWORD_MAX_LENGTH:
        maximum = settings.PASSWORD_MAX_LENGTH
        raise invalid_field(field, errors.PASSWORD_TOO_LONG, f"Use at most {maximum} characters.")
    lowered = text.lower()
    if lowered in _common_passwords():
        raise invalid_field(field, errors.PASSWORD_COMMON)
    if _is_mostly_context(lowered, context):
        raise invalid_field(field, errors.PASSWORD_CONTAINS_CONTEXT)


def password_context(user: User) -> list[str]:
    """What a password of this person must be more than. In the bound tenant."""
    tenant = require_tenant()
    company = Tenant.objects.values_list("name", flat=True).get(id=tenant.id)
    return [company, tenant.slug, user.email, user.first_name, user.last_name, settings.PRODUCT_NAME]


def _shortest() -> int:
    # A sign-up has no tenant yet.
    return settings.PASSWORD_MIN_LENGTH if bound_tenant() is None else int(setting_value(catalog.PASSWORD_MIN_LENGTH))


def _is_mostly_context(password: str, context: list[str]) -> bool:
    """Whether fewer than four characters are left once a context word is taken out."""
    words = {word.strip().lower() for word in context}
    words |= {word.partition("@")[0] for word in words} | {word.replace(" ", "") for word in words}
    return any(len(word) >= 4 and word in password and len(password.replace(word, "")) < 4 for word in words)


def password_hash(password: str) -> str:
    with _hashing():
        return make_password(normalized(password))


def password_matches(password: str, encoded: str) -> bool:
    """Whether the password is right. Takes the same time when there is none to compare with."""
    with _hashing():
        if encoded:
            return check_password(normalized(password), encoded)
        make_password(normalized(password))
        return False


def spend_a_hash() -> None:
    """Take the time of one hash, where there is nothing to compare and nothing to keep."""
    password_matches("", "")
