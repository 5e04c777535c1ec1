"""The judge finds what is against Stripe's description, in requests, answers and events."""

import gzip
import json
from typing import Any

import pytest
import stripe

from billing.local_stripe import extract
from billing.local_stripe.api import Exchange
from billing.local_stripe.description import load, operations
from billing.local_stripe.differences import PARAMETERS
from billing.local_stripe.judge import Judge, findings_of_object, judged
from billing.local_stripe.routes import ROUTES
from billing.local_stripe.server import LocalStripe
from billing.local_stripe.tests.shop import Shop

pytestmark = pytest.mark.no_django


def findings(form: str = "", body: Any = None, method: str = "POST", path: str = "/v1/customers") -> list[str]:
    judge = Judge()
    body = body if body is not None else {"error": {"type": "invalid_request_error"}}
    status = 400 if "error" in body else 200
    exchange = Exchange(method=method, path=path, form=form, idempotency_key=None, status=status, body=body)
    judge.judge(exchange)
    return [str(finding) for finding in judge.findings]


def test_a_wrong_field_of_a_request_is_found() -> None:
    assert findings("email=a%40b.test&metadata[tenant]=t1&preferred_locales[0]=de") == []
    assert "'emial' was unexpected" in findings("emial=a%40b.test")[0]
    assert "'often' is not of type 'integer'" in findings("limit=often", method="GET")[0]
    line = "mode=subscription&line_items[0][price]=p&line_items[0][adjustable_quantity]"
    found = findings(f"{line}[enabled]=perhaps", path="/v1/checkout/sessions")
    assert found == [
        "POST /v1/checkout/sessions, request: line_items.0.adjustable_quantity.enabled: "
        "'perhaps' is not of type 'boolean'"
    ]
    assert "'enabled' is a required property" in findings(f"{line}[minimum]=1", path="/v1/checkout/sessions")[0]


def test_a_wrong_field_of_an_answer_is_found() -> None:
    customer = {"id": "cus_1", "object": "customer", "created": 1, "livemode": False}
    assert findings(body=customer) == []
    assert "'current_period_end' was unexpected" in findings(body={**customer, "current_period_end": 1})[0]
    assert "'1' is not of type 'integer'" in findings(body={**customer, "created": "1"})[0]
    del customer["created"]
    assert "'created' is a required property" in findings(body=customer)[0]


def test_the_shape_of_older_versions_is_found(shop: Shop) -> None:
    """A subscription with a period of its own, and an invoice that names its subscription itself."""
    id = shop.subscribe().id
    subscription, invoice = shop.server.store.get("subscription", id), shop.server.store.all("invoice")[0]
    assert subscription is not None
    assert findings_of_object(subscription) == []
    assert "current_period_end" in findings_of_object({**subscription, "current_period_end": 1})[0]
    assert findings_of_object(invoice) == []
    assert "subscription" in findings_of_object({**invoice, "subscription": "sub_1"})[0]


def test_objects_in_events_are_judged() -> None:
    event = {
        "id": "evt_1",
        "object": "event",
        "created": 1,
        "livemode": False,
        "pending_webhooks": 0,
        "type": "customer.created",
        "data": {"object": {"id": "cus_1", "object": "customer", "created": 1, "livemode": False, "colour": "red"}},
    }
    assert "'colour' was unexpected" in findings(body=event, method="GET", path="/v1/events/evt_1")[0]


def test_an_error_has_its_own_shape() -> None:
    assert findings(body={"error": {"type": "sad"}})[0].startswith("POST /v1/customers, answer: error.type: 'sad'")


def test_a_path_that_we_do_not_use_is_found() -> None:
    assert findings(path="/v1/charges") == [
        "POST /v1/charges, request: (whole): no operation of the description that we use"
    ]


def test_leaving_with_findings_fails(server: LocalStripe) -> None:
    client = server.client()

    def misspell() -> None:
        with judged(server):
            params: Any = {"emial": "a@b.test"}
            with pytest.raises(stripe.InvalidRequestError):
                client.v1.customers.create(params)

    with pytest.raises(AssertionError, match=r"1 against the description(.|\n)*'emial' was unexpected"):
        misspell()
    with judged(server) as judge:
        client.v1.customers.create({"email": "a@b.test"})
    assert judge.judged == 1
    # Outside nobody listens any more.
    client.v1.customers.list()
    assert judge.judged == 1


def test_every_operation_of_the_extract_is_answered_and_no_other() -> None:
    assert {(each.method, each.path) for each in operations()} == set(ROUTES)


def test_every_parameter_that_is_heeded_is_one_of_stripe() -> None:
    for operation in operations():
        route = ROUTES[operation.method, operation.path]
        assert route.heeds <= set(operation.input["properties"]), (operation.method, operation.path)


def test_known_differences_have_their_reasons_and_still_exist() -> None:
    """One that a newer description has caught up with is to be removed."""
    for each in PARAMETERS:
        assert each.reason
        method, path = each.operation.split()
        described = load()["paths"][path][method.lower()]["form"]["properties"][each.name]
        assert described != each.schema


def test_the_extract_keeps_the_notice_and_what_is_reached() -> None:
    assert "MIT License" in load()["info"]["license"]
    assert "Permission is hereby granted" in load()["info"]["license"]
    schemas = load()["components"]["schemas"]
    assert {"customer", "subscription", "invoice", "checkout.session", "error"} <= set(schemas)
    # Kinds that are never answered are left out, with all that only they lead to.
    assert not {"charge", "payment_intent", "account"} & set(schemas)


def test_an_extract_of_the_extract_is_itself(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """The program, on a description of Stripe's own form."""
    ok = {"200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/customer"}}}}}
    customer = {
        "type": "object",
        "description": "words",
        "x-resourceId": "customer",
        "properties": {
            "description": {"type": "string", "nullable": True, "description": "words"},
            "source": {"anyOf": [{"type": "string"}, {"$ref": "#/components/schemas/card"}]},
            "address": {"$ref": "#/components/schemas/address"},
        },
    }
    whole = {
        "openapi": "3.0.0",
        "info": {"title": "Stripe API", "version": "v"},
        "paths": {"/v1/customers/{customer}": {"get": {"parameters": [], "responses": ok}}},
        "components": {
            "schemas": {
                "customer": customer,
                "card": {"type": "object", "x-resourceId": "card", "properties": {}},
                "address": {"type": "object", "properties": {"city": {"type": "string"}}},
                "error": {"type": "object"},
                "unused": {"type": "object"},
            }
        },
    }
    source, target = tmp_path / "spec3.json", tmp_path / "out.json.gz"
    source.write_text(json.dumps(whole))
    monkeypatch.setattr(extract, "FILE", target)
    monkeypatch.setattr(extract, "OPERATIONS", {"/v1/customers/{customer}": ("get",)})
    assert extract.main([str(source)]) == 0
    kept = json.loads(gzip.decompress(target.read_bytes()))["components"]["schemas"]
    assert set(kept) == {"customer", "address", "error"}
    assert kept["customer"]["properties"] == {
        "description": {"type": "string", "nullable": True},
        "source": {"anyOf": [{"type": "string"}]},
        "address": {"$ref": "#/components/schemas/address"},
    }
    assert extract.main([]) == 2
