"""G7, S12: what is undone each time is written three times in a row, and then waits for a person."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from slotbridge.reconcile.model import Hold
from tests.sync.decided import decide, kinds, only_hold, open_holds
from tests.sync.rig import Rig

MakeRig = Callable[..., Rig]
Program = Callable[[Rig], object]

WEEK = ("Mon Tue Wed", 540, 1080, 30)


def resets_monday(rig: Rig) -> None:
    rig.world.reservations.edit_slot(rig.slot_ids()[0], end=900)


def removes_monday(rig: Rig) -> None:
    if rig.in_reservekit()[0][0] == 0:
        rig.world.reservations.remove_slot(min(slot.id for slot in rig.world.reservations.slots(1) if slot.day == 0))


def adds_sunday(rig: Rig) -> None:
    if 6 not in [slot[0] for slot in rig.in_reservekit()]:
        rig.slot(6, 540, 720, 6)


def resets_tuesday_capacity(rig: Rig) -> None:
    (tuesday,) = [slot.id for slot in rig.world.reservations.slots(1) if slot.day == 1]
    rig.world.reservations.edit_slot(tuesday, max_bookings=3)


PROGRAMS = [resets_monday, removes_monday, adds_sunday, resets_tuesday_capacity]


def one_way(make_rig: MakeRig) -> Rig:
    rig = make_rig(direction="to-reservekit")
    rig.ranges(WEEK)
    rig.sync()
    return rig


def play(rig: Rig, program: Program, runs: int) -> list[str]:
    """So many runs, each after the program was at work: how each of them ended."""
    ends: list[str] = []
    for _ in range(runs):
        program(rig)
        ends.append(rig.run().pairs[0].status)
    return ends


def paused(rig: Rig, program: Program) -> Hold:
    """The hold that the fourth run comes to."""
    assert play(rig, program, 4) == ["changed", "changed", "changed", "held"]
    (hold,) = open_holds(rig)
    return hold


@pytest.mark.parametrize("program", PROGRAMS)
def test_G7_what_a_program_undoes_each_time_is_held_at_the_fourth_time(make_rig: MakeRig, program: Program) -> None:
    rig = one_way(make_rig)

    hold = paused(rig, program)

    assert hold.kind == "oscillation"
    assert "was written 3 runs in a row and undone each time" in hold.reason


@pytest.mark.parametrize("program", PROGRAMS)
def test_G7_it_stays_held_without_a_write_as_long_as_nobody_decides(make_rig: MakeRig, program: Program) -> None:
    rig = one_way(make_rig)
    hold = paused(rig, program)
    writes = rig.writes()

    assert play(rig, program, 5) == ["held"] * 5
    assert (rig.writes(), [held.id for held in open_holds(rig)]) == (writes, [hold.id])


def test_G7_the_whole_pair_pauses(make_rig: MakeRig) -> None:
    rig = one_way(make_rig)
    paused(rig, resets_monday)
    rig.ranges(("Mon Tue", 540, 1080, 30), ("Wed", 600, 1080, 30))

    report = rig.run().pairs[0]

    assert (report.status, report.changes, kinds(report)) == ("held", (), ["oscillation"])
    assert rig.in_reservekit()[2] == (2, 540, 1080, 18)


@pytest.mark.parametrize("program", PROGRAMS)
def test_G7_an_approval_writes_once_more_and_no_more(make_rig: MakeRig, program: Program) -> None:
    rig = one_way(make_rig)
    decide(rig, paused(rig, program), "approve")

    assert rig.run().pairs[0].status == "changed"
    assert play(rig, program, 1) == ["held"]


def test_G7_the_hold_lifts_itself_when_the_hours_are_as_they_should_be(make_rig: MakeRig) -> None:
    rig = one_way(make_rig)
    paused(rig, resets_monday)
    rig.world.reservations.edit_slot(rig.slot_ids()[0], end=1080)

    assert (rig.sync().status, open_holds(rig)) == ("quiet", [])


def test_G7_after_a_quiet_run_counting_begins_anew(make_rig: MakeRig) -> None:
    rig = one_way(make_rig)
    assert play(rig, resets_monday, 3) == ["changed"] * 3
    assert rig.run().pairs[0].status == "quiet"

    assert play(rig, resets_monday, 4) == ["changed"] * 3 + ["held"]


def test_G7_two_programs_that_duel_are_paused(rig: Rig) -> None:
    rig.ranges(WEEK)
    rig.sync()

    def duel(rig: Rig) -> None:
        rig.ranges(("Mon", 540, 1020, 30), ("Tue Wed", 540, 1080, 30))
        if rig.base()[0].startswith("Mon 09:00–17:00"):
            resets_monday(rig)

    statuses = play(rig, duel, 6)

    assert statuses[3:] == ["held"] * 3
    assert open_holds(rig)[0].kind == "oscillation"


def test_G7_a_person_who_edits_one_slot_again_and_again_is_never_held(rig: Rig) -> None:
    rig.ranges(WEEK)
    rig.sync()
    monday = rig.slot_ids()[0]
    for number in range(12):
        rig.world.reservations.edit_slot(monday, end=900 + 30 * (number % 3))
        assert rig.run().pairs[0].status == "changed"
        assert ("Mon", 540, 900 + 30 * (number % 3), 30) in rig.in_bitrix24()


def test_G7_a_person_who_edits_one_range_again_and_again_is_never_held(rig: Rig) -> None:
    rig.ranges(WEEK)
    rig.sync()
    for number in range(12):
        rig.ranges(("Mon", 540, 900 + 30 * (number % 3), 30), ("Tue Wed", 540, 1080, 30))
        assert rig.run().pairs[0].status == "changed"
        assert rig.in_reservekit()[0][:3] == (0, 540, 900 + 30 * (number % 3))


def test_G7_a_person_who_adds_and_removes_a_day_again_and_again_is_never_held(rig: Rig) -> None:
    rig.ranges(WEEK)
    rig.sync()
    for number in range(12):
        rig.ranges(WEEK, *([] if number % 2 else [("Fri", 540, 720, 30)]))
        assert rig.run().pairs[0].status == "changed"
        assert len(rig.slot_ids()) == 3 + (number % 2 == 0)


def test_G7_a_hold_of_another_kind_meanwhile_is_no_rewrite(make_rig: MakeRig) -> None:
    """Only what was written counts: a booked slot that is held run after run is never an oscillation."""
    rig = one_way(make_rig)
    rig.world.reservations.add_booking(rig.slot_ids()[0], "2026-05-18")
    rig.ranges(("Tue Wed", 540, 1080, 30))

    for _ in range(6):
        assert only_hold(rig.run().pairs[0]).kind == "booked"
