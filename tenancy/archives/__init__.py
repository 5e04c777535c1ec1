"""Taking tenants along and bringing them back: backup and restore of one tenant, export to another installation."""
