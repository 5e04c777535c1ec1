from django.urls import path

from billing.api import views
from billing.api.webhook import WebhookView

urlpatterns = [
    path("/status", views.StatusView.as_view()),
    path("/plans", views.PlansView.as_view()),
    path("/checkout", views.CheckoutView.as_view()),
    path("/portal", views.PortalView.as_view()),
    path("/cancel", views.CancelView.as_view()),
    path("/resume", views.ResumeView.as_view()),
    path("/change-plan", views.ChangePlanView.as_view()),
    path("/sync", views.SyncView.as_view()),
    path("/invoices", views.InvoicesView.as_view()),
    path("/webhook", WebhookView.as_view()),
]
