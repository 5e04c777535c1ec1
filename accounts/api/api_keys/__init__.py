"""``/api-keys``."""
