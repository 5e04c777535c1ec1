from django.urls import path

from notifications.api import inbox, preferences, raising

urlpatterns = [
    path("", inbox.InboxView.as_view()),
    path("/unread-count", inbox.UnreadCountView.as_view()),
    path("/mark-all-read", inbox.ReadAllView.as_view()),
    path("/send", raising.RaiseView.as_view()),
    path("/preferences", preferences.PreferencesView.as_view()),
    path("/preferences/catalog", preferences.CatalogView.as_view()),
    path("/preferences/dnd", preferences.DoNotDisturbView.as_view()),
    path("/<uuid:notification_id>", inbox.NotificationView.as_view()),
    path("/<uuid:notification_id>/read", inbox.ReadView.as_view()),
]
