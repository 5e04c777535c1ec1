"""Read the mail that the local mailbox has kept."""

import email
import email.policy
import email.utils
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

ENVELOPE_TO = "X-Envelope-To"
_ID = re.compile(r"\d+\.[A-Za-z0-9_.-]+")


@dataclass(frozen=True)
class StoredMail:
    id: str
    sender: str
    to: str
    subject: str
    text: str
    html: str
    sent_at: datetime


def list_messages(mail_dir: Path, *, limit: int = 200) -> list[StoredMail]:
    """The latest mail, newest first."""
    paths = sorted(_stored(mail_dir), key=_received_ns, reverse=True)
    return [_read(path) for path in paths[:limit]]


def get_message(mail_dir: Path, message_id: str) -> StoredMail | None:
    """One mail, or None for an id that names none; an id never becomes a path outside."""
    if not _ID.fullmatch(message_id):
        return None
    return next((_read(p) for p in _stored(mail_dir) if _id_of(p) == message_id), None)


def _stored(mail_dir: Path) -> Iterator[Path]:
    """Delivered mail only: what is still being written lies in `tmp`."""
    for folder in ("new", "cur"):
        directory = mail_dir / folder
        if directory.is_dir():
            yield from (path for path in directory.iterdir() if _ID.match(path.name))


def _id_of(path: Path) -> str:
    """The name without the flags that another mail reader may have added behind a colon."""
    return path.name.partition(":")[0]


def _received_ns(path: Path) -> int:
    return int(path.name.partition(".")[0])


def _read(path: Path) -> StoredMail:
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    return StoredMail(
        id=_id_of(path),
        sender=_header(message, "From"),
        to=_header(message, "To") or _header(message, ENVELOPE_TO),
        subject=_header(message, "Subject"),
        text=_body(message, "plain"),
        html=_body(message, "html"),
        sent_at=_sent_at(message, path),
    )


def _header(message: EmailMessage, name: str) -> str:
    try:
        return str(message.get(name, ""))
    except (ValueError, IndexError, AttributeError, LookupError, TypeError):
        # The parser of structured headers stumbles over some broken ones; show them as they came.
        raw = next((v for k, v in message.raw_items() if k.lower() == name.lower()), "")
        return str(raw).strip()


def _body(message: EmailMessage, kind: str) -> str:
    for part in message.walk():
        wanted = part.get_content_type() == f"text/{kind}" and not part.is_attachment()
        if wanted and isinstance(part, EmailMessage):
            return _decoded(part)
    return ""


def _decoded(part: EmailMessage) -> str:
    payload = part.get_payload(decode=True)
    raw = payload if isinstance(payload, bytes) else b""
    try:
        text = raw.decode(part.get_content_charset("utf-8"), errors="replace")
    except LookupError:  # a charset that nobody knows
        text = raw.decode("utf-8", errors="replace")
    return text.replace("\r\n", "\n")


def _sent_at(message: EmailMessage, path: Path) -> datetime:
    """When the sender says it was sent, or when it came in if that makes no sense."""
    received = datetime.fromtimestamp(_received_ns(path) / 1e9, UTC)
    try:
        sent = email.utils.parsedate_to_datetime(_header(message, "Date"))
    except (ValueError, TypeError, IndexError, OverflowError):
        return received
    return sent if sent.tzinfo else sent.replace(tzinfo=UTC)
