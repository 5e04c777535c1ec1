"""Sending one letter to one person: what it carries for the way back, its envelope, and the server."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from accounts.models import User
from notifications.mailing.letters import Letter, WayOut
from notifications.mailing.mailers import Envelope, Posted, post
from notifications.mailing.way_back import list_headers, provider_metadata, tracked


@dataclass(frozen=True, slots=True)
class Subject:
    """What the mail is about: a delivery ("d") or a digest ("g"). ``name`` tells them apart in the Message-ID."""

    kind: Literal["d", "g"]
    id: UUID
    name: Literal["notification", "digest"]
    # For the providers' statistics of complaints.
    feedback: str


def send(letter: Letter, *, to: User, out: WayOut, about: Subject, security: bool = False) -> Posted:
    """Hand it to a mail server, in no transaction. Raises what ``post`` raises.

    The Message-ID is made from what it is about, so that a repeat is the same mail.
    """
    envelope = Envelope(
        to=to.email,
        message_id=f"{about.id.hex}.{about.name}",
        security=security,
        headers={"Feedback-ID": f"{about.feedback}:notifications", **list_headers(out)},
        metadata=provider_metadata(about.kind, about.id),
    )
    return post(tracked(letter, user=to, kind=about.kind, subject_id=about.id, security=security), envelope)
