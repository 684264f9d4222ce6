"""The ReserveKit lens, rule by rule: what time slots show, and how they are written with their ids kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pytest

from slotbridge.lenses.items import Odd, TimeSlot
from slotbridge.lenses.reservekit import own_terms, put, time_form, time_forms, view
from slotbridge.lenses.terms import Terms, Wanted
from slotbridge.week import DAY, Window

TERMS = Terms("Europe/Berlin", date(2026, 11, 21))


def slot(start: str, end: str, day: int = 0, bookings: int = 1, slot_id: int | None = 7) -> TimeSlot:
    return TimeSlot(slot_id, day, start, end, bookings)


def windows(items: Sequence[TimeSlot | Odd], terms: Terms = TERMS) -> list[Window]:
    return [seen.window for seen in view(items, terms).windows]


def created(window: Window, terms: Terms = TERMS, items: Sequence[TimeSlot | Odd] = ()) -> TimeSlot:
    """The one slot that comes new."""
    wants = [Wanted(*seen) for seen in view(items, terms).windows]
    (change,) = put(items, [*wants, Wanted(window, 3)], terms).changes
    assert change.before is None
    assert isinstance(change.after, TimeSlot)
    return change.after


def test_V3_one_window_or_two_past_midnight() -> None:
    assert windows([slot("2023-01-01 09:00:00", "2023-01-01 17:00:00")]) == [Window(0, 540, 1020)]
    seen = view([slot("2023-01-01 22:00:00", "2023-01-02 02:00:00", day=6)], TERMS).windows
    assert [(s.window, s.key) for s in seen] == [(Window(6, 1320, DAY), (7, 0)), (Window(0, 0, 120), (7, 1))]


def test_V5_the_date_says_only_whether_the_end_is_on_the_next_day() -> None:
    for start, end in (
        ("1999-07-07 22:00:00", "1999-07-08 02:00:00"),
        ("2023-01-01 22:00", "2023-01-01 02:00"),
        ("22:00", "02:00"),
    ):
        assert windows([slot(start, end)]) == [Window(0, 1320, DAY), Window(1, 0, 120)]


@pytest.mark.parametrize(
    "end",
    (
        "2024-01-02 00:00:00",
        "2024-01-01 00:00:00",
        "2024-01-01 24:00:00",
        "2024-01-01 23:59:59",
        "00:00",
        "24:00",
        "23:59:59",
    ),
)
def test_V4_midnight_at_the_end_is_read_in_all_its_forms(end: str) -> None:
    start = "2024-01-01 20:00:00" if " " in end else "20:00"
    assert windows([slot(start, end)]) == [Window(0, 1200, DAY)]


def test_V4_the_whole_day() -> None:
    assert windows([slot("00:00", "24:00")]) == [Window(0, 0, DAY)]
    assert windows([slot("00:00", "00:00")]) == [Window(0, 0, DAY)]
    assert windows([slot("00:00", "23:59:59")]) == [Window(0, 0, DAY)]


def test_V4_midnight_is_written_as_the_next_days_or_as_the_last_second() -> None:
    assert created(Window(0, 1200, DAY)).end_time == "2024-01-02 00:00:00"
    late = created(Window(6, 1200, DAY), replace(TERMS, end_of_day="23:59:59"))
    assert (late.start_time, late.end_time) == ("2024-01-07 20:00:00", "2024-01-07 23:59:59")


def test_V5_the_placeholder_week_is_that_of_monday_2024_01_01() -> None:
    for weekday in range(7):
        made = created(Window(weekday, 540, 600))
        assert made == TimeSlot(
            None, weekday, f"2024-01-0{1 + weekday} 09:00:00", f"2024-01-0{1 + weekday} 10:00:00", 3
        )


def test_V6_day_zero_is_applied_in_reading_and_writing() -> None:
    sunday = replace(TERMS, day_zero="sunday")
    assert windows([slot("09:00", "10:00", day=0)]) == [Window(0, 540, 600)]
    assert windows([slot("09:00", "10:00", day=0)], sunday) == [Window(6, 540, 600)]
    assert windows([slot("09:00", "10:00", day=1)], sunday) == [Window(0, 540, 600)]
    assert created(Window(6, 540, 600), sunday).day_of_week == 0
    assert created(Window(0, 540, 600), sunday) == TimeSlot(None, 1, "2024-01-01 09:00:00", "2024-01-01 10:00:00", 3)


ODD = (
    (Odd('{"id":9}', "start_time is missing", 9), frozenset(range(7))),
    (slot("09:00", "10:00", day=7, slot_id=9), frozenset(range(7))),
    (slot("09:00", "10:00", day=-1, slot_id=9), frozenset(range(7))),
    (slot("nine", "10:00", day=6, slot_id=9), frozenset({6, 0})),
    (slot("09:00:30", "10:00", slot_id=9), frozenset({0})),
    (slot("09:00", "10:00:01", slot_id=9), frozenset({0})),
    (slot("09:00", "10:00:59", slot_id=9), frozenset({0})),
    (slot("22:00", "02:00", bookings=0, slot_id=9), frozenset({0, 1})),
    (slot("09:00", "10:00", bookings=-1, slot_id=9), frozenset({0})),
)


@pytest.mark.parametrize(("item", "days"), ODD)
def test_V7_what_cannot_be_represented_is_a_problem_and_left_alone(item: TimeSlot | Odd, days: frozenset[int]) -> None:
    items = (slot("09:00", "10:00"), item)
    shown = view(items, TERMS)
    assert [seen.window for seen in shown.windows] == [Window(0, 540, 600)]
    (problem,) = shown.problems
    assert (problem.item, problem.slot_id, problem.weekdays) == ("time slot 9", 9, days)
    made = put(items, [], TERMS)
    assert made.items == (item,)
    assert [change.before for change in made.changes] == [items[0]]


def test_S8_times_with_a_zone_are_instants_and_naive_ones_the_wall_clock() -> None:
    # 1 January: Berlin is an hour ahead.
    zoned = slot("2024-01-01T08:00:00Z", "2024-01-01T09:00:00Z")
    naive = slot("2024-01-01 09:00:00", "2024-01-01 10:00:00")
    assert windows([zoned]) == windows([naive]) == [Window(0, 540, 600)]
    assert windows([zoned], replace(TERMS, time_basis="wall")) == [Window(0, 480, 540)]
    assert windows([naive], replace(TERMS, time_basis="utc")) == [Window(0, 600, 660)]
    summer = slot("2024-07-01T07:00:00Z", "2024-07-01T08:00:00Z")
    assert windows([summer]) == [Window(0, 540, 600)]


NAIVE = slot("2024-01-01 09:00:00", "2024-01-01 10:00:00")
ZONED = slot("2024-01-01T09:00:00Z", "2024-01-01T10:00:00Z")
WITH_OFFSET = slot("2024-01-01T09:00:00+01:00", "2024-01-01T10:00:00+01:00")


@pytest.mark.parametrize(
    ("items", "known", "form"),
    [
        ([], None, None),
        ([], "zoned", "zoned"),
        ([slot("soon", "later")], "naive", "naive"),
        ([NAIVE], None, "naive"),
        ([NAIVE], "zoned", "naive"),
        ([ZONED], "naive", "zoned"),
        ([NAIVE, ZONED], "naive", "mixed"),
        ([ZONED, NAIVE], "naive", "mixed"),
        ([ZONED, NAIVE], None, "mixed"),
        ([ZONED, NAIVE], "mixed", "mixed"),
        ([slot(NAIVE.start_time, ZONED.end_time)], "naive", "mixed"),
        # What we write with an offset reads the same by either clock.
        ([WITH_OFFSET], None, "zoned"),
        ([WITH_OFFSET], "naive", "naive"),
        ([WITH_OFFSET, NAIVE], "naive", "naive"),
        ([WITH_OFFSET, ZONED], "naive", "zoned"),
    ],
)
def test_M12_the_form_of_times_is_that_of_all_slots_in_whatever_order(
    items: list[TimeSlot], known: str | None, form: str | None
) -> None:
    assert time_form(items, TERMS, known) == form
    assert time_form(items[::-1], TERMS, known) == form


def test_M12_where_the_clock_is_configured_some_times_in_another_form_are_no_change() -> None:
    for basis in ("wall", "utc"):
        terms = replace(TERMS, time_basis=basis)
        assert time_form([ZONED, NAIVE], terms, "naive") == "naive"
        assert time_form([ZONED, NAIVE], terms, "zoned") == "zoned"
        assert time_form([ZONED], terms, "naive") == "zoned"


def test_M12_in_a_zone_that_is_utc_no_form_can_be_misread() -> None:
    assert time_form([NAIVE, ZONED], replace(TERMS, zone="UTC"), "naive") == "naive"


def test_S8_we_write_as_the_server_writes() -> None:
    assert time_forms([]) == frozenset()
    assert time_forms([Odd("{}", "x"), slot("09:00", "10:00")]) == {"naive"}
    zoned = slot("2024-01-01T08:00:00Z", "2024-01-01T09:00:00Z")
    assert time_forms([zoned]) == {"zoned"}
    # A server that shows instants reads ours as UTC: ten o'clock in Berlin is nine there.
    assert created(Window(1, 600, 660), items=[zoned]).start_time == "2024-01-02 09:00:00"
    assert created(Window(1, 600, 660)).start_time == "2024-01-02 10:00:00"
    assert created(Window(1, 600, 660), replace(TERMS, time_basis="utc")).start_time == "2024-01-02 09:00:00"
    # Nor does it forget that once all its slots are gone; what it shows now counts for more.
    known = replace(TERMS, time_form="zoned")
    assert created(Window(1, 600, 660), known).start_time == "2024-01-02 09:00:00"
    assert created(Window(1, 600, 660), replace(known, time_basis="wall")).start_time == "2024-01-02 10:00:00"
    assert created(Window(1, 600, 660), known, items=[slot("09:00", "10:00")]).start_time == "2024-01-02 10:00:00"
    assert created(Window(1, 600, 660), replace(TERMS, time_form="mixed")).start_time == "2024-01-02 10:00:00"


def test_S8_rfc3339_names_the_offset_where_the_server_is_unknown() -> None:
    rfc = replace(TERMS, time_format="rfc3339")
    assert created(Window(1, 600, 660), rfc).start_time == "2024-01-02T10:00:00+01:00"
    assert created(Window(1, 600, 660), replace(rfc, time_basis="utc")).start_time == "2024-01-02T09:00:00Z"
    assert created(Window(1, 600, 660), replace(rfc, time_basis="wall")).start_time == "2024-01-02T10:00:00Z"
    new_york = replace(rfc, zone="America/New_York")
    assert created(Window(1, 600, 660), new_york).start_time == "2024-01-02T10:00:00-05:00"
    assert created(Window(1, 600, 660), replace(rfc, zone="UTC")).start_time == "2024-01-02T10:00:00Z"


def test_M5_an_edited_slot_keeps_its_id_and_only_changed_ones_are_written() -> None:
    items = (slot("09:00", "10:00", slot_id=1), slot("11:00", "12:00", slot_id=2), slot("13:00", "14:00", slot_id=3))
    wants = [Wanted(*seen) for seen in view(items, TERMS).windows]
    made = put(items, [wants[0], wants[1]._replace(window=Window(4, 0, 60)), wants[2]._replace(capacity=9)], TERMS)
    assert [(c.before, c.after and c.after.id) for c in made.changes] == [(items[1], 2), (items[2], 3)]
    assert made.items[0] is items[0]


def test_M8_nothing_to_change_is_nothing_written_whatever_the_form() -> None:
    items = (slot("09:00", "24:00", slot_id=1), slot("22:00", "02:00", slot_id=2), Odd("{}", "x", 3))
    made = put(items, [Wanted(*seen) for seen in view(items, TERMS).windows][::-1], TERMS)
    assert (made.items, made.changes) == (items, ())


def test_V3_an_overnight_slot_that_grows_or_shrinks_stays_one_slot() -> None:
    items = (slot("22:00", "02:00", slot_id=5),)
    late, early = (Wanted(*seen) for seen in view(items, TERMS).windows)
    longer = put(items, [late, early._replace(window=Window(1, 0, 180))], TERMS)
    assert longer.items == (slot("2024-01-01 22:00:00", "2024-01-02 03:00:00", slot_id=5),)
    assert put(items, [late], TERMS).items == (slot("2024-01-01 22:00:00", "2024-01-02 00:00:00", slot_id=5),)
    assert put(items, [early], TERMS).items == (slot("2024-01-02 00:00:00", "2024-01-02 02:00:00", day=1, slot_id=5),)


def test_V3_parts_that_no_longer_meet_are_two_slots_the_first_with_the_id() -> None:
    items = (slot("22:00", "02:00", slot_id=5),)
    late, early = (Wanted(*seen) for seen in view(items, TERMS).windows)
    made = put(items, [late, early._replace(capacity=4)], TERMS)
    assert [(item.id, windows([item])) for item in made.items] == [
        (5, [Window(0, 1320, DAY)]),
        (None, [Window(1, 0, 120)]),
    ]


def test_V3_parts_longer_than_a_day_together_are_two_slots() -> None:
    items = (slot("22:00", "02:00", slot_id=5),)
    late, early = (Wanted(*seen) for seen in view(items, TERMS).windows)
    made = put(items, [late._replace(window=Window(0, 0, DAY)), early._replace(window=Window(1, 0, 180))], TERMS)
    assert [(item.id, windows([item])) for item in made.items] == [
        (5, [Window(0, 0, DAY)]),
        (None, [Window(1, 0, 180)]),
    ]


def test_M9_equal_slots_are_told_apart_by_their_ids() -> None:
    items = (slot("09:00", "10:00", slot_id=1), slot("09:00", "10:00", slot_id=2))
    wants = [Wanted(*seen) for seen in view(items, TERMS).windows]
    assert put(items, wants[1:], TERMS).items == items[1:]
    assert put(items, [Wanted(Window(0, 540, 600), 1)], TERMS).changes[0].after is None


def test_own_terms_are_the_apis_own_names() -> None:
    shown = {"day_of_week": 0, "start_time": "09:00", "end_time": "10:00", "max_bookings": 1}
    assert own_terms(slot("09:00", "10:00", slot_id=None)) == shown
    assert own_terms(slot("09:00", "10:00")) == {"id": 7, **shown}
    assert own_terms(Odd("{}", "no start", 4)) == {"id": 4, "odd": "{}"}
