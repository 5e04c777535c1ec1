"""The registry of settings. Apps fill it in their ``catalog.py``; what is not in it cannot be set."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from platform_site.catalog import Catalog

Kind = Literal["text", "whole", "flag", "choice", "moment", "map"]
# Raises ``ValueError`` with a sentence for the person who sent the value; gives what is stored.
Validator = Callable[[Any], Any]
_KEY = re.compile(r"[a-z][a-z0-9_-]*(?:\.[a-z0-9_-]+)+")


@dataclass(frozen=True, slots=True)
class OrgSettingDefinition:
    """One thing that a tenant may decide.

    ``default`` is asked each time, because the platform's own settings may
    stand behind it. ``read_role`` and ``write_role`` are the lowest roles that
    may. A ``secret`` is never shown again. ``tenant_field`` names the column of
    the tenant's public row where the value lives, for what is shown before
    anybody has signed in.
    """

    key: str
    label: str
    kind: Kind
    default: Callable[[], Any]
    read_role: str = "user"
    write_role: str = "tenant_admin"
    secret: bool = False
    choices: tuple[str, ...] = ()
    minimum: int | None = None
    # Asked each time, as the default is.
    maximum: Callable[[], int] | None = None
    validate: Validator | None = None
    tenant_field: str = ""

    @property
    def category(self) -> str:
        """The part of the key before the first dot."""
        return self.key.partition(".")[0]


org_settings: Catalog[OrgSettingDefinition] = Catalog("organisation settings")


def org_setting(definition: OrgSettingDefinition) -> OrgSettingDefinition:
    """Declare a setting and keep its name. Raises ``ValueError`` for a key that no path could hold."""
    if not _KEY.fullmatch(definition.key) or definition.category == "by-category":
        raise ValueError(f"{definition.key!r} cannot be the key of a setting.")
    return org_settings.add(definition)
