"""What of the admin a staff member sees: by role, and by nothing else.

Django's permissions of single models are not asked. A page says which role it takes; whoever has that role, or
one above it, may.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, ClassVar, TypeVar

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils.html import format_html
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from accounts.staff.models import StaffUser
from accounts.staff.roles import StaffRole

Column = TypeVar("Column", bound=Callable[..., Any])


def staff_of(request: HttpRequest) -> StaffUser:
    """Who asks; raises ``PermissionDenied`` for anybody who is not staff."""
    user = request.user
    if not isinstance(user, StaffUser) or not user.is_active:
        raise PermissionDenied
    return user


def reaches(request: HttpRequest, needed: StaffRole) -> bool:
    user = request.user
    return isinstance(user, StaffUser) and user.reaches(needed)


def need(request: HttpRequest, needed: StaffRole) -> StaffUser:
    """Who asks; raises ``PermissionDenied`` for a role that is not enough."""
    staff = staff_of(request)
    if not staff.reaches(needed):
        raise PermissionDenied
    return staff


# For the sidebar, which asks by functions of a request.


def is_support(request: HttpRequest) -> bool:
    return reaches(request, StaffRole.SUPPORT)


def is_superuser(request: HttpRequest) -> bool:
    return reaches(request, StaffRole.SUPERUSER)


def column(title: str, *, labels: Mapping[str, str] | None = None, ordering: str = "") -> Callable[[Column], Column]:
    """A column of a list under this title. ``labels`` gives words a colour: "success", "danger", "warning", "info"."""

    def named(shown: Column) -> Column:
        made: Column = display(description=title, label=labels and dict(labels), ordering=ordering or None)(shown)
        return made

    return named


def when(name: str, title: str) -> Callable[[Any, Any], str]:
    """A column with the row's moment of this name, in UTC, short enough for a list."""

    @column(f"{title} (UTC)", ordering=name)
    def shown(self: Any, row: Any) -> str:
        moment: datetime | None = getattr(row, name)
        if moment is None:
            return "–"
        return format_html('<span class="whitespace-nowrap">{}</span>', f"{moment:%Y-%m-%d %H:%M}")

    return shown


class RoleAdmin(ModelAdmin):
    """A model in the admin: which role sees it, and which may add and change. None: nobody may. Nothing is deleted.

    Lists count nothing: a number of pages is not worth reading a whole table.
    """

    view_role: ClassVar[StaffRole] = StaffRole.VIEWER
    add_role: ClassVar[StaffRole | None] = None
    change_role: ClassVar[StaffRole | None] = None

    list_per_page = 50
    paginator = InfinitePaginator
    show_full_result_count = False

    def has_module_permission(self, request: HttpRequest) -> bool:
        return reaches(request, self.view_role)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return reaches(request, self.view_role)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.add_role is not None and reaches(request, self.add_role)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.change_role is not None and reaches(request, self.change_role)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        # What staff did is in the staff audit; Django's own history would show a part of it.
        raise PermissionDenied
