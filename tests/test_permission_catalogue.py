"""Every permission opens something: one that no endpoint asks for would be given away for nothing."""

from collections.abc import Iterable

from platform_site.api.permissions import Needs, access_of
from platform_site.api.views import ApiView
from platform_site.permissions import Permission, permissions
from tests.test_permission_table import METHODS, routes


def needed(views: Iterable[type[ApiView]]) -> set[str]:
    """The keys that these views ask for, in any method that they have."""
    rules = (access_of(view, method) for view in views for method in METHODS if hasattr(view, method.lower()))
    return {rule.permission.key for rule in rules if isinstance(rule, Needs)}


def unenforced(catalogue: Iterable[Permission], views: Iterable[type[ApiView]]) -> set[str]:
    """Permissions of the catalogue that none of these views asks for."""
    return {one.key for one in catalogue} - needed(views)


def unknown(catalogue: Iterable[Permission], views: Iterable[type[ApiView]]) -> set[str]:
    """Permissions that a view asks for and nobody can be given."""
    return needed(views) - {one.key for one in catalogue}


def all_views() -> list[type[ApiView]]:
    return [view for _, view in routes()]


def test_every_permission_of_the_catalogue_is_asked_for_by_an_endpoint() -> None:
    assert len(list(permissions)) >= 10
    assert unenforced(permissions, all_views()) == set()


def test_every_permission_that_an_endpoint_asks_for_is_in_the_catalogue() -> None:
    assert unknown(permissions, all_views()) == set()


def test_one_that_nobody_asks_for_is_found() -> None:
    forgotten = Permission("reports.view", 9999, "reports", "See reports")
    assert unenforced([*permissions, forgotten], all_views()) == {"reports.view"}


def test_one_is_found_when_its_endpoint_goes() -> None:
    without = [view for path, view in routes() if not path.startswith("/audit")]
    assert unenforced(permissions, without) == {"audit.view"}
    assert unenforced(permissions, []) == {one.key for one in permissions}


def test_a_rule_for_a_method_that_the_view_does_not_have_counts_for_nothing() -> None:
    class Half(ApiView):
        access = {"DELETE": Needs(Permission("reports.delete", 9999, "reports", "Delete reports"))}

    assert needed([Half]) == set()


def test_one_that_is_asked_for_without_being_declared_is_found() -> None:
    class Odd(ApiView):
        access = Needs(Permission("reports.view", 9999, "reports", "See reports"))

        def get(self) -> None: ...

    assert unknown(permissions, [*all_views(), Odd]) == {"reports.view"}
