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
