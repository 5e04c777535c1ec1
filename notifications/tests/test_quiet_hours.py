"""Quiet hours: which moments they are, in places whose clocks are moved.

Examples for each rule, and every kind of window against a walk over the minutes of the days around a
change of the clocks.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifications.quiet_hours import QuietHours, parse_wall_time, wall_time
from tests.support import scaled

pytestmark = pytest.mark.no_django

BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"
# 2026-03-29 in Berlin: 02:00 is 03:00, at 01:00Z. 2026-10-25: 03:00 is 02:00, at 01:00Z. Both are Sundays.


def quiet(start: str, end: str, zone: str = "UTC", *days: int, snooze: str = "") -> QuietHours:
    """Quiet hours of every day, unless days are given."""
    return QuietHours(
        start=parse_wall_time(start),
        end=parse_wall_time(end),
        timezone=zone,
        days=frozenset(days or range(1, 8)),
        snooze_until=utc(snooze) if snooze else None,
    )


def utc(text: str) -> datetime:
    """ "2026-03-29 01:00" in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def until(hours: QuietHours, now: str) -> str:
    """In UTC; "" when it is not quiet."""
    return shown(hours.until(utc(now)))


def next_start(hours: QuietHours, now: str) -> str:
    return shown(hours.next_start(utc(now)))


def shown(moment: datetime | None) -> str:
    assert moment is None or moment.tzinfo is UTC
    return f"{moment:%Y-%m-%d %H:%M}" if moment else ""


class TestTimesOfDay:
    @pytest.mark.parametrize(("text", "minutes"), [("00:00", 0), ("07:05", 425), ("19:59", 1199), ("23:59", 1439)])
    def test_a_time_of_day_is_read_and_written(self, text: str, minutes: int) -> None:
        assert parse_wall_time(text) == minutes
        assert wall_time(minutes) == text

    def test_every_minute_of_the_day_comes_back(self) -> None:
        assert [parse_wall_time(wall_time(minutes)) for minutes in range(1440)] == list(range(1440))

    @pytest.mark.parametrize(
        "text",
        [
            *("24:00", "7:5", "07:5", "7:05", "07:60", "25:00", "07:05:00", " 07:05", "07:05 ", "07 :05", "07:05\n"),
            *(
                "",
                "0705",
                "07.05",
                "07：05",
                "-1:00",
                "+7:05",
                "٠٧:٠٥",
                "０７:05",
                "0７:05",
                "07:0٥",
                "07:05Z",
                "7:05 am",
            ),
        ],
    )
    def test_anything_else_is_refused(self, text: str) -> None:
        with pytest.raises(ValueError, match="no time of day"):
            parse_wall_time(text)

    @pytest.mark.parametrize("minutes", [-1, 1440])
    def test_a_minute_of_no_day_is_not_written(self, minutes: int) -> None:
        with pytest.raises(ValueError, match="0 to 1439"):
            wall_time(minutes)


class TestRefusals:
    def test_a_window_that_starts_and_ends_at_one_time_is_refused(self) -> None:
        with pytest.raises(ValueError, match="none or all"):
            quiet("08:00", "08:00")

    @pytest.mark.parametrize("zone", ["", "Mars/Olympus", "+02:00", "europe/berlin", "../Europe/Berlin", "localtime"])
    def test_an_unknown_zone_is_refused(self, zone: str) -> None:
        with pytest.raises(ValueError, match="no time zone"):
            quiet("22:00", "08:00", zone)

    @pytest.mark.parametrize("day", [-1, 0, 8])
    def test_a_day_of_no_week_is_refused(self, day: int) -> None:
        with pytest.raises(ValueError, match="Weekdays"):
            quiet("22:00", "08:00", "UTC", 1, day)

    @pytest.mark.parametrize(("start", "end"), [(-1, 60), (1440, 60), (60, -1), (60, 1440)])
    def test_a_minute_of_no_day_is_refused(self, start: int, end: int) -> None:
        with pytest.raises(ValueError, match="0 to 1439"):
            QuietHours(start=start, end=end, timezone="UTC")

    def test_a_moment_without_its_offset_is_refused(self) -> None:
        naive = datetime(2026, 1, 1)  # noqa: DTZ001 - what is refused
        with pytest.raises(ValueError, match="offset"):
            QuietHours(start=0, end=60, timezone="UTC", snooze_until=naive)
        with pytest.raises(ValueError, match="offset"):
            quiet("22:00", "08:00").until(naive)
        with pytest.raises(ValueError, match="offset"):
            quiet("22:00", "08:00").next_start(naive)


