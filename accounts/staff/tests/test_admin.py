"""Staff sign in to the admin, look at tenants, and superusers look after staff."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from accounts.staff.models import StaffUser

PASSWORD = "a long walk by the sea"


@pytest.fixture
def root(db: None) -> StaffUser:
    return StaffUser.objects.create_superuser("Root@Platform.test", PASSWORD)


@pytest.fixture
def helper(db: None) -> StaffUser:
    helper = StaffUser.objects.create_user("helper", "helper@platform.test", PASSWORD, is_staff=True)
    helper.user_permissions.add(*Permission.objects.filter(codename__in=["view_tenant", "change_staffuser"]))
    return helper


def browser_of(staff: StaffUser) -> Client:
    browser = Client()
    browser.force_login(staff)
    return browser


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
            "usable_password": "true",
            "password1": PASSWORD,
            "password2": PASSWORD,
        },
    )
    assert answer.status_code == 302
    added = StaffUser.objects.get(email="new@platform.test")
    assert (added.is_staff, added.is_superuser, added.check_password(PASSWORD)) == (True, False, True)
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
