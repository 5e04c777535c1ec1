"""Direct and group messages."""
