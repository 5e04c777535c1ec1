"""Staff of every role, their browsers, and which pages there are for them."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, resolve

from accounts.staff.models import StaffUser
from accounts.staff.roles import StaffRole

STAFF_PASSWORD = "a long walk by the sea"


def staff_of(role: StaffRole, name: str = "") -> StaffUser:
    email = f"{name or role}@platform.test"
    staff: StaffUser = StaffUser.objects.create_user(email, email, STAFF_PASSWORD, is_staff=True, role=role)
    return staff


def browser_of(staff: StaffUser, **options: Any) -> Client:
    browser = Client(**options)
    browser.force_login(staff)
    return browser


def routes_below(prefix: str, urlconf: str | None = None) -> set[str]:
    """The names of all routes below this path; one without a name is there for what has no page."""
    return {name for path, name in _walk(get_resolver(urlconf).url_patterns) if path.startswith(prefix)}


def _walk(patterns: Iterable[Any], path: str = "", space: str = "") -> Iterator[tuple[str, str]]:
    for one in patterns:
        here = f"{path}{one.pattern}"
        if isinstance(one, URLResolver):
            yield from _walk(one.url_patterns, here, f"{one.namespace}:" if one.namespace else space)
        elif isinstance(one, URLPattern) and one.name:
            yield here, f"{space}{one.name}"


def routes_of(paths: Iterable[str], urlconf: str | None = None) -> set[str]:
    """The names of the routes to these addresses."""
    return {resolve(path.partition("?")[0], urlconf).view_name for path in paths}
