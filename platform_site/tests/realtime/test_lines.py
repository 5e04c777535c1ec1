"""Numbers that come in any order, twice, or not at all: each is handed on once, and in order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_site.realtime.lines import Line

pytestmark = pytest.mark.no_django

Arrivals = st.integers(1, 12).flatmap(
    lambda count: st.tuples(
        st.just(count),
        st.permutations(range(1, count + 1)),
        st.lists(st.integers(1, count), max_size=20),
    )
)


def line_from(known: int | None) -> Line[int]:
    line: Line[int] = Line()
    if known is not None:
        line.learn(known)
    return line


def healed(line: Line[int], stored: set[int]) -> list[int]:
    """What the hub does about holes, with a database that has ``stored``."""
    released = []
    while line.behind:
        after, upto = line.hole()
        for number in range(after + 1, upto + 1):
            if number in stored:
                released += line.offer(number, number)
        released += line.skip(after, upto)
    return released


@given(Arrivals)
def test_whatever_the_order_everything_is_handed_on_once_and_in_order(
    arrivals: tuple[int, list[int], list[int]],
) -> None:
    count, order, twice = arrivals
    line, released = line_from(0), list[int]()
    for number in [*order, *twice]:
        released += line.offer(number, number)
        # Whatever was handed on is a beginning of the whole.
        assert released == list(range(1, len(released) + 1))
    assert released == list(range(1, count + 1))
    assert not line.behind
    assert not line.held


@given(Arrivals, st.data())
def test_what_is_lost_on_the_way_is_fetched(arrivals: tuple[int, list[int], list[int]], data: st.DataObject) -> None:
    count, order, twice = arrivals
    lost = data.draw(st.sets(st.integers(1, count)))
    line, released = line_from(0), list[int]()
    for number in [*order, *twice]:
        if number not in lost:
            released += line.offer(number, number)
        if data.draw(st.booleans()):
            # It is looked after at any moment.
            released += healed(line, set(range(1, count + 1)))
    # The sweeper knows how far the database has come.
    line.learn(count)
    released += healed(line, set(range(1, count + 1)))
    assert released == list(range(1, count + 1))
    assert not line.behind


@given(Arrivals, st.data())
def test_what_does_not_exist_any_more_holds_up_nothing(
    arrivals: tuple[int, list[int], list[int]], data: st.DataObject
) -> None:
    """An earlier change of a message is covered by its last one, and has no row."""
    count, order, _ = arrivals
    stored = set(range(1, count + 1)) - data.draw(st.sets(st.integers(1, count)))
    heard = data.draw(st.sets(st.sampled_from(sorted(stored)))) if stored else set()
    line, released = line_from(0), list[int]()
    for number in order:
        if number in heard:
            released += line.offer(number, number)
    line.learn(count)
    released += healed(line, stored)
    assert released == sorted(stored)


@given(Arrivals)
def test_a_line_of_which_nobody_was_told_begins_with_what_comes_first(
    arrivals: tuple[int, list[int], list[int]],
) -> None:
    count, order, _ = arrivals
    line = line_from(None)
    early, late = order[: count // 2 + 1], order[count // 2 + 1 :]
    assert [line.offer(number, number) for number in early] == [[]] * len(early)
    released = healed(line, set(range(1, count + 1)))
    assert released == list(range(min(early), max(early) + 1))
    for number in late:
        released += line.offer(number, number)
    released += healed(line, set(range(1, count + 1)))
    # What is older than the beginning is nobody's any more.
    assert released == list(range(min(early), count + 1))


def test_what_somebody_else_was_told_is_a_target_and_no_beginning() -> None:
    line = line_from(3)
    line.learn(5)
    assert (line.known, line.behind, line.hole()) == (3, True, (3, 5))
    line.learn(4)
    assert line.hole() == (3, 5)
    assert line.offer(4, 4) == [4]
    assert line.offer(5, 5) == [5]
    assert not line.behind


def test_whoever_came_at_the_beginning_and_was_told_less_gets_the_rest() -> None:
    line = line_from(5)
    assert line.offer(6, 6) == [6]
    line.learn(3)
    assert (line.behind, line.hole()) == (True, (3, 6))
    # Its word was on its way when the other one was told.
    assert line.offer(4, 4) == [4]
    assert healed(line, set(range(1, 7))) == [5, 6]
    assert not line.behind
    # From then on who is told less than what was handed on has heard the rest as well.
    line.learn(4)
    assert not line.behind


def test_whoever_is_told_while_something_is_held_gets_what_lies_between() -> None:
    line = line_from(None)
    assert line.offer(5, 5) == line.offer(2, 2) == []
    line.learn(2)
    assert line.hole() == (2, 4)
    assert healed(line, set(range(1, 6))) == [3, 4, 5]


@given(Arrivals, st.data())
def test_many_who_come_while_it_begins_miss_nothing(
    arrivals: tuple[int, list[int], list[int]], data: st.DataObject
) -> None:
    """Each comes, is told how far it is, perhaps late, and hears what is handed on from when it came."""
    count, order, _ = arrivals
    line: Line[int] = Line()
    lost = data.draw(st.sets(st.integers(1, count)))
    committed = 0
    # What is being read about a hole, with what was there when it was read.
    fetching: tuple[int, int, int] | None = None
    came: list[set[int]] = []
    reading: list[tuple[set[int], int]] = []

    def hand_on(released: list[int]) -> None:
        for heard in came:
            heard.update(released)

    for number in order:
        # Numbers are committed in their order, whatever the order of their words.
        committed = max(committed, number)
        for _ in range(data.draw(st.integers(0, 2))):
            # It hears from now on, and reads how far the database is.
            came.append(set())
            reading.append((came[-1], committed))
        for place in data.draw(st.lists(st.integers(0, 10), max_size=2)):
            if place >= len(reading):
                continue
            heard, told = reading.pop(place)
            heard.update(range(1, told + 1))
            line.learn(told)
        if number not in lost:
            hand_on(line.offer(number, number))
        if fetching is None and line.behind and data.draw(st.booleans()):
            fetching = (*line.hole(), committed)
        if fetching is not None and data.draw(st.booleans()):
            after, upto, there = fetching
            fetching = None
            for fetched in range(after + 1, min(upto, there) + 1):
                hand_on(line.offer(fetched, fetched))
            hand_on(line.skip(after, upto))
    for heard, told in reading:
        heard.update(range(1, told + 1))
        line.learn(told)
    line.learn(count)
    hand_on(healed(line, set(range(1, count + 1))))
    assert all(heard == set(range(1, count + 1)) for heard in came)


def test_whoever_is_told_less_while_a_hole_is_read_gets_what_lies_between() -> None:
    line = line_from(3)
    assert line.offer(5, 5) == []
    after, upto = line.hole()
    line.learn(1)
    assert (after, upto) == (3, 4)
    assert line.offer(4, 4) == line.skip(after, upto) == []
    assert healed(line, set(range(1, 6))) == [2, 3, 4, 5]


def test_what_was_given_up_is_not_handed_on_later_and_what_is_here_is() -> None:
    line = line_from(0)
    for number in (9, 5, 3):
        assert line.offer(number, number) == []
    assert line.skip(0, 8) == [3, 5, 9]
    assert [line.offer(number, number) for number in (1, 3, 8, 9)] == [[]] * 4
    assert line.offer(10, 10) == [10]
