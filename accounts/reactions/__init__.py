"""What accounts does because of what happened, topic by topic."""

from accounts.reactions import verification

__all__ = ["verification"]
