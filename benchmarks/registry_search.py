"""The registry's search as the service gives it, without HTTP: asked by lines, answers with milliseconds.

    <count of texts>, then as many lines of text

It answers with one line: the times of all of them in milliseconds, as JSON.
"""

import json
import sys
import time

import django


def main(schema_name: str) -> None:
    from django_tenants.utils import get_tenant_model

    from platform_site.binding import bind
    from registry.selectors.searching import entities_search

    tenant = get_tenant_model().objects.get(schema_name=schema_name)
    with bind(tenant.ref):
        for line in sys.stdin:
            times = []
            for text in json.loads(line):
                begun = time.perf_counter()
                entities_search(text=text, limit=20)
                times.append((time.perf_counter() - begun) * 1000)
            sys.stdout.write(json.dumps(times) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    django.setup()
    main(sys.argv[1])
