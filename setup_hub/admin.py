"""How far a tenant's set-up is, as staff see it in the lens."""

from django.contrib.admin import display

from accounts.staff.lens.links import person_link
from accounts.staff.lens.options import LensModelAdmin
from accounts.staff.lens.site import lens
from platform_site.setup_tasks import setup_tasks
from setup_hub.models import TaskState


@lens(TaskState, "task")
class TaskStateAdmin(LensModelAdmin):
    list_display = ("code", "title", "status", "source", "detail", "completed_at", "last_checked_at")
    list_filter = ("status",)
    list_select_related = ("completed_by",)
    ordering = ("code",)
    fields = (
        "code", "title", "status", "source", "detail", "reason", "person", "completed_at", "last_checked_at",
        "updated_at",
    )  # fmt: skip

    def title_of(self, subject: TaskState) -> str:
        return self.title(subject)

    @display(description="task")
    def title(self, row: TaskState) -> str:
        return setup_tasks.get(row.code).title if row.code in setup_tasks else row.code

    @display(description="by")
    def person(self, row: TaskState) -> str:
        return person_link(row.completed_by)
