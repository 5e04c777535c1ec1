"""What accounts does because of what happened, topic by topic."""

from accounts.reactions import directory, passwords, people, second_factor, verification, workspace

__all__ = ["directory", "passwords", "people", "second_factor", "verification", "workspace"]