class TestWindows:
    def test_a_window_holds_its_start_and_not_its_end(self) -> None:
        hours = quiet("12:00", "13:00")
        assert until(hours, "2026-05-05 11:59") == ""
        assert until(hours, "2026-05-05 12:00") == "2026-05-05 13:00"
        assert until(hours, "2026-05-05 12:59") == "2026-05-05 13:00"
        assert until(hours, "2026-05-05 13:00") == ""

    def test_the_last_microsecond_of_a_window_is_quiet(self) -> None:
        end = utc("2026-05-05 13:00")
        assert quiet("12:00", "13:00").until(end - timedelta(microseconds=1)) == end

    def test_a_window_that_ends_earlier_than_it_starts_spans_midnight(self) -> None:
        hours = quiet("22:00", "08:00")
        assert until(hours, "2026-05-05 21:59") == ""
        assert until(hours, "2026-05-05 22:00") == "2026-05-06 08:00"
        assert until(hours, "2026-05-06 07:59") == "2026-05-06 08:00"
        assert until(hours, "2026-05-06 08:00") == ""

    def test_a_window_may_end_at_midnight(self) -> None:
        hours = quiet("22:00", "00:00", "UTC", 2)
        assert until(hours, "2026-05-05 23:59") == "2026-05-06 00:00"
        assert until(hours, "2026-05-06 00:00") == ""

    def test_times_are_those_of_the_place(self) -> None:
        hours = quiet("22:00", "08:00", "Asia/Kathmandu")
        assert until(hours, "2026-05-05 16:14") == ""
        assert until(hours, "2026-05-05 16:15") == "2026-05-06 02:15"

    def test_now_may_come_with_any_offset(self) -> None:
        now = datetime(2026, 5, 5, 19, tzinfo=timezone(-timedelta(hours=5)))
        hours = quiet("22:00", "08:00")
        assert shown(hours.until(now)) == "2026-05-06 08:00"
        assert shown(hours.next_start(now)) == "2026-05-06 22:00"

    def test_a_window_of_the_day_before_yesterday_in_utc_may_still_be_open(self) -> None:
        hours = quiet("23:00", "22:00", NEW_YORK, 2)
        assert until(hours, "2026-05-07 01:59") == "2026-05-07 02:00"
        assert until(hours, "2026-05-07 02:00") == ""

    def test_the_day_is_the_one_on_which_a_window_begins(self) -> None:
        # 2026-05-08 is a Friday.
        hours = quiet("22:00", "08:00", "UTC", 5)
        assert until(hours, "2026-05-08 07:00") == ""
        assert until(hours, "2026-05-08 22:00") == "2026-05-09 08:00"
        assert until(hours, "2026-05-09 07:00") == "2026-05-09 08:00"
        assert until(hours, "2026-05-09 22:00") == ""

    def test_the_day_is_the_one_of_the_place(self) -> None:
        # Friday 23:00 in New York is Saturday in UTC; Friday 07:00 in Apia is Thursday.
        assert until(quiet("23:00", "23:30", NEW_YORK, 5), "2026-05-09 03:00") == "2026-05-09 03:30"
        assert until(quiet("23:00", "23:30", NEW_YORK, 6), "2026-05-09 03:00") == ""
        assert until(quiet("07:00", "08:00", "Pacific/Apia", 5), "2026-05-07 18:00") == "2026-05-07 19:00"
        assert until(quiet("07:00", "08:00", "Pacific/Apia", 4), "2026-05-07 18:00") == ""

    def test_a_minute_between_two_windows_is_not_quiet(self) -> None:
        hours = quiet("08:00", "07:59")
        assert until(hours, "2026-05-05 08:00") == "2026-05-06 07:59"
        assert until(hours, "2026-05-06 07:59") == ""

    def test_without_days_it_is_never_quiet(self) -> None:
        hours = QuietHours(start=0, end=1439, timezone="UTC", days=frozenset())
        assert until(hours, "2026-05-05 12:00") == ""
        assert next_start(hours, "2026-05-05 12:00") == ""


