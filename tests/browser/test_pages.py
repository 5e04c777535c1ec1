"""Every page in a real browser, against what ``make run`` starts."""

from typing import Any

import pytest

from tests.browser.support import SCHEMES, SHOTS, SIZES, mailed_link, watch

PAGES = {
    "start": "/",
    "verify": "/verify-email/x",
    "accept-invitation": "/accept-invitation/x",
    "reset-password": "/reset-password/x",
    "sign-in": "/sign-in?workspace=demo",
    "forgot-password": "/forgot-password",
    "find-workspaces": "/find-workspaces",
    "chat": "/dev/chat",
    "billing": "/billing",
    "setup": "/setup",
    "mail": "/dev/mail",
    "docs": "/api/docs",
    "admin-sign-in": "/admin/login/",
}

pytestmark = [pytest.mark.browser, pytest.mark.no_django, pytest.mark.timeout(300)]


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", PAGES)
def test_each_page_fits_and_asks_nobody_else(browser: Any, platform: str, name: str, size: str, scheme: str) -> None:
    context = browser.new_context(viewport=SIZES[size], color_scheme=scheme)
    page = context.new_page()
    wrong: list[str] = []
    watch(page, platform, wrong)
    answer = page.goto(platform + PAGES[name], wait_until="networkidle")
    assert answer.status == 200
    width = page.evaluate("document.documentElement.scrollWidth")
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}-{size}-{scheme}.png")
    context.close()
    assert wrong == []
    assert width <= SIZES[size]["width"]


def test_a_company_signs_up_and_confirms_its_address_in_the_browser(page: Any, platform: str) -> None:
    page.goto(platform, wait_until="networkidle")
    registered = page.evaluate(
        """async () => (await fetch("/api/v1/tenants/register", {
            method: "POST", headers: {"Content-Type": "application/json"},
            body: JSON.stringify({companyName: "Browser Corp", slug: "browser-corp", adminEmail: "b@browser.test",
                                  adminPassword: "secure-password"})})).status"""
    )
    assert registered == 201
    link = mailed_link(page, platform, "b@browser.test", "/verify-email/")
    page.goto(platform + link)
    page.get_by_role("button").click()
    page.get_by_text("Thank you, that worked").wait_for()
    page.goto(platform + link)
    page.get_by_role("button").click()
    page.get_by_text("Already confirmed").wait_for()


def test_a_link_that_is_not_valid_says_so_kindly(page: Any, platform: str) -> None:
    page.goto(f"{platform}/verify-email/nonsense")
    page.get_by_role("button").click()
    page.get_by_text("This link does not work").wait_for()


def test_staff_sign_in_and_see_the_tenants(page: Any, platform: str) -> None:
    page.goto(f"{platform}/admin/")
    page.fill("input[name=username]", "staff@platform.test")
    page.fill("input[name=password]", "demo-staff-pass")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{platform}/admin/")
    page.goto(f"{platform}/admin/tenancy/tenant/", wait_until="networkidle")
    assert "Demo Company" in page.content()
    assert page.locator("text=Add tenant").count() == 0
    page.screenshot(path=SHOTS / "admin-tenants.png")


def test_the_docs_show_every_section(page: Any, platform: str) -> None:
    page.goto(f"{platform}/api/docs", wait_until="networkidle")
    document = page.request.get(f"{platform}/api/schema").json()
    sections = {tag for path in document["paths"].values() for operation in path.values() for tag in operation["tags"]}
    assert len(sections) > 10
    for section in sections:
        page.locator(f'.opblock-tag[data-tag="{section}"]').wait_for()
    page.locator('.opblock-tag[data-tag="tenants"]').click()
    page.get_by_text("Register a company with its first administrator").wait_for()
