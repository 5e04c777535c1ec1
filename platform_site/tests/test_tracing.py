"""Traces: nothing while they are off; names and ids, never values, while they are on."""

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from platform_site import tracing
from platform_site.outbox import dispatcher
from platform_site.outbox.tasks import sweep
from tests.support import COMPANY, Api, data


class Seen:
    def __init__(self, exporter: InMemorySpanExporter) -> None:
        self._exporter = exporter

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        return self._exporter.get_finished_spans()

    def named(self, name: str) -> ReadableSpan:
        (found,) = [one for one in self.spans if one.name == name]
        return found

    def beneath(self, parent: ReadableSpan) -> list[ReadableSpan]:
        assert parent.context is not None
        return [one for one in self.spans if one.parent and one.parent.span_id == parent.context.span_id]


@pytest.fixture
def seen() -> Iterator[Seen]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracing.use(provider)
    connection.execute_wrappers.append(tracing.trace_statement)
    yield Seen(exporter)
    connection.execute_wrappers.remove(tracing.trace_statement)
    tracing.stop()


def about(one: ReadableSpan) -> dict[str, Any]:
    return dict(one.attributes or {})


def test_a_request_is_a_span_with_its_statements_beneath(alice: Api, seen: Seen) -> None:
    data(alice.get("/users", X_Request_Id="a-request-id"))
    request = seen.named("GET /api/v1/users")
    assert about(request)["http.response.status_code"] == 200
    assert about(request)["platform.tenant_id"] == str(alice.tenant.id)
    assert about(request)["platform.request_id"] == "a-request-id"
    statements = seen.beneath(request)
    assert "SELECT accounts_user" in {one.name for one in statements}
    assert {about(one)["db.system.name"] for one in statements} == {"postgresql"}


def test_no_span_holds_what_somebody_sent_or_what_is_stored(alice: Api, api: Api, seen: Seen) -> None:
    data(alice.get("/users?search=secret-search"))
    api.post("/auth/login", {"email": f"admin@{COMPANY}.test", "password": "secret-word", "tenantSlug": COMPANY})
    api.get("/auth/verify-email/vfy_secret-link")
    text = " ".join(f"{one.name} {about(one)} {one.status.description} {one.events}" for one in seen.spans)
    assert "SELECT" in text
    for word in ("secret", "@", COMPANY, alice.token, alice.tenant.schema_name, "127.0.0.1", " WHERE ", "Bearer"):
        assert word not in text


def test_a_callers_trace_goes_on(api: Api, seen: Seen) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    api.get("/health/live", traceparent=f"00-{trace}-00f067aa0ba902b7-01")
    one = seen.named("GET /api/v1/health/live")
    assert one.context is not None
    assert f"{one.context.trace_id:032x}" == trace


def test_a_failure_is_its_class_and_not_its_text(seen: Seen) -> None:
    with pytest.raises(ValueError, match="secret"), tracing.span("work"):
        raise ValueError("a secret text")
    one = seen.named("work")
    assert (one.status.status_code, about(one)["error.type"]) == (StatusCode.ERROR, "ValueError")
    assert one.events == ()
    assert "secret" not in str(one.status.description)


def test_an_answer_of_5xx_is_an_error(api: Api, seen: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
    from platform_site.health.views import LiveView

    def crash(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(LiveView, "get", crash)
    assert api.get("/health/live").status_code == 500
    assert seen.named("GET /api/v1/health/live").status.status_code is StatusCode.ERROR


@pytest.mark.commits
def test_work_of_the_outbox_and_tasks_are_spans(alice: Api, seen: Seen, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    data(alice.post("/users", {"email": "jane@acme.test", "firstName": "Jane", "role": "user"}), 201)
    dispatcher.drain()
    work = seen.named("outbox accounts.reactions.people.mail_invitation")
    assert "outbox.entry.id" in about(work)
    assert seen.beneath(work)
    sweep.apply()
    assert about(seen.named("task platform_site.outbox.sweep"))["celery.task"] == "platform_site.outbox.sweep"


def test_a_task_goes_on_with_the_trace_of_who_sent_it(seen: Seen) -> None:
    headers: dict[str, Any] = {}
    with tracing.span("sender") as sender:
        tracing._published(headers=headers)
    sweep.apply(headers=headers)
    task = seen.named("task platform_site.outbox.sweep")
    assert task.parent is not None
    assert task.parent.span_id == sender.get_span_context().span_id


@pytest.mark.parametrize(
    ("sql", "name"),
    [
        ('SELECT "accounts_user"."id" FROM "accounts_user" WHERE x = %s', ("SELECT", "accounts_user")),
        ("INSERT INTO public.outbox_outboxrow (id) VALUES (%s)", ("INSERT", "outbox_outboxrow")),
        ("WITH new AS (SELECT 1) UPDATE tenancy_tenant SET x = 1", ("WITH", "tenancy_tenant")),
        ("SELECT 'mail FROM somebody' FROM somebody", ("SELECT", "")),
        ("SET search_path = t_0123456789abcdef, public", ("SET", "")),
        ("", ("SQL", "")),
    ],
)
def test_what_is_said_of_a_statement(sql: str, name: tuple[str, str]) -> None:
    assert tracing.statement_name(sql) == name


@pytest.mark.no_django
@pytest.mark.parametrize(
    ("variables", "exporters"),
    [
        ({}, []),
        ({"OTEL_SERVICE_NAME": "platform"}, []),
        ({"OTEL_TRACES_EXPORTER": "none"}, []),
        ({"OTEL_TRACES_EXPORTER": "console"}, ["console"]),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}, ["otlp"]),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4318"}, ["otlp"]),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318", "OTEL_TRACES_EXPORTER": "none"}, []),
        ({"OTEL_TRACES_EXPORTER": "console", "OTEL_SDK_DISABLED": "true"}, []),
    ],
)
def test_what_switches_it_on(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], exporters: list[str]) -> None:
    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        monkeypatch.delenv(name)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert tracing.wanted() == exporters


@pytest.mark.no_django
def test_an_exporter_that_is_not_known_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "jaeger")
    with pytest.raises(ImproperlyConfigured, match="OTEL_TRACES_EXPORTER"):
        tracing.start("web")


def _web(code: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "METRICS_"))}
    program = f"import sys\n{code}\nimport platform_site.wsgi\n"
    # Parts of it are imported by redis, where it finds them.
    program += "print([name for name in ('opentelemetry.sdk.trace', 'prometheus_client') if name in sys.modules])"
    return subprocess.run(
        [sys.executable, "-c", program], env={**environment, **variables}, capture_output=True, text=True, check=False
    )


@pytest.mark.no_django
def test_while_it_is_off_nothing_of_it_is_imported() -> None:
    assert _web("").stdout.strip() == "[]"
    assert _web("", OTEL_TRACES_EXPORTER="console").stdout.strip() == "['opentelemetry.sdk.trace']"


@pytest.mark.no_django
def test_asked_for_without_its_packages_it_says_what_to_install() -> None:
    ended = _web("sys.modules['opentelemetry.sdk'] = None", OTEL_TRACES_EXPORTER="console")
    assert ended.returncode != 0
    assert "requirements-otel.txt" in ended.stderr