class TestNextStart:
    def test_the_next_start_is_after_now(self) -> None:
        hours = quiet("22:00", "08:00")
        assert next_start(hours, "2026-05-05 21:59") == "2026-05-05 22:00"
        assert next_start(hours, "2026-05-05 22:00") == "2026-05-06 22:00"
        assert next_start(hours, "2026-05-06 03:00") == "2026-05-06 22:00"

    def test_the_next_start_may_be_a_week_away(self) -> None:
        hours = quiet("22:00", "08:00", "UTC", 5)
        assert next_start(hours, "2026-05-08 22:00") == "2026-05-15 22:00"

    def test_the_next_start_is_two_weeks_away_when_spring_leaves_one_out(self) -> None:
        hours = quiet("02:10", "02:50", BERLIN, 7)
        assert next_start(hours, "2026-03-22 01:10") == "2026-04-05 00:10"
        # Sunday, 2025-09-28, at Chatham: 02:45 is 03:45. There it is Sunday when it is Saturday in UTC.
        hours = quiet("03:00", "03:30", "Pacific/Chatham", 7)
        assert next_start(hours, "2025-09-20 14:15") == "2025-10-04 13:15"

    def test_a_snooze_does_not_move_the_next_start(self) -> None:
        hours = quiet("22:00", "08:00", snooze="2026-05-07 12:00")
        assert next_start(hours, "2026-05-05 12:00") == "2026-05-05 22:00"


class TestSnooze:
    def test_a_snooze_is_quiet_until_it_ends(self) -> None:
        hours = QuietHours(start=0, end=60, timezone="UTC", days=frozenset(), snooze_until=utc("2026-05-05 15:00"))
        assert until(hours, "2026-05-05 14:59") == "2026-05-05 15:00"
        assert until(hours, "2026-05-05 15:00") == ""

    def test_a_snooze_that_ends_inside_a_window_lasts_until_the_window_ends(self) -> None:
        hours = quiet("22:00", "08:00", snooze="2026-05-05 23:00")
        assert until(hours, "2026-05-05 15:00") == "2026-05-06 08:00"

    def test_a_snooze_that_ends_where_a_window_begins_lasts_until_the_window_ends(self) -> None:
        assert until(quiet("22:00", "08:00", snooze="2026-05-05 22:00"), "2026-05-05 15:00") == "2026-05-06 08:00"
        assert until(quiet("22:00", "08:00", snooze="2026-05-05 21:59"), "2026-05-05 15:00") == "2026-05-05 21:59"

    def test_a_window_that_ends_inside_a_snooze_lasts_until_the_snooze_ends(self) -> None:
        hours = quiet("22:00", "08:00", snooze="2026-05-06 09:00")
        assert until(hours, "2026-05-06 03:00") == "2026-05-06 09:00"

    def test_a_snooze_that_is_over_means_nothing(self) -> None:
        hours = quiet("22:00", "08:00", snooze="2026-05-05 12:00")
        assert until(hours, "2026-05-05 15:00") == ""
        assert until(hours, "2026-05-06 03:00") == "2026-05-06 08:00"

    def test_a_snooze_and_now_are_moments_and_not_wall_times(self) -> None:
        # Berlin shows 02:45 and then 02:30, an hour minus a quarter later.
        now, snooze = (datetime(2026, 10, 25, 2, 45 - 15 * fold, tzinfo=ZoneInfo(BERLIN), fold=fold) for fold in (0, 1))
        hours = QuietHours(start=0, end=60, timezone="UTC", days=frozenset(), snooze_until=snooze)
        assert shown(hours.until(now)) == "2026-10-25 01:30"

    def test_a_snooze_may_last_for_ever(self) -> None:
        end = datetime.max.replace(tzinfo=UTC)
        hours = QuietHours(start=1320, end=480, timezone="Pacific/Apia", snooze_until=end)
        assert hours.until(utc("2026-05-05 12:00")) == end


