"""Split mode (C4): a time slot is one bookable step; adjoining steps are one range."""

from __future__ import annotations

from dataclasses import replace

from slotbridge.lenses.items import TimeSlot
from tests.reconcile.world import MON, TERMS, TUE, WIDE, World, ops, rng, slot, win

SPLIT = replace(WIDE, slots="split", accept_deletes=True)
STEPS = replace(TERMS, slots="split")


def split(*items: object, **options: object) -> World:
    return World.synced(*items, options=replace(SPLIT, **options), terms=STEPS)  # type: ignore[arg-type]


def starts(world: World) -> dict[str, int]:
    """Slot id by start time."""
    return {item.start_time[-8:-3]: number for number, item in world.ids.items()}


def test_C4_one_slot_for_each_step_with_the_pairs_max_bookings() -> None:
    world = split(rng("Mon", "9-11", 30))
    assert list(starts(world)) == ["09:00", "09:30", "10:00", "10:30"]
    assert {item.max_bookings for item in world.ids.values()} == {1}
    assert {item.max_bookings for item in split(rng("Mon", "9-11", 30), max_bookings=3).ids.values()} == {3}


def test_C4_max_bookings_is_reservekits_own_and_stays_through_edits() -> None:
    world = split(rng("Mon", "9-11", 60))
    world.reservekit = tuple(replace(item, max_bookings=5) for item in world.reservekit if isinstance(item, TimeSlot))
    assert world.sync().changes == ()
    world.bitrix24 = (rng("Mon", "9:10-11:10", 60),)
    made = world.sync()
    assert ops(made, "reservekit") == ["update", "update"]
    assert {item.max_bookings for item in world.ids.values()} == {5}


def test_C4_slots_make_ranges_of_adjoining_steps() -> None:
    items = [slot(n, MON, text) for n, text in enumerate(("9-10", "10-11", "11-11:30", "12-13"), 1)]
    world = World((), items, options=SPLIT, terms=STEPS)
    world.sync()
    assert set(world.bitrix24) == {rng("Mon", "9-11", 60), rng("Mon", "11-11:30", 30), rng("Mon", "12-13", 60)}


def test_C4_a_new_step_makes_the_range_longer_and_a_deleted_one_cuts_it() -> None:
    world = split(rng("Mon Tue", "9-11", 30))
    world.reservekit += (slot(7, MON, "11-11:30"),)
    world.sync()
    assert set(world.bitrix24) == {rng("Tue", "9-11", 30), rng("Mon", "9-11:30", 30)}
    gone = next(n for n, item in world.ids.items() if item.day_of_week == TUE and "09:30" in item.start_time)
    world.reservekit = tuple(item for item in world.reservekit if item.id != gone)
    world.sync()
    assert set(world.bitrix24) == {rng("Mon", "9-11:30", 30), rng("Tue", "9-9:30", 30), rng("Tue", "10-11", 30)}


def test_C4_a_remainder_is_nobodys_window_and_stays() -> None:
    world = split(rng("Mon", "9-11:20", 30), rng("Tue", "9-9:20", 30))
    assert len(world.theirs) == 4
    world.reservekit += (slot(7, 4, "9-9:30"),)
    world.sync()
    assert set(world.bitrix24) == {rng("Mon", "9-11:20", 30), rng("Tue", "9-9:20", 30), rng("Fri", "9-9:30", 30)}


def test_C4_a_new_step_size_in_bitrix24_keeps_as_many_ids_as_there_are_steps() -> None:
    world = split(rng("Mon", "9-12", 30))
    before = set(world.ids)
    world.bitrix24 = (rng("Mon", "9-12", 60),)
    made = world.sync()
    assert ops(made, "reservekit") == ["delete"] * 3 + ["update"] * 3
    assert set(world.ids) < before
    world.bitrix24 = (rng("Mon", "9-12", 20),)
    made = world.sync()
    assert ops(made, "reservekit") == ["create"] * 6 + ["update"] * 3


def test_C4_a_range_without_step_is_one_window() -> None:
    world = split(rng("Mon", "9-12", 0))
    assert world.theirs == {win(MON, "9-12"): 1}
    world.reservekit = (slot(1000, MON, "9-13"),)
    world.sync()
    assert world.bitrix24 == (rng("Mon", "9-13", 240),)


def test_C4_M8_a_step_moved_away_and_back_again() -> None:
    world = split(rng("Mon", "9-11", 30))
    number = starts(world)["10:30"]
    there = world.reservekit
    world.reservekit = tuple(slot(number, MON, "15-15:30") if item.id == number else item for item in there)
    world.sync()
    assert set(world.bitrix24) == {rng("Mon", "9-10:30", 30), rng("Mon", "15-15:30", 30)}
    world.reservekit = there
    world.sync()
    assert world.bitrix24 == (rng("Mon", "9-11", 30),)
