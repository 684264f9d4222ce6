"""A death, or an answer that got lost, while customers are moved: nobody is lost, and nobody is there twice (W4)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from slotbridge.sandbox.traffic import Fault, FaultKind
from tests.sync.called import Doomed, killed
from tests.sync.decided import decide, only_hold, opened
from tests.sync.departures import (
    ADA,
    BOB,
    NOBODY,
    WEEK,
    all_moved,
    approved,
    book,
    branch,
    contacts,
    entries,
    statuses,
    steps,
    waiting,
)
from tests.sync.rig import Rig

MakeRig = Callable[..., Rig]


def listed_before_cancelled(rig: Rig) -> None:
    """Whoever has no booking any more is on the wait list, with a contact."""
    for number, booking in rig.world.reservations.bookings.items():
        mine = [row for row in rig.world.portal.waitlist.values() if f"booking {number}:" in row.note]
        assert len(mine) <= 1
        assert booking.status == "confirmed" or len(mine[0].clients) == 1


def test_a_death_at_any_request_neither_loses_nor_doubles_a_customer(make_rig: MakeRig, tmp_path: Path) -> None:
    ready = approved(make_rig, BOB, BOB)
    first = doom = first_of(ready, "contact.add", tmp_path) - 2
    while killed(rig := branch(ready, tmp_path / str(doom)), Doomed(rig, doom)):
        listed_before_cancelled(rig)
        assert rig.run().pairs[0].holds == ()
        all_moved(rig, "Bob", "Bob")
        doom += 1
    all_moved(rig, "Bob", "Bob")
    assert doom - first >= 20


def test_a_second_death_on_the_way_changes_nothing_either(make_rig: MakeRig, tmp_path: Path) -> None:
    ready = approved(make_rig, ADA)
    assert killed(ready, Doomed(ready, first_of(ready, "waitlist.add", tmp_path)))
    first = doom = first_of(ready, "client.set", tmp_path) - 4
    while killed(rig := branch(ready, tmp_path / str(doom)), Doomed(rig, doom)):
        listed_before_cancelled(rig)
        rig.run()
        all_moved(rig, "Ada Lovelace")
        doom += 1
    assert doom - first >= 12


def first_of(ready: Rig, method: str, folder: Path) -> int:
    """The boundary right after the first request of that method was executed."""
    rig = branch(ready, folder / f"until {method}")
    sent = len(rig.world.log)
    rig.run()
    numbers = [number for number, logged in enumerate(rig.world.log[sent:]) if method in logged.path]
    return 2 * numbers[0] + 1


@pytest.mark.parametrize("request_", ["crm.contact.add", "waitlist.add", "waitlist.client.set", "PATCH /v1/bookings"])
def test_an_answer_that_got_lost_neither_loses_nor_doubles_a_customer(
    request_: str, make_rig: MakeRig, tmp_path: Path
) -> None:
    ready = approved(make_rig, BOB)
    kinds: tuple[FaultKind, ...] = ("drop-before", "drop-after", "late", "cut")
    for kind in kinds:
        rig = branch(ready, tmp_path / kind)
        rig.world.faults.append(Fault(request_, kind, after=3))
        rig.run()
        listed_before_cancelled(rig)
        rig.run()
        all_moved(rig, "Bob")


@pytest.mark.parametrize("silence", [0, 60])
def test_what_lands_while_the_next_run_waits_is_found(silence: int, make_rig: MakeRig) -> None:
    """The portal executes the request after its sender stopped waiting, and after the next run has begun."""
    rig = approved(make_rig, ADA)
    rig.before_request("waitlist.add", lambda: setattr(rig.clock, "time", rig.clock.time + silence))
    rig.world.faults.append(Fault("waitlist.add", "late", after=8))
    rig.run()
    assert (entries(rig), statuses(rig)) == ([], ["confirmed"])
    slept = len(rig.clock.slept)
    rig.run()
    assert max(rig.clock.slept[slept:]) > 20
    all_moved(rig, "Ada Lovelace")


def test_a_customer_without_a_contact_is_listed_once(make_rig: MakeRig) -> None:
    rig = approved(make_rig, NOBODY)
    rig.world.faults.append(Fault("waitlist.add", "drop-after"))
    rig.run()
    rig.sync()
    assert (waiting(rig), contacts(rig), statuses(rig)) == ([()], [], ["cancelled"])


def test_the_mark_of_another_booking_is_not_taken_for_ours(make_rig: MakeRig) -> None:
    """Neither booking 10's, nor one that a customer put into a name."""
    rig = approved(make_rig, ADA)
    rig.world.portal.add_wait_item("slotbridge booking 10: another")
    rig.world.portal.add_wait_item("Customer: slotbridge booking 1: Eve")
    rig.world.faults.append(Fault("waitlist.add", "drop-before"))
    rig.run()
    rig.run()
    assert [entry[:21] for entry in entries(rig)[2:]] == ["slotbridge booking 1:"]
    assert (waiting(rig)[2:], statuses(rig)) == ([("Ada Lovelace",)], ["cancelled"])


def test_after_a_death_the_rest_needs_no_second_approval(make_rig: MakeRig) -> None:
    rig = approved(make_rig, ADA, BOB)
    rig.world.faults.append(Fault("PATCH /v1/bookings", "drop-before", times=99, skip=1))
    held = rig.run().pairs[0]
    assert (held.status, statuses(rig)) == ("held", ["cancelled", "confirmed"])
    rig.world.faults.clear()
    rig.sync()
    all_moved(rig, "Ada Lovelace", "Bob")


def test_after_a_death_a_booking_that_is_new_does(make_rig: MakeRig) -> None:
    rig = approved(make_rig, ADA, BOB)
    rig.world.faults.append(Fault("PATCH /v1/bookings", "drop-before", times=99, skip=1))
    rig.run()
    rig.world.faults.clear()
    book(rig, {**BOB, "phone": "+4930777", "name": "Dora"}, "2026-06-01")
    held = rig.sync()
    assert statuses(rig) == ["cancelled", "confirmed", "confirmed"]
    decide(rig, only_hold(held), "approve")
    rig.sync()
    all_moved(rig, "Ada Lovelace", "Bob", "Dora")


def test_hours_that_are_back_after_a_death_keep_the_bookings_that_are_left(make_rig: MakeRig) -> None:
    rig = approved(make_rig, ADA, BOB)
    rig.world.faults.append(Fault("PATCH /v1/bookings", "drop-before", times=99, skip=1))
    rig.run()
    rig.world.faults.clear()
    rig.ranges(WEEK)
    rig.sync()
    assert (statuses(rig), set(steps(rig)), len(rig.slot_ids())) == (["cancelled", "confirmed"], {"done"}, 3)


@pytest.mark.parametrize("what", ["sync", "dry"])
def test_a_dry_run_after_a_death_tells_what_is_left(what: str, make_rig: MakeRig) -> None:
    rig = approved(make_rig, ADA, BOB)
    rig.world.faults.append(Fault("PATCH /v1/bookings", "drop-before", times=99, skip=1))
    rig.run()
    rig.world.faults.clear()
    report = rig.run(dry_run=what == "dry").pairs[0]
    cancelled: list[Any] = [
        change.after["booking"] for change in report.changes if change.op == "update" and change.after
    ]
    assert (report.holds, cancelled) == ((), [2])
    with opened(rig) as store:
        assert bool(store.recall(["pair1"])["pair1"].customers) == (what == "dry")
