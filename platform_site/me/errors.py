"""What can go wrong with action items."""

from platform_site.errors import error_code

UNKNOWN_ASSIGNEE = error_code("unknown_assignee", 400, "There is no such active person.")
UNKNOWN_AUDIENCE = error_code("unknown_audience", 400, "There is no such permission.")
ONE_AUDIENCE = error_code("one_audience", 400, "Give exactly one of assignee, permission and role.")
UNKNOWN_SOURCE = error_code("unknown_source", 400, "There is no such source.")
UNKNOWN_ENTITY = error_code("unknown_entity", 400, "There is no such record.")
