"""The merge, rule by rule (M1–M5, M8–M10, C1–C3, S1–S4), both ways."""

from __future__ import annotations

from dataclasses import replace

import pytest

from slotbridge.lenses.items import Range
from slotbridge.reconcile.model import Options, Overruled, Policy, Value
from tests.reconcile.world import FRI, MON, SAT, SUN, THU, TUE, WED, WIDE, World, held, ops, rng, slot, win

BY_BITRIX24 = replace(WIDE, conflict="bitrix24")
BY_RESERVEKIT = replace(WIDE, conflict="reservekit")


def monday(hours: str = "9-12", size: int = 60, options: Options = WIDE) -> World:
    """One synced window on Monday, slot 1000, and one on Sunday that nobody touches."""
    return World.synced(rng("Mon", hours, size), rng("Sun", "9-12"), options=options)


def set_ours(world: World, *items: Range) -> None:
    world.bitrix24 = (*items, world.bitrix24[-1])


def set_monday(world: World, hours: str, bookings: int, day: int = MON) -> None:
    world.reservekit = tuple(slot(1000, day, hours, bookings) if item.id == 1000 else item for item in world.reservekit)


def test_M1_a_new_range_is_created_across_and_a_new_slot_too() -> None:
    world = monday()
    world.bitrix24 += (rng("Tue Wed", "10-14", 30),)
    world.reservekit += (slot(5, THU, "10-14", 8),)
    made = world.sync()
    assert world.ours == world.theirs
    assert world.bookings[win(TUE, "10-14")] == world.bookings[win(WED, "10-14")] == 8
    assert world.sizes[win(THU, "10-14")] == 30
    assert ops(made, "reservekit") == ["create", "create"]
    # Equal hours and slotSize: Thursday joins the range that came with Tuesday and Wednesday (M8).
    assert rng("Tue Wed Thu", "10-14", 30) in world.bitrix24


def test_M1_gone_on_one_side_is_deleted_on_the_other() -> None:
    world = monday()
    set_ours(world)
    world.sync()
    assert world.theirs == {win(SUN, "9-12"): 1}
    world.reservekit = ()
    world.sync(accept_deletes=True)
    assert world.bitrix24 == ()
    assert world.base == ()


def test_M1_gone_on_both_is_forgotten() -> None:
    world = monday()
    set_ours(world)
    world.reservekit = world.reservekit[1:]
    made = world.sync()
    assert made.changes == ()
    assert [link.window for link in world.base or ()] == [win(SUN, "9-12")]


def test_M1_new_on_both_and_equal_is_linked_and_nothing_written() -> None:
    world = monday()
    world.bitrix24 += (rng("Tue", "10-14", 30),)
    world.reservekit += (slot(5, TUE, "10-14", 3),)
    made = world.sync()
    assert made.changes == ()
    assert (win(TUE, "10-14"), 30, 5, 0, 3) in (world.base or ())


def test_M2_edits_of_different_fields_are_both_kept() -> None:
    world = monday()
    set_ours(world, rng("Mon", "9-13", 60))
    set_monday(world, "9-12", 2)
    world.sync()
    assert world.ids[1000] == slot(1000, MON, "9-13", 2)
    assert world.sizes[win(MON, "9-13")] == 120


def test_M2_the_same_edit_on_both_sides_is_linked() -> None:
    world = monday()
    set_ours(world, rng("Mon", "9-13", 60))
    set_monday(world, "9-13", 3)
    made = world.sync()
    assert made.changes == ()
    assert (win(MON, "9-13"), 60, 1000, 0, 3) in (world.base or ())


@pytest.mark.parametrize("policy", ("hold", "bitrix24", "reservekit"))
def test_M2_M3_the_same_field_edited_differently_is_a_conflict(policy: Policy) -> None:
    world = monday(options=replace(WIDE, conflict=policy))
    set_ours(world, rng("Mon", "8-12", 60))
    set_monday(world, "9-13", 3)
    made = world.sync()
    ours, theirs = {
        "hold": ("8-12", "9-13"),
        "bitrix24": ("8-12", "8-12"),
        "reservekit": ("9-13", "9-13"),
    }[policy]
    assert world.ours == {win(MON, ours): 1, win(SUN, "9-12"): 1}
    assert world.theirs == {win(MON, theirs): 1, win(SUN, "9-12"): 1}
    assert held(made) == ["conflict"] * (policy == "hold")


