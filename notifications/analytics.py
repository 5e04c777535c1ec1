"""What became of deliveries in a span of days: for a company from its counts, for one person from the person's rows.

Both are added up by one and the same statement, and what they mean is said once,
in ``SUMS``. What is on its way is counted in that statement too, so that everything
in an answer is of one moment.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from django.db import connection

from notifications.channels import CHANNELS
from notifications.counting import DIGEST
from notifications.email_settings.read import tracking_settings
from notifications.models.counts import COUNTED
from platform_site.notification_events import IN_APP

SUMS: Final = {
    "created": "deliveries that were made: one notification for one person on one channel",
    "suppressed": "not attempted, `suppressedByReason` says why",
    "deferred": "held now, by quiet hours or for a digest",
    "queued": "on their way now",
    "sent": "accepted by the mail server; in_app: stored",
    "delivered": "confirmed by the mail provider; in_app: stored",
    "bounced": "returned by the recipient's server",
    "failed": "refused for good, or given up after retries",
    "opened": "opened by a person, each delivery once; in_app: read",
    "machine_opened": "opened by a machine, such as a scanner of mail",
    "clicked": "a link in it was followed by a person, each delivery once",
    "complained": "reported as spam",
    "unsubscribed": "answered by unsubscribing",
}
MOST_EVENTS: Final = 50
_COUNTED: Final = tuple(name for name in COUNTED if name != "items")

# Each source gives day, event_key, channel, reason and the sums; ``user_id`` null is everybody.
DAY: Final = "({column} AT TIME ZONE %(zone)s)::date"
_STATES: Final = """
    (d.status = 'pending' AND (d.digest_id IS NOT NULL OR coalesce(d.held_until > now(), false)))::int AS deferred,
    (d.status = 'pending' AND d.digest_id IS NULL AND NOT coalesce(d.held_until > now(), false))::int AS queued
"""
_COUNTS: Final = f"""
    SELECT day, event_key, channel, reason, {{names}}, 0 AS deferred, 0 AS queued FROM notifications_dailycount
    WHERE day BETWEEN %(first)s AND %(last)s AND channel <> '{DIGEST}'
    UNION ALL
    SELECT day, event_key, channel, reason, {{names}}, 0, 0 FROM notifications_countchange
    WHERE day BETWEEN %(first)s AND %(last)s AND channel <> '{DIGEST}'
    UNION ALL
    SELECT {DAY.format(column="d.created_at")}, n.event_key, d.channel, '', {{zeros}}, {_STATES}
    FROM notifications_delivery d JOIN notifications_notification n ON n.id = d.notification_id
    WHERE d.status = 'pending' AND {DAY.format(column="d.created_at")} BETWEEN %(first)s AND %(last)s
""".format(names=", ".join(_COUNTED), zeros=", ".join("0" for _ in _COUNTED))  # noqa: S608 - the names are our own
_TIMES: Final = ("delivered", "bounced", "opened", "machine_opened", "clicked", "complained", "unsubscribed")
# In the order of ``COUNTED``.
_OF_DELIVERY: Final = {
    "created": "1",
    "suppressed": "(d.status = 'suppressed')::int",
    "sent": "(d.status = 'sent')::int",
    "failed": "(d.status = 'failed')::int",
    **{name: f"(d.{name}_at IS NOT NULL)::int" for name in _TIMES},
    # One that came back after all has not arrived.
    "delivered": "(d.delivered_at IS NOT NULL AND d.bounced_at IS NULL)::int",
}
_OF_INBOX: Final = {"created": "1", "sent": "1", "delivered": "1", "opened": "(n.read_at IS NOT NULL)::int"}
_ROWS: Final = f"""
    SELECT {DAY.format(column="n.created_at")} AS day, n.event_key, '{IN_APP}' AS channel, '' AS reason,
           {", ".join(f"{_OF_INBOX.get(name, '0')} AS {name}" for name in _COUNTED)}, 0 AS deferred, 0 AS queued
    FROM notifications_notification n
    WHERE n.in_inbox AND (n.user_id = %(user_id)s OR %(user_id)s IS NULL)
          AND {DAY.format(column="n.created_at")} BETWEEN %(first)s AND %(last)s
    UNION ALL
    SELECT {DAY.format(column="d.created_at")}, n.event_key, d.channel, d.reason,
           {", ".join(_OF_DELIVERY[name] for name in _COUNTED)}, {_STATES}
    FROM notifications_delivery d JOIN notifications_notification n ON n.id = d.notification_id
    WHERE (n.user_id = %(user_id)s OR %(user_id)s IS NULL)
          AND {DAY.format(column="d.created_at")} BETWEEN %(first)s AND %(last)s
"""  # noqa: S608 - the names are our own
_ADDED: Final = """
    SELECT GROUPING(reason), day, event_key, channel, reason, {sums} FROM ({source}) AS counted
    WHERE (event_key = %(event_key)s OR %(event_key)s = '') AND (channel = %(channel)s OR %(channel)s = '')
    GROUP BY GROUPING SETS ((event_key, channel), (day), (reason))
"""

Sums = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Span:
    """Days in the company's time zone, both included."""

    first: date
    last: date
    zone: str

    def days(self) -> Iterable[date]:
        return (self.first + timedelta(days=number) for number in range((self.last - self.first).days + 1))


@dataclass(frozen=True, slots=True)
class Noticed:
    """What is noticed on one channel: that it arrived, that it was opened, that a link was followed."""

    arrival: bool
    opens: bool
    clicks: bool


