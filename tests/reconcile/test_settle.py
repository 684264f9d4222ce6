"""What is remembered after the writes (W3, W4, M10): what was read back and nothing else."""

from __future__ import annotations

from dataclasses import replace

from slotbridge.reconcile.model import Link, Value
from slotbridge.reconcile.settle import Settled, settle
from tests.reconcile.world import MON, TUE, WED, World, rng, slot, win


def written(world: World) -> Settled:
    made = world.plan()
    world.apply(made)
    return world.settle(made)


def test_W3_the_base_is_what_was_read_back_with_the_servers_new_ids() -> None:
    world = World([rng("Mon Tue", "9-12", 60)])
    settled = written(world)
    assert settled.missing == ()
    assert settled.links == (Link(win(MON, "9-12"), 60, 1000, 0, 3), Link(win(TUE, "9-12"), 60, 1001, 0, 3))


def test_W3_a_creation_that_is_not_there_is_missing_and_not_remembered() -> None:
    world = World([rng("Mon", "9-12", 60)])
    settled = world.settle(world.plan())
    assert settled.links == ()
    ((side, value, row),) = settled.missing
    assert (side, value) == ("reservekit", Value(win(MON, "9-12"), 3))
    assert row.bitrix24 is not None


def test_W3_an_edit_that_is_not_there_keeps_its_old_row() -> None:
    world = World.synced(rng("Mon", "9-12", 60), rng("Tue", "9-12", 60))
    before = world.base
    world.bitrix24 = (rng("Mon", "9-13", 60), rng("Tue", "9-12", 60))
    settled = world.settle(world.plan())
    assert [(miss.side, miss.value) for miss in settled.missing] == [("reservekit", Value(win(MON, "9-13"), 4))]
    assert settled.links == before


def test_W3_a_deletion_that_was_not_done_is_missing() -> None:
    world = World.synced(rng("Mon", "9-12", 60), rng("Tue", "9-12", 60))
    before = world.base
    world.bitrix24 = (rng("Tue", "9-12", 60),)
    settled = world.settle(world.plan())
    assert [(miss.side, miss.value) for miss in settled.missing] == [("reservekit", None)]
    assert settled.links == before


def test_W3_a_slot_that_the_server_put_elsewhere_is_missing() -> None:
    world = World([rng("Mon", "9-12", 60)])
    made = world.plan()
    world.apply(made)
    world.reservekit = tuple(replace(item, day_of_week=TUE) for item in world.ids.values())
    assert [miss.side for miss in world.settle(made).missing] == ["reservekit"]


def test_W3_what_bitrix24_did_not_take_is_missing() -> None:
    world = World((), [slot(5, MON, "9-12", 3)])
    made = world.plan()
    settled = settle(made, world.snapshot)
    assert [(miss.side, miss.value) for miss in settled.missing] == [("bitrix24", Value(win(MON, "9-12"), 60))]


def test_M10_a_foreign_edit_between_write_and_read_back_is_seen_in_the_next_run() -> None:
    world = World.synced(rng("Mon", "9-12", 60), rng("Tue", "9-12", 60))
    world.bitrix24 = (rng("Mon", "9-13", 60), rng("Tue", "9-12", 60))
    made = world.plan()
    world.apply(made)
    world.reservekit = (world.reservekit[0], slot(1001, TUE, "9-15", 3))
    settled = world.settle(made)
    assert [miss.side for miss in settled.missing] == ["reservekit"]
    assert Link(win(TUE, "9-12"), 60, 1001, 0, 3) in settled.links
    world.base = settled.links
    world.sync()
    assert world.ours == {win(MON, "9-13"): 1, win(TUE, "9-15"): 1}


def test_M3_held_windows_keep_their_row_and_new_ones_have_none() -> None:
    world = World.synced(rng("Mon", "9-12", 60))
    before = world.base
    world.bitrix24 = (rng("Mon", "8-12", 60), rng("Wed", "9-12", 60))
    world.reservekit = (slot(1000, MON, "9-13", 3), slot(7, WED, "10-13", 3))
    settled = written(world)
    assert settled.missing == ()
    assert settled.links == before


def test_M9_equal_windows_have_a_row_each_with_their_own_ids() -> None:
    world = World.synced(rng("Mon", "9-12", 60), rng("Mon", "9-12", 60))
    assert [link.slot_id for link in world.base or ()] == [1000, 1001]