class TestSpring:
    def test_an_end_that_is_left_out_is_the_jump(self) -> None:
        hours = quiet("22:00", "02:30", BERLIN)
        assert until(hours, "2026-03-29 00:59") == "2026-03-29 01:00"
        assert until(hours, "2026-03-29 01:00") == ""

    def test_a_start_that_is_left_out_is_the_jump(self) -> None:
        hours = quiet("02:30", "06:00", BERLIN)
        assert until(hours, "2026-03-29 00:59") == ""
        assert until(hours, "2026-03-29 01:00") == "2026-03-29 04:00"
        assert next_start(hours, "2026-03-29 00:59") == "2026-03-29 01:00"

    def test_a_window_that_is_left_out_whole_is_none(self) -> None:
        hours = quiet("02:10", "02:50", BERLIN)
        assert until(hours, "2026-03-29 00:59") == ""
        assert until(hours, "2026-03-29 01:00") == ""
        assert next_start(hours, "2026-03-28 02:00") == "2026-03-30 00:10"

    def test_a_window_from_the_last_minute_before_the_jump_lasts_to_the_jump(self) -> None:
        hours = quiet("01:59", "02:30", BERLIN)
        assert until(hours, "2026-03-29 00:59") == "2026-03-29 01:00"
        assert until(hours, "2026-03-29 01:00") == ""

    def test_what_exists_around_the_jump_stays_what_it_is(self) -> None:
        hours = quiet("01:30", "03:30", BERLIN)
        assert until(hours, "2026-03-29 00:30") == "2026-03-29 01:30"

    def test_two_windows_are_one_quiet_when_spring_leaves_out_the_break(self) -> None:
        hours = quiet("02:40", "02:20", BERLIN)
        assert until(hours, "2026-03-28 12:00") == "2026-03-30 00:20"
        assert next_start(hours, "2026-03-28 12:00") == "2026-03-29 01:00"

    def test_half_an_hour_is_left_out_at_lord_howe(self) -> None:
        # 2026-10-04: 02:00 is 02:30, at 15:30Z of the day before.
        hours = quiet("22:00", "02:15", "Australia/Lord_Howe")
        assert until(hours, "2026-10-03 15:00") == "2026-10-03 15:30"
        assert until(hours, "2026-10-03 15:30") == ""

    def test_a_midnight_that_is_left_out_is_the_jump(self) -> None:
        # 2025-09-07, a Sunday in Santiago: 00:00 is 01:00, at 04:00Z.
        assert until(quiet("00:00", "02:00", "America/Santiago", 7), "2025-09-07 04:00") == "2025-09-07 05:00"
        assert until(quiet("23:00", "00:30", "America/Santiago", 6), "2025-09-07 03:00") == "2025-09-07 04:00"


class TestAutumn:
    def test_an_end_that_comes_twice_is_the_first(self) -> None:
        hours = quiet("22:00", "02:30", BERLIN)
        assert until(hours, "2026-10-25 00:29") == "2026-10-25 00:30"
        assert until(hours, "2026-10-25 00:30") == ""
        assert until(hours, "2026-10-25 01:15") == ""

    def test_a_start_that_comes_twice_is_the_first(self) -> None:
        hours = quiet("02:30", "06:00", BERLIN)
        assert until(hours, "2026-10-25 00:29") == ""
        assert until(hours, "2026-10-25 00:30") == "2026-10-25 05:00"
        assert until(hours, "2026-10-25 01:15") == "2026-10-25 05:00"
        assert next_start(hours, "2026-10-25 00:30") == "2026-10-26 01:30"

    def test_a_window_that_comes_twice_is_the_first(self) -> None:
        hours = quiet("02:10", "02:50", BERLIN)
        assert until(hours, "2026-10-25 00:10") == "2026-10-25 00:50"
        assert until(hours, "2026-10-25 01:20") == ""

    def test_an_end_after_the_repeated_hour_comes_an_hour_later(self) -> None:
        hours = quiet("22:00", "08:00", NEW_YORK)
        assert until(hours, "2026-11-01 02:00") == "2026-11-01 13:00"

    def test_a_window_of_tomorrow_that_has_begun_goes_on_when_it_is_yesterday_again(self) -> None:
        # St. John's, 2010-11-07, a Sunday: 00:01 is 23:01 of Saturday, at 02:31Z.
        hours = quiet("00:00", "08:00", "America/St_Johns", 7)
        assert until(hours, "2010-11-07 02:29") == ""
        assert until(hours, "2010-11-07 02:30") == "2010-11-07 11:30"
        assert until(hours, "2010-11-07 02:45") == "2010-11-07 11:30"


