"""Traces by OpenTelemetry: requests, statements, tasks, runs of the outbox. Off, and not imported, until asked for.

On where ``OTEL_TRACES_EXPORTER`` names an exporter (``otlp``, ``console``) or an OTLP endpoint is set. The packages are
those of ``requirements-otel.txt``; how much is sampled, where it goes and what is believed of a caller's
``traceparent`` is OpenTelemetry's own to read from the environment.

A span holds names and ids, never values: a statement is its operation and its table, an error is its class.
"""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import lru_cache
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest

from platform_site import context
from platform_site.binding import bound_tenant

_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_NOTHING: Final = nullcontext()
# The tracer of this process; None while it is off.
_tracer: Any = None


def wanted() -> list[str]:
    """The exporters that the environment asks for."""
    if os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return []
    named = os.environ.get("OTEL_TRACES_EXPORTER", "").strip()
    if not named and any(os.environ.get(name, "").strip() for name in _ENDPOINTS):
        named = "otlp"
    return [name for part in named.split(",") if (name := part.strip()) and name != "none"]


def start(kind: str) -> bool:
    """Trace from now on, where it is asked for. Gives whether it is.

    Raises ``ImproperlyConfigured`` for an exporter that is not known, and without the packages.
    """
    exporters = wanted()
    if not exporters:
        return False
    if _tracer is None:
        try:
            use(_provider(kind, exporters))
        except ImportError as error:
            raise ImproperlyConfigured(f"Traces need requirements-otel.txt to be installed: {error}.") from error
    return True


def _provider(kind: str, exporters: list[str]) -> Any:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    named = {"service.version": settings.RELEASE} if settings.RELEASE else {}
    if not os.environ.get("OTEL_SERVICE_NAME"):
        named["service.name"] = f"platform-{kind}"
    provider = TracerProvider(resource=Resource.create(named))
    for name in exporters:
        provider.add_span_processor(BatchSpanProcessor(_exporter(name)))
    return provider


def _exporter(name: str) -> Any:
    if name == "otlp":
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        return OTLPSpanExporter()
    if name == "console":
        from opentelemetry.sdk.trace.export import ConsoleSpanExporter

        return ConsoleSpanExporter()
    raise ImproperlyConfigured(f"OTEL_TRACES_EXPORTER must be otlp, console or none; got {name!r}.")


def use(provider: Any) -> None:
    """Trace with this provider."""
    global _tracer
    from celery import signals
    from django.db.backends.signals import connection_created

    _tracer = provider.get_tracer("platform")
    connection_created.connect(_install, weak=False, dispatch_uid="traces of statements")
    signals.before_task_publish.connect(_published, weak=False, dispatch_uid="traces: publish")
    signals.task_prerun.connect(_task_begins, weak=False, dispatch_uid="traces: prerun")
    signals.task_postrun.connect(_task_ended, weak=False, dispatch_uid="traces: postrun")


def stop() -> None:
    """Trace no longer. For tests."""
    global _tracer
    from celery import signals
    from django.db.backends.signals import connection_created

    _tracer = None
    connection_created.disconnect(dispatch_uid="traces of statements")
    signals.before_task_publish.disconnect(dispatch_uid="traces: publish")
    signals.task_prerun.disconnect(dispatch_uid="traces: prerun")
    signals.task_postrun.disconnect(dispatch_uid="traces: postrun")


# -- spans ---------------------------------------------------------------------------------------


def span(name: str, **attributes: str) -> AbstractContextManager[Any]:
    """A span around a block, with the request's id and the tenant's; nothing at all while it is off."""
    if _tracer is None:
        return _NOTHING
    return _span(name, {name.replace("_", "."): value for name, value in attributes.items()})


@contextmanager
def _span(name: str, attributes: dict[str, str], **options: Any) -> Iterator[Any]:
    # What the library would note about an exception is its text, which may hold anything.
    options |= {"record_exception": False, "set_status_on_exception": False}
    with _tracer.start_as_current_span(name, attributes={**_whose(), **attributes}, **options) as one:
        try:
            yield one
        except Exception as error:
            _failed(one, error)
            raise


def _whose() -> dict[str, str]:
    tenant = bound_tenant()
    known = {
        "platform.request_id": context.current().request_id,
        "platform.tenant_id": str(tenant.id) if tenant else "",
    }
    return {name: value for name, value in known.items() if value}