def test_M3_a_held_window_stays_while_everything_else_goes_on() -> None:
    world = monday()
    set_ours(world, rng("Mon", "8-12", 60), rng("Tue", "9-10"))
    set_monday(world, "9-13", 3)
    made = world.sync()
    assert held(made) == ["conflict"]
    assert world.theirs[win(TUE, "9-10")] == 1
    world.bitrix24 += (rng("Fri", "9-10"),)
    assert [hold.id for hold in world.sync().holds] == [made.holds[0].id]


def test_M3_a_hold_ends_when_the_sides_come_to_agree() -> None:
    world = monday()
    set_ours(world, rng("Mon", "8-12", 60))
    set_monday(world, "9-13", 3)
    world.sync()
    set_ours(world, rng("Mon", "9-13", 60))
    made = world.sync()
    assert made.holds == ()
    assert made.changes == ()


@pytest.mark.parametrize(("decision", "left"), (("bitrix24", "8-12"), ("reservekit", "9-13")))
def test_M3_a_decision_settles_exactly_that_conflict(decision: str, left: str) -> None:
    world = monday()
    set_ours(world, rng("Mon", "8-12", 60))
    set_monday(world, "9-13", 3)
    hold = world.sync().holds[0]
    made = world.sync(decisions={hold.fingerprint: decision})
    assert made.holds == ()
    assert world.ours == world.theirs == {win(MON, left): 1, win(SUN, "9-12"): 1}
    assert "as decided" in made.changes[0].why or "wins" in made.changes[0].why
    assert len(made.overruled) == 1


def test_G6_a_conflict_that_has_changed_since_is_held_again() -> None:
    world = monday()
    set_ours(world, rng("Mon", "8-12", 60))
    set_monday(world, "9-13", 3)
    hold = world.sync().holds[0]
    set_monday(world, "9-14", 3)
    made = world.sync(decisions={hold.fingerprint: "bitrix24"})
    assert held(made) == ["conflict"]
    assert made.holds[0].id != hold.id


def test_M3_what_a_policy_overrules_is_kept_whole() -> None:
    world = monday(options=BY_BITRIX24)
    set_ours(world, rng("Mon", "8-12", 60))
    set_monday(world, "9-13", 7)
    (lost,) = world.sync().overruled
    assert (lost.side, lost.value) == ("reservekit", Value(win(MON, "9-13"), 7))
    assert isinstance(lost, Overruled)


def test_S1_a_policy_decides_the_field_in_conflict_only() -> None:
    world = monday(options=BY_BITRIX24)
    set_ours(world, rng("Mon", "8-12", 60))
    set_monday(world, "9-13", 8)
    world.sync()
    # Hours are Bitrix24's, max_bookings is ReserveKit's: 240 minutes by 8.
    assert world.ids[1000] == slot(1000, MON, "8-12", 8)
    assert world.sizes[win(MON, "8-12")] == 30


def test_S1_capacity_in_conflict_with_hours_edited_on_one_side() -> None:
    world = monday(options=BY_BITRIX24)
    set_ours(world, rng("Mon", "9-12", 90))
    set_monday(world, "9-15", 5)
    world.sync()
    assert world.ids[1000] == slot(1000, MON, "9-15", 4)
    assert world.sizes[win(MON, "9-15")] == 90


@pytest.mark.parametrize("policy", ("hold", "bitrix24"))
def test_M2_an_edit_in_bitrix24_beats_the_deletion_in_reservekit(policy: Policy) -> None:
    world = monday(options=replace(WIDE, conflict=policy))
    set_ours(world, rng("Mon", "9-13", 60))
    world.reservekit = world.reservekit[1:]
    made = world.sync()
    assert world.theirs[win(MON, "9-13")] == 1
    assert "wins over its deletion" in made.changes[0].why


