"""The admin of one tenant. It is alone in its URLconf, so it may have the name that unfold's templates ask for."""

from collections.abc import Callable
from functools import update_wrapper
from typing import Any, TypeVar

from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.dataclasses import SearchResult
from unfold.sites import UnfoldAdminSite

from accounts.staff.lens.permits import open_session
from accounts.staff.roles import StaffRole
from platform_site.binding import bound_tenant

View = Callable[..., HttpResponseBase]
Shown = TypeVar("Shown")
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
# Results of the quick search, of each kind of thing.
_FEW = 5


def open_to_readers(view: View) -> View:
    """Mark a view whose POST changes nothing of the tenant's."""
    view.open_to_readers = True  # type: ignore[attr-defined]
    return view


class TenantAdminSite(UnfoldAdminSite):
    settings_name = "UNFOLD_LENS"
    index_template = "lens/index.html"
    app_index_template = "lens/app_index.html"
    index_title = "Overview"
    # The menu has them all.
    enable_nav_sidebar = True

    def has_permission(self, request: HttpRequest) -> bool:
        """Staff of any role, and only where the middleware has put a tenant in place."""
        tenant = getattr(request, "lens_tenant", None)
        return bool(super().has_permission(request)) and tenant is not None and tenant == bound_tenant()

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        """Nothing is sent here but inside an open staff session, whatever the page says about it itself."""
        inner: View = super().admin_view(view, cacheable)
        if getattr(view, "open_to_readers", False):
            return inner

        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.method not in _SAFE and self.has_permission(request) and open_session(request) is None:
                raise PermissionDenied
            return inner(request, *args, **kwargs)

        return update_wrapper(guarded, view)

    def get_urls(self) -> list[URLPattern]:
        from accounts.staff.lens.session_page import session_page

        own = path("session/", self.admin_view(session_page), name="lens_session")
        return [own, *super().get_urls()]

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return redirect_to_login(reverse("admin:index"), settings.LOGIN_URL)

    @open_to_readers
    def logout(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if request.method == "POST":
            logout(request)
        return HttpResponseRedirect(settings.LOGIN_URL)

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        # It is the staff member's, and has nothing to do with the tenant.
        return HttpResponseRedirect("/admin/password_change/")

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        staff: Any = request.user
        return {
            **super().each_context(request),
            "lens_company": getattr(request, "lens_company", ""),
            "lens_session": open_session(request),
            "lens_may_open": staff.is_authenticated and staff.reaches(StaffRole.SUPPORT),
        }

    def get_log_entries(self, request: HttpRequest) -> "QuerySet[LogEntry]":
        entries: QuerySet[LogEntry] = super().get_log_entries(request)
        return entries.filter(of_tenant__tenant_id=request.lens_tenant.id)  # type: ignore[attr-defined]

    def search(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The quick search. Nothing of it is kept: unfold would keep it for the person, whatever tenant it was in."""
        term = request.GET.get("s", "").strip()
        if not term:
            return HttpResponse()
        found = self._pages_named(request, term.lower()) + self._things_named(request, term)
        pages = Paginator(found, max(len(found), 1))
        kind = "command" if "extended" in request.GET else "search"
        context = {"page_obj": pages, "results": pages.page(1), "page_counter": 0, "execution_time": 0}
        return TemplateResponse(
            request, f"unfold/helpers/{kind}_results.html", context, headers={"HX-Trigger": "search"}
        )

    def _pages_named(self, request: HttpRequest, term: str) -> list[SearchResult]:
        return [
            SearchResult(str(model["name"]), app["name"], model["admin_url"], "list")
            for app in self.get_app_list(request)
            for model in app["models"]
            if term in str(model["name"]).lower()
        ]

    def _things_named(self, request: HttpRequest, term: str) -> list[SearchResult]:
        return [
            SearchResult(admin.title_of(row), str(admin.opts.verbose_name), admin.address_of(row), "arrow_forward")
            for admin in self._registry.values()
            if admin.in_quick_search
            for row in admin.find(admin.get_queryset(request), term).order_by(*admin.get_ordering(request))[:_FEW]
        ]


site = TenantAdminSite(name="admin")


def lens(model: type[Model], name: str, plural: str = "") -> Callable[[type[Shown]], type[Shown]]:
    """Show this model in every tenant's lens under this name, by the decorated ``LensModelAdmin``."""

    def register(admin_class: type[Shown]) -> type[Shown]:
        # Here and not in its Meta, which would be a migration of every tenant for the sake of a heading.
        model._meta.verbose_name, model._meta.verbose_name_plural = name, plural or f"{name}s"
        site.register(model, admin_class)
        return admin_class

    return register
