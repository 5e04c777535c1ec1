"""Where events are sent. The secret is answered once, when the endpoint is made."""

from typing import Any
from urllib.parse import urlsplit

from billing.local_stripe import ids
from billing.local_stripe.answers import page
from billing.local_stripe.errors import invalid_parameter, missing_object
from billing.local_stripe.objects import metadata
from billing.local_stripe.routes import offers
from billing.local_stripe.world import World

Json = dict[str, Any]

_KIND = "webhook_endpoint"


@offers("POST", "/v1/webhook_endpoints", "api_version description enabled_events metadata url")
def create(world: World, params: Json) -> Json:
    endpoint: Json = {
        "id": ids.new(_KIND),
        "object": _KIND,
        "api_version": params.get("api_version"),
        "application": None,
        "created": world.now(),
        "description": params.get("description") or None,
        "enabled_events": params["enabled_events"],
        "livemode": False,
        "metadata": {},
        "status": "enabled",
        "url": _checked(params["url"]),
    }
    metadata.merge(endpoint, params)
    secret = "whsec_" + ids.chance(32)
    world.store.add("_secret", endpoint["id"], {"secret": secret})
    return {**world.add(_KIND, endpoint), "secret": secret}


@offers("GET", "/v1/webhook_endpoints")
def list_(world: World, params: Json) -> Json:
    return page(world, params, "/v1/webhook_endpoints", world.store.all(_KIND))


@offers("GET", "/v1/webhook_endpoints/{webhook_endpoint}")
def retrieve(world: World, params: Json, webhook_endpoint: str) -> Json:
    return _find(world, webhook_endpoint)


@offers("POST", "/v1/webhook_endpoints/{webhook_endpoint}", "description disabled enabled_events metadata url")
def update(world: World, params: Json, webhook_endpoint: str) -> Json:
    _find(world, webhook_endpoint)
    with world.changing(_KIND, webhook_endpoint) as endpoint:
        if "url" in params:
            endpoint["url"] = _checked(params["url"])
        if "enabled_events" in params:
            endpoint["enabled_events"] = params["enabled_events"]
        if "description" in params:
            endpoint["description"] = params["description"] or None
        if "disabled" in params:
            endpoint["status"] = "disabled" if params["disabled"] else "enabled"
        metadata.merge(endpoint, params)
    return endpoint


@offers("DELETE", "/v1/webhook_endpoints/{webhook_endpoint}")
def delete(world: World, params: Json, webhook_endpoint: str) -> Json:
    _find(world, webhook_endpoint)
    world.store.remove(_KIND, webhook_endpoint)
    world.store.remove("_secret", webhook_endpoint)
    return {"id": webhook_endpoint, "object": _KIND, "deleted": True}


def ensure(world: World, url: str, secret: str) -> None:
    """The endpoint that the start names: one for all events, whose secret is known before."""
    kept = [each for each in world.store.all(_KIND) if each["metadata"].get("made_by") == "start"]
    if kept:
        with world.changing(_KIND, kept[0]["id"]) as endpoint:
            endpoint.update({"url": _checked(url), "api_version": world.api_version, "status": "enabled"})
    else:
        endpoint = create(
            world,
            {
                "url": url,
                "enabled_events": ["*"],
                "api_version": world.api_version,
                "metadata": {"made_by": "start"},
            },
        )
    world.store.add("_secret", endpoint["id"], {"secret": secret})


def wanting(world: World, type: str) -> list[Json]:
    """The enabled endpoints that want events of this type."""
    enabled = [each for each in world.store.all(_KIND) if each["status"] == "enabled"]
    return [each for each in enabled if not {"*", type}.isdisjoint(each["enabled_events"])]


def secret_of(world: World, id: str) -> str:
    return str((world.store.get("_secret", id) or {}).get("secret", ""))


def _find(world: World, id: str) -> Json:
    found = world.store.get(_KIND, id)
    if found is None:
        raise missing_object("webhook endpoint", id, _KIND)
    return found


def _checked(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise invalid_parameter(
            "Invalid URL: An explicit scheme (such as https) must be provided.", "url", "url_invalid"
        )
    return url
