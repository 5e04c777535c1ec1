"""Refusals, in Stripe's words and codes."""

from typing import Any

Json = dict[str, Any]


class Refusal(Exception):
    """An answer that is no success. `effects_stay`: what was done before it is kept all the same."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        type: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        decline_code: str | None = None,
        effects_stay: bool = False,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.type = type
        self.code = code
        self.param = param
        self.decline_code = decline_code
        self.effects_stay = effects_stay

    def body(self) -> Json:
        optional = {"code": self.code, "param": self.param, "decline_code": self.decline_code}
        given = {name: value for name, value in optional.items() if value is not None}
        return {"error": {"message": self.message, "type": self.type, **given}}


def missing_object(kind: str, id: str, param: str = "id") -> Refusal:
    """An id that nobody has, or whose object is gone."""
    words = kind.split(".")[-1] if kind.startswith(("checkout.", "billing_portal.")) else kind
    return Refusal(f"No such {words.replace('_', ' ')}: '{id}'", status=404, code="resource_missing", param=param)


def unknown_parameter(param: str) -> Refusal:
    return Refusal(f"Received unknown parameter: {param}", code="parameter_unknown", param=param)


def missing_parameter(param: str) -> Refusal:
    return Refusal(f"Missing required param: {param}.", code="parameter_missing", param=param)


def invalid_parameter(message: str, param: str, code: str | None = None) -> Refusal:
    return Refusal(message, code=code, param=param)


def not_offered(param: str) -> Refusal:
    """Stripe knows it and we do not. Said aloud, for ignoring it would prove nothing about the caller."""
    return Refusal(
        f"The local server does not offer the parameter {param}; Stripe itself does.",
        code="not_offered_locally",
        param=param,
    )


def card_declined(message: str, decline_code: str, *, effects_stay: bool) -> Refusal:
    return Refusal(
        message,
        status=402,
        type="card_error",
        code="card_declined",
        decline_code=decline_code,
        effects_stay=effects_stay,
    )
