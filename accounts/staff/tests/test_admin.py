"""Staff sign in to the admin, look at tenants, and superusers look after staff."""

import threading
from contextlib import suppress

import pytest
from django.db import transaction
from django.test import Client

from accounts.staff.models import StaffAct, StaffUser
from accounts.staff.roles import StaffRole
from accounts.staff.services import superuser_keep
from accounts.staff.tests.support import STAFF_PASSWORD as PASSWORD
from accounts.staff.tests.support import browser_of, staff_of
from platform_site.errors import PlatformError
from tests.support import at_once


@pytest.fixture
def root(db: None) -> StaffUser:
    return StaffUser.objects.create_superuser("Root@Platform.test", PASSWORD)


@pytest.fixture
def helper(db: None) -> StaffUser:
    return staff_of(StaffRole.OPERATOR, "helper")


def test_staff_sign_in_however_they_write_their_address(root: StaffUser) -> None:
    browser = Client()
    answer = browser.post("/admin/login/", {"username": " ROOT@platform.test", "password": PASSWORD})
    assert (answer.status_code, answer["Location"]) == (302, "/admin/")
    page = browser.get("/admin/").content.decode()
    assert "/admin/tenancy/tenant/" in page
    assert "/admin/staff/staffuser/" in page


def test_a_wrong_password_is_refused(root: StaffUser) -> None:
    answer = Client().post("/admin/login/", {"username": "root@platform.test", "password": "nope"})
    assert answer.status_code == 200
    assert "sessionid" not in answer.cookies


def test_staff_look_at_tenants(helper: StaffUser) -> None:
    page = browser_of(helper).get("/admin/tenancy/tenant/")
    assert page.status_code == 200
    assert "acme" in page.content.decode()


def test_only_superusers_look_after_staff(helper: StaffUser, root: StaffUser) -> None:
    browser = browser_of(helper)
    assert "/admin/staff/staffuser/" not in browser.get("/admin/").content.decode()
    for address in ("", "add/", f"{root.pk}/change/", f"{root.pk}/password/"):
        assert browser.get(f"/admin/staff/staffuser/{address}").status_code == 403, address


def test_a_superuser_adds_staff(root: StaffUser) -> None:
    browser = browser_of(root)
    answer = browser.post(
        "/admin/staff/staffuser/add/",
        {
            "email": "New@Platform.test",
            "first_name": "Nora",
            "last_name": "New",
            "role": "support",
            "usable_password": "true",
            "password1": PASSWORD,
            "password2": PASSWORD,
        },
    )
    assert answer.status_code == 302
    added = StaffUser.objects.get(email="new@platform.test")
    assert (added.is_staff, added.is_superuser, added.check_password(PASSWORD)) == (True, False, True)
    act = StaffAct.objects.get(action="staff.added")
    assert (act.staff_email, act.data["account"], act.data["role"]) == (root.email, added.email, "support")
    assert browser.get(f"/admin/staff/staffuser/{added.pk}/change/").status_code == 200
    assert browser.get("/admin/staff/staffuser/?q=nora").status_code == 200


def test_nobody_is_deleted(root: StaffUser, helper: StaffUser) -> None:
    assert browser_of(root).post(f"/admin/staff/staffuser/{helper.pk}/delete/", {"post": "yes"}).status_code == 403
    assert StaffUser.objects.filter(pk=helper.pk).exists()


def test_ten_guesses_and_no_more(root: StaffUser) -> None:
    guess = {"username": "root@platform.test", "password": "nope"}
    for number in range(10):
        assert "Too many" not in Client(REMOTE_ADDR=f"10.9.8.{number}").post("/admin/login/", guess).content.decode()
    blocked = Client(REMOTE_ADDR="10.9.8.99").post("/admin/login/", {**guess, "password": PASSWORD})
    assert "Too many attempts. Try again in 15 minutes." in blocked.content.decode()


def saved(browser: Client, account: StaffUser, **changes: str) -> list[str]:
    """What the form says against these changes; nothing when they were saved. A box is ticked by "on"."""
    form = {
        "email": account.email,
        "first_name": "",
        "last_name": "",
        "role": account.role,
        "is_active": "on",
    } | changes
    answer = browser.post(
        f"/admin/staff/staffuser/{account.pk}/change/", {name: value for name, value in form.items() if value}
    )
    return [] if answer.status_code == 302 else answer.context["adminform"].form.non_field_errors()


def test_a_role_is_all_there_is_to_choose(root: StaffUser, helper: StaffUser) -> None:
    page = browser_of(root).get(f"/admin/staff/staffuser/{helper.pk}/change/").content.decode()
    for name in ("is_staff", "is_superuser", "user_permissions", "groups"):
        assert f'name="{name}"' not in page
    assert saved(browser_of(root), helper, role="superuser") == []
    helper.refresh_from_db()
    assert (helper.role, helper.is_superuser, helper.is_staff) == ("superuser", True, True)


@pytest.mark.parametrize("changes", [{"role": "operator"}, {"is_active": ""}])
def test_the_last_superuser_stays_one(root: StaffUser, helper: StaffUser, changes: dict[str, str]) -> None:
    refused = "This is the last active superuser. Make somebody else one first."
    # One who may not sign in is of no use.
    StaffUser.objects.filter(pk=helper.pk).update(role="superuser", is_superuser=True, is_active=False)
    assert saved(browser_of(root), root, **changes) == [refused]
    root.refresh_from_db()
    assert (root.role, root.is_active) == ("superuser", True)
    StaffUser.objects.filter(pk=helper.pk).update(is_active=True)
    assert saved(browser_of(root), root, **changes) == []


@pytest.mark.commits
def test_two_who_demote_each_other_leave_one(committed: str) -> None:
    both = [StaffUser.objects.create_superuser(f"{name}@platform.test", PASSWORD) for name in ("one", "other")]
    meeting = threading.Barrier(2)

    def demote(number: int) -> bool:
        other = both[1 - number]
        try:
            with transaction.atomic():
                superuser_keep(staff_id=other.pk, role=StaffRole.SUPPORT, is_active=True)
                # Both would meet here, each with the other still a superuser.
                with suppress(threading.BrokenBarrierError):
                    meeting.wait(1)
                StaffUser.objects.filter(pk=other.pk).update(role=StaffRole.SUPPORT)
        except PlatformError:
            return False
        return True

    raced = at_once(2, demote)
    assert (raced.most_at_once, sorted(raced.results)) == (2, [False, True])
    assert StaffUser.objects.filter(role="superuser", is_active=True).count() == 1


def test_a_new_password_is_in_the_audit_and_not_what_it_is(root: StaffUser, helper: StaffUser) -> None:
    other = "another long walk by the sea"
    form = {"usable_password": "true", "password1": other, "password2": other}
    assert browser_of(root).post(f"/admin/staff/staffuser/{helper.pk}/password/", form).status_code == 302
    act = StaffAct.objects.get(action="staff.password_changed")
    assert (act.staff_email, act.data) == (root.email, {"account": helper.pk})


def test_a_refused_password_is_not_in_the_audit(root: StaffUser, helper: StaffUser) -> None:
    form = {"usable_password": "true", "password1": "short", "password2": "short"}
    assert browser_of(root).post(f"/admin/staff/staffuser/{helper.pk}/password/", form).status_code == 200
    assert not StaffAct.objects.filter(action="staff.password_changed").exists()
