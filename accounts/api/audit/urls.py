from django.urls import path

from accounts.api.audit import views

urlpatterns = [path("", views.AuditView.as_view())]
