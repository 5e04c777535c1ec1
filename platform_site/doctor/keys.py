"""The platform's secrets: that they are strong, that no two are the same, that none is missing."""

import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from django.conf import settings

from platform_site.checks import KID, MINIMUM_KEY_LENGTH
from platform_site.derived_values import derived_values
from platform_site.doctor.catalog import TABLES, Examination, Finding, fine, problem
from platform_site.rotation.counting import count_uses
from platform_site.rotation.rings import ENCRYPTION, JWT, TOKEN, key_ids

_MAKE: Final = "Make one: python3 -c 'import secrets; print(secrets.token_urlsafe(50))'"
_SHORTEST_DJANGO: Final = 50
_FEWEST_BITS: Final = 128
_MADE_UP: Final = re.compile(r"(?i)django-insecure|change.?me|placeholder|your.?(secret|key)|insecure|example")
_RINGS: Final = (JWT, TOKEN, ENCRYPTION)


def _named() -> Iterator[tuple[str, str]]:
    """Every secret with the name by which it is spoken of."""
    yield "SECRET_KEY", settings.SECRET_KEY
    for key in settings.SECRET_KEY_FALLBACKS:
        yield "SECRET_KEY_FALLBACK", key
    for ring in _RINGS:
        for kid, key in getattr(settings, ring):
            yield f"{kid} of {ring}", key


def bits(secret: str) -> float:
    """What its letters could tell at most, if each were drawn by itself."""
    counted = Counter(secret)
    return -sum(count * math.log2(count / len(secret)) for count in counted.values())


def strength() -> Finding:
    for name, key in _named():
        shortest = _SHORTEST_DJANGO if name.startswith("SECRET_KEY") else MINIMUM_KEY_LENGTH
        if len(key) < shortest:
            return problem(f"{name} has {len(key)} characters; {shortest} are the least.", _MAKE)
        if _MADE_UP.search(key) or bits(key) < _FEWEST_BITS:
            return problem(f"{name} can be guessed.", _MAKE)
    return fine("They are long and look random.")


def equal() -> Finding:
    seen: dict[str, str] = {}
    for name, key in _named():
        if key in seen:
            return problem(f"{seen[key]} and {name} are the same.", "Replace one: manage.py rotate_secrets --new …")
        seen[key] = name
    return fine("No two are the same.")


def rings() -> Finding:
    for ring in _RINGS:
        kids = key_ids(ring)
        if not kids:
            return problem(f"{ring} is empty.", f"Set it to kid:key. {_MAKE}")
        if len(kids) > 2:
            return problem(
                f"{ring} holds {len(kids)} keys.", "manage.py rotate_secrets --reseal, then drop the oldest."
            )
        if len(set(kids)) != len(kids) or not all(KID.fullmatch(kid) for kid in kids):
            return problem(
                f"{ring} names its keys badly.", "Give each key an id of its own, of letters, digits, - and _."
            )
    two = [ring for ring in _RINGS if len(key_ids(ring)) == 2]
    return fine(f"{', '.join(two)} is being replaced." if two else "One key in each.")


def stored() -> Finding:
    """Keys that stored data name and that nobody has any more."""
    uses = count_uses()
    outliving = {value.key for value in derived_values if value.outlives}
    for ring in (ENCRYPTION, TOKEN):
        for what, by_key in uses.by_ring[ring].items():
            lost = {kid: number for kid, number in by_key.items() if number and kid not in key_ids(ring)}
            if lost and what not in outliving:
                kid, number = next(iter(lost.items()))
                return problem(
                    f"{number} of {what} are under {kid or 'a key'}, which is not in {ring}.",
                    f"Put that key back behind the first one of {ring}, then manage.py rotate_secrets --reseal.",
                )
    return fine("Stored data name no other keys than these.")


EXAMINATIONS: Final = (
    Examination("keys.strength", strength),
    Examination("keys.equal", equal),
    Examination("keys.rings", rings),
    # It walks over all tenants.
    Examination("keys.stored", stored, (TABLES, "tenants.schemas", "tenants.migrations"), timeout=300.0),
)
