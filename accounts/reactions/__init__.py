"""What accounts does because of what happened, topic by topic."""

from accounts.reactions import directory, second_factor, verification

__all__ = ["directory", "second_factor", "verification"]
