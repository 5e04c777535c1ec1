from registry.models.entity import Entity, Identifier, Link
from registry.models.history import Duplicate, HistoryEntry, Merge

__all__ = ["Duplicate", "Entity", "HistoryEntry", "Identifier", "Link", "Merge"]
