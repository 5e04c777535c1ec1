"""What can go wrong with tenants."""

from platform_site.errors import error_code

SLUG_TAKEN = error_code("slug_taken", 409, "This workspace address is taken.")
SLUG_INVALID = error_code(
    "slug_invalid", 400, "Use 3 to 40 lower-case letters, digits and single hyphens, not at either end."
)
SLUG_RESERVED = error_code("slug_reserved", 400, "This workspace address is reserved.")
TENANT_SUSPENDED = error_code("tenant_suspended", 403, "This workspace is suspended.")
TENANT_PROVISIONING = error_code("tenant_provisioning", 503, "New workspaces cannot be made right now. Try again soon.")
