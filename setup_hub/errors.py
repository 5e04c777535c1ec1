"""What can go wrong with the set-up."""

from platform_site.errors import error_code

UNKNOWN_TASK = error_code("unknown_task", 404, "There is no such task in this workspace's set-up.")
REQUIRED_TASK_CANNOT_BE_SKIPPED = error_code(
    "required_task_cannot_be_skipped", 422, "This task is required and cannot be skipped."
)
TASK_BLOCKED = error_code("task_blocked", 409, "Other tasks come before this one.")
CHECK_FAILED = error_code("check_failed", 409, "The check of this task does not say that it is done.")
REQUIRED_TASKS_INCOMPLETE = error_code("required_tasks_incomplete", 409, "Required tasks are not completed.")
