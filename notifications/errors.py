"""What can go wrong with notifications."""

from platform_site.errors import error_code

UNKNOWN_EVENT = error_code("unknown_event", 400, "There is no notification event of this key.")
UNKNOWN_CHANNEL = error_code("unknown_channel", 400, "There is no channel of this name.")
CHANNEL_NOT_SUPPORTED = error_code("channel_not_supported", 400, "This event does not go through this channel.")
UNKNOWN_VARIABLE = error_code("unknown_variable", 400, "The event's texts know no such variable.")
UNKNOWN_RECIPIENT = error_code("unknown_recipient", 400, "There is no such active person.")
EVENT_NOT_RAISABLE = error_code("event_not_raisable", 409, "The platform raises this event itself.")
PREFERENCE_LOCKED = error_code("preference_locked", 409, "This notification cannot be turned off.")
EMPTY_WINDOW = error_code("empty_window", 400, "Quiet hours begin and end at different times.")
