"""The platform one release further, for measuring what a migration of all tenants costs."""
