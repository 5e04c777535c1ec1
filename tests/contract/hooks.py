"""What generated requests need so that operations can succeed, and the count of what came of them.

Loaded by schemathesis (schemathesis.toml names it), in a process of its own. A
generated e-mail address is nobody's and a generated token opens nothing, so
three of four positive cases get real values; the fourth stays as generated.
Negative cases are never touched.
"""

import itertools
import json
import os
import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import schemathesis

PLAN: dict[str, Any] = json.loads(Path(os.environ["CONTRACT_PLAN"]).read_text())
COUNTS = Path(os.environ["CONTRACT_COUNTS"])

_api = httpx.Client(base_url=PLAN["api"], timeout=30)
_cases = itertools.count()


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    if not _is_positive(case):
        return
    if isinstance(case.body, dict):
        case.body = _plain(case.body)
    fill = _FILLS.get(_operation_id(case))
    if fill is not None and (next(_cases) % 4 or fill in _ALWAYS):
        fill(case)


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    line = {
        "operation": _operation_id(case),
        "positive": _is_positive(case),
        "status": response.status_code,
    }
    with COUNTS.open("a") as file:
        file.write(json.dumps(line) + "\n")


def _operation_id(case: Any) -> str:
    return str(case.operation.definition.raw["operationId"])


def _is_positive(case: Any) -> bool:
    return case.meta is None or case.meta.generation.mode is schemathesis.GenerationMode.POSITIVE


def _plain(value: Any) -> Any:
    """Without what every text is refused for and JSON Schema cannot say: control characters, and only spaces."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, str) and value:
        plain = "".join("x" if unicodedata.category(character) == "Cc" else character for character in value)
        return plain if plain.strip() else "x" * len(plain)
    return value


def _sign_in(person: Mapping[str, str]) -> dict[str, Any]:
    response = _api.post("/auth/login", json=person)
    response.raise_for_status()
    tokens: dict[str, Any] = response.json()["data"]
    return tokens


def _login(case: Any) -> None:
    case.body = {**case.body, **PLAN["acme"]}


def _refresh(case: Any) -> None:
    # The last pair is spent, and the one before it would end the session.
    case.body = {**case.body, "refreshToken": _sign_in(PLAN["acme"])["refreshToken"]}


def _own_session(case: Any) -> None:
    # A session of a third tenant, so that the run's own tokens live on.
    case.headers = {**(case.headers or {}), "Authorization": f"Bearer {_sign_in(PLAN['leaving'])['accessToken']}"}


def _verify(case: Any) -> None:
    case.path_parameters = {**case.path_parameters, "token": PLAN["verification_token"]}


def _register(case: Any) -> None:
    # Slugs are handed out once; which passwords are too common or too personal is beyond JSON Schema.
    slug = f"c-{uuid4().hex[:20]}"
    case.body = {
        **case.body,
        "slug": slug,
        "adminEmail": f"admin@{slug}.test",
        "adminPassword": "correct horse battery",
    }
    key = (case.headers or {}).get("Idempotency-Key")
    if key is not None:
        # A new slug under an old key would be another body under that key. And a key is printable, which a schema
        # of a header can say only by listing what Unicode calls so.
        printable = "".join(character if character.isprintable() else "x" for character in key)
        case.headers["Idempotency-Key"] = f"{printable[:200]}{slug}"


def _slug(case: Any) -> None:
    case.path_parameters = {**case.path_parameters, "slug": PLAN["acme"]["tenantSlug"]}


_FILLS: Mapping[str, Callable[[Any], None]] = {
    "auth_login": _login,
    "auth_refresh": _refresh,
    "auth_logout": _own_session,
    "auth_logout_all": _own_session,
    "auth_verify_email": _verify,
    "auth_verify_email_by_get": _verify,
    "tenants_register": _register,
    "tenants_by_slug": _slug,
}
_ALWAYS = {_own_session, _register}
