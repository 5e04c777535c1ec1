"""What people wrote to one another is shown while their company allows it, and at no other time."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.staff.lens import exporting, grants
from accounts.staff.lens.grants import HIDDEN, MESSAGE_ACCESS
from accounts.staff.lens.tests.world import add_messages, addresses, keys_of, marker, site_addresses, text_of
from chat.models import Channel, Message
from platform_site.binding import bind
from tenancy.models import Tenant
from tenancy.org_settings.models import OrgSetting
from tenancy.org_settings.registry import OrgSettingDefinition, org_settings

LIST = "/admin/t/acme/chat/message/"
SAID = "whisper"


@pytest.fixture
def defined(monkeypatch: pytest.MonkeyPatch) -> None:
    """The setting, whether or not anything else has defined it."""
    if MESSAGE_ACCESS not in org_settings:
        definition = OrgSettingDefinition(MESSAGE_ACCESS, "Support may read messages until", "moment", lambda: None)
        monkeypatch.setitem(org_settings._entries, MESSAGE_ACCESS, definition)


def allow(tenant: Tenant, **until: float) -> None:
    moment = (timezone.now() + timedelta(**until)).isoformat()
    with bind(tenant.ref):
        OrgSetting.objects.update_or_create(key=MESSAGE_ACCESS, defaults={"value": moment})


def pages(tenant: Tenant) -> list[str]:
    with bind(tenant.ref):
        channel = Channel.objects.get()
    return [
        *(address for model in (Message, Channel) for _, address in addresses(tenant, model)),
        *site_addresses(tenant),
        f"{LIST}?channel__id__exact={channel.pk}",
    ]


def test_nobody_allowed_it(browser: Client, furnished: Tenant) -> None:
    for address in pages(furnished):
        assert SAID not in text_of(browser.get(address)), address
    assert HIDDEN in browser.get(LIST).content.decode()


@pytest.mark.usefixtures("defined")
def test_it_is_shown_while_it_is_allowed_and_not_a_moment_longer(browser: Client, furnished: Tenant) -> None:
    (key,) = keys_of(furnished, Message)
    shown = [LIST, f"{LIST}{key}/change/", f"{LIST}export.csv", f"{LIST}export.json"]
    allow(furnished, minutes=5)
    for address in shown:
        assert SAID in text_of(browser.get(address)), address
    allow(furnished, seconds=-1)
    for address in pages(furnished):
        assert SAID not in text_of(browser.get(address)), address


@pytest.mark.usefixtures("defined")
def test_one_company_allows_it_for_itself(browser: Client, both: tuple[Tenant, Tenant]) -> None:
    allow(both[0], minutes=5)
    assert SAID in browser.get(LIST).content.decode()
    assert SAID not in browser.get(LIST.replace("acme", "globex")).content.decode()


@pytest.mark.usefixtures("defined")
def test_nothing_searches_through_it_even_then(browser: Client, furnished: Tenant) -> None:
    allow(furnished, minutes=5)
    page = browser.get(f"{LIST}?q={SAID}").content.decode()
    assert marker(furnished) not in page.partition('id="changelist-form"')[2]
    assert browser.get(f"{LIST}?content__contains={SAID}").status_code == 400
    found = browser.get(f"/admin/t/acme/search/?s={SAID}&extended=1").content.decode()
    assert "chat/message/" not in found


def test_it_is_not_even_read(browser: Client, furnished: Tenant) -> None:
    (key,) = keys_of(furnished, Message)
    for address in (LIST, f"{LIST}{key}/change/", f"{LIST}{key}/history/", f"{LIST}export.csv"):
        with CaptureQueriesContext(connection) as queries:
            text_of(browser.get(address))
        assert not [one["sql"] for one in queries if '"content"' in one["sql"]], address


@pytest.mark.usefixtures("defined")
def test_an_export_asks_anew_with_each_step(
    browser: Client, furnished: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bind(furnished.ref):
        channel = Channel.objects.get()
        add_messages(channel, channel.created_by, 3)
    monkeypatch.setattr(exporting, "BATCH", 2)
    allow(furnished, minutes=5)
    steps: Any = iter(browser.get(f"{LIST}export.json").streaming_content)  # type: ignore[attr-defined]
    assert SAID in next(steps).decode()
    allow(furnished, seconds=-1)
    rest = b"".join(steps).decode()
    assert SAID not in rest
    assert HIDDEN in rest


def test_a_setting_that_nobody_defined_allows_nothing(furnished: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(org_settings._entries, MESSAGE_ACCESS, raising=False)
    allow(furnished, minutes=5)
    with bind(furnished.ref):
        assert not grants.messages_may_be_read()
