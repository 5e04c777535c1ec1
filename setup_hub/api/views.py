"""``/setup-hub``: how far the set-up is, and getting on with it."""

from rest_framework.request import Request
from rest_framework.response import Response

from platform_site.api.docs import operation
from platform_site.api.impersonating import WhenImpersonated
from platform_site.api.permissions import Needs, SignedIn
from platform_site.api.views import ApiView
from platform_site.errors import RATE_LIMITED
from platform_site.limits import spend
from setup_hub import errors
from setup_hub.api import examples
from setup_hub.api.shapes import SetupCheckedOutput, SetupOutput, SetupTaskChangedOutput, SetupTaskInput
from setup_hub.catalog import SETUP_MANAGE
from setup_hub.presenting import present_changed, present_checked, present_overview
from setup_hub.selectors import overview
from setup_hub.services.changing import Status, setup_complete, task_set
from setup_hub.services.checking import setup_check


class SetupView(ApiView):
    access = SignedIn()

    @operation(
        id="setup",
        summary="How far the workspace's set-up is",
        description="Tasks as they were last checked; `POST /setup-hub/auto-check` looks again. Everybody may read it;"
        " where a task is done (`actionUrl`) is told to administrators.",
        output=SetupOutput,
        example=examples.SETUP,
    )
    def get(self, request: Request) -> Response:
        return Response(present_overview(overview(), to=self.identity))


class SetupTaskView(ApiView):
    when_impersonated = WhenImpersonated.WORKS
    access = Needs(SETUP_MANAGE, person=True)

    @operation(
        id="setup_task_update",
        summary="Tick a task off, skip it, or open it again",
        description="What a person says stays: no check takes it back. `completed` is refused while the task's check"
        " says no, unless `force` is true. Required tasks cannot be skipped. `reason` is kept with the task.",
        input=SetupTaskInput,
        output=SetupTaskChangedOutput,
        example_in={"status": "completed"},
        example={"task": {**examples.TASK, "source": "manual", "autoDetected": False}, "progress": examples.PROGRESS},
        errors=[
            errors.UNKNOWN_TASK,
            errors.REQUIRED_TASK_CANNOT_BE_SKIPPED,
            errors.TASK_BLOCKED,
            errors.CHECK_FAILED,
        ],
    )
    def patch(self, request: Request, task_code: str) -> Response:
        data = self.read(SetupTaskInput)
        changed = task_set(
            actor=self.identity,
            code=task_code,
            status=Status(data["status"]),
            reason=data.get("reason", ""),
            force=data.get("force", False),
        )
        return Response(present_changed(changed, to=self.identity))

    put = post = patch


class SetupCheckView(ApiView):
    when_impersonated = WhenImpersonated.WORKS
    access = Needs(SETUP_MANAGE, person=True)

    @operation(
        id="setup_auto_check",
        summary="See from the data which tasks are done",
        description="All tasks that can be checked. A check that fails or takes longer than two seconds is in `errors`"
        " and moves nothing. What a person ticked off or skipped stays so.",
        output=SetupCheckedOutput,
        example=examples.CHECKED,
        errors=[RATE_LIMITED],
    )
    def post(self, request: Request) -> Response:
        spent = spend("setup_check_tenant", self.identity.tenant.id.hex)
        response = Response(present_checked(setup_check(), overview()))
        spent.add_headers(response)
        return response


class SetupCompleteView(ApiView):
    when_impersonated = WhenImpersonated.WORKS
    access = Needs(SETUP_MANAGE, person=True)

    @operation(
        id="setup_complete",
        summary="Complete the set-up",
        description="With all required tasks completed; `missing` in the error's context names those that are not."
        " Again changes nothing. Required tasks that come later are in `newTasks`.",
        output=SetupOutput,
        example=examples.COMPLETED,
        errors=[errors.REQUIRED_TASKS_INCOMPLETE],
    )
    def post(self, request: Request) -> Response:
        return Response(present_overview(setup_complete(actor=self.identity), to=self.identity))

    put = patch = post
