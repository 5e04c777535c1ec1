"""The registry's search as the service gives it, without HTTP: ``python -m benchmarks.registry_search SCHEMA``.

Asked by lines: a JSON array of texts is answered with how long each took, in
milliseconds. ``statements <text>`` is answered with the SQL that it runs, ready for
psql.
"""

import json
import sys
import time
from typing import Any

import django


def main(schema_name: str) -> None:
    from django_tenants.utils import get_tenant_model

    from platform_site.binding import bind

    tenant = get_tenant_model().objects.get(schema_name=schema_name)
    with bind(tenant.ref):
        for line in sys.stdin:
            answer: Any = _statements(line[11:].strip()) if line.startswith("statements ") else _times(json.loads(line))
            sys.stdout.write(json.dumps(answer) + "\n")
            sys.stdout.flush()


def _times(texts: list[str]) -> list[float]:
    from registry.selectors.searching import entities_search

    times = []
    for text in texts:
        begun = time.perf_counter()
        entities_search(text=text, limit=20)
        times.append((time.perf_counter() - begun) * 1000)
    return times


def _statements(text: str) -> list[str]:
    from django.db import connection
    from psycopg import ClientCursor

    from registry.selectors.searching import entities_search

    seen: list[str] = []

    def note(execute: Any, statement: str, params: Any, many: bool, context: Any) -> Any:
        if "registry_" in statement:
            seen.append(ClientCursor(connection.connection).mogrify(statement, params).replace("\n", " "))
        return execute(statement, params, many, context)

    with connection.execute_wrapper(note):
        entities_search(text=text, limit=20)
    return seen


if __name__ == "__main__":
    django.setup()
    main(sys.argv[1])
