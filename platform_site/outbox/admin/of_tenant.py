"""Work of one tenant that rests, as staff see it in the lens.

The table is everybody's, so each query names the tenant.
"""

from uuid import UUID

from django.contrib.admin import action
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse

from accounts.staff.columns import badge
from accounts.staff.lens.actions import staff_action, work
from accounts.staff.lens.finding import by_id
from accounts.staff.lens.options import LensModelAdmin
from accounts.staff.lens.permits import open_session
from accounts.staff.lens.site import lens
from platform_site.binding import require_tenant
from platform_site.errors import CONFLICT, PlatformError
from platform_site.outbox.models import OutboxRow
from platform_site.outbox.services import redrive

# As the public admin calls it, so that whoever reads the audit finds both.
RETRIED = "outbox.redriven"
_RESTING = (OutboxRow.State.DEAD, OutboxRow.State.PARKED)


@lens(OutboxRow, "piece of work", "waiting work")
class OutboxRowAdmin(LensModelAdmin):
    """Dead letters, and what waits for the tenant to be reactivated. What is on its way is gone before one looks."""

    list_display = ("created_at", "reaction", "state_shown", "attempts", "last_error", "available_at")
    list_filter = ("state",)
    search_help_text = "An id: the row's, or what it is about"
    fields = (
        "id", "reaction", "key", "entry_id", "state_shown", "attempts", "last_error", "queue", "available_at",
        "created_at",
    )  # fmt: skip
    actions = ("retry_selected",)
    actions_detail = ("retry",)

    def get_queryset(self, request: HttpRequest) -> "QuerySet[OutboxRow]":
        mine = super().get_queryset(request).filter(tenant_id=require_tenant().id, state__in=_RESTING)
        # Sealed, and nobody's business here.
        return mine.defer("payload")  # type: ignore[no-any-return]

    def find(self, queryset: "QuerySet[OutboxRow]", term: str) -> "QuerySet[OutboxRow]":
        return by_id(queryset, term, "entry_id")

    def title_of(self, subject: OutboxRow) -> str:
        return subject.reaction

    def address_after(self, subject: OutboxRow) -> str:
        return reverse("admin:outbox_outboxrow_changelist")

    @badge("state", {"Dead": "danger", "Parked": "warning"})
    def state_shown(self, row: OutboxRow) -> str:
        return str(row.get_state_display())

    @staff_action(
        name=RETRIED, label="Try again", explanation="It gets all its attempts once more, from now on.", icon="refresh"
    )
    def retry(self, request: HttpRequest, row: OutboxRow) -> str:
        return self._retry(request, row)

    def _retry(self, request: HttpRequest, row: OutboxRow) -> str:
        if row.state != OutboxRow.State.DEAD:
            raise PlatformError(CONFLICT, "This waits for the workspace to be reactivated.")
        redrive(tenant_id=require_tenant().id, row_id=UUID(str(row.pk)))
        return "It is tried again."

    @action(description="Try the selected again", permissions=["work"])
    @transaction.atomic
    def retry_selected(self, request: HttpRequest, queryset: "QuerySet[OutboxRow]") -> None:
        """For the reason of the session."""
        session = open_session(request)
        reason = session.reason if session else ""
        dead = list(queryset.filter(state=OutboxRow.State.DEAD)[:500])
        for row in dead:
            work(self, request, row, OutboxRowAdmin._retry, name=RETRIED, reason=reason)
        self.message_user(request, f"Tried again: {len(dead)}.")
