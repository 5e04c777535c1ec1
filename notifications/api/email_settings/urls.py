from django.urls import path

from notifications.api.email_settings import deliverability, smtp, suppressions, views

urlpatterns = [
    path("/smtp", smtp.SmtpView.as_view()),
    path("/smtp/test", smtp.SmtpTestView.as_view()),
    path("/sender", views.SenderView.as_view()),
    path("/tracking", views.TrackingView.as_view()),
    path("/compliance", views.ComplianceView.as_view()),
    path("/footer", views.FooterView.as_view()),
    path("/deliverability", deliverability.DeliverabilityView.as_view()),
    path("/status", deliverability.EmailStatusView.as_view()),
    path("/suppressions", suppressions.SuppressionsView.as_view()),
    path("/suppressions/<uuid:suppression_id>", suppressions.SuppressionView.as_view()),
]
