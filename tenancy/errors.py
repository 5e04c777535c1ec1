"""What can go wrong with tenants."""

from platform_site.errors import error_code

SLUG_TAKEN = error_code("slug_taken", 409, "This workspace address is taken.")
SLUG_INVALID = error_code(
    "slug_invalid", 400, "Use 3 to 40 lower-case letters, digits and single hyphens, not at either end."
)
SLUG_RESERVED = error_code("slug_reserved", 400, "This workspace address is reserved.")
TENANT_SUSPENDED = error_code("tenant_suspended", 403, "This workspace is suspended.")
TENANT_PENDING_DELETION = error_code("tenant_pending_deletion", 403, "This workspace is about to be deleted.")
# Why nobody gets in, whoever they are.
TENANT_CLOSED = (TENANT_SUSPENDED, TENANT_PENDING_DELETION)
TENANT_PROVISIONING = error_code("tenant_provisioning", 503, "New workspaces cannot be made right now. Try again soon.")

UNKNOWN_SETTING = error_code("unknown_setting", 404, "There is no such setting.")
UNKNOWN_CATEGORY = error_code("unknown_category", 404, "There is no such category of settings.")
SETTING_READ_ONLY = error_code("setting_read_only", 403, "You may see this setting, but not change it.")
SETTING_TYPE_INVALID = error_code("setting_type_invalid", 400, "This setting takes another kind of value.")
SETTING_VALUE_INVALID = error_code("setting_value_invalid", 400, "This setting cannot have this value.")