@pytest.mark.parametrize("policy", ("hold", "reservekit"))
def test_M2_an_edit_in_reservekit_beats_the_deletion_in_bitrix24(policy: Policy) -> None:
    world = monday(options=replace(WIDE, conflict=policy))
    set_ours(world)
    set_monday(world, "9-13", 3)
    world.sync()
    assert world.ours[win(MON, "9-13")] == 1
    assert 1000 in world.ids


def test_M2_the_deletion_wins_where_the_policy_names_its_side_and_the_edit_is_kept_in_the_history() -> None:
    world = monday(options=BY_RESERVEKIT)
    set_ours(world, rng("Mon", "9-13", 45))
    world.reservekit = world.reservekit[1:]
    (lost,) = world.sync().overruled
    assert (lost.side, lost.value) == ("bitrix24", Value(win(MON, "9-13"), 45))
    assert world.ours == world.theirs == {win(SUN, "9-12"): 1}


def odd_capacities() -> World:
    """Equal hours whose capacities do not convert into each other: each side's value is its base (S2)."""
    world = World([rng("Mon", "9-12", 60), rng("Sun", "9-12")], [slot(1000, MON, "9-12", 50), slot(7, SUN, "9-12", 6)])
    made = world.sync()
    assert made.changes == ()
    return world


def test_S2_equal_hours_are_linked_whatever_the_capacities() -> None:
    assert (win(MON, "9-12"), 60, 1000, 0, 50) in (odd_capacities().base or ())


def test_C3_what_differs_from_the_conversion_is_no_change() -> None:
    world = odd_capacities()
    for _ in range(3):
        assert world.sync().changes == ()


def test_S4_a_window_created_again_in_reservekit_gets_its_bases_max_bookings() -> None:
    world = odd_capacities()
    set_ours(world, rng("Mon", "9-13", 60))
    world.reservekit = world.reservekit[1:]
    world.sync()
    assert world.bookings[win(MON, "9-13")] == 50


def test_S4_a_window_created_again_in_bitrix24_gets_its_bases_slot_size() -> None:
    world = odd_capacities()
    set_ours(world)
    set_monday(world, "9-13", 50)
    world.sync()
    assert world.sizes[win(MON, "9-13")] == 60


def test_S4_unless_the_capacity_itself_was_the_edit() -> None:
    world = odd_capacities()
    set_ours(world, rng("Mon", "9-12", 45))
    world.reservekit = world.reservekit[1:]
    world.sync()
    assert world.bookings[win(MON, "9-12")] == 4


@pytest.mark.parametrize(
    ("hours", "size", "bookings"),
    (("9-17", 30, 16), ("9-17", 0, 1), ("9-17", 480, 1), ("9-17", 900, 1), ("9-17", 50, 9), ("0-24", 5, 288)),
)
def test_C1_a_new_range_gets_as_many_bookings_as_steps_fit(hours: str, size: int, bookings: int) -> None:
    world = World.synced(rng("Mon", hours, size))
    assert world.bookings[win(MON, hours)] == bookings


@pytest.mark.parametrize(("bookings", "size"), ((1, 480), (7, 68), (480, 1), (9999, 1)))
def test_C1_a_new_slot_gets_steps_of_equal_length(bookings: int, size: int) -> None:
    world = World((), [slot(5, MON, "9-17", bookings)])
    world.sync()
    assert world.sizes[win(MON, "9-17")] == size


def test_C2_hours_or_slot_size_from_bitrix24_recompute_max_bookings() -> None:
    world = monday()
    set_ours(world, rng("Mon", "9-14", 60))
    world.sync()
    assert world.ids[1000] == slot(1000, MON, "9-14", 5)
    set_ours(world, rng("Mon", "9-14", 100))
    world.sync()
    assert world.ids[1000] == slot(1000, MON, "9-14", 3)


def test_C2_hours_from_reservekit_keep_slot_size_and_max_bookings() -> None:
    world = monday()
    set_monday(world, "9-17", 3)
    world.sync()
    assert world.sizes[win(MON, "9-17")] == 60
    assert world.ids[1000].max_bookings == 3


def test_C2_max_bookings_recompute_slot_size() -> None:
    world = monday()
    set_monday(world, "9-12", 4)
    world.sync()
    assert world.sizes[win(MON, "9-12")] == 45
    assert world.ids[1000].max_bookings == 4


