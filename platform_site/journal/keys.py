"""The catalogue of journal keys, which apps fill in their ``catalog.py``."""

from dataclasses import dataclass

from platform_site.catalog import Catalog


@dataclass(frozen=True, slots=True)
class JournalKey:
    """``audited`` keys are what a tenant's administrators see in their audit log."""

    key: str
    meaning: str
    audited: bool = True


journal_keys: Catalog[JournalKey] = Catalog("journal keys")


def journal_key(key: str, meaning: str, *, audited: bool = True) -> JournalKey:
    return journal_keys.add(JournalKey(key, meaning, audited))
