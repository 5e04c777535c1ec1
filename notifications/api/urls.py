from django.urls import path

from notifications.api import (
    analytics,
    consent,
    digest_settings,
    inbox,
    preference_defaults,
    preferences,
    raising,
    templates,
    unsubscribing,
)

urlpatterns = [
    path("", inbox.InboxView.as_view()),
    path("/unread-count", inbox.UnreadCountView.as_view()),
    path("/mark-all-read", inbox.ReadAllView.as_view()),
    path("/send", raising.RaiseView.as_view()),
    path("/preferences", preferences.PreferencesView.as_view()),
    path("/preferences/catalog", preferences.CatalogView.as_view()),
    path("/preferences/defaults", preference_defaults.DefaultsView.as_view()),
    path("/preferences/dnd", preferences.DoNotDisturbView.as_view()),
    path("/analytics", analytics.AnalyticsView.as_view()),
    path("/analytics/digest", analytics.DigestAnalyticsView.as_view()),
    path("/analytics/digest/settings", digest_settings.DigestSettingsView.as_view()),
    path("/preferences/tracking-consent", consent.ConsentView.as_view()),
    path("/unsubscribe/<str:token>", unsubscribing.UnsubscribeView.as_view()),
    path("/templates", templates.TemplatesView.as_view()),
    path("/templates/<str:template>", templates.TemplateView.as_view()),
    path("/templates/<str:template>/customize", templates.CustomizeView.as_view()),
    path("/templates/<str:template>/preview", templates.PreviewView.as_view()),
    path("/templates/<str:template>/override", templates.OverrideView.as_view()),
    path("/<uuid:notification_id>", inbox.NotificationView.as_view()),
    path("/<uuid:notification_id>/read", inbox.ReadView.as_view()),
]
