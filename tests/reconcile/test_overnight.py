"""Windows past midnight, other zones, daylight saving (V2, V3, V8), from one side to the other and back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from slotbridge.lenses.items import Range
from slotbridge.reconcile.model import Options
from slotbridge.week import Window
from tests.reconcile.world import MON, SUN, TERMS, TUE, WED, World, held, idle, ops, rng, slot, win

NEW_YORK = "America/New_York"


def overnight() -> World:
    """Slot 5 from Monday 22:00 to Tuesday 02:00, and so two ranges."""
    world = World((), [slot(5, MON, "22-2", 4), slot(6, WED, "9-12", 6)])
    world.sync()
    return world


def ranges_without(world: World, day: str) -> tuple[Range, ...]:
    return tuple(item for item in world.bitrix24 if isinstance(item, Range) and day not in item.week_days)


def test_V3_an_overnight_slot_is_a_window_on_each_day() -> None:
    world = overnight()
    assert world.ours == {win(MON, "22-24"): 1, win(TUE, "0-2"): 1, win(WED, "9-12"): 1}
    assert [(link.slot_id, link.part) for link in world.base or ()] == [(5, 0), (5, 1), (6, 0)]


def test_V3_both_ends_of_it_can_be_edited_on_either_side() -> None:
    world = overnight()
    world.bitrix24 = (*ranges_without(world, "Tue"), rng("Tue", "0-3"))
    world.sync()
    assert world.ids[5] == slot(5, MON, "22-3", 4) or world.theirs[win(TUE, "0-3")] == 1
    world = overnight()
    world.reservekit = (slot(5, MON, "21-1", 4), world.reservekit[1])
    world.sync()
    assert world.ours == {win(MON, "21-24"): 1, win(TUE, "0-1"): 1, win(WED, "9-12"): 1}


def test_V3_the_evening_can_be_left_alone() -> None:
    world = overnight()
    world.bitrix24 = ranges_without(world, "Tue")
    world.sync()
    assert world.ids[5] == slot(5, MON, "22-24", 4)


def test_V3_the_morning_can_be_left_alone() -> None:
    world = overnight()
    world.bitrix24 = ranges_without(world, "Mon")
    world.sync()
    assert world.ids[5] == slot(5, TUE, "0-2", 4)


def test_V3_a_slot_that_no_longer_crosses_midnight_loses_its_morning() -> None:
    world = overnight()
    world.reservekit = (slot(5, MON, "20-23", 4), world.reservekit[1])
    world.sync()
    assert world.ours == {win(MON, "20-23"): 1, win(WED, "9-12"): 1}


def test_V3_a_slot_that_moves_over_midnight_as_a_whole() -> None:
    world = overnight()
    world.reservekit = (slot(5, TUE, "1-5", 4), world.reservekit[1])
    world.sync()
    assert world.ours == {win(TUE, "1-5"): 1, win(WED, "9-12"): 1}
    assert 5 in world.ids


def test_V3_sunday_night_ends_on_monday() -> None:
    world = World((), [slot(5, SUN, "22-2", 4)])
    world.sync()
    assert world.ours == {win(SUN, "22-24"): 1, win(MON, "0-2"): 1}


def test_V3_parts_that_do_not_meet_any_more_become_two_slots_and_stay_so() -> None:
    world = overnight()
    world.bitrix24 = (*ranges_without(world, "Mon"), rng("Mon", "21-23"))
    made = world.sync()
    assert world.ours == world.theirs
    assert ops(made, "reservekit") == ["create", "update"]
    assert 5 in world.ids


def test_V2_a_range_in_another_zone_crosses_midnight_in_the_services() -> None:
    world = World.synced(rng("Sun", "16-20", 60, NEW_YORK))
    assert world.theirs == {win(SUN, "22-24"): 1, win(MON, "0-2"): 1}
    assert len(world.reservekit) == 2
    longer = tuple(slot(i, MON, "0-3", 2) if item.day_of_week == MON else item for i, item in world.ids.items())
    world.reservekit = longer
    world.sync()
    assert world.bitrix24 == (rng("Sun", "16-21", 60, NEW_YORK),)


def test_V8_a_range_of_another_zone_keeps_it_through_edits_from_reservekit() -> None:
    world = World.synced(rng("Mon Tue", "9-12", 60, NEW_YORK))
    (first, *rest) = world.reservekit
    world.reservekit = (slot(first.id, MON, "15-19", 3), *rest)
    world.sync()
    assert set(world.bitrix24) == {rng("Tue", "9-12", 60, NEW_YORK), rng("Mon", "9-13", 60, NEW_YORK)}


def test_V2_daylight_saving_moves_the_view_and_that_is_an_ordinary_change() -> None:
    # Berlin leaves daylight saving on 25 October 2026, New York on 1 November.
    world = World.synced(rng("Mon Wed", "9-12", 60, NEW_YORK), terms=replace(TERMS, today=date(2026, 10, 17)))
    assert list(world.theirs) == [win(MON, "15-18"), win(WED, "15-18")]
    ids = set(world.ids)
    seen = []
    for day in range(18, 32):
        world.terms = replace(TERMS, today=date(2026, 10, day))
        made = world.sync()
        assert ops(made, "bitrix24") == []
        assert made.holds == ()
        seen.append({window.start // 60 for window in world.theirs})
    world.terms = replace(TERMS, today=date(2026, 11, 2))
    world.sync()
    assert {15} in seen
    assert {14} in seen
    assert list(world.theirs) == [win(MON, "15-18"), win(WED, "15-18")]
    assert set(world.ids) == ids
    assert world.bitrix24 == (rng("Mon Wed", "9-12", 60, NEW_YORK),)


def test_V2_daylight_saving_that_moves_a_window_over_midnight_and_back() -> None:
    world = World.synced(rng("Mon", "17-19", 60, NEW_YORK), terms=replace(TERMS, today=date(2026, 10, 10)))
    assert world.theirs == {win(MON, "23-24"): 1, win(TUE, "0-1"): 1}
    world.terms = replace(TERMS, today=date(2026, 10, 26))
    made = world.sync()
    assert world.theirs == {win(MON, "22-24"): 1}
    assert ops(made, "reservekit") == ["delete", "update"]
    world.terms = replace(TERMS, today=date(2026, 11, 2))
    world.sync()
    assert world.theirs == {win(MON, "23-24"): 1, win(TUE, "0-1"): 1}
    assert world.ids[1000].start_time.endswith("23:00:00")
    assert world.bitrix24 == (rng("Mon", "17-19", 60, NEW_YORK),)


def test_V2_M4_an_hours_window_moved_by_an_hour_is_a_deletion_and_a_creation() -> None:
    world = World.synced(rng("Mon", "9-10", 60, NEW_YORK), terms=replace(TERMS, today=date(2026, 10, 10)))
    world.terms = replace(TERMS, today=date(2026, 10, 26))
    assert held(world.sync(booked={1000: "1 upcoming booking"})) == ["booked"]
    made = world.sync()
    assert ops(made, "reservekit") in (["create", "delete"], ["delete"])
    assert world.theirs == {win(MON, "14-15"): 1}


@pytest.mark.parametrize(("ours", "theirs"), (("Europe/Kiev", "Europe/Kyiv"), ("Europe/Kyiv", "Europe/Kiev")))
def test_V2_aliases_are_one_zone_all_the_way(ours: str, theirs: str) -> None:
    terms = replace(TERMS, zone=theirs)
    world = World.synced(rng("Mon", "9-12", 60, ours), terms=terms)
    assert world.theirs == {win(MON, "9-12"): 1}
    world.reservekit += (slot(7, TUE, "9-12", 3),)
    world.sync()
    # Equal hours in the same zone by another name: the day joins the range (M8), which keeps the name it has (V8).
    assert world.bitrix24 == (rng("Mon Tue", "9-12", 60, ours),)


def test_V4_the_end_of_the_day_is_written_as_the_option_says_and_stays_quiet() -> None:
    for end_of_day in ("next-day", "23:59:59"):
        world = World.synced(rng("Mon", "0-24", 60), terms=replace(TERMS, end_of_day=end_of_day))
        assert world.theirs == {Window(MON, 0, 1440): 1}
        world.bitrix24 = (rng("Mon", "12-24", 60),)
        world.sync()
        assert world.theirs == {win(MON, "12-24"): 1}


def test_M3_one_part_may_wait_while_the_other_goes_on() -> None:
    world = overnight()
    world.bitrix24 = (*ranges_without(world, "Tue"), rng("Tue", "0-4", 30))
    world.reservekit = (slot(5, MON, "21-3", 4), world.reservekit[1])
    made = world.sync()
    assert held(made) == ["conflict"]
    assert world.ours[win(MON, "21-24")] == 1
    assert world.ours[win(TUE, "0-4")] == 1
    made = world.sync(decisions={made.holds[0].fingerprint: "reservekit"})
    assert world.ours == world.theirs


def test_M2_both_parts_edited_differently_here_and_deleted_there() -> None:
    world = overnight()
    world.reservekit = world.reservekit[1:]
    world.bitrix24 = (*ranges_without(world, "Tue"), rng("Tue", "0-4", 30))
    world.sync()
    # The evening was not edited and goes, the morning was and is created again.
    assert world.ours == world.theirs == {win(TUE, "0-4"): 1, win(WED, "9-12"): 1}


def test_G1_G2_the_parts_of_overnight_slots_count_as_windows() -> None:
    world = World((), [slot(n, n, "22-2", 4) for n in range(3)], options=Options())
    world.sync()
    world.reservekit = world.reservekit[:1]
    made = world.sync()
    assert held(made) == ["deletions"]
    assert "4 of 6 windows" in made.holds[0].reason
    assert not idle(made)