def test_C1_C2_fixed_capacities_are_the_pairs_and_never_travel() -> None:
    options = replace(WIDE, capacity="fixed", max_bookings=2, slot_minutes=20)
    world = monday(options=options)
    assert world.bookings[win(MON, "9-12")] == 2
    world.reservekit += (slot(5, FRI, "9-10", 7),)
    world.sync()
    assert world.sizes[win(FRI, "9-10")] == 20
    world.bitrix24 = (rng("Mon", "9-12", 90), *world.bitrix24[1:])
    set_monday(world, "9-12", 8)
    made = world.sync()
    assert made.changes == ()
    assert (world.sizes[win(MON, "9-12")], world.bookings[win(MON, "9-12")]) == (90, 8)


def test_S3_what_the_other_side_already_has_is_linked_as_it_is() -> None:
    world = monday(hours="9-16")
    set_monday(world, "9-16", 6)
    made = world.plan()
    world.apply_bitrix24(made)
    # Killed before the base was stored: 420 // 6 = 70, and 420 // 70 = 6.
    again = world.sync()
    assert again.changes == ()
    assert (win(MON, "9-16"), 70, 1000, 0, 6) in (world.base or ())


def test_S3_also_where_the_conversion_does_not_lead_back() -> None:
    world = monday(hours="9-17")
    set_monday(world, "9-17", 100)
    world.apply_bitrix24(world.plan())
    # 480 // 100 = 4, but 480 // 4 = 120: nobody writes that 120.
    assert world.sync().changes == ()
    assert world.ids[1000].max_bookings == 100


def test_M4_a_window_that_overlaps_the_vanished_one_is_its_edit() -> None:
    world = monday()
    set_ours(world, rng("Mon", "11-15", 60))
    made = world.sync()
    assert ops(made, "reservekit") == ["update"]
    assert 1000 in world.ids


def test_M4_without_overlap_or_on_another_day_it_is_a_deletion_and_a_creation() -> None:
    for item in (rng("Mon", "12-15", 60), rng("Tue", "9-12", 60)):
        world = monday()
        set_ours(world, item)
        made = world.sync()
        assert ops(made, "reservekit") == ["create", "delete"]
        assert 1000 not in world.ids


def test_M4_the_assignment_with_the_largest_total_overlap() -> None:
    world = World.synced(rng("Mon", "8-12"), rng("Mon", "11-14"))
    # The largest single overlap, 11–14 with 10–14, would leave 8–12 and 12:30–16 without one: 3 hours, and here 3½.
    world.bitrix24 = (rng("Mon", "12:30-16"), rng("Mon", "10-14"))
    made = world.sync()
    assert ops(made, "reservekit") == ["update", "update"]
    assert world.ids == {1000: slot(1000, MON, "10-14", 8), 1001: slot(1001, MON, "12:30-16", 7)}


def test_M4_one_becomes_two_the_id_stays_with_the_larger_part() -> None:
    world = monday()
    set_ours(world, rng("Mon", "9-10", 60), rng("Mon", "10:30-12", 60))
    world.sync()
    assert world.ids[1000] == slot(1000, MON, "10:30-12", 1)
    assert len(world.theirs) == 3


def test_M4_an_edit_is_never_counted_as_a_deletion() -> None:
    days = "Mon Tue Wed Thu Fri"
    world = World.synced(rng(days, "9-12"), options=Options())
    world.bitrix24 = (rng(days, "10-13"),)
    made = world.sync()
    assert made.holds == ()
    assert ops(made, "reservekit") == ["update"] * 5


def test_M5_a_slot_keeps_its_id_through_hours_day_and_capacity() -> None:
    world = monday()
    for day, hours, bookings in ((MON, "18-20", 3), (SAT, "18-20", 3), (WED, "6-7", 9)):
        set_monday(world, hours, bookings, day)
        made = world.sync()
        assert ops(made, "reservekit") == []
        assert ops(made, "bitrix24") in (["update"], ["create", "delete"])
        assert win(day, hours) in world.ours
        assert len(world.bitrix24) == 2


def test_M5_a_slot_deleted_and_made_anew_alike_is_linked_again_and_nothing_written() -> None:
    world = monday()
    world.reservekit = (slot(77, MON, "9-12", 3), *world.reservekit[1:])
    made = world.sync()
    assert made.changes == ()
    assert (win(MON, "9-12"), 60, 77, 0, 3) in (world.base or ())


