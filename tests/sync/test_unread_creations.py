"""A time slot that was created and comes back as an item that cannot be read: it is not created once more (W4)."""

from __future__ import annotations

import pytest

from slotbridge.sandbox.traffic import Fault
from slotbridge.sandbox.world import World
from tests.sync.called import Doomed, killed
from tests.sync.decided import only_hold
from tests.sync.rig import Rig

NO_SUNDAYS = '{"error": {"code": "invalid_request", "message": "day 6 is not bookable"}}'
WEEK = [("Mon Tue Wed", 540, 1080, 30), ("Sat", 540, 600, 30)]


@pytest.fixture
def odd(rig: Rig) -> Rig:
    """A server that takes Saturdays and shows nothing bookable there."""

    def spoil(world: World, _api: str, method: str, _path: str) -> None:
        for slot in world.reservations.time_slots.values() if method == "GET" else ():
            slot.max_bookings = 0 if slot.day == 5 else slot.max_bookings

    rig.world.on_request.append(spoil)
    return rig


def mend(rig: Rig) -> None:
    rig.world.on_request.clear()
    for slot in rig.world.reservations.time_slots.values():
        slot.max_bookings = max(slot.max_bookings, 2)


def on_saturday(rig: Rig) -> int:
    return sum(slot.day == 5 for slot in rig.world.reservations.time_slots.values())


def begin(rig: Rig, start: str) -> None:
    if start == "pair with a base":
        rig.ranges(WEEK[0])
        rig.sync()
    rig.ranges(*WEEK)


@pytest.mark.parametrize("start", ["first sync", "pair with a base"])
def test_W4_what_was_created_and_cannot_be_read_is_not_created_again(start: str, odd: Rig) -> None:
    begin(odd, start)
    assert odd.sync(quiet_after=False).status == "failed"
    began = odd.clock.monotonic()
    hold = only_hold(odd.sync())
    assert (hold.kind, "may be what was created there" in hold.reason) == ("unsupported", True)
    assert odd.clock.monotonic() - began < 10, "nothing is waited for"
    odd.clock.time += 7200
    assert only_hold(odd.sync()).id == hold.id
    assert on_saturday(odd) == 1
    mend(odd)
    assert odd.sync().holds == ()
    assert odd.in_reservekit()[-1] == (5, 540, 600, 2)


@pytest.mark.parametrize("start", ["first sync", "pair with a base"])
def test_W7_all_else_goes_on_beside_it(start: str, odd: Rig) -> None:
    begin(odd, start)
    odd.run()
    odd.sync()
    odd.slot(6, 600, 660, 2)
    odd.ranges(("Tue Wed", 540, 1080, 30), ("Mon", 480, 1080, 30), ("Sat", 540, 630, 30))
    assert [change.op for change in odd.sync().changes] == ["create", "update"]
    odd.world.reservations.remove_slot(odd.slot_ids()[1])
    odd.sync()
    assert odd.in_bitrix24() == [
        ("Mon", 480, 1080, 30),
        ("Sat", 540, 630, 30),
        ("Sun", 600, 660, 30),
        ("Wed", 540, 1080, 30),
    ]
    assert on_saturday(odd) == 1, "the window that was edited meanwhile may be that slot, too"


def test_W4_once_somebody_took_it_away_it_is_created_again(odd: Rig) -> None:
    begin(odd, "first sync")
    odd.run()
    odd.sync()
    mend(odd)
    odd.world.reservations.remove_slot(odd.slot_ids()[-1])
    odd.clock.time += 60
    assert odd.sync().status == "changed"
    assert on_saturday(odd) == 1


@pytest.mark.parametrize("start", ["first sync", "pair with a base"])
def test_W4_a_process_that_died_meanwhile_doubles_nothing(start: str, odd: Rig) -> None:
    begin(odd, start)
    deaths = 0
    while killed(odd, Doomed(odd, 7 + deaths)) and not on_saturday(odd):
        deaths += 1
    for _ in range(3):
        odd.clock.time += 60
        odd.run()
    assert on_saturday(odd) == 1


def test_W4_nor_is_it_sent_again_in_smaller_requests_beside_one_that_is_refused(odd: Rig) -> None:
    odd.world.faults.append(Fault('"day_of_week": 6', "answer", times=1000, status=400, body=NO_SUNDAYS))
    odd.reservekit["max_batch"] = 4
    odd.ranges(*WEEK, ("Sun", 540, 600, 30), ("Thu Fri", 540, 600, 30))
    for _ in range(4):
        odd.run()
        odd.clock.time += 60
    assert on_saturday(odd) == 1


def test_S5_an_item_that_was_there_before_keeps_no_creation_back(rig: Rig) -> None:
    rig.slot(5, 0, 60)
    rig.world.reservations.time_slots[rig.slot_ids()[0]].max_bookings = 0
    rig.world.faults.append(Fault("PATCH", "drop-before"))
    rig.ranges(*WEEK)
    assert rig.sync(quiet_after=False).status == "failed"
    assert rig.sync().status == "changed"
    assert on_saturday(rig) == 2