class TestADayThatNeverWas:
    """Apia went from Thursday, 2011-12-29, to Saturday, at 10:00Z of the 30th."""

    def test_a_night_into_it_ends_at_the_jump(self) -> None:
        assert until(quiet("22:00", "08:00", "Pacific/Apia", 4), "2011-12-30 09:00") == "2011-12-30 10:00"

    def test_its_own_window_is_none(self) -> None:
        hours = quiet("09:00", "17:00", "Pacific/Apia", 5)
        assert next_start(hours, "2011-12-24 12:00") == "2012-01-05 19:00"

    def test_a_night_out_of_it_begins_at_the_jump(self) -> None:
        hours = quiet("22:00", "08:00", "Pacific/Apia", 5)
        assert next_start(hours, "2011-12-30 09:00") == "2011-12-30 10:00"
        assert until(hours, "2011-12-30 10:00") == "2011-12-30 18:00"

    def test_both_nights_are_one_quiet(self) -> None:
        assert until(quiet("22:00", "08:00", "Pacific/Apia"), "2011-12-30 08:00") == "2011-12-30 18:00"


# Days on which the clocks were moved, and two places where they are not.
PLACES = [
    ("Europe/Berlin", date(2025, 3, 30)),
    ("Europe/Berlin", date(2025, 10, 26)),
    ("America/New_York", date(2025, 3, 9)),
    ("America/New_York", date(2025, 11, 2)),
    # Half an hour.
    ("Australia/Lord_Howe", date(2025, 4, 6)),
    ("Australia/Lord_Howe", date(2025, 10, 5)),
    # Two hours.
    ("Antarctica/Troll", date(2025, 3, 30)),
    ("Antarctica/Troll", date(2025, 10, 26)),
    # At one minute past midnight, into the day before.
    ("America/St_Johns", date(2010, 3, 14)),
    ("America/St_Johns", date(2010, 11, 7)),
    # A whole day.
    ("Pacific/Apia", date(2011, 12, 30)),
    ("Pacific/Apia", date(2012, 4, 1)),
    ("Pacific/Apia", date(2012, 9, 30)),
    # Back for Ramadan.
    ("Africa/Casablanca", date(2024, 3, 10)),
    ("Africa/Casablanca", date(2024, 4, 14)),
    # At midnight.
    ("America/Santiago", date(2025, 4, 6)),
    ("America/Santiago", date(2025, 9, 7)),
    ("Asia/Tehran", date(2022, 3, 22)),
    ("Asia/Tehran", date(2022, 9, 21)),
    ("America/Havana", date(2025, 11, 2)),
    # At a quarter to.
    ("Pacific/Chatham", date(2025, 4, 6)),
    ("Pacific/Chatham", date(2025, 9, 28)),
    ("Asia/Kathmandu", date(2025, 3, 30)),
    ("UTC", date(2025, 3, 30)),
]
NEVER_MOVED = {"Asia/Kathmandu", "UTC"}
DAY = 24 * 60
# What is asked about lies in the middle, so that every answer lies on the walk.
WALKED, ASKED = range(-2 * DAY, 4 * DAY), range(-DAY, DAY)


@cache
def clocks(zone: str, day: date) -> list[datetime]:
    """What the clocks there show at each minute of ``WALKED`` around noon in UTC."""
    noon = datetime.combine(day, time(12), UTC)
    place = ZoneInfo(zone)
    return [(noon + timedelta(minutes=minute)).astimezone(place).replace(tzinfo=None) for minute in WALKED]


