"""Faults, hooks and the log, without any server."""

from __future__ import annotations

import json
from typing import Any

import pytest

from slotbridge.errors import Side
from slotbridge.sandbox.traffic import Fault, FaultKind, Logged
from slotbridge.sandbox.wire import Answer
from slotbridge.sandbox.world import World

KEY = {"Authorization": "Bearer sk_rsv_sandbox", "Content-Type": "application/json"}
SLOT = {
    "day_of_week": 0,
    "start_time": "2024-01-01 09:00:00",
    "end_time": "2024-01-01 12:00:00",
    "max_bookings": 1,
}


def create(world: World) -> Answer:
    body = json.dumps({"service_id": 123, "time_slots": [SLOT]}).encode()
    return world.answer("PATCH", "/v1/time-slots", "", KEY, body)


def listing(world: World) -> Answer:
    return world.answer("GET", "/v1/time-slots", "service_id=123", KEY, b"")


def count(answer: Answer) -> int:
    return len(json.loads(answer.body)["data"]["time_slots"])


def portal_call(world: World, method: str, params: Any) -> Answer:
    headers = {"Content-Type": "application/json"}
    return world.answer("POST", f"/rest/1/sandbox/{method}", "", headers, json.dumps(params).encode())


@pytest.mark.parametrize(
    ("kind", "executed"), [("drop-before", 0), ("late", 0), ("drop-after", 1), ("slow", 1), ("cut", 1)]
)
def test_whether_the_request_was_executed(world: World, kind: FaultKind, executed: int) -> None:
    world.faults.append(Fault("PATCH", kind))
    answer = create(world)
    assert len(world.reservations.time_slots) == executed
    assert answer.dropped is (kind in ("drop-before", "late", "drop-after"))
    assert (answer.delay > 0) is (kind == "slow")
    assert world.faults == []


def test_a_late_request_lands_after_so_many_others(world: World) -> None:
    world.faults.append(Fault("PATCH", "late", after=2))
    create(world)
    assert [count(listing(world)) for _ in range(3)] == [0, 1, 1]


def test_late_requests_can_be_made_to_land(world: World) -> None:
    world.faults.append(Fault("PATCH", "late", after=9, times=2))
    create(world)
    create(world)
    world.traffic.settle()
    assert count(listing(world)) == 2


def test_a_cut_body_promises_more_than_it_has(world: World) -> None:
    world.faults.append(Fault("", "cut"))
    answer = listing(world)
    assert answer.cut
    assert int(answer.headers["content-length"]) > len(answer.body) > 0


@pytest.mark.parametrize(
    ("kind", "status", "start"),
    [("html", 200, b"<!DOCTYPE"), ("bad-gateway", 502, b"<!DOCTYPE"), ("empty", 200, b""), ("malformed", 200, b"{")],
)
def test_replaced_answers(world: World, kind: FaultKind, status: int, start: bytes) -> None:
    world.faults.extend([Fault("PATCH", kind), Fault("PATCH", kind, executed=True)])
    for executed in (0, 1):
        answer = create(world)
        assert (answer.status, answer.body[: len(start)]) == (status, start)
        assert len(world.reservations.time_slots) == executed
        with pytest.raises(ValueError, match="Expecting"):
            json.loads(answer.body)


def test_a_given_answer(world: World) -> None:
    fault = Fault("services", "answer", status=429, body='{"error":"slow down"}', headers={"Retry-After": "30"})
    world.faults.append(fault)
    answer = world.answer("GET", "/v1/services", "", KEY, b"")
    assert (answer.status, answer.headers["Retry-After"]) == (429, "30")
    assert json.loads(answer.body) == {"error": "slow down"}


def test_a_stale_read_shows_what_was_before(world: World) -> None:
    assert count(listing(world)) == 0
    create(world)
    world.faults.append(Fault("GET", "stale"))
    assert [count(listing(world)), count(listing(world))] == [0, 1]


def test_a_stale_read_of_what_was_never_read_is_fresh(world: World) -> None:
    world.faults.append(Fault("GET", "stale"))
    assert count(listing(world)) == 0


def test_faults_skip_repeat_and_keep_to_their_side(world: World) -> None:
    world.faults.append(Fault("", "drop-before", times=2, skip=1, api="reservekit"))
    assert not portal_call(world, "batch", {}).dropped
    assert [listing(world).dropped for _ in range(5)] == [False, True, True, False, False]


def test_a_fault_finds_what_a_batch_carries(world: World) -> None:
    world.faults.append(Fault("slots.set", "drop-before"))
    read = {"cmd": {"a": "booking.v1.resource.slots.list?resourceId=15"}}
    write = {"cmd": {"a": "booking.v1.resource.slots.set?resourceId=15"}}
    assert not portal_call(world, "batch", read).dropped
    assert portal_call(world, "batch", write).dropped


def test_the_log_tells_writes_from_reads(world: World) -> None:
    listing(world)
    create(world)
    portal_call(world, "batch", {"cmd": ["booking.v1.resource.slots.list?resourceId=15"]})
    portal_call(world, "batch", {"cmd": ["booking.v1.resource.slots.unset?resourceId=15"]})
    portal_call(world, "booking.v1.RESOURCE.UPDATE", {"id": 15, "fields": {}})
    assert [entry.write for entry in world.log] == [False, True, False, True, True]
    assert world.log[0] == Logged("reservekit", "GET", "/v1/time-slots", write=False)


def test_a_person_can_slip_in_before_any_request(world: World) -> None:
    seen: list[str] = []

    def edit(world: World, api: Side, method: str, path: str) -> None:
        seen.append(f"{api} {method} {path}")
        world.reservations.add_slot(123, 0, 540, 600)

    world.on_request.append(edit)
    assert [count(listing(world)), count(listing(world))] == [1, 2]
    assert seen == ["reservekit GET /v1/time-slots"] * 2
