"""Pages for people: where to begin, where mailed links lead, and one's own account."""

from django.urls import URLPattern, path
from django.views.generic import RedirectView

from platform_site.pages import views
from platform_site.pages.unsubscribe import unsubscribe_page


def _person_page(route: str, template: str) -> URLPattern:
    name = route.partition("/")[0]
    return path(route, views.person_page, {"template": f"pages/{template}.html"}, name=name)


urlpatterns = [
    path("", views.start, name="start"),
    # Mails link to these where no FRONTEND_URL is set, always by the same paths.
    _person_page("verify-email/<str:token>", "verify_email"),
    _person_page("accept-invitation/<str:token>", "accept_invitation"),
    _person_page("reset-password/<str:token>", "reset_password"),
    path("unsubscribe/<str:token>", unsubscribe_page, name="unsubscribe"),
    _person_page("sign-in", "sign_in"),
    _person_page("forgot-password", "forgot_password"),
    _person_page("find-workspaces", "find_workspaces"),
    _person_page("account", "account"),
    # Staff get a link to it, with a code that works once.
    _person_page("impersonate/<str:token>", "impersonate"),
    # Where payment pages and set-up tasks lead when no FRONTEND_URL is set.
    path("billing", views.product_page, {"development_page": "/dev/billing"}, name="billing"),
    path("setup", views.product_page, {"development_page": "/dev/setup"}, name="setup"),
    # Slashes are not appended for anybody else, but this one is typed by hand.
    path("admin", RedirectView.as_view(pattern_name="admin:index")),
]
