"""``LensModelAdmin``: how the lens shows a model. It reads; what changes something is a ``staff_action``."""

from collections.abc import Iterator, Mapping, Sequence
from html import unescape
from typing import Any, ClassVar

from django.contrib.admin import ShowFacets
from django.contrib.admin.filters import SimpleListFilter
from django.contrib.admin.models import LogEntry
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import label_for_field, lookup_field, quote
from django.contrib.admin.views.main import SEARCH_VAR
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils.html import strip_tags
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.views import ChangeList

from accounts.staff.lens.exporting import TYPES, export, in_batches
from accounts.staff.lens.models import TenantLogEntry
from accounts.staff.lens.panels import Panel, shown
from accounts.staff.lens.permits import open_session
from accounts.staff.rights import staff_of
from accounts.staff.services import act_record
from platform_site.binding import require_tenant
from platform_site.journal.services import MASK

# As far as one turns pages; whoever looks further narrows the list.
LAST_PAGE = 200


def _without_words(request: HttpRequest) -> str:
    """The filters of a list. What was searched for may be an address, which outlives nobody in an audit."""
    asked = request.GET.copy()
    if SEARCH_VAR in asked:
        asked[SEARCH_VAR] = MASK
    return asked.urlencode(safe=MASK)


class LensPaginator(Paginator):  # type: ignore[type-arg]
    """Says "next" and "previous" without counting: a count reads the whole table."""

    template_name = "lens/pagination.html"
    count = 9_999_999_999


class LensChangeList(ChangeList):
    """A page of a list in one query, whatever its length, in the order of an index."""

    def get_ordering(self, request: HttpRequest, queryset: "QuerySet[Any]") -> list[Any]:
        # Not by what the address asks for: another order would be sorted anew for each page.
        return list(self.model_admin.get_ordering(request))

    def get_results(self, request: HttpRequest) -> None:
        if not 1 <= self.page_num <= LAST_PAGE:
            raise IncorrectLookupParameters
        start = (self.page_num - 1) * self.list_per_page
        rows = list(self.queryset[start : start + self.list_per_page + 1])
        self.has_more = len(rows) > self.list_per_page
        self.result_list = rows[: self.list_per_page]
        self.model_admin.fill(self.result_list)
        self.first_row, self.last_row = start + 1, start + len(self.result_list)
        self.result_count = len(self.result_list)
        # The same, lest it says "show all".
        self.full_result_count = self.result_count
        self.show_full_result_count = False
        self.show_admin_actions = bool(rows)
        self.can_show_all = False
        self.multi_page = self.has_more or self.page_num > 1
        self.paginator = self.model_admin.get_paginator(request, self.queryset, self.list_per_page)


