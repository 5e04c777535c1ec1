"""What is behind ``/admin/t/<slug>``; the middleware puts it in place."""

from django.urls import path

from accounts.staff.lens.site import site

urlpatterns = [path("", site.urls)]

handler404 = "platform_site.pages.views.page_not_found"
handler500 = "platform_site.pages.views.server_error"
