"""What can go wrong with notifications."""

from platform_site.errors import error_code

UNKNOWN_EVENT = error_code("unknown_event", 400, "There is no notification event of this key.")
UNKNOWN_CHANNEL = error_code("unknown_channel", 400, "There is no channel of this name.")
CHANNEL_NOT_SUPPORTED = error_code("channel_not_supported", 400, "This event does not go through this channel.")
UNKNOWN_VARIABLE = error_code("unknown_variable", 400, "The event's texts know no such variable.")
UNKNOWN_RECIPIENT = error_code("unknown_recipient", 400, "There is no such active person.")
EVENT_NOT_RAISABLE = error_code("event_not_raisable", 409, "The platform raises this event itself.")
PREFERENCE_LOCKED = error_code("preference_locked", 409, "This notification cannot be turned off.")
RANGE_TOO_LARGE = error_code("range_too_large", 400, "From the first to the last there are at most 366 days.")
EMPTY_WINDOW = error_code("empty_window", 400, "Quiet hours begin and end at different times.")
WEBHOOK_REFUSED = error_code("webhook_refused", 403, "This report is not signed as the provider signs them.")
WEBHOOK_UNREADABLE = error_code("webhook_unreadable", 400, "This is no report of this provider's.")
PASSWORD_REQUIRED = error_code("password_required", 400, "Give the password again: it was kept for other values.")
ADDRESS_NOT_ALLOWED = error_code("address_not_allowed", 400, "This address is not a public one.")
PORT_NOT_ALLOWED = error_code("port_not_allowed", 400, "Mail servers are reached on 25, 465, 587 or 2525.")
ENCRYPTION_REQUIRED = error_code("encryption_required", 400, "A password is sent over an encrypted connection only.")
NOT_OWN_ADDRESS = error_code("not_own_address", 400, "A test goes to your own address.")
SMTP_NOT_CONFIGURED = error_code("smtp_not_configured", 409, "There is no mail server of the company's own.")
TEMPLATE_INVALID = error_code("template_invalid", 422, "This text cannot be used as it is.")
TEMPLATE_VERSION_CONFLICT = error_code("template_version_conflict", 409, "Somebody changed this text in the meantime.")
# What can be wrong with a text, in ``details``.
TEMPLATE_SYNTAX = error_code("template_syntax", 422, "This is no template.")
TEMPLATE_RENDER = error_code("template_render", 422, "This template cannot be filled.")
UNKNOWN_FILTER = error_code("unknown_filter", 422, "There is no such filter.")
FOREIGN_LINK = error_code("foreign_link", 422, "Texts about security may only lead to the product itself.")
NO_HTML_HERE = error_code("not_supported", 422, "Texts in the app have no HTML.")
