"""Every disagreement of base, Bitrix24 and ReserveKit is named, the silent kind included; agreement is silent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from slotbridge.lenses.items import Odd, Range, TimeSlot
from slotbridge.reconcile.model import Link, Options, Snapshot
from slotbridge.reconcile.verify import Disagreement, disagreements, taken_away
from tests.reconcile.world import FRI, MON, TERMS, TUE, WIDE, World, rng, slot, win

MONDAY = Link(win(MON, "9-17"), 30, 1, 0, 16)


def found(
    base: Sequence[Link] | None,
    ranges: Iterable[Range | Odd],
    slots: Iterable[TimeSlot | Odd],
    **options: Any,
) -> list[Disagreement]:
    snapshot = Snapshot(tuple(ranges), tuple(slots))
    return list(disagreements(base, snapshot, TERMS, replace(Options(pair="dental"), **options)))


def only(points: Sequence[Disagreement]) -> Disagreement:
    (point,) = points
    return point


def test_what_agrees_is_not_mentioned() -> None:
    assert found([MONDAY], [rng("Mon", "9-17")], [slot(1, MON, "9-17", 16)]) == []


def test_what_a_write_of_ours_took_and_what_it_left_are_told_with_their_steps() -> None:
    wished: list[Range | Odd] = [rng("Mon Tue", "9-17"), Odd("{}", "odd")]
    there = [rng("Mon", "9-17"), rng("Tue", "9-17", 60)]
    assert [(point.kind, point.what.partition(";")[0]) for point in taken_away(wished, there, TERMS)] == [
        ("broken-off", "Tue 09:00–17:00, slotSize 30, is missing in Bitrix24"),
        ("broken-off", "Tue 09:00–17:00, slotSize 60, is still in Bitrix24"),
    ]
    assert taken_away(wished, wished, TERMS) == ()


def test_nothing_on_either_side_is_an_agreement() -> None:
    assert found(None, [], []) == []
    assert found([], [], []) == []


def test_a_pair_after_a_sync_agrees() -> None:
    world = World.synced(rng("Mon Tue", "9-17"), rng("Fri", "10-13", 20))
    assert found(world.base, world.bitrix24, world.reservekit) == []


def test_a_new_window_is_one_sided() -> None:
    point = only(found([MONDAY], [rng("Mon Fri", "9-17")], [slot(1, MON, "9-17", 16)]))
    assert point == ("one-sided", "Fri 09:00–17:00 is in Bitrix24: new, not in ReserveKit", True, False)


def test_a_window_that_is_gone_is_one_sided() -> None:
    point = only(found([MONDAY], [], [slot(1, MON, "9-17", 16)]))
    assert point == ("one-sided", "Mon 09:00–17:00 is in ReserveKit: gone from Bitrix24", True, False)


def test_other_hours_name_who_edited() -> None:
    monday, edited = rng("Mon", "9-17"), slot(1, MON, "9-15", 16)
    assert only(found([MONDAY], [monday], [edited])) == (
        "hours",
        "Bitrix24 has Mon 09:00–17:00, ReserveKit Mon 09:00–15:00; edited in ReserveKit",
        True,
        False,
    )
    point = only(found([MONDAY], [rng("Mon", "8-17")], [edited]))
    assert point.what.endswith("; edited in Bitrix24 and ReserveKit")


def test_hours_that_were_never_agreed_on_say_so() -> None:
    point = only(found(None, [rng("Mon", "9-17")], [slot(1, MON, "10-17", 14)]))
    assert (point.kind, point.between_sides) == ("hours", True)
    assert point.what.endswith("; never agreed on")


def test_the_silent_kind_is_what_nobody_edited_and_yet_does_not_correspond() -> None:
    base = [MONDAY._replace(slot_size=60, max_bookings=3)]
    point = only(found(base, [rng("Mon", "9-17", 60)], [slot(1, MON, "9-17", 3)]))
    assert (point.kind, point.between_sides, point.silent) == ("capacity", False, True)
    assert "slotSize 60 in Bitrix24, max_bookings 3 in ReserveKit" in point.what


def test_an_edited_capacity_is_not_silent() -> None:
    point = only(found([MONDAY], [rng("Mon", "9-17", 30)], [slot(1, MON, "9-17", 3)]))
    assert (point.kind, point.silent) == ("capacity", False)


def test_a_capacity_that_either_conversion_yields_corresponds() -> None:
    # 480 minutes in steps of 50 are 9; 480 minutes in 9 parts are 53 minutes.
    assert found([Link(win(MON, "9-17"), 50, 1, 0, 9)], [rng("Mon", "9-17", 50)], [slot(1, MON, "9-17", 9)]) == []
    assert found([Link(win(MON, "9-17"), 53, 1, 0, 9)], [rng("Mon", "9-17", 53)], [slot(1, MON, "9-17", 9)]) == []


def test_C1_C4_capacities_that_do_not_travel_need_not_correspond() -> None:
    ranges, slots = [rng("Mon", "9-17", 30)], [slot(1, MON, "9-17", 3)]
    base = [MONDAY._replace(max_bookings=3)]
    assert found(base, ranges, slots, capacity="fixed", max_bookings=3, slot_minutes=30) == []


def test_S2_C2_capacities_that_an_ordinary_edit_left_apart_are_named_and_no_alarm() -> None:
    world = World.synced(rng("Mon", "9-17"))
    world.reservekit = (slot(1000, MON, "9-13", 16),)
    world.sync()
    points = found(world.base, world.bitrix24, world.reservekit)
    assert [(point.kind, point.between_sides, point.silent) for point in points] == [("capacity", False, True)]


def test_what_both_sides_have_and_nobody_remembers_concerns_the_memory_alone() -> None:
    point = only(found(None, [rng("Mon", "9-17")], [slot(1, MON, "9-17", 16)]))
    assert point == ("base", "Mon 09:00–17:00 is on both sides and not remembered yet", False, False)


def test_an_equal_edit_on_both_sides_concerns_the_memory_alone() -> None:
    point = only(found([MONDAY], [rng("Mon", "10-17")], [slot(1, MON, "10-17", 14)]))
    assert (point.kind, point.between_sides) == ("base", False)


def test_what_is_remembered_and_on_neither_side_is_named() -> None:
    point = only(found([MONDAY], [], []))
    assert point == ("base", "Mon 09:00–17:00 is remembered and on neither side", False, False)


def test_V7_unsupported_items_of_both_sides_come_last() -> None:
    odd_range = replace(rng("Mon", "9-17"), week_days=("Mon", "Fun"))
    odd_slot = slot(2, TUE, "9-17", 0)
    points = found(None, [odd_range, rng("Fri", "9-10", 60)], [odd_slot, slot(3, FRI, "9-10", 1)])
    assert points[0].kind == "base"
    assert [point.kind for point in points[-2:]] == ["unsupported", "unsupported"]
    assert "Fun" in points[-2].what
    assert not any(point.between_sides for point in points[-2:])


def test_every_disagreement_is_named_not_just_the_first() -> None:
    base = [MONDAY, Link(win(TUE, "9-17"), 30, 2, 0, 16), Link(win(FRI, "9-17"), 30, 3, 0, 16)]
    points = found(base, [rng("Mon", "8-17"), rng("Tue", "9-17")], [slot(1, MON, "9-17", 16), slot(3, FRI, "9-17", 16)])
    assert sorted(point.kind for point in points) == ["hours", "one-sided", "one-sided"]


def test_M9_a_window_twice_on_one_side_and_once_on_the_other_is_named() -> None:
    point = only(found([MONDAY], [rng("Mon", "9-17"), rng("Mon", "9-17")], [slot(1, MON, "9-17", 16)]))
    assert (point.kind, point.between_sides) == ("one-sided", True)


def test_a_sync_clears_every_disagreement_between_the_sides() -> None:
    world = World.synced(rng("Mon Tue Fri", "9-17"), options=WIDE)
    world.bitrix24 = (rng("Mon", "8-17"), rng("Fri", "9-17"))
    before = found(world.base, world.bitrix24, world.reservekit)
    world.sync()
    after = found(world.base, world.bitrix24, world.reservekit)
    assert ([point.between_sides for point in before], after) == ([True, True], [])
