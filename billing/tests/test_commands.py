"""What operators do by hand."""

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from billing.models import StripeEvent
from billing.tests.support import Shop, account, deliver, event, events_by_status, status, trial_over
from tests.support import Api


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def failed(*arguments: str) -> tuple[int, str]:
    with pytest.raises(CommandError) as refused:
        run(*arguments)
    return refused.value.returncode, str(refused.value)


class TestCatalogue:
    def test_a_second_run_finds_what_the_first_made(self, shop: Shop) -> None:
        report = json.loads(run("billing_sync_catalogue", "--create", "--json"))
        assert sorted(report["present"]) == ["pro_monthly", "pro_yearly", "starter_monthly", "starter_yearly"]
        assert report["created"] == report["missing"] == report["different"] == []

    def test_what_is_missing_or_costs_something_else_is_said(
        self, shop: Shop, settings: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from pathlib import Path

        text = Path(settings.BILLING_PLANS).read_text().replace("1200}", "1300}").replace("id: starter", "id: small")
        other = tmp_path / "plans.yaml"
        other.write_text(text)
        settings.BILLING_PLANS = str(other)
        code, _ = failed("billing_sync_catalogue")
        assert code == 1
        assert "different  pro_monthly" in run_and_fail("billing_sync_catalogue")
        assert "missing    small_monthly" in run_and_fail("billing_sync_catalogue")

    def test_a_price_that_is_replaced_is_kept_by_who_pays_it(
        self, shop: Shop, alice: Api, mallory: Api, tenant: Any, settings: Any, tmp_path: Any
    ) -> None:
        from pathlib import Path

        trial_over(tenant)
        shop.buys(alice)
        other = tmp_path / "plans.yaml"
        other.write_text(Path(settings.BILLING_PLANS).read_text().replace("1200}", "1300}"))
        settings.BILLING_PLANS = str(other)
        report = json.loads(run("billing_sync_catalogue", "--create", "--replace", "--json"))
        assert (report["replaced"], report["different"]) == (["pro_monthly"], [])
        assert json.loads(run("billing_sync", "acme"))["plan"]["unitAmount"] == 1200
        found = status(alice)["plan"]
        assert (found["id"], found["interval"]) == ("pro", "monthly")
        shop.buys(mallory)
        assert status(mallory)["plan"]["unitAmount"] == 1300
        assert json.loads(run("billing_sync_catalogue", "--create", "--replace", "--json"))["replaced"] == []

    def test_a_rehearsal_says_what_would_be_made_and_makes_nothing(
        self, shop: Shop, settings: Any, tmp_path: Any
    ) -> None:
        from pathlib import Path

        other = tmp_path / "plans.yaml"
        text = Path(settings.BILLING_PLANS).read_text()
        other.write_text(text.replace("1200}", "1300}").replace("id: starter", "id: small"))
        settings.BILLING_PLANS = str(other)
        told = json.loads(run("billing_sync_catalogue", "--create", "--replace", "--dry-run", "--json"))
        assert told["replaced"] == ["pro_monthly"]
        assert told["created"] == ["small_monthly", "small_yearly"]
        assert failed("billing_sync_catalogue")[0] == 1
        assert json.loads(run("billing_sync_catalogue", "--create", "--replace", "--json")) == told

    def test_without_stripe_it_says_so(self, database: None) -> None:
        assert failed("billing_sync_catalogue")[0] == 2

    @pytest.mark.parametrize(
        "wrong",
        [
            "nonsense: [",
            "currency: usd\ntrialPlan: gold\nplans: []",
            "currency: usd\ntrialPlan: a\nplans: [{id: a, name: A}, {id: a, name: B}]",
            "currency: usd\ntrialPlan: a\nplans: [{id: a, name: A, seats: {min: 5, max: 2}}]",
            "currency: usd\ntrialPlan: a\nplans: [{id: a, name: A, colour: red}]",
            "currency: dollars\ntrialPlan: a\nplans: [{id: a, name: A}]",
            "currency: usd\ntrialPlan: a\nplans: [{id: a, name: A, prices: {weekly: {amount: 1}}}]",
        ],
    )
    def test_a_catalogue_that_cannot_be_meant_is_refused(self, tmp_path: Any, settings: Any, wrong: str) -> None:
        from django.core.exceptions import ImproperlyConfigured

        from billing.plans import catalogue

        file = tmp_path / "plans.yaml"
        file.write_text(wrong)
        settings.BILLING_PLANS = str(file)
        with pytest.raises(ImproperlyConfigured, match="BILLING_PLANS"):
            catalogue()


def run_and_fail(*arguments: str) -> str:
    out = io.StringIO()
    with pytest.raises(CommandError):
        call_command(*arguments, stdout=out)
    return out.getvalue()


class TestWebhook:
    def test_it_is_made_once_and_found(self, shop: Shop) -> None:
        assert failed("billing_webhook")[0] == 1
        made = json.loads(run("billing_webhook", "--create", "--json"))
        assert made["secret"].startswith("whsec_")
        found = json.loads(run("billing_webhook", "--create", "--json"))
        assert (found["id"], found["ok"], "secret" in found) == (made["id"], True, False)

    def test_a_rehearsal_makes_none(self, shop: Shop) -> None:
        told = json.loads(run("billing_webhook", "--create", "--dry-run", "--json"))
        assert (told["found"], told["wouldCreate"]) == (False, True)
        assert failed("billing_webhook")[0] == 1

    def test_one_that_is_switched_off_is_not_as_it_should_be(self, shop: Shop) -> None:
        made = json.loads(run("billing_webhook", "--create", "--json"))
        shop.server.client().v1.webhook_endpoints.update(made["id"], params={"disabled": True})
        assert failed("billing_webhook")[0] == 1


class TestReplay:
    def test_what_failed_is_acted_on_again(self, shop: Shop, alice: Api, tenant: Any) -> None:
        trial_over(tenant)
        shop.buys(alice, tell=False)
        (told,) = shop.server.events("customer.subscription.created")
        deliver(told)
        StripeEvent.objects.filter(id=told["id"]).update(status="failed")
        assert json.loads(run("billing_replay", "--failed", "--dry-run", "--json")) == {
            "events": [told["id"]],
            "replayed": False,
        }
        run("billing_replay", "--failed")
        shop.tell([])
        assert events_by_status() == {"processed": 1}
        assert status(alice)["status"] == "active"

    def test_one_that_is_not_there(self, shop: Shop) -> None:
        assert failed("billing_replay", "evt_nobody") == (2, "There is no event evt_nobody.")
        assert failed("billing_replay")[0] == 2

    def test_what_waits_for_long(self, shop: Shop) -> None:
        deliver(event())
        assert json.loads(run("billing_replay", "--received-before", "0", "--json"))["events"] == ["evt_1"]
        assert json.loads(run("billing_replay", "--received-before", "5", "--json"))["events"] == []


class TestOneTenant:
    def test_a_look_prints_what_there_is(self, shop: Shop, alice: Api, tenant: Any) -> None:
        trial_over(tenant)
        shop.buys(alice, tell=False)
        assert json.loads(run("billing_sync", "acme", "--dry-run", "--json"))["status"] == "active"
        assert account(tenant).stripe_status == ""
        assert json.loads(run("billing_sync", "acme"))["status"] == "active"
        assert account(tenant).stripe_status == "active"
        assert failed("billing_sync", "nobody")[0] == 2
        shop.server.fault(status=500, times=5)
        assert failed("billing_sync", "acme")[0] == 1

    def test_more_time(self, shop: Shop, alice: Api, tenant: Any) -> None:
        trial_over(tenant)
        told = json.loads(run("billing_grace", "acme", "--days", "5", "--reason", "x", "--dry-run", "--json"))
        assert (told["slug"], told["dryRun"], account(tenant).grace_until) == ("acme", True, None)
        assert "works until" in run("billing_grace", "acme", "--days", "5", "--reason", "Bank holiday")
        assert status(alice)["access"] == "full"
        assert failed("billing_grace", "acme", "--until", "2099-01-01", "--reason", "x")[0] == 1
        run("billing_grace", "acme", "--end", "--reason", "Paid")
        assert status(alice)["access"] == "read_only"
        assert failed("billing_grace", "acme", "--until", "tomorrow", "--reason", "x")[0] == 2
        assert failed("billing_grace", "nobody", "--days", "1", "--reason", "x")[0] == 2
        assert account(tenant).grace_until is None
