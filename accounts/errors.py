"""What can go wrong with signing in and with people."""

from platform_site.errors import error_code

TOKEN_INVALID = error_code("token_invalid", 401, "The access token is not valid.")
TOKEN_EXPIRED = error_code("token_expired", 401, "The access token has expired.")
TOKEN_WRONG_TYPE = error_code("token_wrong_type", 401, "This is not an access token.")
TENANT_MISMATCH = error_code("tenant_mismatch", 401, "The token belongs to another workspace.")
SESSION_REVOKED = error_code("session_revoked", 401, "This session has ended. Sign in again.")
INVALID_CREDENTIALS = error_code("invalid_credentials", 401, "Workspace, e-mail address or password is wrong.")
TOO_MANY_ATTEMPTS = error_code("too_many_attempts", 429, "Too many attempts. Try again later.")
EMAIL_NOT_VERIFIED = error_code("email_not_verified", 403, "Confirm your e-mail address first.")
ACCOUNT_DEACTIVATED = error_code("account_deactivated", 403, "This account is deactivated.")
REFRESH_TOKEN_INVALID = error_code("refresh_token_invalid", 401, "The refresh token is not valid.")
REFRESH_TOKEN_EXPIRED = error_code("refresh_token_expired", 401, "The session has expired. Sign in again.")
REFRESH_TOKEN_REUSED = error_code(
    "refresh_token_reused", 401, "An old refresh token was used again, so the session was ended."
)
LINK_TOKEN_INVALID = error_code("link_token_invalid", 400, "This link is not valid.")
LINK_TOKEN_EXPIRED = error_code("link_token_expired", 410, "This link has expired.")
PASSWORD_TOO_SHORT = error_code("password_too_short", 400, "The password is too short.")
PASSWORD_TOO_LONG = error_code("password_too_long", 400, "The password is too long.")
PASSWORD_COMMON = error_code("password_common", 400, "This password is among the most used ones.")
PASSWORD_CONTAINS_CONTEXT = error_code(
    "password_contains_context", 400, "The password is little more than your name, address or company."
)
PASSWORD_SAME = error_code("password_same", 400, "This is the password you have already.")
CURRENT_PASSWORD_INVALID = error_code("current_password_invalid", 400, "The current password is wrong.")
REAUTH_REQUIRED = error_code("reauth_required", 403, "Prove first that it is still you: POST /auth/reauthenticate.")
ALREADY_VERIFIED = error_code("already_verified", 409, "This address is confirmed already.")

MFA_INVALID = error_code("mfa_invalid", 400, "The code is wrong, was used before, or is too old.")
MFA_TOKEN_INVALID = error_code("mfa_token_invalid", 401, "This sign-in took too long. Start again.")
MFA_ENROLLMENT_REQUIRED = error_code("mfa_enrollment_required", 403, "This workspace asks for a second factor.")
MFA_ALREADY_ENABLED = error_code("mfa_already_enabled", 409, "A second factor is set up already.")
MFA_NOT_ENABLED = error_code("mfa_not_enabled", 409, "There is no second factor, or its set-up was not begun.")
CANNOT_REMOVE_OWN_MFA = error_code("cannot_remove_own_mfa", 409, "Take your own second factor off in your account.")
MFA_REQUIRED_BY_TENANT = error_code("mfa_required", 409, "This workspace asks everybody for a second factor.")

IMPERSONATION_CODE_INVALID = error_code(
    "impersonation_code_invalid", 401, "This code is not valid, was used before, or is too old."
)
IMPERSONATION_OFF = error_code("impersonation_off", 403, "This workspace does not let support sign in as its people.")
STAFF_SESSION_REQUIRED = error_code("staff_session_required", 403, "Begin a session for this workspace first.")

ROLE_NOT_ASSIGNABLE = error_code("role_not_assignable", 403, "You may not give this role.")
PROFILE_NOT_ASSIGNABLE = error_code("profile_not_assignable", 403, "You may not give this profile.")
PROFILE_NOT_FOUND = error_code("profile_not_found", 400, "There is no such active profile.")
CANNOT_MODIFY_SUPERIOR = error_code("cannot_modify_superior", 403, "You may not change this person.")
CANNOT_CHANGE_OWN_ROLE = error_code("cannot_change_own_role", 409, "You cannot change your own role.")
CANNOT_DEACTIVATE_SELF = error_code("cannot_deactivate_self", 409, "You cannot deactivate yourself.")
CANNOT_DELETE_SELF = error_code("cannot_delete_self", 409, "You cannot delete yourself.")
LAST_ADMIN = error_code("last_admin", 409, "The last active administrator has to stay one.")
USER_EXISTS = error_code("user_exists", 409, "Somebody with this address is here already.")
INVITATION_PENDING = error_code("invitation_pending", 409, "This person is invited already.")
USER_DEACTIVATED = error_code("user_deactivated", 409, "This person is here already, but deactivated.")
USER_PENDING = error_code("user_pending", 409, "This person has not accepted the invitation yet.")
USER_NOT_PENDING = error_code("user_not_pending", 409, "This person has accepted the invitation already.")
MUST_DEACTIVATE_FIRST = error_code("must_deactivate_first", 409, "Deactivate this person first.")
USER_ERASED = error_code("user_erased", 410, "This person was deleted for good.")
SEAT_LIMIT_REACHED = error_code("seat_limit_reached", 402, "All seats of the plan are taken.")

PROFILE_NAME_TAKEN = error_code("profile_name_taken", 409, "There is a profile of this name already.")
UNKNOWN_PERMISSION = error_code("unknown_permission", 400, "There is no permission of this number.")
SYSTEM_PROFILE_IMMUTABLE = error_code("system_profile_immutable", 403, "System profiles are the same for everybody.")
PROFILE_IN_USE = error_code("profile_in_use", 409, "Somebody has this profile.")
PROFILE_LIMIT_REACHED = error_code("profile_limit_reached", 409, "There are as many profiles as there may be.")
API_KEY_LIMIT_REACHED = error_code("api_key_limit_reached", 409, "There are as many API keys as there may be.")
API_KEY_INVALID = error_code("api_key_invalid", 401, "The API key is not valid, was revoked, or has expired.")
PERMISSION_NOT_GRANTABLE = error_code("permission_not_grantable", 400, "This permission cannot be given here.")
PREFERENCES_TOO_LARGE = error_code("preferences_too_large", 400, "There is too much in the preferences.")
IMAGE_INVALID = error_code("image_invalid", 400, "This is no PNG, JPEG or WebP picture that can be read.")
IMAGE_TOO_LARGE = error_code("image_too_large", 413, "The picture is too large.")
