"""When the next digest comes, in places whose clocks are moved.

Examples for each rule, and every kind of setting against a walk over the minutes of the days around a
change of the clocks.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifications.digest_times import next_run
from notifications.tests.test_quiet_hours import DAY, PLACES, times_of_day
from tests.support import scaled

pytestmark = pytest.mark.no_django

BERLIN, APIA = "Europe/Berlin", "Pacific/Apia"
MONDAY = 1


def runs(frequency: str, at: str, zone: str, now: str, day_of_week: int = MONDAY) -> str:
    """ "2026-03-29 01:00" in UTC, after ``now``, which is written so too."""
    minute = time.fromisoformat(at).hour * 60 + time.fromisoformat(at).minute
    moment = next_run(frequency, minute, day_of_week, zone, datetime.fromisoformat(now).replace(tzinfo=UTC))
    assert moment.tzinfo is UTC
    return f"{moment:%Y-%m-%d %H:%M}"


class TestDaily:
    def test_it_is_the_first_one_after_now(self) -> None:
        assert runs("daily", "09:00", "UTC", "2026-05-05 08:59") == "2026-05-05 09:00"
        assert runs("daily", "09:00", "UTC", "2026-05-05 09:00") == "2026-05-06 09:00"
        assert runs("daily", "09:00", "UTC", "2026-05-05 09:00:01") == "2026-05-06 09:00"

    def test_the_time_is_that_of_the_place(self) -> None:
        assert runs("daily", "09:00", "Asia/Kathmandu", "2026-05-05 03:14") == "2026-05-05 03:15"
        assert runs("daily", "23:30", "America/New_York", "2026-05-05 03:30") == "2026-05-06 03:30"

    def test_a_time_that_spring_leaves_out_is_the_jump(self) -> None:
        assert runs("daily", "02:30", BERLIN, "2026-03-29 00:00") == "2026-03-29 01:00"
        assert runs("daily", "02:30", BERLIN, "2026-03-29 01:00") == "2026-03-30 00:30"

    def test_a_time_that_comes_twice_is_the_first(self) -> None:
        assert runs("daily", "02:30", BERLIN, "2026-10-25 00:00") == "2026-10-25 00:30"
        assert runs("daily", "02:30", BERLIN, "2026-10-25 00:30") == "2026-10-26 01:30"

    def test_the_time_stays_when_the_clocks_are_moved(self) -> None:
        assert runs("daily", "09:00", BERLIN, "2026-03-28 08:00") == "2026-03-29 07:00"

    def test_now_may_come_with_any_offset(self) -> None:
        now = datetime(2026, 5, 5, 23, 30, tzinfo=ZoneInfo("America/New_York"))
        assert next_run("daily", 4 * 60, MONDAY, "UTC", now) == datetime(2026, 5, 6, 4, tzinfo=UTC)


class TestWeekly:
    def test_it_is_the_day_of_the_place(self) -> None:
        # Monday 08:00 in Apia is Sunday 19:00 in UTC.
        assert runs("weekly", "08:00", APIA, "2026-05-05 00:00") == "2026-05-10 19:00"
        assert runs("weekly", "08:00", APIA, "2026-05-10 19:00") == "2026-05-17 19:00"
        assert runs("weekly", "20:00", "Pacific/Pago_Pago", "2026-05-05 07:00") == "2026-05-12 07:00"

    def test_each_day_of_the_week_has_its_own(self) -> None:
        # 2026-05-05 is a Tuesday.
        days = [runs("weekly", "12:00", "UTC", "2026-05-05 12:00", day) for day in range(1, 8)]
        assert [day[8:10] for day in days] == ["11", "12", "06", "07", "08", "09", "10"]

    def test_a_day_that_never_was_comes_when_it_is_left_out(self) -> None:
        # Apia went from Thursday, 2011-12-29, to Saturday, at 10:00Z of the 30th.
        assert runs("weekly", "09:00", APIA, "2011-12-24 00:00", 5) == "2011-12-30 10:00"
        assert runs("weekly", "09:00", APIA, "2011-12-30 10:00", 5) == "2012-01-05 19:00"
        assert runs("weekly", "09:00", APIA, "2011-12-29 00:00", 6) == "2011-12-30 19:00"


class TestHourly:
    def test_it_is_the_next_full_hour_of_the_place(self) -> None:
        assert runs("hourly", "09:20", "UTC", "2026-05-05 08:59") == "2026-05-05 09:00"
        assert runs("hourly", "09:20", "UTC", "2026-05-05 09:00") == "2026-05-05 10:00"
        assert runs("hourly", "09:20", "Asia/Kathmandu", "2026-05-05 09:00") == "2026-05-05 09:15"

    def test_an_hour_that_comes_twice_comes_twice(self) -> None:
        assert runs("hourly", "00:00", BERLIN, "2026-10-25 00:00") == "2026-10-25 01:00"
        assert runs("hourly", "00:00", BERLIN, "2026-10-25 01:00") == "2026-10-25 02:00"

    def test_a_jump_of_half_an_hour_moves_it(self) -> None:
        # 2026-10-04 at Lord Howe: 02:00 is 02:30, at 15:30Z of the day before.
        assert runs("hourly", "00:00", "Australia/Lord_Howe", "2026-10-03 14:30") == "2026-10-03 16:00"
        # 2018-05-04 in Pyongyang: 23:30 is 00:00, at 15:00Z.
        assert runs("hourly", "00:00", "Asia/Pyongyang", "2018-05-04 14:40") == "2018-05-04 15:00"

    def test_clocks_differ_by_quarters_of_an_hour_everywhere(self) -> None:
        for name in available_timezones():
            for month in range(1, 13):
                offset = datetime(2026, month, 1, tzinfo=UTC).astimezone(ZoneInfo(name)).utcoffset()
                assert offset is not None
                assert offset % timedelta(minutes=15) == timedelta(0), name


@pytest.mark.parametrize("frequency", ["off", "", "yearly"])
def test_what_comes_never_has_no_time(frequency: str) -> None:
    with pytest.raises(ValueError, match="no time"):
        next_run(frequency, 0, MONDAY, "UTC", datetime(2026, 5, 5, tzinfo=UTC))


# A week more than what is asked about, so that every answer lies on the walk.
WALKED, ASKED = range(-2 * DAY, 10 * DAY), range(-DAY, DAY)


@cache
def clocks(zone: str, day: date) -> list[datetime]:
    """What the clocks there show at each minute of ``WALKED`` around noon in UTC."""
    noon = datetime.combine(day, time(12), UTC)
    place = ZoneInfo(zone)
    return [(noon + timedelta(minutes=minute)).astimezone(place).replace(tzinfo=None) for minute in WALKED]


def walk(frequency: str, minute: int, day_of_week: int, zone: str, day: date) -> list[int]:
    """The minutes at which somebody rings who watches the clocks and has the calendar's times on a list."""
    shown = clocks(zone, day)
    if frequency == "hourly":
        return [place for place, wall in zip(WALKED, shown, strict=True) if wall.minute == 0]
    dates = [shown[0].date() + timedelta(days=number) for number in range((shown[-1] - shown[0]).days + 2)]
    due = [datetime.combine(one, time(*divmod(minute, 60))) for one in dates]
    due = [one for one in due if one >= shown[0] and (frequency == "daily" or one.isoweekday() == day_of_week)]
    rung: list[int] = []
    for place, wall in zip(WALKED, shown, strict=True):
        while due and wall >= due[0]:
            due.pop(0)
            rung.append(place)
    return rung


