"""Staff's list of what waits in the outbox and of what was given up. Dead letters get another round from here."""

from uuid import UUID

from django.contrib import admin
from django.contrib.admin import display
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path

from accounts.staff.actions import Asked, StaffAction, action_page
from accounts.staff.columns import badge, when
from accounts.staff.options import OfTenantAdmin
from accounts.staff.rights import need, reaches
from accounts.staff.roles import StaffRole
from accounts.staff.services import act_record
from platform_site.errors import CONFLICT, PlatformError
from platform_site.outbox.models import OutboxRow
from platform_site.outbox.services import redrive

LIST = "/admin/outbox/outboxrow/"
# As many as a page of the list has.
MOST = 50


def _redrive(asked: Asked) -> str:
    """Each row by the service; of each tenant is written down which of its rows it were."""
    ids: list[UUID] = asked.values["rows"]
    rows = dict(OutboxRow.objects.filter(id__in=ids).values_list("id", "tenant_id"))
    done = [row_id for row_id in rows if redrive(row_id=row_id)]
    if not done:
        raise PlatformError(CONFLICT, "None of these is a dead letter any more.")
    asked.facts["rows"] = [str(row_id) for row_id in done]
    by_tenant: dict[UUID, list[str]] = {}
    for row_id in done:
        tenant_id = rows[row_id]
        if tenant_id is not None:
            by_tenant.setdefault(tenant_id, []).append(str(row_id))
    for tenant_id, mine in by_tenant.items():
        act_record(
            staff=asked.staff, action=RETRY.name, tenant_id=tenant_id, reason=asked.reason, data={"rows": mine}
        )  # fmt: skip
    return f"Tried again: {len(done)} dead letter{'s' if len(done) > 1 else ''}."


RETRY = StaffAction(
    "outbox.redriven", "Retry dead letters", "What was given up gets another round of attempts.",
    StaffRole.SUPPORT, _redrive, icon="replay",
)  # fmt: skip


@admin.register(OutboxRow)
class OutboxAdmin(OfTenantAdmin):
    list_display = ("work", "tenant", "at_rest", "attempts", "last_error", "due")
    list_filter = ("state",)
    # By id, which goes by time.
    ordering = ("-id",)
    sortable_by = ()
    fields = (
        "id", "tenant", "reaction", "key", "entry_id", "queue", "state", "attempts", "last_error", "available_at",
        "created_at",
    )  # fmt: skip
    readonly_fields = fields
    actions = ("retry_selected",)

    def get_queryset(self, request: HttpRequest) -> "QuerySet[OutboxRow]":
        # What a request asked is sealed and is nobody's to read here.
        return super().get_queryset(request).defer("payload")

    due = when("available_at", "Due")

    @display(description="Work")
    def work(self, row: OutboxRow) -> str:
        # The name alone, which tells enough; its module stands on the row's own page.
        return row.reaction.rpartition(".")[2]

    @badge("State", {"dead": "danger", "parked": "warning", "pending": "info"})
    def at_rest(self, row: OutboxRow) -> str:
        return row.state

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return reaches(request, RETRY.needs)

    @admin.action(description="Retry these dead letters", permissions=["retry"])
    def retry_selected(self, request: HttpRequest, queryset: "QuerySet[OutboxRow]") -> HttpResponse:
        ids = list(queryset.order_by("-id").values_list("id", flat=True)[:MOST])
        return HttpResponseRedirect(f"{LIST}retry/?rows={','.join(map(str, ids))}")

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [path("retry/", wrap(self.retry_view), name="outbox_outboxrow_retry"), *super().get_urls()]

    def retry_view(self, request: HttpRequest) -> HttpResponse:
        need(request, RETRY.needs)
        try:
            ids = [UUID(word) for word in request.GET.get("rows", "").split(",")][:MOST]
        except ValueError:
            raise Http404 from None
        return action_page(
            request, RETRY, tenant_id=None, about=f"{len(ids)} selected", back=f"{LIST}?state__exact=dead",
            more={"rows": ids},
        )  # fmt: skip
