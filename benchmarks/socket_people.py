"""Put people who can sign in to sockets into tenants, and into channels: ``python -m benchmarks.socket_people``.

Their sessions and tokens are of the product's own making.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.database import Database
from benchmarks.processes import ROOT


@dataclass(frozen=True, slots=True)
class Company:
    """A tenant whose people are all in one group, and each in a channel with one other.

    Channels are as ``socket_publishing.OurChannel`` takes them. ``tokens`` are in the order of ``group``'s members.
    """

    tokens: list[str]
    group: dict[str, Any]
    pairs: list[dict[str, Any]]


def companies(database: Database, *, people: int, pairs: bool = False) -> list[Company]:
    """One for each of the database's tenants."""
    job = {"schemas": [tenant.schema_name for tenant in database.tenants], "people": people, "pairs": pairs}
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.socket_people"],
        env=database.env(),
        cwd=ROOT,
        input=json.dumps(job),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return [Company(**json.loads(line)) for line in done.stdout.splitlines()]


# -- the process -------------------------------------------------------------------------------


def _make(schema: str, people: int, pairs: bool) -> Company:
    from django.db import transaction

    from accounts.services.people import user_create
    from accounts.services.sessions import session_start
    from chat.models import Channel, Member
    from platform_site.binding import bind
    from tenancy.models import Tenant

    tenant = Tenant.objects.get(schema_name=schema)
    with bind(tenant.ref), transaction.atomic():
        users = [user_create(email=f"person-{n}@company.example", first_name=f"Person {n}") for n in range(people)]

        def channel(kind: Channel.Kind, of: Sequence[Any]) -> dict[str, Any]:
            made = Channel.objects.create(kind=kind, name="Everybody" * (kind == "group"), created_by=of[0])
            Member.objects.bulk_create(Member(user=user, channel=made) for user in of)
            return {"tenant": str(tenant.id), "channel": str(made.id), "members": [user.id for user in of]}

        return Company(
            tokens=[session_start(user=user).access_token for user in users],
            group=channel(Channel.Kind.GROUP, users),
            pairs=[channel(Channel.Kind.DIRECT, users[n : n + 2]) for n in range(0, people, 2)] if pairs else [],
        )


def _main() -> None:
    import django

    django.setup()
    job = json.load(sys.stdin)
    for schema in job["schemas"]:
        print(json.dumps(asdict(_make(schema, job["people"], job["pairs"]))))


if __name__ == "__main__":
    _main()
