"""What is refused on a customer's way to the wait list: told in every run, and not sent again in each (W5, W6)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from slotbridge.sandbox.traffic import Fault
from slotbridge.sync.report import PairReport
from tests.sync.called import Doomed, killed
from tests.sync.decided import decide, kinds, only_hold, open_holds
from tests.sync.departures import (
    ADA,
    BOB,
    NOBODY,
    WEEK,
    WITHOUT_MONDAY,
    all_moved,
    approved,
    book,
    booked,
    branch,
    none_moved,
    statuses,
    waiting,
    ways,
)
from tests.sync.rig import Rig

MakeRig = Callable[..., Rig]

HOUR = 3600
SAID = "Invalid phone 4930123456 of Lovelace"

CONTACT, ENTRY, CLIENT, CANCELLATION = "crm.contact.add", "waitlist.add", "waitlist.client.set", "PATCH /v1/bookings"
SEARCH = "crm.duplicate"

REJECTED = [(CONTACT, 400, "ERROR"), (ENTRY, 400, "0"), (CLIENT, 400, "1025"), (CANCELLATION, 422, "invalid")]
DENIED = [
    (CONTACT, 403, "ACCESS_DENIED"),
    (CLIENT, 401, "insufficient_scope"),
    (SEARCH, 401, "insufficient_scope"),
]
"""For want of a permission."""

steps = pytest.mark.parametrize(("match", "status", "code"), REJECTED)
permissions = pytest.mark.parametrize(("match", "status", "code"), DENIED)
modes = pytest.mark.parametrize("unattended", [False, True], ids=["by hand", "daemon"])


def refuse(rig: Rig, match: str, status: int = 400, code: str = "ERROR") -> None:
    """From now on, requests that have this in them are refused."""
    said: object = {"error": code, "error_description": SAID}
    if match.startswith(("PATCH", "DELETE")):
        said = {"error": {"code": code, "message": SAID}}
    rig.world.faults.append(Fault(match, "answer", times=10_000, status=status, body=json.dumps(said)))


def sent(rig: Rig, match: str) -> int:
    return sum(match in f"{logged.method} {logged.path}" for logged in rig.world.log)


def five_minutes_later(rig: Rig) -> PairReport:
    """The next run: what keeps the slot is told, and nobody's booking is cancelled."""
    rig.clock.time += 300
    held = rig.run().pairs[0]
    assert (held.status, kinds(held)) == ("held", ["booked"])
    none_moved(rig)
    return held


@modes
@steps
def test_W5_a_step_that_is_refused_is_sent_once_more_and_then_once_an_hour(
    match: str, status: int, code: str, unattended: bool, make_rig: MakeRig
) -> None:
    rig = approved(make_rig, ADA, BOB)
    rig.unattended = unattended
    refuse(rig, match, status, code)
    rig.clock.time += HOUR - rig.clock.time % HOUR
    counted = []
    for _ in range(3):
        for _ in range(11):
            five_minutes_later(rig)
        counted.append(sent(rig, match))
        rig.clock.time += 300
    rests = unattended and match == CANCELLATION
    assert counted == ([1, 2, 3] if rests else [2, 3, 4]), "in each of three hours, all in all"
    rig.world.faults.clear()
    rig.clock.time += HOUR
    rig.sync()
    all_moved(rig, "Ada Lovelace", "Bob")


