"""What the registry adds to the platform's catalogues. Numbers 50 to 59 of the permissions are its own."""

from typing import Any, Final

from events.sent import NAME
from events.subjects import plug_in
from platform_site.action_items import ActionSource, action_sources
from platform_site.journal.keys import journal_key
from platform_site.permissions import permission
from platform_site.setup_tasks import SetupTask, setup_task
from registry import setting_up
from registry.selectors.resolving import RegistryDirectory
from tenancy.org_settings.registry import OrgSettingDefinition, org_setting

REGISTRY_VIEW = permission("registry.view", 50, "See records of people and companies")
REGISTRY_EDIT = permission("registry.edit", 51, "Register and link records")
REGISTRY_MERGE = permission("registry.merge", 52, "Merge records and undo merges")
REGISTRY_UNLINK = permission("registry.unlink", 53, "Take links off records")
REGISTRY_ERASE = permission("registry.erase", 54, "Erase records for good", min_role="tenant_admin")

ENTITY_REGISTERED = journal_key("registry.entity_registered", "A record was made", audited=False)
ENTITY_LINKED = journal_key("registry.entity_linked", "An app's record was linked to a record", audited=False)
ENTITY_UNLINKED = journal_key("registry.entity_unlinked", "A link was taken off a record")
ENTITIES_MERGED = journal_key("registry.entities_merged", "Two records became one")
MERGE_UNDONE = journal_key("registry.merge_undone", "A merge was undone")
ENTITY_CHANGED = journal_key("registry.entity_changed", "A record was locked, or a field of it was decided on")
ENTITY_ERASED = journal_key("registry.entity_erased", "A record was erased for good")
DUPLICATE_DISMISSED = journal_key("registry.duplicate_dismissed", "Two records were said to be different ones")

# As many as make one record; a record with more is a mistake of some import.
MOST_LINKS: Final = 1000
MOST_MERGES: Final = 100


def _apps(value: Any) -> str:
    """App names in their order, separated by commas."""
    names = [name.strip() for name in value.split(",") if name.strip()]
    wrong = [name for name in names if not NAME.fullmatch(name)]
    if wrong:
        raise ValueError(f"{wrong[0]!r} is no name of an app.")
    return ",".join(dict.fromkeys(names))


SOURCE_ORDER = org_setting(
    OrgSettingDefinition(
        "registry.source_order",
        "Apps whose word counts first, in their order, separated by commas",
        "text",
        default=lambda: "",
        validate=_apps,
    )
)


def _local_parts(value: Any) -> str:
    return ",".join(dict.fromkeys(part.strip().casefold() for part in value.split(",") if part.strip()))


SHARED_MAILBOXES = org_setting(
    OrgSettingDefinition(
        "registry.shared_mailboxes",
        "Addresses of nobody in particular, or what stands before their @, separated by commas: info, sales",
        "text",
        default=lambda: "",
        validate=_local_parts,
    )
)

plug_in(RegistryDirectory())

# Not advanced by ENTITY_REGISTERED: an import of a million records would be a million reasons to check this.
setup_task(
    SetupTask(
        code="registry.first_record",
        title="Register the first record",
        description="Let a module of your product register a person or a company, or import them.",
        category="data",
        order=90,
        check=setting_up.record_is_there,
        required=False,
        action_path="/entity-registry",
        estimate_minutes=15,
    )
)
action_sources.add(ActionSource("duplicates", setting_up.pairs_to_decide, needs=REGISTRY_MERGE))
