"""What tests of action items share."""

from typing import Any

from tests.support import Api, data

TITLE = "Call Jane Doe back"


def put(sender: Api, key: str, **body: Any) -> Any:
    """The answer to giving somebody something to do."""
    return sender.call("PUT", f"/action-items/sales/{key}", {"title": TITLE, **body})


def give(sender: Api, key: str, person: Api, **body: Any) -> Any:
    """The item, which was not there before."""
    return data(put(sender, key, assignee=person.user.id, **body), 201)


def waiting(person: Api, query: str = "") -> Any:
    return data(person.get(f"/me/action-items{query}"))


def items(person: Api, query: str = "?source=tasks") -> list[Any]:
    """All that are shown, in their order."""
    shown = waiting(person, query)
    return [*shown["overdue"], *shown["dueSoon"], *shown["tasks"]]


def tasks_counted(person: Api) -> int:
    return int(data(person.get("/me/unread-counts"))["tasks"])