@dataclass
class Walk:
    """What somebody sees who watches the clocks and notes when each window has begun and ended."""

    is_quiet: list[bool]
    starts: list[int]

    def until(self, minute: int) -> int | None:
        place = minute - WALKED.start
        if not self.is_quiet[place]:
            return None
        return self.is_quiet.index(False, place) + WALKED.start

    def next_start(self, minute: int) -> int | None:
        return next((start for start in self.starts if start > minute), None)


def walk(hours: QuietHours, zone: str, day: date, snoozed_to: int | None) -> Walk:
    shown = clocks(zone, day)
    start, end = time(*divmod(hours.start, 60)), time(*divmod(hours.end, 60))
    # By the calendar, in which a day that the clocks left out has its place too.
    to_begin: list[datetime] = []
    to_end: list[datetime] = []
    for number in range(-1, (shown[-1] - shown[0]).days + 3):
        begins_on = shown[0].date() + timedelta(days=number)
        if begins_on.isoweekday() in hours.days:
            to_begin.append(datetime.combine(begins_on, start))
            to_end.append(datetime.combine(begins_on + timedelta(days=start > end), end))
    # A last one that never comes.
    to_begin.append(datetime.combine(date.max, start))
    to_end.append(datetime.combine(date.max, end))
    begun = ended = 0
    seen = Walk([], [])
    for minute, wall in zip(WALKED, shown, strict=True):
        begun_before = begun
        while wall >= to_begin[begun]:
            begun += 1
        while wall >= to_end[ended]:
            ended += 1
        # One that ended as it began was never there.
        if begun > max(begun_before, ended):
            seen.starts.append(minute)
        seen.is_quiet.append(begun > ended or (snoozed_to is not None and minute < snoozed_to))
    return seen


def times_of_day() -> st.SearchStrategy[int]:
    """Any, and more often one of those at which clocks are moved."""
    return st.integers(0, 4 * 60) | st.integers(23 * 60, DAY - 1) | st.integers(0, DAY - 1)


def weekdays() -> st.SearchStrategy[frozenset[int]]:
    return st.just(frozenset(range(1, 8))) | st.frozensets(st.integers(1, 7))


@pytest.mark.parametrize(("zone", "day"), PLACES)
def test_the_clocks_are_moved_on_the_days_of_the_walk(zone: str, day: date) -> None:
    shown = clocks(zone, day)[ASKED.start - WALKED.start : ASKED.stop - WALKED.start]
    moved = shown[-1] - shown[0] != timedelta(minutes=len(ASKED) - 1)
    assert moved == (zone not in NEVER_MOVED)


def edges(seen: Walk) -> Iterator[int]:
    """The minutes that are asked about where it becomes quiet or ceases to be, and those before."""
    for minute in ASKED:
        place = minute - WALKED.start
        if seen.is_quiet[place] != seen.is_quiet[place - 1]:
            yield from (minute - 1, minute)


@settings(max_examples=scaled(200, 5000), deadline=None)
@given(
    place=st.sampled_from(PLACES),
    times=st.tuples(times_of_day(), times_of_day()).filter(lambda times: times[0] != times[1]),
    days=weekdays(),
    snoozed_to=st.none() | st.sampled_from(ASKED),
    now=st.sampled_from(ASKED),
)
def test_it_is_quiet_when_a_walk_by_the_clocks_says_so(
    place: tuple[str, date], times: tuple[int, int], days: frozenset[int], snoozed_to: int | None, now: int
) -> None:
    zone, day = place
    noon = datetime.combine(day, time(12), UTC)

    def moment(minute: int | None) -> datetime | None:
        return None if minute is None else noon + timedelta(minutes=minute)

    hours = QuietHours(*times, timezone=zone, days=days, snooze_until=moment(snoozed_to))
    seen = walk(hours, zone, day, snoozed_to)
    for minute in {now, *edges(seen), *(start for start in seen.starts if start in ASKED)}:
        at = noon + timedelta(minutes=minute)
        assert hours.until(at) == moment(seen.until(minute))
        expected, got = moment(seen.next_start(minute)), hours.next_start(at)
        if expected is None:
            # The walk ends before it.
            assert (got is None) == (not days)
            assert got is None or got > noon + timedelta(minutes=WALKED[-1])
        else:
            assert got == expected
