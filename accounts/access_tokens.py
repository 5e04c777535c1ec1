"""Access tokens: ten minutes, HS256, ids only. simplejwt encodes and decodes them.

Claims: ``iss aud sub tid sid jti iat exp typ`` (``act`` when impersonating). No
role, no permission, no address: those are read from the session record, so that
a change is not as old as the token.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

import jwt
from django.conf import settings
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import ExpiredTokenError, TokenBackendError, TokenError
from rest_framework_simplejwt.tokens import Token

from accounts import errors
from platform_site.errors import PlatformError

MAX_LENGTH = 4096


class KeyRingBackend(TokenBackend):
    """simplejwt's backend with named keys: the first signs, the one that ``kid`` names verifies."""

    def __init__(self, keys: Sequence[tuple[str, str]]) -> None:
        jwt_settings: dict[str, Any] = settings.SIMPLE_JWT
        super().__init__(
            "HS256",
            keys[0][1],
            audience=jwt_settings["AUDIENCE"],
            issuer=jwt_settings["ISSUER"],
            leeway=jwt_settings["LEEWAY"],
        )
        self._signing_kid = keys[0][0]
        self._keys = {kid: key.encode() for kid, key in keys}

    def encode(self, payload: dict[str, Any]) -> str:
        claims = {**payload, "aud": self.audience, "iss": self.issuer}
        return jwt.encode(claims, self._keys[self._signing_kid], algorithm="HS256", headers={"kid": self._signing_kid})

    def get_verifying_key(self, token: Any) -> Any:
        try:
            kid = jwt.get_unverified_header(token).get("kid")
        except jwt.InvalidTokenError as error:
            raise TokenBackendError("The header cannot be read.") from error
        if not isinstance(kid, str) or kid not in self._keys:
            raise TokenBackendError("No such key.")
        return self._keys[kid]


@lru_cache(maxsize=4)
def _backend(keys: tuple[tuple[str, str], ...]) -> KeyRingBackend:
    return KeyRingBackend(keys)


class AccessToken(Token):
    token_type = "access"  # noqa: S105 - the name of a kind

    @property
    def lifetime(self) -> timedelta:  # type: ignore[override]
        return timedelta(seconds=settings.ACCESS_TOKEN_SECONDS)

    def get_token_backend(self) -> TokenBackend:
        return _backend(tuple(settings.JWT_KEYS))


@dataclass(frozen=True, slots=True)
class Claims:
    """``acting``: the number of the staff member who is signed in as this person, else ""."""

    tenant_id: UUID
    session_id: UUID
    user_uuid: UUID
    acting: str = ""


def access_token(*, tenant_id: UUID, session_id: UUID, user_uuid: UUID) -> str:
    """A new access token for this session."""
    token = AccessToken()
    token["sub"], token["tid"], token["sid"] = str(user_uuid), str(tenant_id), str(session_id)
    return str(token)


def impersonation_token(
    *, tenant_id: UUID, session_id: UUID, user_uuid: UUID, staff_id: int, now: datetime, until: datetime
) -> str:
    """An access token that says who acts for this person (``act``, RFC 8693) and ends with the session."""
    token = AccessToken()
    token.set_exp(from_time=now, lifetime=until - now)
    token["sub"], token["tid"], token["sid"] = str(user_uuid), str(tenant_id), str(session_id)
    token["act"] = {"sub": str(staff_id)}
    return str(token)


def verify_access_token(text: str, *, allow_expired: bool = False) -> Claims:
    """What a genuine token says. Raises ``token_invalid``, ``token_expired`` or ``token_wrong_type``.

    ``allow_expired`` is for signing out, which must not fail because it came late.
    """
    if len(text) > MAX_LENGTH:
        raise PlatformError(errors.TOKEN_INVALID)
    try:
        token = AccessToken(text)  # type: ignore[arg-type]
    except ExpiredTokenError:
        if not allow_expired:
            raise PlatformError(errors.TOKEN_EXPIRED) from None
        return _claims(_decode_expired(text))
    except TokenError as error:
        wrong_type = "wrong type" in str(error) or "no type" in str(error)
        raise PlatformError(errors.TOKEN_WRONG_TYPE if wrong_type else errors.TOKEN_INVALID) from None
    return _claims(token.payload)


def token_end(text: str) -> float:
    """When a token that was verified already ends, in seconds since 1970."""
    return float(jwt.decode(text, options={"verify_signature": False})["exp"])


def _decode_expired(text: str) -> dict[str, Any]:
    """The signature counts, the time does not."""
    backend = _backend(tuple(settings.JWT_KEYS))
    payload: dict[str, Any] = jwt.decode(
        text,
        backend.get_verifying_key(text),
        algorithms=["HS256"],
        audience=backend.audience,
        issuer=backend.issuer,
        options={"verify_exp": False},
    )
    if payload.get("typ") != AccessToken.token_type:
        raise PlatformError(errors.TOKEN_WRONG_TYPE)
    return payload


def _claims(payload: dict[str, Any]) -> Claims:
    try:
        acting = str(payload["act"]["sub"]) if "act" in payload else ""
        return Claims(UUID(payload["tid"]), UUID(payload["sid"]), UUID(payload["sub"]), acting)
    except (KeyError, ValueError, TypeError, AttributeError):
        raise PlatformError(errors.TOKEN_INVALID) from None