class LensModelAdmin(ModelAdmin):
    """Lists, details, history and export of one model, inside the bound tenant."""

    change_list_template = "lens/change_list.html"
    change_form_template = "lens/change_form.html"
    object_history_template = "lens/history.html"
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    list_per_page = 50
    list_filter_sheet = True
    paginator = LensPaginator
    sortable_by = ()
    view_on_site = False
    ordering: Sequence[str] = ("-pk",)
    # Beneath the detail page.
    panels: ClassVar[Sequence[Panel]] = ()
    # Further lookups that an address may ask for, as links from other pages do.
    lookups: ClassVar[frozenset[str]] = frozenset()
    # What the search looks for: what is here is what the field says; ``find`` does it.
    search_help_text = ""
    in_quick_search = False
    # Beside the columns of the list.
    export_more: ClassVar[Sequence[str]] = ()

    # Reading

    def fill(self, rows: Sequence[Any]) -> None:
        """Put onto these rows, in a fixed number of queries, what their columns show beside their own."""

    def find(self, queryset: "QuerySet[Any]", term: str) -> "QuerySet[Any]":
        """Those that ``term`` means, by an index."""
        raise NotImplementedError

    def title_of(self, subject: Any) -> str:
        return str(subject)

    def address_of(self, subject: Any) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=(quote(subject.pk),))

    def address_after(self, subject: Any) -> str:
        """Where to go when something was done with it."""
        return self.address_of(subject)

    def get_search_fields(self, request: HttpRequest) -> Sequence[str]:
        # Only asked whether there is a search at all.
        return ("pk",) if self.search_help_text else ()

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[Any]", search_term: str
    ) -> tuple["QuerySet[Any]", bool]:
        term = search_term.replace("\x00", "").strip()
        if term and not self.search_help_text:
            return queryset.none(), False
        return (self.find(queryset, term) if term else queryset), False

    def lookup_allowed(self, lookup: str, value: str, request: Any = None) -> bool:
        """The filters and what is named beside them. Django lets any column be asked for, also one nobody may see."""
        allowed = set(self.lookups)
        for item in self.get_list_filter(request):
            if isinstance(item, type) and issubclass(item, SimpleListFilter):
                allowed.add(str(item.parameter_name))
            else:
                name = item[0] if isinstance(item, (list, tuple)) else item
                allowed |= {f"{name}__exact", f"{name}__isnull", f"{name}__in", str(name)}
        return lookup in allowed

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[LensChangeList]:
        return LensChangeList

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        subject = super().get_object(request, object_id, from_field)
        if subject is not None:
            self.fill([subject])
        return subject

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> Any:
        raise Http404

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[str]:
        return self.fields or ()

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], **kwargs: Any) -> Any:
        subject = context["original"]
        context |= {
            "title": self.title_of(subject),
            "subtitle": str(self.opts.verbose_name).capitalize(),
            "panels": shown(self.panels, subject),
        }
        return super().render_change_form(request, context, **kwargs)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        query = request.GET.urlencode()
        here = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        exports = [(kind.upper(), f"{here}export.{kind}" + (f"?{query}" if query else "")) for kind in TYPES]
        return super().changelist_view(request, {**(extra_context or {}), "lens_exports": exports})

    # History. Django's log knows type and key of a thing, and two tenants may have one of the same key.

    def get_paginator(self, request: HttpRequest, queryset: "QuerySet[Any]", *args: Any, **kwargs: Any) -> Any:
        if queryset.model is LogEntry:
            tenant_id = require_tenant().id
            return Paginator(queryset.filter(of_tenant__tenant_id=tenant_id), *args, **kwargs)
        return super().get_paginator(request, queryset, *args, **kwargs)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        entry = super().log_change(request, obj, message)
        TenantLogEntry.objects.create(entry=entry, tenant_id=require_tenant().id)
        return entry

    # Changing

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.admin_site.has_permission(request)  # type: ignore[no-any-return]

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Not in a session either: a form would go around the services.
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_work_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """For actions: inside an open staff session."""
        return open_session(request) is not None

    def journal_id(self, subject: Any) -> str:
        """What the audit and the journal know the thing by."""
        return str(subject.pk)

    # Export

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}"
        own = [
            path(f"export.{kind}", self.admin_site.admin_view(self.export_view), {"kind": kind}, f"{name}_{kind}")
            for kind in TYPES
        ]
        return own + super().get_urls()  # type: ignore[no-any-return]

    def export_view(self, request: HttpRequest, kind: str) -> HttpResponseBase:
        """What the list shows, all pages of it, under the same filters. The customer is told."""
        if request.method != "GET" or not self.has_view_permission(request):
            raise PermissionDenied
        try:
            wanted = self.get_changelist_instance(request).queryset
        except IncorrectLookupParameters:
            raise Http404 from None
        self._write_down_export(request, kind)
        columns = self._columns()
        return export(kind, f"{require_tenant().slug}-{self.opts.model_name}", list(columns), lambda: self._rows(
            wanted, columns
        ))  # fmt: skip

    @transaction.atomic
    def _write_down_export(self, request: HttpRequest, kind: str) -> None:
        session = open_session(request)
        act_record(
            staff=staff_of(request),
            tenant_id=require_tenant().id,
            action="list.exported",
            session_id=session.id if session else None,
            reason=session.reason if session else "",
            data={"type": self.opts.label_lower, "format": kind, "filter": _without_words(request)[:200]},
        )

    def _columns(self) -> Mapping[str, str]:
        """Names of columns in the file, and what each is made of."""
        names = dict.fromkeys(["pk", *self.export_more, *self.list_display])
        return {"id" if name == "pk" else str(label_for_field(name, self.model, self)): name for name in names}

    def _rows(self, wanted: "QuerySet[Any]", columns: Mapping[str, str]) -> Iterator[list[dict[str, Any]]]:
        for batch in in_batches(wanted):
            self.fill(batch)
            yield [{title: self._value(name, row) for title, name in columns.items()} for row in batch]

    def _value(self, name: str, row: Any) -> Any:
        value = row.pk if name == "pk" else lookup_field(name, row, self)[2]
        if isinstance(value, SafeString):
            # A link is for a page.
            return unescape(strip_tags(value))
        return str(value) if isinstance(value, Model) else value
