"""What the searches of the lens have in common. Each condition has an index; one with "or" would use none."""

from typing import TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet

from accounts.emails import email_key

Row = TypeVar("Row", bound=Model)


def uuid_of(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def by_id(queryset: "QuerySet[Row]", term: str, *others: str) -> "QuerySet[Row]":
    """The one with this id, or else those of which one of ``others`` is this id; nothing for what is no id."""
    uuid = uuid_of(term)
    if uuid is None:
        return queryset.none()
    found = queryset.filter(pk=uuid)
    for other in others:
        if found.exists():
            break
        found = queryset.filter(**{other: uuid})
    return found


def by_id_or_address(queryset: "QuerySet[Row]", term: str, address: str, **lookups: object) -> "QuerySet[Row]":
    """The one with this id; for what is no id, those whose ``address`` is the key of this e-mail address."""
    if uuid_of(term) is not None:
        return by_id(queryset, term)
    return queryset.filter(**{address: email_key(term)}, **lookups)
