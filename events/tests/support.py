"""What tests of events share. Records are made as rows: events know them by id alone."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from platform_site.binding import bind
from registry.models import Entity
from tests.support import Api

UNKNOWN = "019aaf1e-5d2c-7a31-9c0e-000000000009"
PATH = "/platform-events"


def entity(somebody: Api, merged_into: Any = None, status: Entity.Status = Entity.Status.ACTIVE) -> str:
    """A record of this person's tenant; gives its id."""
    with bind(somebody.tenant.ref):
        made = Entity.objects.create(
            entity_class="person",
            name="Jane Doe",
            name_key="jane doe",
            status=Entity.Status.MERGED if merged_into else status,
            merged_into_id=merged_into,
        )
        return str(made.id)


def merge(somebody: Api, loser: str, winner: str | None) -> None:
    """As the registry leaves it behind; None undoes it."""
    status = Entity.Status.MERGED if winner else Entity.Status.ACTIVE
    with bind(somebody.tenant.ref):
        Entity.objects.filter(id=loser).update(merged_into_id=winner, status=status)


def erase(somebody: Api, canonical_id: str) -> None:
    with bind(somebody.tenant.ref):
        Entity.objects.filter(id=canonical_id).update(status=Entity.Status.ERASED, merged_into_id=None)


def event(canonical_id: Any, **fields: Any) -> dict[str, Any]:
    sent = {"canonicalId": str(canonical_id), "app": "sales", "category": "engagement", "action": "email_opened"}
    return {**sent, **fields}


def ago(**span: float) -> str:
    return (timezone.now() - timedelta(**span)).isoformat()


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def data(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.content
    return answer.json()["data"]


def error(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def complaints(answer: Any) -> list[tuple[str, str]]:
    """Field and code of each, of a body that was refused."""
    assert error(answer) == (400, "validation_failed"), answer.content
    return [(one["field"], one["code"]) for one in answer.json()["error"]["details"]]


def write(somebody: Api, sent: Any, status: int = 201, **headers: str) -> Any:
    return data(somebody.post(PATH, sent, **headers), status)


def batch(somebody: Api, sent: Any, status: int = 201, query: str = "") -> Any:
    return data(somebody.post(f"{PATH}/batch{query}", sent), status)


def listed(somebody: Api, canonical_id: Any, query: str = "") -> Any:
    answer = somebody.get(f"{PATH}/{canonical_id}{query}")
    assert answer.status_code == 200, answer.content
    return answer.json()


def summary(somebody: Api, canonical_id: Any) -> Any:
    return data(somebody.get(f"{PATH}/{canonical_id}/summary"))


def activity(somebody: Api, canonical_id: Any) -> Any:
    return data(somebody.get(f"{PATH}/{canonical_id}/activity-summary"))


def stats(somebody: Api) -> dict[str, tuple[int, datetime, datetime]]:
    from events.models import EventStat

    with bind(somebody.tenant.ref):
        rows = EventStat.objects.values_list("canonical_id", "total", "first_at", "last_at")
        return {str(canonical_id): (total, first, last) for canonical_id, total, first, last in rows}


def recounted(somebody: Api) -> dict[str, tuple[int, datetime, datetime]]:
    """What the stats must be, from the events themselves."""
    from django.db.models import Count, Max, Min

    from events.models import Event

    with bind(somebody.tenant.ref):
        rows = Event.objects.values_list("canonical_id").annotate(Count("id"), Min("occurred_at"), Max("occurred_at"))
        return {str(canonical_id): (total, first, last) for canonical_id, total, first, last in rows}


def in_zone(somebody: Api, name: str) -> None:
    from tenancy.models import Tenant

    Tenant.objects.filter(id=somebody.tenant.id).update(timezone=name)


def keep(admin: Api, days: int | None) -> None:
    answer = admin.call("PUT", "/org-settings/events.retention_days", {"value": days})
    assert answer.status_code == 200, answer.content


def uuids(texts: list[str]) -> list[UUID]:
    return [UUID(text) for text in texts]
