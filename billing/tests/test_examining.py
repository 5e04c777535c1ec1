"""What the doctor says about billing."""

from pathlib import Path
from typing import Any

import pytest

from billing.examining import key, prices, webhook
from billing.services.events import SYNCED
from billing.stripe_api import stripe_api
from billing.tests.support import Shop
from platform_site.doctor.catalog import State
from platform_site.doctor.everything import everything
from platform_site.doctor.examining import Round

LIVE = "sk_live_of_the_tests"


def looked() -> dict[str, tuple[State, str]]:
    reports = Round(everything).reports(["billing"])
    return {report.key: (report.finding.state, report.finding.found) for report in reports}


def test_without_a_key_nothing_is_looked_at() -> None:
    assert {state for state, _ in looked().values()} == {State.SKIPPED}


@pytest.mark.parametrize(
    ("debug", "name", "base", "state"),
    [
        (True, "sk_test_x", "http://127.0.0.1:9", State.OK),
        (True, LIVE, "", State.PROBLEM),
        (True, "rk_live_x", "", State.PROBLEM),
        (False, LIVE, "", State.OK),
        (False, LIVE, "http://127.0.0.1:9", State.PROBLEM),
        (False, "sk_test_x", "", State.WARNING),
    ],
)
def test_the_key_fits_what_the_installation_is_for(
    debug: bool, name: str, base: str, state: State, settings: Any
) -> None:
    settings.DEBUG, settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE = debug, name, base
    settings.BILLING_CONFIGURED = True
    assert key().state is state


def endpoint(settings: Any, **changes: Any) -> None:
    import stripe

    wanted = {"enabled_events": sorted(SYNCED), "api_version": stripe.api_version, **changes}
    stripe_api().webhook_endpoint_create({"url": f"{settings.PUBLIC_URL}/api/v1/billing/webhook", **wanted})


def test_the_endpoint_that_is_as_it_should_be(shop: Shop, settings: Any) -> None:
    endpoint(settings)
    assert webhook().state is State.OK
    assert prices().state is State.OK


def test_no_endpoint(shop: Shop) -> None:
    found = webhook()
    assert (found.state, found.todo) == (State.PROBLEM, "manage.py billing_webhook --create")


def test_an_endpoint_of_another_version(shop: Shop, settings: Any) -> None:
    endpoint(settings, api_version="2024-06-20")
    found = webhook()
    assert found.state is State.PROBLEM
    assert "speaks 2024-06-20" in found.found


def test_an_endpoint_that_is_not_told_everything(shop: Shop, settings: Any) -> None:
    endpoint(settings, enabled_events=sorted(SYNCED - {"invoice.paid"}))
    found = webhook()
    assert found.state is State.PROBLEM
    assert found.found.endswith("is not told of invoice.paid.")


def test_no_secret_for_its_events(shop: Shop, settings: Any) -> None:
    endpoint(settings)
    settings.STRIPE_WEBHOOK_SECRETS = []
    assert "STRIPE_WEBHOOK_SECRETS is not set" in webhook().found


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ("1200}", "1300}", "pro_monthly costs something else at Stripe."),
        ("id: starter", "id: small", "Stripe lacks the price small_monthly."),
    ],
)
def test_a_catalogue_that_stripe_does_not_have(
    before: str, after: str, found: str, shop: Shop, settings: Any, tmp_path: Path
) -> None:
    other = tmp_path / "plans.yaml"
    other.write_text(Path(settings.BILLING_PLANS).read_text().replace(before, after))
    settings.BILLING_PLANS = str(other)
    report = prices()
    assert (report.state, report.found) == (State.PROBLEM, found)


@pytest.mark.usefixtures("stripe_away")
def test_a_stripe_that_is_away_is_a_problem_and_no_crash(settings: Any) -> None:
    settings.DEBUG = True
    told = looked()
    assert told["billing.key"][0] is State.OK
    assert {told["billing.webhook"][0], told["billing.catalogue"][0]} == {State.PROBLEM}
