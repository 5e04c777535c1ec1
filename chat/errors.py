"""What can go wrong in chat. A channel that one is not in is ``not_found``, as one that does not exist."""

from platform_site.errors import error_code

USER_NOT_FOUND = error_code("user_not_found", 404, "There is no such person.")
USER_INACTIVE = error_code("user_inactive", 422, "This person is not active.")
CANNOT_MESSAGE_SELF = error_code("cannot_message_self", 422, "A direct channel needs somebody else.")
INVALID_MEMBERS = error_code("invalid_members", 422, "Some of these people are not here, or not active.")
TOO_MANY_MEMBERS = error_code("too_many_members", 422, "This group would have more members than it may.")
NOT_A_GROUP = error_code("not_a_group", 422, "This works in groups only.")
MESSAGE_NOT_FOUND = error_code("message_not_found", 422, "There is no such message in this channel.")
# Why nothing can be sent.
CHANNEL_ARCHIVED = error_code("channel_archived", 422, "This channel is archived.")
RECIPIENT_INACTIVE = error_code("recipient_inactive", 422, "Nobody is there to read it.")
REPLY_NOT_FOUND = error_code("reply_not_found", 422, "The message that this answers is not in this channel.")
# What cannot be done with a message any more.
IDEMPOTENCY_CONFLICT = error_code("idempotency_conflict", 409, "This clientMessageId stands for another message.")
MESSAGE_DELETED = error_code("message_deleted", 409, "This message was deleted.")
EDIT_TIME_OVER = error_code("edit_time_over", 409, "It is too late to change this message.")
TOO_MANY_REACTIONS = error_code("too_many_reactions", 422, "A message takes 20 different emojis at most.")
