"""The REST API: DRF, OpenAPI, CORS and the one table of limits."""

from platform_site.settings import env

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["platform_site.api.authentication.BoundIdentityAuthentication"],
    # Closed by default: a view that declares no access is refused to everybody.
    "DEFAULT_PERMISSION_CLASSES": ["platform_site.api.permissions.DeclaredAccess"],
    "DEFAULT_RENDERER_CLASSES": ["platform_site.api.renderers.EnvelopeRenderer"],
    "DEFAULT_PARSER_CLASSES": ["platform_site.api.parsers.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "platform_site.api.schema.EnvelopeAutoSchema",
    "EXCEPTION_HANDLER": "platform_site.api.exceptions.handle",
    "DEFAULT_THROTTLE_CLASSES": [],
    "DEFAULT_PAGINATION_CLASS": None,
    "URL_FORMAT_OVERRIDE": None,
    "UNAUTHENTICATED_USER": None,
    "UNAUTHENTICATED_TOKEN": None,
}

SPECTACULAR_SETTINGS = {
    "TITLE": "Core Platform API",
    "DESCRIPTION": "Tenants, sign-in, people, notifications, chat, billing, registry, events and set-up.",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["platform_site.api.permissions.Anybody"],
    "SERVE_AUTHENTICATION": [],
    # Fields of one name with different choices have to be told apart.
    "ENUM_NAME_OVERRIDES": {
        "UserStatusEnum": "accounts.models.User.Status",
        "SettableUserStatusEnum": "accounts.api.users.serializers.SETTABLE",
        "TenantStatusEnum": "tenancy.models.Tenant.Status",
        "OrgSettingTypeEnum": "tenancy.api.org_settings.serializers.KINDS",
        "AuditActorKindEnum": "accounts.api.audit.serializers.ACTOR_KINDS",
        "SubscriptionScopeEnum": "notifications.services.unsubscribing.SCOPES",
        "SuppressionScopeEnum": "notifications.services.suppressing.SCOPES",
        "AnalyticsScopeEnum": "notifications.api.analytics_shapes.SCOPES",
        "RecordFindingEnum": "notifications.api.email_settings.domain_shapes.FINDINGS",
        "DomainStatusEnum": "notifications.api.email_settings.domain_shapes.STATUSES",
        "RoleEnum": "accounts.roles.Role",
        "ChannelTypeEnum": "chat.models.Channel.Kind",
        "ChannelRoleEnum": "chat.models.Member.Role",
        "UnreadCounterStatusEnum": "platform_site.me.views.STATUSES",
        "BillingStatusEnum": "billing.api.serializers.STATUSES",
        "AccessLevelEnum": "billing.api.serializers.ACCESS_LEVELS",
        "SeatModeEnum": "billing.api.serializers.SEAT_MODES",
        "CancelModeEnum": "billing.api.serializers.CANCEL_MODES",
        "InvoiceStatusEnum": "billing.api.serializers.INVOICE_STATUSES",
        "EntityStatusEnum": "registry.models.Entity.Status",
        "SetupStatusEnum": "setup_hub.progress.STATUSES",
        "SetupTaskStatusEnum": "setup_hub.models.TaskState.Status",
        "SeverityEnum": "platform_site.action_items.PRIORITIES",
        "ActionItemStateEnum": "platform_site.action_items.STATES",
        "StoredItemStateEnum": "platform_site.me.item_shapes.STORED_STATES",
    },
    "SORT_OPERATIONS": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "platform_site.api.schema_hooks.close_objects",
        "platform_site.api.schema_hooks.add_links",
    ],
    "SWAGGER_UI_DIST": "SIDECAR",
    # Sections are closed at first: with hundreds of operations open, only those in sight are on the page at all.
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "docExpansion": "none", "filter": True},
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

# A body above this many bytes is refused with 413 before it is read.
MAX_BODY_BYTES = env.integer("MAX_BODY_BYTES", 1024 * 1024, minimum=1024)
# The few that may be larger: (path, media type) -> bytes; "*" is any one part of a path.
LARGER_BODIES = {
    # A picture of 2 MiB, and the form around it.
    ("/api/v1/auth/me/profile", "multipart/form-data"): 2 * 1024 * 1024 + 64 * 1024,
    # A text and its HTML, of which JSON may write each character as two escapes.
    ("/api/v1/notifications/templates/*/customize", "application/json"): 2 * 1024 * 1024,
    ("/api/v1/notifications/templates/*/preview", "application/json"): 2 * 1024 * 1024,
    # Five hundred events.
    ("/api/v1/platform-events/batch", "application/json"): 5 * 1024 * 1024,
}
# Above all of these: it is they that decide.
DATA_UPLOAD_MAX_MEMORY_SIZE = 6 * 1024 * 1024

# Networks whose X-Forwarded-For is believed. Empty: the peer's address counts.
TRUSTED_PROXIES = env.words("TRUSTED_PROXIES")

# "off" works with DEBUG only; a system check refuses it otherwise.
RATE_LIMITS_ENABLED = env.text("RATE_LIMITS", "on").lower() != "off"

# name: (how many, in how many seconds). Named after what they protect.
RATE_LIMITS = {
    "sign_in_origin": (100, 3600),
    "sign_in_account": (10, 900),
    "sign_in_known_device": (10, 900),
    "refresh_origin": (600, 60),
    "staff_sign_in_origin": (30, 900),
    "staff_sign_in_account": (10, 900),
    "register_origin": (5, 3600),
    "register_platform": (60, 3600),
    "check_slug_origin": (30, 60),
    "by_slug_origin": (60, 60),
    "verify_email_origin": (60, 60),
    "password_forgot_account": (5, 3600),
    "password_forgot_origin": (20, 3600),
    "password_reset_origin": (30, 900),
    "password_change_user": (5, 60),
    "resend_verification_account": (5, 3600),
    "resend_verification_origin": (20, 3600),
    "reauthenticate_user": (10, 900),
    "impersonate_origin": (30, 900),
    "impersonate_staff": (30, 3600),
    "mfa_user": (10, 900),
    "mfa_origin": (60, 900),
    "accept_invitation_origin": (30, 900),
    "resend_invitation_user": (5, 86400),
    "invite_tenant": (500, 3600),
    "workspaces_forgot_address": (3, 3600),
    "workspaces_forgot_origin": (20, 3600),
    "ws_ticket_user": (60, 60),
    "avatar_user": (20, 3600),
    "avatar_origin": (600, 60),
    "unsubscribe_origin": (60, 60),
    "health_origin": (6000, 60),
    "smtp_test_tenant": (5, 60),
    "smtp_test_tenant_day": (30, 86400),
    "domain_check_tenant": (60, 3600),
    "chat_send_user": (60, 10),
    "billing_tenant": (30, 60),
    "setup_check_tenant": (6, 60),
}

CORS_ALLOWED_ORIGINS = env.words("CORS_ALLOWED_ORIGINS")
CORS_URLS_REGEX = r"^/api/.*$"
CORS_ALLOW_CREDENTIALS = env.flag("CORS_ALLOW_CREDENTIALS")
CORS_ALLOW_HEADERS = [
    "accept",
    "authorization",
    "content-type",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "x-request-id",
]
CORS_EXPOSE_HEADERS = [
    "etag",
    "location",
    "ratelimit",
    "ratelimit-policy",
    "retry-after",
    "x-request-id",
    "idempotency-replayed",
]

IDEMPOTENCY_HOURS = 24
