"""What became of digests in a span of days, and who wants them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from django.db import connection
from django.db.models import Count

from accounts.models import User
from notifications.analytics import DAY, Span, Sums
from notifications.counting import DIGEST
from notifications.models import DigestSetting

DIGEST_SUMS: Final = {
    "digests_sent": "sent",
    "items_delivered": "items",
    "skipped_empty": "suppressed",
    "failed": "failed",
    "opened": "opened",
    "clicked": "clicked",
}
_DIGEST_COUNTS: Final = f"""
    SELECT day, {{names}} FROM notifications_dailycount
    WHERE channel = '{DIGEST}' AND day BETWEEN %(first)s AND %(last)s
    UNION ALL
    SELECT day, {{names}} FROM notifications_countchange
    WHERE channel = '{DIGEST}' AND day BETWEEN %(first)s AND %(last)s
""".format(names=", ".join(DIGEST_SUMS.values()))  # noqa: S608 - the names are our own
_DIGEST_ROWS: Final = f"""
    SELECT {DAY.format(column="created_at")} AS day, (status = 'sent')::int AS sent,
           CASE status WHEN 'sent' THEN items ELSE 0 END AS items, (status = 'skipped')::int AS suppressed,
           (status = 'failed')::int AS failed, (opened_at IS NOT NULL)::int AS opened,
           (clicked_at IS NOT NULL)::int AS clicked
    FROM notifications_digest
    WHERE user_id = %(user_id)s AND {DAY.format(column="created_at")} BETWEEN %(first)s AND %(last)s
"""  # noqa: S608 - the names are our own


@dataclass(frozen=True, slots=True)
class DigestAnalytics:
    """``subscribers`` by frequency."""

    total: Sums
    days: Mapping[date, Sums]
    subscribers: Mapping[str, int]


def digest_analytics(span: Span, *, user_id: int | None = None) -> DigestAnalytics:
    """Of the company's digests, or of one person's."""
    source = _DIGEST_COUNTS if user_id is None else _DIGEST_ROWS
    sums = ", ".join(f"sum({name})::bigint" for name in DIGEST_SUMS.values())
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT day, {sums} FROM ({source}) AS counted GROUP BY day",  # noqa: S608 - the names are our own
            {"first": span.first, "last": span.last, "zone": span.zone, "user_id": user_id},
        )
        found = {day: dict(zip(DIGEST_SUMS, row, strict=True)) for day, *row in cursor.fetchall()}
    nothing = dict.fromkeys(DIGEST_SUMS, 0)
    days = {day: found.get(day, nothing) for day in span.days()}
    total = {name: sum(one[name] for one in days.values()) for name in DIGEST_SUMS}
    return DigestAnalytics(total, days, _subscribers(user_id))


def _subscribers(user_id: int | None) -> Mapping[str, int]:
    people = User.objects.filter(status=User.Status.ACTIVE)
    settings = DigestSetting.objects.filter(user__status=User.Status.ACTIVE)
    if user_id is not None:
        people, settings = people.filter(id=user_id), settings.filter(user_id=user_id)
    wanted = settings.exclude(frequency=DigestSetting.Frequency.OFF)
    counts = dict(wanted.values_list("frequency").annotate(Count("user_id")))
    off = people.count() - sum(counts.values())
    return {**dict.fromkeys(DigestSetting.Frequency.values, 0), **counts, "off": off}
