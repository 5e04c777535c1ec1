"""People of a tenant: sign-in, sessions, roles and permission profiles."""
