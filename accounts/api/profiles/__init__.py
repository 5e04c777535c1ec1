"""``/profiles``."""
