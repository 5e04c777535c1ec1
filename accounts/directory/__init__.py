"""Which workspaces know an address: hashes in the public schema, for staff search and "mail me my workspaces"."""