def _failed(one: Any, error: BaseException) -> None:
    from opentelemetry.trace import StatusCode

    one.set_attribute("error.type", type(error).__name__)
    one.set_status(StatusCode.ERROR)


def of_request(request: HttpRequest) -> AbstractContextManager[Any]:
    """The span of a request; ``answered`` gives it its name."""
    if _tracer is None:
        return _NOTHING
    from opentelemetry.propagate import extract
    from opentelemetry.trace import SpanKind

    caller = extract({name.lower(): value for name, value in request.headers.items()})
    method = str(request.method)
    return _span(method, {"http.request.method": method}, kind=SpanKind.SERVER, context=caller)


def answered(one: Any, request: HttpRequest, status: int, tenant_id: str) -> None:
    """What is known at the end: which route it was, whose, and how it went."""
    if one is None:
        return
    from opentelemetry.trace import StatusCode

    from platform_site.metrics.measures import route_of

    route = route_of(request)
    one.update_name(f"{request.method} {route}")
    one.set_attribute("http.route", route)
    one.set_attribute("http.response.status_code", status)
    if tenant_id:
        one.set_attribute("platform.tenant_id", tenant_id)
    if status >= 500:
        one.set_status(StatusCode.ERROR)


# -- statements ----------------------------------------------------------------------------------

_OPERATION = re.compile(r"\s*(?:/\*.*?\*/\s*)?([A-Za-z]+)", re.DOTALL)
_TABLE = re.compile(r"\b(?:FROM|INTO|UPDATE|JOIN)\s+(?:ONLY\s+)?(?:\"?\w+\"?\.)?\"?(\w+)\"?", re.IGNORECASE)


@lru_cache(maxsize=1024)
def statement_name(sql: str) -> tuple[str, str]:
    """Operation and table of a statement. A word that names no table of ours is left out: it may be anything."""
    operation = _OPERATION.match(sql)
    table = next((name for name in _TABLE.findall(sql) if name in _tables()), "")
    return (operation[1].upper() if operation else "SQL"), table


@lru_cache(maxsize=1)
def _tables() -> frozenset[str]:
    from django.apps import apps

    return frozenset(model._meta.db_table for model in apps.get_models(include_auto_created=True))


def trace_statement(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """A Django execute wrapper."""
    if _tracer is None:
        return execute(sql, params, many, context)
    from opentelemetry.trace import SpanKind

    operation, table = statement_name(str(sql))
    about = {"db.system.name": "postgresql", "db.operation.name": operation}
    if table:
        about["db.collection.name"] = table
    with _span(f"{operation} {table}".strip(), about, kind=SpanKind.CLIENT):
        return execute(sql, params, many, context)


def _install(connection: Any, **_: Any) -> None:
    if trace_statement not in connection.execute_wrappers:
        connection.execute_wrappers.append(trace_statement)


# -- tasks ---------------------------------------------------------------------------------------

_running: dict[str, tuple[AbstractContextManager[Any], Any]] = {}


def _published(headers: dict[str, Any] | None = None, **_: Any) -> None:
    from opentelemetry.propagate import inject

    if headers is not None:
        inject(headers)


def _task_begins(task_id: str = "", task: Any = None, **_: Any) -> None:
    from opentelemetry.propagate import extract
    from opentelemetry.trace import SpanKind

    headers = {name: value for name in ("traceparent", "tracestate") if (value := _header(task, name))}
    entered = _span(f"task {task.name}", {"celery.task": task.name}, kind=SpanKind.CONSUMER, context=extract(headers))
    _running[task_id] = entered, entered.__enter__()


def _header(task: Any, name: str) -> str:
    # Celery's own headers are attributes, those of others a mapping; which of the two depends on how it was sent.
    return str((task.request.headers or {}).get(name) or getattr(task.request, name, None) or "")


def _task_ended(task_id: str = "", state: str | None = None, retval: Any = None, **_: Any) -> None:
    if task_id in _running:
        entered, one = _running.pop(task_id)
        if state != "SUCCESS" and isinstance(retval, BaseException):
            _failed(one, retval)
        entered.__exit__(None, None, None)