@dataclass(frozen=True, slots=True)
class Counted:
    """Sums of one thing, and the rates that make sense of it; None where nothing can be said."""

    sums: Sums
    delivery_rate: float | None
    open_rate: float | None
    click_rate: float | None
    failure_rate: float | None


@dataclass(frozen=True, slots=True)
class Analytics:
    """``events`` are the most frequent ones, the most frequent first."""

    overview: Counted
    events: Mapping[str, Counted]
    channels: Mapping[str, Counted]
    noticed: Mapping[str, Noticed]
    days: Mapping[date, Sums]
    reasons: Mapping[str, int]


def analytics(
    span: Span, *, user_id: int | None = None, event_key: str = "", channel: str = "", raw: bool = False
) -> Analytics:
    """Of the company, or of one person. Two queries, however long the span is and however much was sent.

    ``raw`` reads the company's rows instead of its counts, which gives the same for as long as all rows are kept.
    """
    source = _COUNTS if user_id is None and not raw else _ROWS
    found = _added_up(source, span, user_id=user_id, event_key=event_key, channel=channel)
    pairs = {(row.event_key, row.channel): row.sums for row in found if row.event_key and row.channel}
    shown = [one for one in (IN_APP, *CHANNELS) if channel in ("", one)]
    by_channel = {one: added(sums for (_, way), sums in pairs.items() if way == one) for one in shown}
    noticed = _noticed(by_channel)
    by_event: dict[str, dict[str, Sums]] = {}
    for (key, way), sums in pairs.items():
        by_event.setdefault(key, {})[way] = sums
    events = {key: _counted(ways, noticed) for key, ways in by_event.items()}
    most = sorted(events, key=lambda key: (-events[key].sums["created"], key))[:MOST_EVENTS]
    days = {row.day: row.sums for row in found if row.day is not None}
    nothing = added([])
    return Analytics(
        overview=_counted(by_channel, noticed),
        events={key: events[key] for key in most},
        channels={one: _counted({one: sums}, noticed) for one, sums in by_channel.items()},
        noticed=noticed,
        days={day: days.get(day, nothing) for day in span.days()},
        reasons=_reasons(found),
    )


def _reasons(found: Iterable["_Row"]) -> Mapping[str, int]:
    """Why how many were suppressed, the most frequent first. What failed has its reasons too."""
    counts = {row.reason: row.sums["suppressed"] for row in found if row.of_reason and row.sums["suppressed"]}
    return dict(sorted(counts.items(), key=lambda one: (-one[1], one[0])))


@dataclass(frozen=True, slots=True)
class _Row:
    day: date | None
    event_key: str | None
    channel: str | None
    reason: str
    of_reason: bool
    sums: Sums


def _added_up(source: str, span: Span, **values: Any) -> Sequence[_Row]:
    sums = ", ".join(f"sum({name})::bigint" for name in SUMS)
    with connection.cursor() as cursor:
        cursor.execute(
            _ADDED.format(sums=sums, source=source),
            {"first": span.first, "last": span.last, "zone": span.zone, **values},
        )
        return [
            _Row(day, key, channel, reason or "", not ungrouped and bool(reason), dict(zip(SUMS, found, strict=True)))
            for ungrouped, day, key, channel, reason, *found in cursor.fetchall()
        ]


def added(many: Iterable[Sums]) -> Sums:
    total = dict.fromkeys(SUMS, 0)
    for sums in many:
        for name in total:
            total[name] += sums[name]
    return total


def tracking() -> tuple[bool, bool]:
    """Whether the company's mails notice that they are opened, and that their links are followed."""
    settings = tracking_settings()
    return settings.open_tracking, settings.click_tracking


def _noticed(channels: Mapping[str, Sums]) -> Mapping[str, Noticed]:
    """Mail is noticed where a provider reported anything, or tracking is on. What is in the inbox always is."""
    opens, clicks = tracking()
    found = {IN_APP: Noticed(arrival=True, opens=True, clicks=False)}
    for channel, sums in channels.items():
        if channel != IN_APP:
            found[channel] = Noticed(
                arrival=sums["delivered"] > 0,
                opens=opens or sums["opened"] + sums["machine_opened"] > 0,
                clicks=clicks or sums["clicked"] > 0,
            )
    return found


def _counted(channels: Mapping[str, Sums], noticed: Mapping[str, Noticed]) -> Counted:
    """Each rate is over the channels that notice what it is about."""
    arriving = added(sums for one, sums in channels.items() if noticed[one].arrival)
    opening = [(sums, noticed[one]) for one, sums in channels.items() if noticed[one].opens]
    clicking = [(sums, noticed[one]) for one, sums in channels.items() if noticed[one].clicks]
    total = added(channels.values())
    return Counted(
        sums=total,
        delivery_rate=_rate(arriving["delivered"], arriving["sent"]),
        open_rate=_rate(sum(sums["opened"] for sums, _ in opening), _arrived(opening)),
        click_rate=_rate(sum(sums["clicked"] for sums, _ in clicking), _arrived(clicking)),
        failure_rate=_rate(total["failed"] + total["bounced"], total["sent"] + total["failed"]),
    )


def _arrived(channels: Iterable[tuple[Sums, Noticed]]) -> int:
    """What was delivered; where nobody confirms that, what was sent."""
    return sum(sums["delivered"] if noticed.arrival else sums["sent"] for sums, noticed in channels)


def _rate(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole > 0 else None