@permissions
def test_W6_where_nobody_watches_a_missing_permission_is_asked_for_once_an_hour(
    match: str, status: int, code: str, make_rig: MakeRig
) -> None:
    rig = approved(make_rig, ADA, BOB)
    rig.unattended = True
    refuse(rig, match, status, code)
    rig.clock.time += HOUR - rig.clock.time % HOUR
    counted = []
    for _ in range(3):
        for _ in range(11):
            five_minutes_later(rig)
        counted.append(sent(rig, match))
        rig.clock.time += 300
    assert counted[1:] == [counted[0] * 3 // 2, counted[0] * 2]
    rig.world.faults.clear()
    rig.clock.time += HOUR
    rig.sync()
    all_moved(rig, "Ada Lovelace", "Bob")


@permissions
def test_W6_whoever_gives_the_permission_sees_at_once_that_it_works(
    match: str, status: int, code: str, make_rig: MakeRig
) -> None:
    rig = approved(make_rig, ADA, BOB)
    refuse(rig, match, status, code)
    for _ in range(3):
        five_minutes_later(rig)
    rig.world.faults.clear()
    rig.sync()
    all_moved(rig, "Ada Lovelace", "Bob")


@steps
def test_every_run_tells_the_first_cause_and_later_ones_when_it_is_tried_again(
    match: str, status: int, code: str, make_rig: MakeRig
) -> None:
    rig = approved(make_rig, ADA, BOB)
    (shown,) = open_holds(rig)
    refuse(rig, match, status, code)
    first, *more = (only_hold(five_minutes_later(rig)) for _ in range(4))
    dry = only_hold(rig.run(dry_run=True).pairs[0])
    assert {hold.id for hold in (first, *more, dry)} == {shown.id}
    assert more[0].reason == first.reason
    assert {hold.reason for hold in (*more[1:], dry)} == {f"{first.reason}. It is tried again once an hour has passed"}
    kept = rig.database.read_bytes().decode("utf-8", "replace")
    assert "Invalid phone" not in kept, "what a server says may be about the customer"


@steps
def test_what_rests_costs_no_more_than_what_is_held(match: str, status: int, code: str, make_rig: MakeRig) -> None:
    rig = approved(make_rig, ADA)
    refuse(rig, match, status, code)
    for _ in range(2):
        five_minutes_later(rig)
    for _ in range(3):
        before = rig.requests("bitrix24"), rig.requests("reservekit")
        five_minutes_later(rig)
        after = rig.requests("bitrix24"), rig.requests("reservekit")
        assert (after[0] - before[0], after[1] - before[1]) == (1, 2), "ranges; slots and bookings"


def test_W5_a_cancellation_that_is_refused_with_status_200_is_not_sent_in_every_run(make_rig: MakeRig) -> None:
    rig = approved(make_rig, ADA)
    refuse(rig, CANCELLATION, 200, "validation_failed")
    for _ in range(5):
        five_minutes_later(rig)
    assert sent(rig, CANCELLATION) == 2
    rig.world.faults.clear()
    rig.clock.time += HOUR
    rig.sync()
    all_moved(rig, "Ada Lovelace")


def test_W5_what_the_server_did_not_judge_is_sent_in_every_run(make_rig: MakeRig) -> None:
    rig = approved(make_rig, ADA)
    rig.unattended = True
    refuse(rig, CANCELLATION, 500, "internal")
    for _ in range(4):
        five_minutes_later(rig)
    assert sent(rig, CANCELLATION) == 4
    rig.world.faults.clear()
    rig.sync()
    all_moved(rig, "Ada Lovelace")


def test_W5_another_step_that_is_refused_is_sent_once_more_itself(make_rig: MakeRig) -> None:
    rig = approved(make_rig, ADA)
    refuse(rig, CONTACT)
    for _ in range(3):
        five_minutes_later(rig)
    rig.world.faults.clear()
    refuse(rig, CLIENT, code="1025")
    rig.clock.time += HOUR
    for _ in range(4):
        five_minutes_later(rig)
    assert (sent(rig, CONTACT), sent(rig, ENTRY), sent(rig, CLIENT)) == (3, 1, 2)
    rig.world.faults.clear()
    rig.clock.time += HOUR
    rig.sync()
    all_moved(rig, "Ada Lovelace")


@modes
def test_the_booking_that_was_refused_keeps_nobody_once_it_is_gone(unattended: bool, make_rig: MakeRig) -> None:
    rig = approved(make_rig, ADA, BOB)
    rig.unattended = unattended
    refuse(rig, f"{CANCELLATION}/1", 422, "invalid")
    for _ in range(3):
        five_minutes_later(rig)
    rig.world.reservations.bookings[1].status = "cancelled"
    assert rig.run().pairs[0].status == "changed"
    assert (statuses(rig), waiting(rig)) == (["cancelled", "cancelled"], [("Ada Lovelace",), ("Bob",)])
    assert len(rig.slot_ids()) == 2


def test_W7_one_slot_that_rests_keeps_no_other_and_no_edit_from_travelling(make_rig: MakeRig) -> None:
    rig = booked(make_rig, ADA, max_delete_ratio=1.0)
    book(rig, NOBODY, "2026-05-19", slot=1)
    monday, _, wednesday = rig.slot_ids()
    rig.ranges(("Wed", 540, 1080, 30))
    for hold in rig.run().pairs[0].holds:
        decide(rig, hold, "approve")
    refuse(rig, CONTACT)
    for _ in range(3):
        rig.run()
    assert (statuses(rig), rig.slot_ids()) == (["confirmed", "cancelled"], [monday, wednesday])
    rig.ranges(("Wed", 540, 1020, 30))
    assert rig.run().pairs[0].status == "held"
    assert rig.in_reservekit() == [(0, 540, 1080, 18), (2, 540, 1020, 16)]
    assert sent(rig, CONTACT) == 2


def test_a_slot_that_is_wanted_again_and_goes_later_is_tried_at_once(make_rig: MakeRig) -> None:
    rig = approved(make_rig, ADA)
    refuse(rig, CLIENT, code="1025")
    for _ in range(3):
        five_minutes_later(rig)
    rig.world.faults.clear()
    rig.ranges(WEEK)
    assert rig.sync().status == "quiet"
    rig.ranges(WITHOUT_MONDAY)
    decide(rig, only_hold(rig.run().pairs[0]), "approve")
    rig.sync()
    all_moved(rig, "Ada Lovelace")


def test_hours_that_are_refused_do_not_have_it_sent_again(make_rig: MakeRig) -> None:
    """The pair fails then for its hours, and both are remembered."""
    rig = approved(make_rig, ADA)
    refuse(rig, CLIENT, code="1025")
    refuse(rig, "PATCH /v1/time-slots", 422, "invalid")
    rig.ranges(WITHOUT_MONDAY, ("Fri", 540, 600, 30))
    for _ in range(5):
        rig.clock.time += 300
        assert rig.run().pairs[0].status == "failed"
    assert (sent(rig, CLIENT), sent(rig, "PATCH /v1/time-slots")) == (2, 1 + 2), "a first copy before"
    rig.world.faults.clear()
    rig.clock.time += HOUR
    rig.sync()
    assert (statuses(rig), waiting(rig), len(rig.slot_ids())) == (["cancelled"], [("Ada Lovelace",)], 3)


def test_W6_where_nobody_watches_a_deletion_that_is_refused_is_sent_once_an_hour(make_rig: MakeRig) -> None:
    """Although the key seemed to be one that may delete, when that was looked for."""
    rig = approved(make_rig, ADA)
    rig.unattended = True
    (slot, *_) = rig.slot_ids()
    refuse(rig, f"DELETE /v1/time-slots/{slot}", 403, "forbidden")
    for _ in range(10):
        assert kinds(rig.run().pairs[0]) == ["read-only"]
        rig.clock.time += 300
    assert sent(rig, "DELETE /v1/time-slots") == 1 + 1, "whether slots can go, and this one"
    rig.world.faults.clear()
    rig.clock.time += HOUR
    rig.sync()
    all_moved(rig, "Ada Lovelace")


@pytest.mark.parametrize("match", [CONTACT, ENTRY, CLIENT, CANCELLATION])
def test_W4_a_death_after_the_rest_neither_loses_nor_doubles_a_customer(
    match: str, make_rig: MakeRig, tmp_path: Path
) -> None:
    ready = approved(make_rig, BOB)
    refuse(ready, match, 422 if match == CANCELLATION else 400)
    for _ in range(3):
        five_minutes_later(ready)
    ready.world.faults.clear()
    ready.clock.time += HOUR
    first = doom = 5
    while killed(rig := branch(ready, tmp_path / str(doom)), Doomed(rig, doom)):
        for number, booking in rig.world.reservations.bookings.items():
            mine = [row for row in rig.world.portal.waitlist.values() if f"booking {number}:" in row.note]
            assert booking.status == "confirmed" or [len(row.clients) for row in mine] == [1]
        rig.run()
        all_moved(rig, "Bob")
        doom += 1
    assert doom - first >= 12


@pytest.mark.parametrize("match", [CONTACT, ENTRY, CLIENT, CANCELLATION])
def test_W4_a_death_while_it_is_refused_has_it_sent_no_more_than_once_more(
    match: str, make_rig: MakeRig, tmp_path: Path
) -> None:
    ready = approved(make_rig, BOB)
    refuse(ready, match, 422 if match == CANCELLATION else 400)
    doom = 5
    while killed(rig := branch(ready, tmp_path / str(doom)), Doomed(rig, doom)):
        for _ in range(3):
            five_minutes_later(rig)
        assert sent(rig, match) <= 3
        rig.world.faults.clear()
        rig.clock.time += HOUR
        rig.run()
        all_moved(rig, "Bob")
        doom += 1


@modes
def test_a_slot_that_rested_when_customers_were_moved_does_not_go_in_the_same_run(
    unattended: bool, make_rig: MakeRig
) -> None:
    """Not even if the hour is over by the time that all is planned anew."""
    rig = approved(make_rig, ADA, max_delete_ratio=1.0)
    rig.unattended = unattended
    monday, tuesday, wednesday = rig.slot_ids()
    book(rig, BOB, "2026-05-19", slot=1)
    refuse(rig, f"{CANCELLATION}/1", 422, "invalid")
    rig.clock.time += HOUR - rig.clock.time % HOUR
    for _ in range(2):
        five_minutes_later(rig)
    rig.ranges(("Wed", 540, 1080, 30))
    (hold,) = (hold for hold in rig.run().pairs[0].holds if f"time slot {tuesday} " in hold.reason)
    decide(rig, hold, "approve")

    def turn_the_hour() -> None:
        rig.clock.time += 60
        rig.world.reservations.edit_slot(wednesday, max_bookings=9)

    def dawdle() -> None:
        rig.clock.time += 10
        rig.before_request("GET /v1/time-slots", turn_the_hour)

    refused_at = rig.clock.time - (rig.clock.now() - ways(rig)[0].at).total_seconds()
    rest = HOUR if unattended else HOUR - refused_at % HOUR
    rig.clock.time = refused_at + rest - 30
    rig.before_request(f"{CANCELLATION}/2", dawdle)
    assert kinds(rig.run().pairs[0]) == ["booked"]
    assert (statuses(rig), rig.slot_ids()) == (["confirmed", "cancelled"], [monday, wednesday])
    assert rig.in_bitrix24() == [("Wed", 540, 1080, 60)]
