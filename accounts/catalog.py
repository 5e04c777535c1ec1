"""What accounts adds to the platform's catalogues. Numbers 1 to 19 of the permissions are its own."""

from platform_site.journal.keys import journal_key
from platform_site.permissions import permission

USERS_VIEW = permission("users.view", 1, "See people")
USERS_INVITE = permission("users.invite", 2, "Invite people", min_role="manager")
USERS_EDIT = permission("users.edit", 3, "Edit people", min_role="manager")
USERS_DEACTIVATE = permission("users.deactivate", 4, "Deactivate and delete people", min_role="tenant_admin")
PROFILES_VIEW = permission("profiles.view", 5, "See permission profiles")
PROFILES_MANAGE = permission("profiles.manage", 6, "Manage permission profiles", min_role="tenant_admin")

USER_REGISTERED = journal_key("accounts.user_registered", "The tenant's first administrator signed up")
EMAIL_VERIFIED = journal_key("accounts.email_verified", "Somebody proved that an address is theirs")
SIGNED_IN = journal_key("accounts.signed_in", "Somebody signed in")
SIGNED_OUT = journal_key("accounts.signed_out", "Somebody ended a session or all of them")
SIGN_IN_BLOCKED = journal_key("accounts.sign_in_blocked", "Sign-in was blocked after too many wrong passwords")
REFRESH_REUSED = journal_key("accounts.refresh_token_reused", "An old refresh token came back; its session was ended")
