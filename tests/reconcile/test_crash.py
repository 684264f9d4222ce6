"""A run that dies between its writes and its base (W4, S3): the next one understands what it finds."""

from __future__ import annotations

import pytest

from slotbridge.lenses.items import Range, TimeSlot
from tests.reconcile.world import MON, TUE, World, idle, rng, slot, win


def killed_after_bitrix24(world: World) -> None:
    """What was due in Bitrix24 is written, the rest is not, and nothing is remembered."""
    world.apply_bitrix24(world.plan())


def killed_after_reservekit(world: World, *, deletions: bool = True) -> None:
    """What was due in ReserveKit is written, with or without the deletions, and nothing is remembered."""
    changes = world.plan().reservekit.changes
    world.apply_reservekit(change for change in changes if deletions or change.after is not None)


@pytest.mark.parametrize("deletions", (True, False))
def test_W4_creations_edits_and_deletions_in_reservekit_are_not_repeated(deletions: bool) -> None:
    world = World.synced(rng("Mon Tue Wed", "9-12"), rng("Sun", "9-12"))
    world.bitrix24 = (rng("Mon", "9-13"), rng("Wed Fri", "9-12"), rng("Sun", "9-12"))
    killed_after_reservekit(world, deletions=deletions)
    there = dict(world.ids)
    made = world.sync()
    assert idle(made) is deletions
    assert world.ours == world.theirs
    assert set(there) - set(world.ids) == (set() if deletions else {1001})


def test_W4_what_bitrix24_already_has_is_not_written_again() -> None:
    world = World((), [slot(1, MON, "9-12", 3), slot(2, TUE, "9-12", 3)])
    world.sync()
    world.reservekit = (slot(1, MON, "9-13", 4), slot(3, TUE, "14-16", 2))
    killed_after_bitrix24(world)
    assert idle(world.sync())
    assert world.ours == world.theirs == {win(MON, "9-13"): 1, win(TUE, "14-16"): 1}


def test_W4_half_a_creation_of_many() -> None:
    world = World([rng("Mon Tue Wed Thu", "9-12")])
    changes = world.plan().reservekit.changes
    world.apply_reservekit(changes[:2])
    world.options = world.options.__class__(pair="dental", initial="merge")
    world.sync()
    assert world.ours == world.theirs
    assert len(world.reservekit) == 4


MOVED: tuple[TimeSlot, ...] = (slot(1000, MON, "11-13", 4), slot(1001, MON, "13-15", 4))


def two_in_a_row() -> World:
    """9–11 and 11–13, and ReserveKit moves both by two hours, the first onto the hours of the second."""
    world = World.synced(rng("Mon", "9-11"), rng("Mon", "11-13"))
    world.reservekit = MOVED
    return world


def test_W4_windows_moved_onto_their_neighbours_hours_without_a_crash() -> None:
    world = two_in_a_row()
    world.sync()
    assert world.ours == world.theirs == {win(MON, "11-13"): 1, win(MON, "13-15"): 1}


def test_W4_windows_moved_onto_their_neighbours_hours_are_not_doubled_by_a_crash() -> None:
    world = two_in_a_row()
    killed_after_bitrix24(world)
    world.sync()
    assert world.ours == world.theirs == {win(MON, "11-13"): 1, win(MON, "13-15"): 1}
    assert world.reservekit == MOVED


def test_W4_overlapping_windows_moved_in_bitrix24_are_not_doubled_by_a_crash() -> None:
    world = World.synced(rng("Mon", "9-11"), rng("Mon", "10-12"))
    world.bitrix24 = (rng("Mon", "10-12"), rng("Mon", "11-13"))
    world.reservekit = (slot(1000, MON, "10-12", 4), slot(1001, MON, "11-13", 4))
    made = world.sync()
    assert made.changes == ()
    assert world.ours == world.theirs == {win(MON, "10-12"): 1, win(MON, "11-13"): 1}


def test_W4_M9_one_of_two_equal_windows_moved_and_a_crash() -> None:
    world = World.synced(rng("Mon", "9-12"), rng("Mon", "9-12"))
    world.reservekit = (slot(1000, MON, "10-13", 6), world.reservekit[1])
    killed_after_bitrix24(world)
    assert idle(world.sync())
    assert world.ours == world.theirs == {win(MON, "10-13"): 1, win(MON, "9-12"): 1}


def test_W4_a_moved_slot_and_a_new_range_at_its_old_hours_and_a_crash() -> None:
    world = World.synced(rng("Mon", "9-12"))
    world.reservekit = (slot(1000, MON, "10-13", 6),)
    world.bitrix24 += (rng("Mon", "9-12"),)
    killed_after_bitrix24(world)
    world.sync()
    assert world.ours == world.theirs == {win(MON, "10-13"): 1, win(MON, "9-12"): 1}


def test_W4_an_overnight_slot_split_in_two_is_known_by_its_note() -> None:
    world = World((), [slot(5, MON, "22-2", 4)])
    world.sync()
    late, early = world.bitrix24
    assert isinstance(early, Range)
    world.bitrix24 = (late, rng("Tue", "1-2"))
    changes = world.plan().reservekit.changes
    world.apply_reservekit(changes)
    world.sync(pending=frozenset({win(TUE, "1-2")}))
    assert world.ours == world.theirs == {win(MON, "22-24"): 1, win(TUE, "1-2"): 1}
