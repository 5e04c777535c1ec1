"""Worker, scheduler and what waits for them."""

from collections.abc import Callable
from typing import Final

from platform_site import pulse
from platform_site.celery import app
from platform_site.doctor.catalog import TABLES, VALKEY, Examination, Finding, fine, problem, warning
from platform_site.outbox.models import OutboxRow
from platform_site.outbox.registry import job_kinds, reactions, request_kinds
from platform_site.outbox.selectors import LATE_SECONDS, STUCK_SECONDS, queue_status
from platform_site.outbox.services import dead_letters
from platform_site.pulse import Part

# The scheduler sends something every two seconds, and a worker runs it.
SILENT_SECONDS: Final = 30


def worker() -> Finding:
    seen = pulse.age(Part.WORKER)
    if seen is not None and seen < SILENT_SECONDS:
        return fine("A worker runs tasks.")
    # Without a scheduler it may have nothing to do.
    if app.control.ping(timeout=2.0):
        return fine("A worker answers; it has had nothing to do.")
    return problem(
        f"No worker: {_since(seen)}.", "Start one: celery -A platform_site worker. Mail and reactions wait for it."
    )


def scheduler() -> Finding:
    seen = pulse.age(Part.SCHEDULER)
    if seen is not None and seen < SILENT_SECONDS:
        return fine("The scheduler sends tasks.")
    return problem(
        f"No scheduler: {_since(seen)}.", "Start exactly one: celery -A platform_site beat. Sweeps wait for it."
    )


def _since(seen: float | None) -> str:
    return "there is no sign of it" if seen is None else f"its last sign is {seen:.0f} seconds old"


def lag() -> Finding:
    queues = queue_status()
    seconds = max(queue.late_seconds for queue in queues)
    if seconds <= LATE_SECONDS:
        return fine("What is due is done at once.")
    told = f"{sum(queue.due for queue in queues)} rows of the outbox are due, the oldest for {seconds:.0f} seconds."
    todo = "See whether workers run and whether there are enough; their log says what fails."
    return (problem if seconds > STUCK_SECONDS else warning)(told, todo)


def given_up() -> Finding:
    dead = dead_letters()
    kinds = sorted(dead.values_list("reaction", "last_error").distinct()[:3])
    if not kinds:
        return fine("There are none.")
    told = ", ".join(f"{reaction} ({error})" for reaction, error in kinds)
    return problem(
        f"{dead.count()} dead letters in the outbox, of {told}.",
        "Mend the cause, which the worker's log names; then manage.py outbox_redrive.",
    )


def names() -> Finding:
    known = {entry.key for catalog in (reactions, job_kinds, request_kinds) for entry in catalog}
    stored = set(OutboxRow.objects.order_by().values_list("reaction", flat=True).distinct())
    if unknown := sorted(stored - known):
        return problem(
            f"Rows of the outbox wait for {', '.join(unknown[:3])}, which no code knows.",
            "Deploy the code that knows it, or delete the rows: they fail until they are dead letters.",
        )
    return fine("Everything that waits is known to the code.")


def _examination(name: str, look: Callable[[], Finding]) -> Examination:
    return Examination(f"work.{name}", look, (TABLES,))


EXAMINATIONS: Final = (
    Examination("work.worker", worker, (VALKEY,)),
    Examination("work.scheduler", scheduler, (VALKEY,)),
    _examination("outbox", lag),
    _examination("dead_letters", given_up),
    _examination("names", names),
)
