"""Writing: verified, never repeated blindly, never doubled; each failure its pair's alone (W3–W8, S5, S8)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from slotbridge.lenses.items import Range
from slotbridge.sandbox.traffic import Fault
from tests.sync.rig import ZONE, Rig

WEEK = ("Mon Tue Wed", 540, 1080, 30)


def in_step(rig: Rig) -> Rig:
    for pair in rig.ids:
        rig.ranges(WEEK, pair=pair)
    rig.sync()
    return rig


def behave(rig: Rig, **how: object) -> None:
    rig.world.reservations.behaviour = replace(rig.world.reservations.behaviour, **how)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "kind", ["drop-before", "drop-after", "cut", "html", "bad-gateway", "empty", "malformed", "late"]
)
@pytest.mark.parametrize("match", ["PATCH", "DELETE", "slots.set"])
def test_W5_a_write_of_unknown_outcome_is_looked_at_and_nothing_is_doubled(kind: str, match: str, rig: Rig) -> None:
    in_step(rig)
    rig.ranges(("Mon", 540, 1140, 30), ("Tue", 540, 1080, 30), ("Thu", 600, 720, 30))  # edit, delete, create
    rig.slot(6, 600, 720, 2)  # create in Bitrix24
    rig.world.faults.append(Fault(match, kind, executed=kind != "html"))  # type: ignore[arg-type]
    rig.sync(quiet_after=False)
    rig.sync(quiet_after=False)
    assert rig.sync().status == "quiet"
    assert rig.in_reservekit() == [(0, 540, 1140, 20), (1, 540, 1080, 18), (3, 600, 720, 4), (6, 600, 720, 2)]
    assert rig.in_bitrix24() == [
        ("Mon", 540, 1140, 30),
        ("Sun", 600, 720, 60),
        ("Thu", 600, 720, 30),
        ("Tue", 540, 1080, 30),
    ]


def test_W4_a_creation_that_lands_late_is_waited_for_and_adopted(rig: Rig) -> None:
    rig.ranges(WEEK)
    rig.world.faults.append(Fault("PATCH", "late", after=5))
    first = rig.sync(quiet_after=False)
    assert first.status == "failed"
    started = rig.clock.time
    assert rig.sync().status in ("quiet", "changed")
    assert rig.clock.time - started >= 10
    assert rig.in_reservekit() == [(day, 540, 1080, 18) for day in range(3)]


def test_W6_a_key_that_may_only_read_holds_what_reservekit_should_get(rig: Rig) -> None:
    in_step(rig)
    behave(rig, writes_refused=403)
    rig.ranges(("Mon Tue", 540, 1080, 30), ("Wed", 540, 1140, 30))
    rig.world.reservations.edit_slot(rig.slot_ids()[0], end=1140)
    report = rig.sync(quiet_after=False)  # each run asks once whether the key may write by now
    assert report.status == "held"
    assert [hold.kind for hold in report.holds] == ["read-only"]
    assert ("Mon Wed", 540, 1140, 30) in rig.in_bitrix24()
    assert (2, 540, 1080, 18) in rig.in_reservekit()
    assert rig.run(dry_run=True).pairs[0].status == "held"
    behave(rig, writes_refused=None)
    assert rig.sync().status == "changed"
    assert (2, 540, 1140, 20) in rig.in_reservekit()


@pytest.mark.parametrize("status", [403, 404])
def test_W6_a_creation_that_a_closed_key_was_refused_is_not_waited_for(status: int, rig: Rig) -> None:
    behave(rig, writes_refused=status)
    rig.ranges(WEEK)
    for _ in range(3):
        started = rig.clock.time
        assert [hold.kind for hold in rig.sync(quiet_after=False).holds] == ["read-only"]
        assert rig.clock.time - started < 5
    behave(rig, writes_refused=None)
    assert rig.sync().status == "changed"
    assert rig.in_reservekit() == [(day, 540, 1080, 18) for day in range(3)]


NO_SUCH_THING = '{"error": {"code": "not_found", "message": "resource not found"}}'


def refuse_deletions(rig: Rig, *, executed: bool, times: int = 9, status: int = 404) -> None:
    rig.world.faults.append(
        Fault("DELETE", "answer", status=status, body=NO_SUCH_THING, executed=executed, times=times)
    )


def test_a_404_that_names_nothing_is_no_refusal_if_the_slot_is_gone(rig: Rig) -> None:
    in_step(rig)
    rig.ranges(("Mon", 540, 1080, 30), ("Sat", 600, 660, 30))
    refuse_deletions(rig, executed=True)
    report = rig.sync()
    assert report.status == "changed"
    assert [change.op for change in report.changes] == ["delete", "delete", "create"]
    assert rig.in_reservekit() == [(0, 540, 1080, 18), (5, 600, 660, 2)]


@pytest.mark.parametrize("status", [403, 404])
def test_W6_what_was_written_before_the_refusal_is_in_the_history(status: int, rig: Rig) -> None:
    in_step(rig)
    rig.ranges(("Mon Tue", 540, 1080, 30), ("Sat", 600, 660, 30))
    refuse_deletions(rig, executed=False, status=status)
    report = rig.sync(quiet_after=False)
    assert (report.status, [change.op for change in report.changes]) == ("held", ["create"])
    assert rig.in_reservekit()[2:] == [(2, 540, 1080, 18), (5, 600, 660, 2)]


def test_W6_a_refused_deletion_with_nothing_before_it_costs_no_reading_back(rig: Rig) -> None:
    in_step(rig)
    rig.ranges(("Mon Tue", 540, 1080, 30))
    refuse_deletions(rig, executed=False, status=403)
    before = rig.requests("reservekit")
    assert rig.sync(quiet_after=False).status == "held"
    assert rig.requests("reservekit") - before == 3  # time slots, bookings, DELETE


@pytest.mark.parametrize(("status", "body"), [(409, '{"error": "it is booked"}'), (200, "<html>")])
def test_a_slot_that_cannot_be_deleted_keeps_no_other_from_it(status: int, body: str, rig: Rig) -> None:
    in_step(rig)
    rig.ranges(("Mon", 540, 1080, 30))
    rig.world.faults.append(Fault("DELETE", "answer", status=status, body=body))
    report = rig.sync(quiet_after=False)
    assert (report.status, len(report.changes)) == ("failed", 1)
    assert rig.in_reservekit() == [(0, 540, 1080, 18), (1, 540, 1080, 18)]


def test_W7_one_pairs_failure_is_that_pairs_alone(make_rig: Callable[..., Rig]) -> None:
    rig = in_step(make_rig(pairs=3))
    for pair in rig.ids:
        rig.ranges(("Mon Tue Wed", 540, 1140, 30), pair=pair)
    rig.world.portal.remove_resource(rig.ids["pair1"][0])
    rig.world.faults.append(Fault(f'"service_id": {rig.ids["pair2"][1]}', "answer", status=400, times=9))
    report = rig.run()
    assert [pair.status for pair in report.pairs] == ["failed", "failed", "changed"]
    assert report.exit_code() == 1
    assert "resource" in str(report.pairs[0].error)
    assert rig.in_reservekit("pair1") == rig.in_reservekit("pair2") == [(day, 540, 1080, 18) for day in range(3)]
    assert rig.in_reservekit("pair3") == [(day, 540, 1140, 20) for day in range(3)]


def test_W3_a_server_that_shifts_days_fails_the_pair_once_and_is_not_asked_again(rig: Rig) -> None:
    rig.ranges(("Fri", 540, 1080, 30))
    rig.sync()
    rig.ranges(("Tue Fri", 540, 1080, 30))

    def stored_elsewhere(_world: object, _api: str, _method: str, _path: str) -> None:
        for slot in rig.world.reservations.slots(rig.ids["pair1"][1]):
            if slot.day == 1:
                rig.world.reservations.edit_slot(slot.id, day=0)

    rig.world.on_request.append(stored_elsewhere)
    first = rig.sync(quiet_after=False)
    assert first.status == "failed"
    assert "day_zero" in str(first.error)
    writes = rig.writes()
    second = rig.sync(quiet_after=False)
    assert second.status == "failed"
    assert "day_zero" in str(second.error)
    assert rig.writes() == writes
    assert rig.in_bitrix24() == [("Tue Fri", 540, 1080, 30)]


def test_S8_a_server_that_replaces_the_list_gets_back_what_it_lost(rig: Rig) -> None:
    in_step(rig)
    behave(rig, patch="replace")
    rig.ranges(("Mon", 540, 1140, 30), ("Tue Wed", 540, 1080, 30))
    first = rig.sync(quiet_after=False)
    assert first.status == "failed"
    assert 'patch = "full"' in str(first.error)
    assert rig.in_reservekit() == [(0, 540, 1140, 20), (1, 540, 1080, 18), (2, 540, 1080, 18)]
    rig.reservekit = {"patch": "full"}
    rig.sync()
    rig.ranges(("Mon", 540, 1200, 30), ("Tue Wed", 540, 1080, 30))
    assert rig.sync().status == "changed"
    assert rig.in_reservekit() == [(0, 540, 1200, 22), (1, 540, 1080, 18), (2, 540, 1080, 18)]
    assert rig.in_bitrix24() == [("Mon", 540, 1200, 30), ("Tue Wed", 540, 1080, 30)]


def test_S5_an_odd_range_that_bitrix24_would_refuse_holds_its_writes_only(rig: Rig) -> None:
    in_step(rig)
    odd = Range(600, 540, ZONE, ("Sun",), 30)
    resource = rig.ids["pair1"][0]
    rig.world.portal.put_slots(resource, [Range(540, 1140, ZONE, ("Mon", "Tue", "Wed"), 30), odd])
    rig.slot(4, 600, 660)
    report = rig.sync()
    assert [hold.kind for hold in report.holds] == ["odd-range"]
    assert rig.in_reservekit() == [(day, 540, 1140, 20) for day in range(3)] + [(4, 600, 660, 1)]
    assert odd in rig.world.portal.slots(resource)


def test_V7_an_odd_range_that_bitrix24_takes_back_is_carried_along(rig: Rig) -> None:
    in_step(rig)
    odd = Range(600, 660, "Mars/Olympus", ("Sun",), 30)
    resource = rig.ids["pair1"][0]
    rig.world.portal.put_slots(resource, [*rig.world.portal.slots(resource), odd])
    rig.slot(4, 600, 660)
    report = rig.sync()
    assert report.status == "changed"
    assert report.problems["bitrix24"][0].reason == "its time zone 'Mars/Olympus' is unknown"
    assert odd in rig.world.portal.slots(resource)
    assert rig.in_reservekit() == [*((day, 540, 1080, 18) for day in range(3)), (4, 600, 660, 1)]


def test_W8_a_dry_run_tells_what_the_run_then_does(rig: Rig) -> None:
    in_step(rig)
    rig.ranges(("Mon", 540, 1140, 30), ("Tue", 540, 1080, 30), ("Thu", 600, 720, 30))
    rig.slot(6, 600, 720, 2)
    before = rig.database.read_bytes()
    writes = rig.writes()
    told = rig.run(dry_run=True)
    assert rig.writes() == writes
    assert rig.database.read_bytes() == before
    assert told.exit_code(tell_changes=True) == 4
    assert told.pairs[0].changes == rig.run().pairs[0].changes


def test_a_stale_first_reading_back_is_read_once_more(rig: Rig) -> None:
    in_step(rig)
    rig.ranges(("Mon Tue Wed", 540, 1140, 30))
    rig.world.faults.append(Fault("GET /v1/time-slots", "stale", skip=1))
    assert rig.sync().status == "changed"
    assert rig.in_reservekit() == [(day, 540, 1140, 20) for day in range(3)]


def test_a_stale_listing_deletes_nothing(rig: Rig) -> None:
    in_step(rig)
    rig.slot(5, 600, 720)
    rig.world.faults.append(Fault("GET /v1/time-slots", "stale", skip=2))
    rig.run()
    rig.run()
    assert rig.sync().status == "quiet"
    assert ("Sat", 600, 720, 120) in rig.in_bitrix24()
    assert (5, 600, 720, 1) in rig.in_reservekit()


def test_W4_a_double_of_a_creation_that_landed_far_too_late_is_held_and_neither_deleted_nor_doubled(rig: Rig) -> None:
    rig.ranges(WEEK)
    rig.world.faults.append(Fault("PATCH", "late", after=50))
    assert rig.sync(quiet_after=False).status == "failed"
    rig.clock.time += 60
    assert rig.sync().status == "changed"
    rig.world.traffic.settle()  # the first one lands now, and every slot is there twice
    report = rig.sync()
    assert [hold.kind for hold in report.holds] == ["duplicate"] * 3
    assert rig.in_bitrix24() == [WEEK]
    assert len(rig.slot_ids()) == 6
    for slot in rig.slot_ids()[3:]:
        rig.world.reservations.remove_slot(slot)
    assert rig.sync().status == "quiet"


def test_S8_a_list_that_was_replaced_is_put_back_even_if_the_answer_got_lost(rig: Rig) -> None:
    in_step(rig)
    behave(rig, patch="replace")
    rig.ranges(("Mon", 540, 1140, 30), ("Tue Wed", 540, 1080, 30), ("Sat", 600, 660, 30))
    rig.world.faults.append(Fault("PATCH", "drop-after"))
    first = rig.sync(quiet_after=False)
    assert 'patch = "full"' in str(first.error)
    assert rig.in_reservekit() == [(0, 540, 1140, 20), (1, 540, 1080, 18), (2, 540, 1080, 18), (5, 600, 660, 2)]
    assert rig.in_bitrix24() == [("Mon", 540, 1140, 30), ("Sat", 600, 660, 30), ("Tue Wed", 540, 1080, 30)]
    assert rig.sync().status == "quiet"
