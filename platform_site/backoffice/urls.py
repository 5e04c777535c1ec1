"""Pages of the admin that belong to no model."""

from django.urls import path

from platform_site.backoffice.views import view

urlpatterns = [path("find/", view, name="staff-find")]
