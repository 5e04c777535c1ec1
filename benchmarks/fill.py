"""Make tenants by the product's own sign-up, a few at once: ``python -m benchmarks.fill 1000``.

Prints one JSON object a tenant: its schema, and an access token of its administrator.
"""

import json
import sys
from concurrent.futures import ThreadPoolExecutor

import django

# PostgreSQL does most of it; more threads than that only wait for the sign-up slots.
THREADS = 3


def make(number: int) -> str:
    from django.db import connection

    from tenancy.registration import tenant_register

    made = tenant_register(
        company_name=f"Company {number}",
        slug=f"company-{number}",
        admin_email=f"admin@company-{number}.test",
        admin_password="correct horse battery",
        admin_first_name="Ada",
        admin_last_name="Lovelace",
    )
    assert made.tokens is not None
    # A backend keeps what it learned about each schema; a fresh one begins small.
    if number % 100 == 0:
        connection.close()
    return json.dumps({"schema_name": made.tenant.schema_name, "token": made.tokens.access_token})


if __name__ == "__main__":
    django.setup()
    with ThreadPoolExecutor(THREADS) as pool:
        for line in pool.map(make, range(1, int(sys.argv[1]) + 1)):
            print(line)
