"""Pages for people: where to begin, and where mailed links lead."""

from django.urls import path
from django.views.generic import RedirectView

from platform_site.pages import views

urlpatterns = [
    path("", views.start, name="start"),
    path("verify-email/<str:token>", views.verify_email, name="verify-email"),
    # Slashes are not appended for anybody else, but this one is typed by hand.
    path("admin", RedirectView.as_view(pattern_name="admin:index")),
]
