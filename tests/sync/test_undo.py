"""Going back to before a run: through the same engine and the same guards, and quiet afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from random import Random

import pytest

from slotbridge.errors import SlotbridgeError
from slotbridge.settings import PairSettings
from slotbridge.sync.bridge import Bridge
from slotbridge.sync.report import PairReport, RunReport
from tests.sync.decided import kinds, open_holds, opened
from tests.sync.rig import Network, Rig

MakeRig = Callable[..., Rig]

WEEK = ("Mon Tue Wed Thu Fri", 540, 1080, 30)


def in_step(rig: Rig) -> Rig:
    rig.ranges(WEEK)
    rig.sync()
    return rig


def last_run(rig: Rig) -> int:
    with opened(rig) as store:
        return store.runs(1)[0].id


def changed(rig: Rig) -> int:
    """A run that changes something; its number."""
    assert rig.run().count("changed") == 1
    return last_run(rig)


def undo_all(rig: Rig, run: int, pairs: Sequence[PairSettings], *, apply: bool, accept_deletes: bool) -> RunReport:
    async def undone() -> RunReport:
        with opened(rig) as store:
            bridge = Bridge.connect(rig.settings, store, clock=rig.clock, random=Random(1), network=Network(rig.world))
            try:
                return await bridge.undo(run, pairs, apply=apply, accept_deletes=accept_deletes)
            finally:
                await bridge.aclose()

    return asyncio.run(undone())


def undo(rig: Rig, run: int, *, apply: bool = True, accept_deletes: bool = False) -> PairReport:
    """Undoes a run, told for the first pair."""
    return undo_all(rig, run, rig.pairs[:1], apply=apply, accept_deletes=accept_deletes).pairs[0]


def state(rig: Rig) -> tuple[object, ...]:
    return rig.in_bitrix24(), rig.in_reservekit(), rig.base()


def remove_monday(rig: Rig) -> None:
    rig.ranges(("Tue Wed Thu Fri", 540, 1080, 30))


def edit_monday(rig: Rig) -> None:
    rig.ranges(("Mon", 600, 900, 30), ("Tue Wed Thu Fri", 540, 1080, 30))


def edit_capacity(rig: Rig) -> None:
    rig.world.reservations.edit_slot(rig.slot_ids()[1], max_bookings=6)


def add_sunday(rig: Rig) -> None:
    rig.slot(6, 600, 720, 4)


@pytest.mark.parametrize("edit", [remove_monday, edit_monday, edit_capacity, add_sunday])
def test_what_a_run_carried_over_is_undone_on_both_sides(rig: Rig, edit: Callable[[Rig], None]) -> None:
    before = state(in_step(rig))
    edit(rig)
    run = changed(rig)
    assert state(rig) != before

    report = undo(rig, run)

    assert (report.status, report.error) == ("changed", None)
    assert state(rig) == before
    assert rig.sync().status == "quiet"


@pytest.mark.parametrize("edit", [edit_monday, edit_capacity, add_sunday])
def test_M5_what_still_exists_keeps_its_id(rig: Rig, edit: Callable[[Rig], None]) -> None:
    ids = in_step(rig).slot_ids()
    edit(rig)

    undo(rig, changed(rig))

    assert sorted(rig.slot_ids()) == sorted(ids)


def test_W8_without_apply_it_is_only_planned(rig: Rig) -> None:
    in_step(rig)
    remove_monday(rig)
    run = changed(rig)
    before, writes = state(rig), rig.writes()

    report = undo(rig, run, apply=False)

    assert [(change.side, change.op) for change in report.changes] == [
        ("bitrix24", "update"),
        ("reservekit", "create"),
    ]
    assert {change.why for change in report.changes} == {"as it was before"}
    assert (state(rig), rig.writes(), last_run(rig)) == (before, writes, run)


def test_it_goes_back_over_every_later_run(rig: Rig) -> None:
    before = state(in_step(rig))
    remove_monday(rig)
    run = changed(rig)
    add_sunday(rig)
    changed(rig)
    rig.world.reservations.edit_slot(rig.slot_ids()[0], end=700)
    changed(rig)

    undo(rig, run)

    assert state(rig) == before
    assert rig.sync().status == "quiet"


def edit_in_reservekit(rig: Rig) -> None:
    rig.world.reservations.edit_slot(rig.slot_ids()[0], end=700)


def edit_in_bitrix24(rig: Rig) -> None:
    rig.ranges(("Tue Wed Thu", 540, 1080, 30), ("Fri", 600, 660, 30))


def add_in_reservekit(rig: Rig) -> None:
    rig.slot(6, 600, 720, 4)


def edit_on_both_sides(rig: Rig) -> None:
    edit_in_reservekit(rig)
    rig.ranges(("Tue", 600, 660, 30), ("Wed Thu Fri", 540, 1080, 30))


@pytest.mark.parametrize("edit", [edit_in_reservekit, edit_in_bitrix24, add_in_reservekit, edit_on_both_sides])
@pytest.mark.parametrize("apply", [False, True])
def test_M3_what_was_edited_since_the_last_run_is_not_written_over(
    rig: Rig, edit: Callable[[Rig], None], apply: bool
) -> None:
    in_step(rig)
    remove_monday(rig)
    run = changed(rig)
    edit(rig)
    before, writes = state(rig), rig.writes()

    report = undo(rig, run, apply=apply)

    assert (report.status, report.changes, kinds(report)) == ("held", (), ["conflict"])
    assert "edited since the last run" in report.holds[0].reason
    assert not any("base" in item for item in report.holds[0].items), "what both agreed on last is something else"
    assert (state(rig), rig.writes(), open_holds(rig)) == (before, writes, [])


def test_M3_an_open_conflict_is_not_written_over(rig: Rig) -> None:
    in_step(rig)
    remove_monday(rig)
    run = changed(rig)
    edit_on_both_sides(rig)
    (conflict,) = rig.run().pairs[0].holds
    assert undo(rig, run).status == "held"
    assert open_holds(rig) == [conflict]


def test_once_an_edit_was_carried_over_the_undo_goes_and_the_way_back_is_kept(rig: Rig) -> None:
    before = state(in_step(rig))
    remove_monday(rig)
    run = changed(rig)
    edit_in_reservekit(rig)
    changed(rig)
    after = rig.in_reservekit()
    assert undo(rig, run).status == "changed"
    assert state(rig) == before
    undo(rig, last_run(rig), accept_deletes=True)
    assert rig.in_reservekit() == after


def test_what_one_side_has_lost_since_is_no_obstacle(rig: Rig) -> None:
    before = state(in_step(rig))
    remove_monday(rig)
    run = changed(rig)
    rig.ranges(("Wed Thu Fri", 540, 1080, 30))
    assert undo(rig, run).status == "changed"
    assert rig.in_bitrix24() == before[0]


def test_an_undo_can_be_undone(rig: Rig) -> None:
    in_step(rig)
    edit_monday(rig)
    run = changed(rig)
    after = state(rig)
    undo(rig, run)

    undo(rig, last_run(rig))

    assert state(rig) == after
    assert rig.sync().status == "quiet"


def test_what_is_already_as_it_was_needs_no_write(rig: Rig) -> None:
    in_step(rig)
    edit_monday(rig)
    run = changed(rig)
    undo(rig, run)
    writes = rig.writes()

    assert undo(rig, run).status == "quiet"
    assert rig.writes() == writes


def test_the_history_tells_of_an_undo(rig: Rig) -> None:
    in_step(rig)
    edit_monday(rig)
    run = changed(rig)
    undo(rig, run)

    with opened(rig) as store:
        assert store.runs(1)[0].trigger == f"undo of run {run}"
        assert {record.why for record in store.history(run=run + 1)} == {"as it was before"}


def test_G1_an_undo_that_would_delete_everything_is_held(rig: Rig) -> None:
    rig.sync()
    rig.ranges(WEEK)
    run = changed(rig)
    full = state(rig)

    held = undo(rig, run)
    assert (held.status, kinds(held), state(rig)) == ("held", ["deletions"], full)

    assert undo(rig, run, accept_deletes=True).status == "changed"
    assert state(rig) == ([], [], [])


def test_G3_an_undo_moves_no_booked_slot(rig: Rig) -> None:
    in_step(rig)
    edit_monday(rig)
    rig.slot(6, 600, 720, 4)
    run = changed(rig)
    rig.world.reservations.add_booking(rig.slot_ids()[-1], "2026-05-24")

    held = undo(rig, run, accept_deletes=True)

    assert kinds(held) == ["booked"]
    assert rig.in_reservekit()[-1] == (6, 600, 720, 4)
    assert rig.in_reservekit()[0] == (0, 540, 1080, 18)
    assert rig.sync().status == "quiet"


def test_G5_an_undo_that_deletes_in_most_pairs_is_held(make_rig: MakeRig) -> None:
    rig = make_rig(pairs=4)
    for name in rig.ids:
        rig.ranges(WEEK, pair=name)
    rig.run()
    for name in rig.ids:
        rig.slot(6, 600, 720, 4, pair=name)
    rig.run()

    report = undo_all(rig, last_run(rig), rig.pairs, apply=True, accept_deletes=False)

    assert {kind for pair in report.pairs for kind in kinds(pair)} == {"deletions"}
    assert [len(rig.slot_ids(name)) for name in rig.ids] == [6] * 4


def test_a_held_undo_leaves_a_state_that_the_next_run_understands(rig: Rig) -> None:
    in_step(rig)
    rig.ranges(WEEK, ("Sat Sun", 540, 720, 30))
    run = changed(rig)
    rig.world.reservations.add_booking(rig.slot_ids()[-1], "2026-05-24")
    undo(rig, run)

    report = rig.sync()

    assert (report.status, open_holds(rig)) == ("quiet", [])
    assert len(rig.base()) == 6


def test_the_undo_of_a_first_sync_is_refused(rig: Rig) -> None:
    in_step(rig)

    with pytest.raises(SlotbridgeError, match="nothing was agreed before run 1") as refused:
        undo(rig, 1)

    assert refused.value.pair == "pair1"
    assert "slotbridge history" in str(refused.value)


def test_the_undo_of_a_first_sync_is_refused_however_much_came_later(rig: Rig) -> None:
    in_step(rig)
    edit_monday(rig)
    changed(rig)

    with pytest.raises(SlotbridgeError, match="nothing was agreed before run 1"):
        undo(rig, 1)


def test_the_undo_of_a_run_that_nothing_changed_since_is_refused(rig: Rig) -> None:
    in_step(rig)

    with pytest.raises(SlotbridgeError, match="nothing was agreed before run"):
        undo(rig, last_run(rig))


def test_M12_an_undo_does_not_cross_a_change_of_terms(rig: Rig) -> None:
    """What another resource and service agreed on is nothing that these two could go back to."""
    in_step(rig)
    other = rig.world.portal.add_resource("another"), rig.world.reservations.add_service("another", "Europe/Berlin")
    rig.ids["pair1"] = other
    rig.ranges(("Sat", 540, 720, 30))
    run = changed(rig)
    now = state(rig)

    with suppress(SlotbridgeError):
        undo(rig, run)

    assert state(rig) == now


def test_M12_an_undo_waits_for_the_new_agreement_like_any_run(rig: Rig) -> None:
    in_step(rig)
    edit_monday(rig)
    run = changed(rig)
    rig.options |= {"slots": "split", "max_bookings": 1}
    now = state(rig)
    assert kinds(rig.run().pairs[0]) == ["agreement"]

    with suppress(SlotbridgeError):
        assert kinds(undo(rig, run)) == ["agreement"]

    assert state(rig) == now


def test_S8_a_run_that_failed_and_healed_can_be_undone(rig: Rig) -> None:
    before = state(in_step(rig))
    there = rig.world.reservations.behaviour
    rig.world.reservations.behaviour = replace(there, patch="replace")
    edit_monday(rig)
    assert rig.run().count("failed") == 1
    rig.world.reservations.behaviour = there
    run = last_run(rig)
    assert state(rig) != before

    undo(rig, run)

    assert state(rig)[:1] == before[:1]