def test_M8_regrouping_ranges_is_no_change() -> None:
    world = World.synced(rng("Mon Tue Wed", "9-12"), rng("Fri", "9-12"))
    world.bitrix24 = (rng("Fri Wed", "9-12"), rng("Tue", "9-12"), rng("Mon", "9-12"))
    made = world.sync()
    assert made.changes == ()
    assert len(world.bitrix24) == 3


def test_M9_equal_windows_are_counted() -> None:
    world = World.synced(rng("Mon", "9-12"), rng("Mon", "9-12"), rng("Mon", "10-14"))
    assert world.theirs == {win(MON, "9-12"): 2, win(MON, "10-14"): 1}
    world.bitrix24 += (rng("Mon", "9-12"),)
    world.sync()
    assert world.theirs[win(MON, "9-12")] == 3
    world.bitrix24 = world.bitrix24[1:]
    made = world.sync()
    assert ops(made, "reservekit") == ["delete"]
    assert world.theirs[win(MON, "9-12")] == 2


def test_M9_both_sides_delete_one_of_two_equal_windows() -> None:
    for gone in (1000, 1001):
        world = World.synced(rng("Mon", "9-12"), rng("Mon", "9-12"))
        world.bitrix24 = world.bitrix24[:1]
        world.reservekit = tuple(item for item in world.reservekit if item.id != gone)
        made = world.sync()
        assert made.changes == ()
        assert world.ours == world.theirs == {win(MON, "9-12"): 1}


def test_M9_one_of_two_equal_windows_edited_here_and_the_other_deleted_there() -> None:
    world = World.synced(rng("Mon", "9-12"), rng("Mon", "9-12"))
    world.reservekit = (slot(1000, MON, "9-13", 6), world.reservekit[1])
    world.bitrix24 = world.bitrix24[:1]
    world.sync()
    assert world.ours == world.theirs == {win(MON, "9-13"): 1}


def test_M9_equal_hours_with_different_capacities_are_told_apart() -> None:
    world = World.synced(rng("Mon", "9-12", 30), rng("Mon", "9-12", 60))
    world.bitrix24 = world.bitrix24[1:]
    world.sync()
    assert [item.max_bookings for item in world.ids.values()] == [3]


def test_M10_going_back_travels_back() -> None:
    world = monday()
    set_ours(world, rng("Mon", "9-13", 60))
    world.sync()
    set_monday(world, "9-12", 3)
    world.sync()
    assert world.ours[win(MON, "9-12")] == 1
    set_ours(world, rng("Mon", "9-13", 60))
    world.sync()
    assert world.theirs[win(MON, "9-13")] == 1


def test_M10_a_capacity_that_goes_back_travels_back_though_conversion_lost_it() -> None:
    world = monday(hours="9-17", size=70)
    assert world.ids[1000].max_bookings == 6
    set_monday(world, "9-17", 4)
    world.sync()
    assert world.sizes[win(MON, "9-17")] == 120
    set_ours(world, rng("Mon", "9-17", 70))
    world.sync()
    assert world.ids[1000].max_bookings == 6


def test_M10_a_window_deleted_and_restored_on_the_other_side_comes_back() -> None:
    world = monday()
    set_ours(world)
    world.sync()
    world.reservekit += (slot(5, MON, "9-12", 3),)
    world.sync()
    assert world.ours[win(MON, "9-12")] == 1


ADJOINING = (rng("Mon", "9-10"), rng("Mon", "10-11"), rng("Sun", "9-12"))


def test_M3_a_held_window_stays_held_when_its_neighbour_moves_to_where_it_was() -> None:
    world = World.synced(*ADJOINING)
    world.reservekit = (slot(1000, MON, "10-11", 2), slot(1001, MON, "11-12", 2), *world.reservekit[2:])
    world.bitrix24 = (rng("Mon", "9-10"), rng("Mon", "10:20-11"), rng("Sun", "9-12"))
    made = world.sync()
    assert held(made) == ["conflict"]
    assert world.ours[win(MON, "10:20-11")] == 1
