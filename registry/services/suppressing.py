"""What remains of an erased record's address: a keyed digest, which is recognised and from which nothing is read."""

from typing import Final
from uuid import UUID

from django.conf import settings

from platform_site.binding import require_tenant
from platform_site.keys import current_token_key, derived_secret
from registry.models import Identifier

_PURPOSE: Final = "erased identifier"


def erased_before(entity_class: str, key: str) -> bool:
    """Whether a record that was known by this was erased. Whoever comes back may want to be asked anew."""
    digests = [_digest(kid, entity_class, key) for kid, _ in settings.TOKEN_KEYS]
    kept = Identifier.objects.filter(entity_class=entity_class, kind=Identifier.Kind.ERASED, value__in=digests)
    return kept.exists()


def erased_remember(*, entity_class: str, keys: list[str], entity_id: UUID) -> None:
    """Keep digests of what an erased record was known by."""
    kid = current_token_key()
    Identifier.objects.bulk_create(
        [
            Identifier(
                entity_class=entity_class,
                kind=Identifier.Kind.ERASED,
                value=_digest(kid, entity_class, key),
                entity_id=entity_id,
                origin_id=entity_id,
            )
            for key in keys
        ],
        ignore_conflicts=True,
    )


def _digest(kid: str, entity_class: str, key: str) -> str:
    return derived_secret(kid, _PURPOSE, str(require_tenant().id), entity_class, key)
