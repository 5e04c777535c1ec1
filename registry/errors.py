"""What can go wrong with records. One of another tenant is ``not_found``, as one that does not exist."""

from platform_site.errors import error_code

ENTITY_ERASED = error_code("entity_erased", 410, "This record was erased.")
ENTITY_LOCKED = error_code("entity_locked", 409, "This record is locked.")
ENTITY_ALREADY_LINKED = error_code(
    "entity_already_linked", 409, "This record of the app stands for a record here already."
)
LINKED_ELSEWHERE = error_code("linked_elsewhere", 409, "This record of the app stands for another record here.")
IDENTIFIER_TAKEN = error_code("identifier_taken", 409, "Another record is known by this.")
LINK_LIMIT = error_code("link_limit", 422, "A record has 1,000 links at most.")
MERGE_SELF = error_code("merge_self", 422, "A record cannot be merged with itself.")
CLASS_MISMATCH = error_code("class_mismatch", 422, "Records of different classes cannot be one.")
MERGE_LIMIT = error_code("merge_limit", 422, "A record is made of 100 others at most.")
LOSER_ALREADY_MERGED = error_code("loser_already_merged", 409, "The loser is part of another record.")
WINNER_MERGED = error_code("winner_merged", 409, "The winner is part of another record.")
MERGE_UNDONE = error_code("merge_undone", 409, "This merge was undone before.")
NOT_LATEST_MERGE = error_code("not_latest_merge", 409, "A later merge of these records has to be undone first.")
UNKNOWN_DECISION = error_code("unknown_decision", 422, "Neither record has this field.")
