"""Like ``benchmarks.settings``, for making tenants that nobody signs in to with a password."""

from benchmarks.settings import *

PASSWORD_HASHERS = ["platform_site.passwords.FastTestHasher"]
