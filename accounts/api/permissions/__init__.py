"""``/permissions``."""
