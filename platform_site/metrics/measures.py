"""What the kit itself counts. An app declares its own beside the code that counts."""

import re
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from django.http import HttpRequest
from django.urls.resolvers import ResolverMatch

from platform_site.metrics.instruments import OTHER, Counter, Histogram

REQUESTS = Counter("core_http_requests_total", "Requests that were answered", ("method", "route", "status"))
REQUEST_SECONDS = Histogram("core_http_request_seconds", "How long answering took", ("method", "route"))
REFUSALS = Counter("core_refusals_total", "Answers with an error of the registry", ("code",))
LIMITS_REACHED = Counter("core_rate_limited_total", "Uses that a rate limit refused", ("limit",))
QUERY_SECONDS = Histogram("core_db_query_seconds", "How long a statement took, as its caller sees it")
QUERY_FAILURES = Counter("core_db_failures_total", "Statements that failed, by the class of the error", ("error",))
FACTS = Counter("core_facts_total", "Journal entries that were committed", ("key",))
OUTBOX_RUNS = Counter("core_outbox_runs_total", "Work of the outbox that was tried", ("reaction", "outcome"))
MAILS = Counter("core_mails_total", "Mails that were handed to a mail server", ("mailer", "outcome"))
TASKS = Counter("core_tasks_total", "Tasks of Celery that ended", ("task", "state"))
TASK_SECONDS = Histogram("core_task_seconds", "How long a task of Celery ran", ("task",))

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_PARAMETER = re.compile(r"<(?:[^:>]+:)?([^>]+)>|\(\?P<([^>]+)>[^)]*\)")


def request_answered(request: HttpRequest, status: int, seconds: float) -> None:
    """Count a request under the template of its path, never under the path."""
    if not REQUESTS.is_on:
        return
    method = request.method if request.method in _METHODS else OTHER
    route = route_of(request)
    REQUESTS.add(str(method), route, str(status))
    REQUEST_SECONDS.observe(seconds, str(method), route)


def route_of(request: HttpRequest) -> str:
    """The template of a request's path; ``none`` for one that was answered before anybody looked at its path."""
    match: ResolverMatch | None = request.resolver_match
    return route_template(match.route) if match is not None else "none"


@lru_cache(maxsize=2048)
def route_template(route: str) -> str:
    """``api/v1/users/<uuid:user_id>`` as ``/api/v1/users/{user_id}``."""
    return "/" + _PARAMETER.sub(lambda found: f"{{{found[1] or found[2]}}}", route.strip("^$").removesuffix(r"\Z"))


def time_queries(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """A Django execute wrapper that looks at the clock."""
    began = time.perf_counter()
    try:
        return execute(sql, params, many, context)
    except Exception as error:
        QUERY_FAILURES.add(type(error).__name__)
        raise
    finally:
        QUERY_SECONDS.observe(time.perf_counter() - began)