@settings(max_examples=scaled(200, 5000), deadline=None)
@given(
    place=st.sampled_from(PLACES),
    frequency=st.sampled_from(["hourly", "daily", "weekly"]),
    minute=times_of_day(),
    day_of_week=st.integers(1, 7),
    asked=st.sampled_from(ASKED),
    seconds=st.sampled_from([0, 1, 59]),
)
def test_it_comes_when_a_walk_by_the_clocks_says_so(
    place: tuple[str, date], frequency: str, minute: int, day_of_week: int, asked: int, seconds: int
) -> None:
    zone, day = place
    noon = datetime.combine(day, time(12), UTC)
    rung = walk(frequency, minute, day_of_week, zone, day)
    # What was drawn, and where it is decided: at each ring and just before it.
    for at in {asked, *(one for ring in rung for one in (ring - 1, ring) if one in ASKED)}:
        expected = next(one for one in rung if one > at)
        got = next_run(frequency, minute, day_of_week, zone, noon + timedelta(minutes=at, seconds=seconds))
        assert got == noon + timedelta(minutes=expected)


def test_every_place_and_frequency_is_walked_through_each_quarter_of_an_hour() -> None:
    for zone, day in PLACES:
        noon = datetime.combine(day, time(12), UTC)
        for frequency in ("hourly", "daily"):
            rung = walk(frequency, 150, MONDAY, zone, day)
            for at in range(ASKED.start, ASKED.stop, 15):
                expected = next(one for one in rung if one > at)
                got = next_run(frequency, 150, MONDAY, zone, noon + timedelta(minutes=at))
                assert got == noon + timedelta(minutes=expected), (zone, day, frequency, at)
