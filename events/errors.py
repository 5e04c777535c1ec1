"""What can go wrong with events. In a batch these codes stand beside the index of the event."""

from platform_site.errors import error_code

UNKNOWN_CANONICAL = error_code("unknown_canonical", 404, "There is no such record.")
SUBJECT_ERASED = error_code("subject_erased", 410, "This record was erased.")
FUTURE_EVENT = error_code("future_event", 400, "This lies more than an hour ahead.")
TOO_OLD = error_code("too_old", 400, "This is older than events are kept.")
METADATA_TOO_LARGE = error_code("metadata_too_large", 413, "Metadata may have 32 KB.")
INVALID_METADATA = error_code("invalid_metadata", 400, "Metadata cannot be stored as it is.")
BATCH_TOO_LARGE = error_code("batch_too_large", 413, "A batch has 500 events at most.")
EMPTY_BATCH = error_code("empty_batch", 422, "A batch has at least one event.")
NONE_ACCEPTED = error_code("none_accepted", 422, "None of these events could be stored.")
UNKNOWN_ACTOR = error_code("unknown_actor", 400, "There is no such person here.")
