"""An edit made on one state of a resource, made on another one: neither side's wishes are lost or doubled."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from slotbridge.lenses.items import Odd, Range, Ranges
from slotbridge.reconcile.rebase import by_day, distance, rebased, with_all_of

ZONE = "Europe/Berlin"
ODD = Odd('{"from": "soon"}', "from is not a number")
HOURS = st.builds(
    lambda start, days: Range(60 * start, 60 * start + 60, ZONE, tuple(days), 30),
    st.integers(8, 11),
    st.lists(st.sampled_from(["Mon", "Tue", "Wed"]), max_size=3, unique=True),
)
STATES = st.lists(HOURS | st.just(ODD), max_size=5, unique=True).map(tuple)


def on(days: str, start: int, end: int) -> Range:
    return Range(start, end, ZONE, tuple(days.split()), 30)


WEEK = (on("Mon Tue Wed", 540, 1080),)


def test_what_was_added_stands_beside_what_is_there() -> None:
    added = (*WEEK, on("Thu", 600, 660))
    longer = (on("Mon Tue", 540, 1080), on("Wed", 540, 1200))
    assert rebased(added, WEEK, longer) == (*longer, on("Thu", 600, 660))


def test_what_was_taken_away_goes_and_the_other_days_stay_one_range() -> None:
    assert rebased((on("Mon Tue", 540, 1080),), WEEK, (*WEEK, on("Fri", 540, 600))) == (
        on("Mon Tue", 540, 1080),
        on("Fri", 540, 600),
    )


def test_of_two_edits_of_one_window_the_later_one_counts() -> None:
    onto = (on("Mon", 540, 1080), on("Tue", 600, 1080), on("Wed", 600, 1080))
    edited = (on("Mon Tue", 540, 1080), on("Wed", 660, 1080))
    assert rebased(edited, WEEK, onto) == (on("Mon", 540, 1080), on("Tue", 600, 1080), on("Wed", 660, 1080))
    assert rebased((on("Mon Tue", 540, 1080),), WEEK, onto) == (on("Mon", 540, 1080), on("Tue", 600, 1080))


def test_the_other_windows_of_that_day_keep_the_earlier_edit() -> None:
    seen = (on("Mon", 480, 600), on("Mon", 700, 800))
    shifted = (on("Mon", 540, 660), on("Mon", 760, 860))
    assert rebased((on("Mon", 500, 600), on("Mon", 700, 800)), seen, shifted) == (
        on("Mon", 760, 860),
        on("Mon", 500, 600),
    )


def test_what_was_moved_to_another_day_stays_beside_an_edit_of_what_it_was() -> None:
    moved = (on("Tue", 480, 600),)
    edited = (on("Mon", 540, 660),)
    assert rebased(edited, (on("Mon", 480, 600),), moved) == (*moved, *edited)


def test_hours_of_one_edit_and_the_slot_size_of_the_other_are_both_kept() -> None:
    seen, hours = on("Mon Tue", 480, 600), on("Mon Tue", 540, 700)
    size, both = replace(seen, slot_size=20), replace(hours, slot_size=20)
    assert rebased((size,), (seen,), (hours,)) == rebased((hours,), (seen,), (size,)) == (both,)
    assert rebased((both,), (seen,), (hours,)) == rebased((hours,), (seen,), (both,)) == (both,)
    other_size = replace(seen, slot_size=40)
    assert rebased((size,), (seen,), (other_size,)) == (size,)


def test_whoever_fills_an_empty_form_wants_what_they_put_there() -> None:
    assert rebased(WEEK, (), (on("Mon", 600, 660),)) == WEEK


def test_a_second_window_like_one_that_is_there_is_added_and_one_that_both_added_is_not_doubled() -> None:
    thursday, friday = on("Thu", 600, 660), on("Fri", 600, 660)
    assert rebased((*WEEK, thursday, thursday), (*WEEK, thursday), (thursday, friday)) == (thursday, friday, thursday)
    assert rebased((*WEEK, friday), WEEK, (thursday, friday)) == (thursday, friday)


def test_what_cannot_be_read_stays_as_it_is() -> None:
    assert rebased((*WEEK, ODD), WEEK, (on("Mon", 540, 1080),)) == (on("Mon", 540, 1080), ODD)
    assert rebased(WEEK, (*WEEK, ODD), (on("Mon", 540, 1080), ODD)) == (on("Mon", 540, 1080),)


def same(one: Ranges, other: Ranges) -> bool:
    return distance(one, other) == 0


@given(STATES, STATES)
def test_no_edit_changes_nothing_and_on_what_was_seen_it_is_the_edit_itself(seen: Ranges, other: Ranges) -> None:
    assert rebased(seen[::-1], seen, other) == other
    assert same(rebased(other, seen, seen), other)


@given(STATES, STATES, STATES)
def test_nothing_is_invented_nothing_doubled_and_each_day_is_one_of_both_or_their_sum(
    edited: Ranges, seen: Ranges, onto: Ranges
) -> None:
    before, after, there, result = map(by_day, (seen, edited, onto, rebased(edited, seen, onto)))
    for day in {*before, *after, *there, *result}:
        assert result[day] <= after[day] | there[day]
        if seen and before[day] == after[day]:
            assert result[day] == there[day]
        elif seen and not before[day] - after[day]:
            assert result[day] == there[day] | Counter({cell: after[day][cell] for cell in after[day] - before[day]})
        assert result[day] >= after[day] - before[day]


@given(STATES, STATES)
def test_a_distance_is_nought_for_the_same_windows_alone(one: Ranges, other: Ranges) -> None:
    assert distance(one, other) == distance(other, one)
    assert same(one, other) == all(
        Counter(by_day(one)[day]) == Counter(by_day(other)[day]) for day in {*by_day(one), *by_day(other)}
    )


def test_an_edit_that_takes_nothing_away_keeps_what_it_added_and_moved() -> None:
    seen = (on("Mon Tue Wed", 540, 1080), on("Sat", 0, 240))
    edited = (on("Mon", 600, 1080), on("Fri", 540, 600))
    assert with_all_of(seen, edited) == (*edited, on("Tue Wed", 540, 1080), on("Sat", 0, 240))
    assert with_all_of(seen, ()) == seen


@given(STATES, STATES)
def test_with_all_of_a_state_nothing_of_the_edit_is_lost(seen: Ranges, edited: Ranges) -> None:
    whole = with_all_of(seen, edited)
    assert whole[: len(edited)] == edited
    assert not any(len(by_day(seen)[day]) > len(by_day(whole)[day]) for day in by_day(seen))
