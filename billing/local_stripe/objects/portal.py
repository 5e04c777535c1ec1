"""The billing portal: sessions that lead to its page, and what that page offers."""

from typing import Any

from billing.local_stripe import ids
from billing.local_stripe.answers import page
from billing.local_stripe.errors import invalid_parameter, missing_parameter, not_offered
from billing.local_stripe.objects import changing, ending, metadata
from billing.local_stripe.routes import offers
from billing.local_stripe.world import World

Json = dict[str, Any]

_SESSION = "billing_portal.session"
_CONFIGURATION = "billing_portal.configuration"
_FLOWS = frozenset(
    {"payment_method_update", "subscription_cancel", "subscription_update", "subscription_update_confirm"}
)


@offers("POST", "/v1/billing_portal/sessions", "configuration customer flow_data locale return_url")
def create_session(world: World, params: Json) -> Json:
    if "customer" not in params:
        raise missing_parameter("customer")
    customer = world.find("customer", params["customer"], "customer")
    configuration = _configuration(world, params)
    id = ids.new(_SESSION)
    # Whoever has the address is let in, so it says more than the id, which stands in logs.
    slug = f"test_{ids.chance(40)}"
    session: Json = {
        "id": id,
        "object": _SESSION,
        "configuration": configuration["id"],
        "created": world.now(),
        "customer": customer["id"],
        "customer_account": None,
        "flow": _flow(world, customer, params.get("flow_data")),
        "livemode": False,
        "locale": params.get("locale"),
        "on_behalf_of": None,
        "return_url": params.get("return_url") or configuration["default_return_url"],
        "url": f"{world.base_url}/p/session/{slug}",
    }
    world.store.add("_slug", slug, {"session": id})
    return world.add(_SESSION, session)


@offers("POST", "/v1/billing_portal/configurations", "business_profile default_return_url features metadata name")
def create_configuration(world: World, params: Json) -> Json:
    configuration: Json = {
        "id": ids.new(_CONFIGURATION),
        "object": _CONFIGURATION,
        "active": True,
        "application": None,
        "business_profile": {"headline": None, "privacy_policy_url": None, "terms_of_service_url": None},
        "created": world.now(),
        "default_return_url": None,
        "features": _NO_FEATURES,
        "is_default": False,
        "livemode": False,
        "login_page": {"enabled": False, "url": None},
        "metadata": {},
        "name": None,
        "updated": world.now(),
    }
    _apply(configuration, params)
    return world.add(_CONFIGURATION, configuration, "billing_portal.configuration.created")


@offers("GET", "/v1/billing_portal/configurations", "active is_default")
def list_configurations(world: World, params: Json) -> Json:
    ensure_default(world)
    found = world.store.all(_CONFIGURATION)
    for name in ("active", "is_default"):
        if name in params:
            found = [each for each in found if each[name] == params[name]]
    return page(world, params, "/v1/billing_portal/configurations", found)


@offers("GET", "/v1/billing_portal/configurations/{configuration}")
def retrieve_configuration(world: World, params: Json, configuration: str) -> Json:
    return world.find(_CONFIGURATION, configuration, "configuration")


@offers(
    "POST",
    "/v1/billing_portal/configurations/{configuration}",
    "active business_profile default_return_url features metadata name",
)
def update_configuration(world: World, params: Json, configuration: str) -> Json:
    world.find(_CONFIGURATION, configuration, "configuration")
    with world.changing(_CONFIGURATION, configuration) as changed:
        changed["active"] = params.get("active", changed["active"])
        _apply(changed, params)
        changed["updated"] = world.now()
    return changed


def ensure_default(world: World) -> Json:
    """What is saved in Stripe's dashboard once: everything is offered."""
    for each in world.store.all(_CONFIGURATION):
        if each["is_default"]:
            return each
    made = create_configuration(world, {"features": {name: {"enabled": True} for name in _NO_FEATURES}})
    with world.changing(_CONFIGURATION, made["id"], silently=True) as configuration:
        configuration["is_default"] = True
    return made


