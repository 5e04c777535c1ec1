"""The settings under which the platform is measured: those of production, on throw-away servers.

What the tests made cheap is real again. No limit is switched off: they count as always, only far
more than a benchmark asks for is allowed.
"""

from platform_site.settings import *
from platform_site.settings import RATE_LIMITS as _LIMITS

assert not DEBUG, "Figures with DEBUG on mean nothing."

PASSWORD_HASHERS = ["platform_site.passwords.Argon2idHasher"]
RATE_LIMITS = {name: (1_000_000, window) for name, (_, window) in _LIMITS.items()}
