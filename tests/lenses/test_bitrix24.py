"""The Bitrix24 lens, rule by rule: what ranges show, and how little is disturbed when they are written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pytest

from slotbridge.lenses.bitrix24 import own_terms, put, refused, view
from slotbridge.lenses.items import Odd, Range, Ranges
from slotbridge.lenses.terms import Terms, Wanted
from slotbridge.week import DAY, Window

BERLIN = "Europe/Berlin"
TERMS = Terms(BERLIN, date(2026, 11, 21))
SPLIT = replace(TERMS, slots="split")
NEW_YORK = "America/New_York"


def rng(start: int, end: int, *days: str, size: int = 30, zone: str = BERLIN) -> Range:
    return Range(start, end, zone, days or ("Mon",), size)


def windows(items: Sequence[Range | Odd], terms: Terms = TERMS) -> list[Window]:
    return [seen.window for seen in view(items, terms).windows]


def rewritten(items: Sequence[Range | Odd], wanted: Sequence[Wanted], terms: Terms = TERMS) -> Ranges:
    return put(items, wanted, terms).items


def wanted_of(items: Sequence[Range | Odd], terms: Terms = TERMS) -> list[Wanted]:
    return [Wanted(*seen) for seen in view(items, terms).windows]


def test_V1_one_window_for_each_weekday() -> None:
    assert windows([rng(540, 1020, "Mon", "Wed")]) == [Window(0, 540, 1020), Window(2, 540, 1020)]


def test_S6_a_day_named_twice_is_one_window() -> None:
    assert windows([rng(540, 1020, "Mon", "Tue", "Mon")]) == [Window(0, 540, 1020), Window(1, 540, 1020)]


def test_V1_split_shows_each_whole_step() -> None:
    item = rng(540, 640, "Mon", size=30)
    assert windows([item], SPLIT) == [Window(0, 540, 570), Window(0, 570, 600), Window(0, 600, 630)]
    assert windows([item]) == [Window(0, 540, 640)]


@pytest.mark.parametrize(("size", "shown"), ((0, 1), (60, 1), (61, 0), (59, 1), (30, 2)))
def test_C1_C4_a_step_of_zero_is_the_whole_range_and_a_longer_one_none(size: int, shown: int) -> None:
    assert len(windows([rng(540, 600, size=size)], SPLIT)) == shown


def test_V2_another_zone_is_shifted_and_cut_at_midnight() -> None:
    item = rng(960, 1200, "Sun", zone=NEW_YORK)
    seen = view([item], TERMS).windows
    assert [(s.window, s.key) for s in seen] == [
        (Window(6, 1320, DAY), (0, 6, 0, 0)),
        (Window(0, 0, 120), (0, 6, 0, 1)),
    ]
    assert windows([rng(0, 60, "Mon", zone="Asia/Kathmandu")]) == [Window(6, 1155, 1215)]


def test_V2_daylight_saving_moves_the_view() -> None:
    item = rng(540, 600, "Mon", zone=NEW_YORK)
    assert windows([item], replace(TERMS, today=date(2026, 10, 19))) == [Window(0, 900, 960)]
    assert windows([item], replace(TERMS, today=date(2026, 10, 26))) == [Window(0, 840, 900)]
    assert windows([item], replace(TERMS, today=date(2026, 11, 2))) == [Window(0, 900, 960)]


def test_V2_aliases_shift_nothing() -> None:
    assert windows([rng(540, 600, zone="Europe/Kiev")], replace(TERMS, zone="Europe/Kyiv")) == [Window(0, 540, 600)]


ODD = (
    (Odd('{"from": "x"}', "from is no number"), range(7)),
    (rng(540, 540), (6, 0, 1)),
    (rng(600, 540), (6, 0, 1)),
    (rng(-1, 540), (6, 0, 1)),
    (rng(540, 1441), (6, 0, 1)),
    (rng(540, 600, size=-1), (6, 0, 1)),
    (rng(540, 600, zone="Mars/Olympus"), (6, 0, 1)),
    (rng(540, 600, "Mon", "Montag"), range(7)),
    (replace(rng(540, 600), week_days=()), range(7)),
)


@pytest.mark.parametrize(("item", "days"), ODD)
def test_V7_what_cannot_be_represented_is_a_problem_and_carried_along(item: Range | Odd, days: Sequence[int]) -> None:
    shown = view([rng(540, 600), item], TERMS)
    assert [seen.window for seen in shown.windows] == [Window(0, 540, 600)]
    assert len(shown.problems) == 1
    assert shown.problems[0].item.startswith("range 2")
    assert shown.problems[0].reason
    assert shown.problems[0].weekdays == frozenset(days)
    assert rewritten([rng(540, 600), item], []) == (item,)
    assert item in rewritten([rng(540, 600), item], [Wanted(Window(0, 540, 660), 30, (0, 0, 0, 0))])


@pytest.mark.parametrize("item", [item for item, _ in ODD if item != rng(540, 600, zone="Mars/Olympus")])
def test_S5_what_bitrix24_would_not_take_back(item: Range | Odd) -> None:
    said = refused([rng(540, 600), item])
    assert said is not None
    assert said.startswith("range 2: ")


def test_S5_a_zone_that_only_we_do_not_know_is_taken_back() -> None:
    assert refused([rng(540, 600, zone="Mars/Olympus"), rng(0, DAY, size=0)]) is None
    assert refused([rng(540, 600, zone="")]) is not None
    assert refused([rng(540, 600, zone="x" * 51)]) is not None
    assert refused([rng(540, 600, *["Mon"] * 9)]) is not None


def test_V8_new_ranges_are_in_the_services_zone_and_untouched_ones_keep_theirs() -> None:
    there = rng(540, 600, "Mon", zone=NEW_YORK)
    made = rewritten([there], [*wanted_of([there]), Wanted(Window(1, 540, 600), 15)])
    assert made == (there, rng(540, 600, "Tue", size=15))


def test_V8_an_edited_range_keeps_its_zone_where_that_can_be_said() -> None:
    there = rng(540, 600, "Mon", zone=NEW_YORK)
    (want,) = wanted_of([there])
    assert rewritten([there], [want._replace(window=Window(0, 900, 1020))]) == (replace(there, end=660),)
    # Monday 00:00 in Berlin is Sunday 18:00 in New York: another day, so it becomes a range of its own.
    assert rewritten([there], [want._replace(window=Window(0, 0, 120))]) == (rng(0, 120, "Mon"),)


def test_M8_nothing_to_change_is_nothing_written() -> None:
    items = (rng(540, 600, "Mon", "Tue"), rng(700, 800, "Sun", zone=NEW_YORK), Odd("{}", "from is missing"))
    made = put(items, wanted_of(items), TERMS)
    assert made.items == items
    assert made.changes == ()


def test_M8_the_order_of_the_wanted_windows_does_not_matter() -> None:
    items = (rng(540, 600, "Mon", "Tue"), rng(700, 800, "Sun"))
    assert put(items, wanted_of(items)[::-1], TERMS).changes == ()


def test_M8_one_days_edit_leaves_the_other_days_byte_for_byte() -> None:
    there = rng(540, 1020, "Fri", "Mon", "Wed")
    wants = wanted_of([there])
    wants[1] = wants[1]._replace(window=Window(0, 540, 900))
    assert rewritten([there], wants) == (replace(there, week_days=("Fri", "Wed")), rng(540, 900, "Mon"))


def test_M8_equal_windows_on_several_days_are_one_range() -> None:
    wants = [Wanted(Window(day, 540, 1020), 30) for day in (4, 0, 2)]
    assert rewritten([], wants) == (rng(540, 1020, "Mon", "Wed", "Fri"),)


def test_M8_a_new_day_joins_the_range_of_its_hours() -> None:
    there = rng(540, 1020, "Mon", "Wed")
    assert rewritten([there], [*wanted_of([there]), Wanted(Window(1, 540, 1020), 30)]) == (
        rng(540, 1020, "Mon", "Tue", "Wed"),
    )
    made = rewritten([there], [*wanted_of([there]), Wanted(Window(1, 540, 1020), 60)])
    assert made == (there, rng(540, 1020, "Tue", size=60))


def test_M9_equal_windows_are_never_tidied() -> None:
    there = (rng(540, 600, "Mon"), rng(540, 600, "Mon"))
    assert len(windows(there)) == 2
    assert put(there, wanted_of(there), TERMS).changes == ()
    assert rewritten(there, wanted_of(there)[:1]) == there[:1]
    assert rewritten([], [Wanted(Window(0, 540, 600), 30)] * 2) == there


def test_M9_overlapping_ranges_stay_as_they_are() -> None:
    there = (rng(540, 660, "Mon"), rng(600, 720, "Mon"))
    wants = wanted_of(there)
    wants[0] = wants[0]._replace(window=Window(0, 480, 660))
    assert rewritten(there, wants) == (rng(480, 660, "Mon"), there[1])


def test_changes_say_what_became_of_each_range() -> None:
    there = (rng(540, 600, "Mon"), rng(700, 800, "Tue"), rng(900, 960, "Wed"))
    wants = wanted_of(there)
    made = put(there, [wants[0]._replace(window=Window(0, 540, 630)), wants[2], Wanted(Window(5, 0, 60), 30)], TERMS)
    shown = {(change.before, change.after) for change in made.changes}
    assert shown == {(there[0], rng(540, 630, "Mon")), (there[1], None), (None, rng(0, 60, "Sat"))}


def test_own_terms_are_the_apis_own_names() -> None:
    assert own_terms(rng(540, 600)) == {"from": 540, "to": 600, "timezone": BERLIN, "weekDays": ["Mon"], "slotSize": 30}
    assert own_terms(Odd('{"a":1}', "no from")) == {"odd": '{"a":1}'}


def steps(*starts: int, day: int = 0, size: int = 30) -> list[Wanted]:
    return [Wanted(Window(day, start, start + size), size) for start in starts]


def test_C4_adjoining_steps_of_equal_length_are_one_range() -> None:
    assert rewritten([], steps(540, 570, 600), SPLIT) == (rng(540, 630, "Mon"),)
    assert rewritten([], steps(540, 600), SPLIT) == (rng(540, 570, "Mon"), rng(600, 630, "Mon"))
    assert rewritten([], [*steps(540, 570), *steps(600, size=60)], SPLIT) == (rng(540, 600), rng(600, 660, size=60))
    assert rewritten([], [*steps(540, 570), *steps(540, 570, day=1)], SPLIT) == (rng(540, 600, "Mon", "Tue"),)


def test_C4_a_step_that_adjoins_a_range_makes_it_longer() -> None:
    there = rng(540, 600, "Mon")
    assert rewritten([there], [*wanted_of([there], SPLIT), *steps(600)], SPLIT) == (rng(540, 630, "Mon"),)
    assert rewritten([there], [*wanted_of([there], SPLIT), *steps(510)], SPLIT) == (rng(510, 600, "Mon"),)


def test_C4_a_step_that_closes_a_gap_makes_one_range_of_two() -> None:
    two = (rng(540, 600, "Mon"), rng(630, 690, "Mon"))
    assert rewritten(two, [*wanted_of(two, SPLIT), *steps(600)], SPLIT) == (rng(540, 690, "Mon"),)


def test_C4_the_remainder_of_an_untouched_range_stays() -> None:
    there = rng(540, 640, "Mon", "Tue")
    wants = wanted_of([there], SPLIT)
    assert put([there], wants, SPLIT).changes == ()
    touched = [want for want in wants if want.window != Window(0, 570, 600)]
    made = rewritten([there], touched, SPLIT)
    assert made[0] == replace(there, week_days=("Tue",))
    assert set(made[1:]) == {rng(540, 570, "Mon"), rng(600, 630, "Mon")}


def test_C4_a_step_next_to_a_remainder_is_no_part_of_that_range() -> None:
    there = rng(540, 640, "Mon")
    made = rewritten([there], [*wanted_of([there], SPLIT), *steps(630)], SPLIT)
    assert windows(made, SPLIT) == [*windows([there], SPLIT), Window(0, 630, 660)]
    assert there in made


def test_V2_both_parts_of_an_overnight_range_moved_stay_one_range() -> None:
    there = rng(960, 1200, "Sun", zone=NEW_YORK)
    late, early = wanted_of([there])
    moved = [late._replace(window=Window(6, 1380, DAY)), early._replace(window=Window(0, 0, 180))]
    assert rewritten([there], moved) == (rng(1020, 1260, "Sun", zone=NEW_YORK),)
    gone = rewritten([there], [late])
    assert windows(gone) == [Window(6, 1320, DAY)]
