"""Every path of the platform, section by section."""

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView

from accounts.api.avatars import avatar
from accounts.staff.impersonation_page import impersonate_page
from notifications.api.tracking import clicked, opened
from notifications.api.webhooks import WebhookView
from platform_site.api.views import not_found

api_v1: list[URLPattern | URLResolver] = [
    path("auth/", include("accounts.api.auth.urls")),
    path("users", include("accounts.api.users.urls")),
    path("profiles", include("accounts.api.profiles.urls")),
    path("permissions", include("accounts.api.permissions.urls")),
    path("api-keys", include("accounts.api.api_keys.urls")),
    path("audit", include("accounts.api.audit.urls")),
    path("tenants/", include("tenancy.api.urls")),
    path("org-settings", include("tenancy.api.org_settings.urls")),
    path("notifications", include("notifications.api.urls")),
    path("email/webhooks/<slug:provider>", WebhookView.as_view()),
    path("settings/email", include("notifications.api.email_settings.urls")),
    path("chat", include("chat.api.urls")),
    path("billing", include("billing.api.urls")),
    path("entity-registry", include("registry.api.urls")),
    path("platform-events", include("events.api.urls")),
    path("setup-hub", include("setup_hub.api.urls")),
    path("me", include("platform_site.me.urls")),
    path("action-items", include("platform_site.me.outside_urls")),
    path("health", include("platform_site.health.urls")),
]

urlpatterns = [
    path("api/v1/", include(api_v1)),
    path("api/schema", SpectacularJSONAPIView.as_view(), name="schema"),
    path("api/docs", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    # A line break, too, may stand in a path that nobody knows.
    re_path(r"^api(?:/[\s\S]*)?\Z", not_found),
    path("avatars/<str:token>.webp", avatar),
    path("t/o/<str:token>.gif", opened),
    path("t/c/<str:token>", clicked),
    path(
        "admin/impersonate/<uuid:tenant_id>/<uuid:user_id>/",
        admin.site.admin_view(impersonate_page),
        name="staff-impersonate",
    ),
    path("admin/", include("platform_site.backoffice.urls")),
    path("admin/", admin.site.urls),
    path("", include("platform_site.pages.urls")),
]

if settings.DEVELOPMENT_PAGES:
    urlpatterns.insert(-1, path("dev/", include("platform_site.pages.dev_urls")))

handler404 = "platform_site.pages.views.page_not_found"
handler500 = "platform_site.pages.views.server_error"