def session_of_slug(world: World, slug: str) -> Json:
    kept = world.store.get("_slug", slug) or {"session": "bps_0"}
    return world.find(_SESSION, kept["session"], "session")


_NO_FEATURES: Json = {
    "customer_update": {"allowed_updates": [], "enabled": False},
    "invoice_history": {"enabled": False},
    "payment_method_update": {"enabled": False, "payment_method_configuration": None},
    "subscription_cancel": {
        "cancellation_reason": {
            "enabled": False,
            "options": ["too_expensive", "missing_features", "switched_service", "unused", "other"],
        },
        "enabled": False,
        "mode": "at_period_end",
        "proration_behavior": "none",
    },
    "subscription_update": {
        "billing_cycle_anchor": None,
        "default_allowed_updates": ["price", "quantity"],
        "enabled": False,
        "products": [],
        "proration_behavior": "create_prorations",
        "schedule_at_period_end": {"conditions": []},
        "trial_update_behavior": "continue_trial",
    },
}


def _apply(configuration: Json, params: Json) -> None:
    for name in ("default_return_url", "name"):
        if name in params:
            configuration[name] = params[name] or None
    profile = {name: value or None for name, value in params.get("business_profile", {}).items()}
    configuration["business_profile"] = {**configuration["business_profile"], **profile}
    features = {**configuration["features"]}
    for name, given in params.get("features", {}).items():
        features[name] = {**features[name], **_feature(name, given)}
    configuration["features"] = features
    metadata.merge(configuration, params)


def _feature(name: str, given: Json) -> Json:
    known = _NO_FEATURES[name]
    for each, value in given.items():
        if each not in known:
            raise not_offered(f"features[{name}][{each}]")
        if isinstance(value, dict) and isinstance(known[each], dict):
            given = {**given, each: {**known[each], **value}}
    return given


def _configuration(world: World, params: Json) -> Json:
    if "configuration" not in params:
        return ensure_default(world)
    return world.find(_CONFIGURATION, params["configuration"], "configuration")


def _flow(world: World, customer: Json, given: Json | None) -> Json | None:
    if given is None:
        return None
    type = given["type"]
    if type not in _FLOWS:
        raise not_offered("flow_data[type]")
    flow: Json = {
        "after_completion": _after_completion(given.get("after_completion", {"type": "portal_homepage"})),
        "customer_update": None,
        "subscription_cancel": None,
        "subscription_update": None,
        "subscription_update_confirm": None,
        "type": type,
    }
    if type == "payment_method_update":
        return flow
    param = f"flow_data[{type}]"
    if type not in given:
        raise missing_parameter(param)
    wanted = given[type]
    subscription = world.find("subscription", wanted["subscription"], f"{param}[subscription]")
    if subscription["customer"] != customer["id"] or subscription["status"] in ending.OVER:
        message = "This subscription cannot be changed in the portal of this customer."
        raise invalid_parameter(message, f"{param}[subscription]")
    if type == "subscription_cancel" and subscription["cancel_at"]:
        message = "The subscription is already set to be canceled."
        raise invalid_parameter(message, f"{param}[subscription]")
    flow[type] = {"subscription": subscription["id"]}
    if type == "subscription_cancel":
        flow[type]["retention"] = None
    if type == "subscription_update_confirm":
        changing.changed_items(world, subscription, wanted["items"])
        flow[type]["discounts"] = []
        flow[type]["items"] = [_confirmed_item(each) for each in wanted["items"]]
    return flow


def _confirmed_item(given: Json) -> Json:
    return {"id": given["id"], "price": given.get("price"), "quantity": given.get("quantity")}


def _after_completion(given: Json) -> Json:
    confirmation = given.get("hosted_confirmation")
    return {
        "hosted_confirmation": {"custom_message": confirmation.get("custom_message")} if confirmation else None,
        "redirect": given.get("redirect"),
        "type": given["type"],
    }
