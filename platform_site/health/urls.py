"""Mounted at ``health`` without a slash, so the first path is empty."""

from django.urls import path

from platform_site.health import views

urlpatterns = [
    path("", views.HealthView.as_view()),
    path("/system", views.SystemView.as_view()),
    path("/services", views.ServicesView.as_view()),
    path("/live", views.LiveView.as_view()),
    path("/ready", views.ReadyView.as_view()),
]
