"""`PATCH /time-slots` and `DELETE /time-slots/{id}`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx
import pytest

from slotbridge.sandbox.reservations_state import DashboardSlot
from slotbridge.sandbox.world import World

from .conftest import FakeClock, ReserveKit


def wire(**changes: object) -> dict[str, object]:
    plain = {
        "day_of_week": 0,
        "start_time": "2024-01-01 09:00:00",
        "end_time": "2024-01-01 12:00:00",
        "max_bookings": 3,
    }
    return plain | changes


def switch(world: World, **switches: Any) -> None:
    world.reservations.behaviour = replace(world.reservations.behaviour, limiter=False, **switches)


def hours(world: World) -> list[tuple[int, int, int, int]]:
    return [(slot.day, slot.start, slot.end, slot.max_bookings) for slot in world.reservations.slots(123)]


NINE_TO_TWELVE = (0, 540, 720, 3)


def details(answer: httpx.Response) -> dict[str, str]:
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, "validation_failed")
    found: dict[str, str] = error["details"]
    return found


async def test_slots_without_an_id_are_created_and_not_shown_in_the_answer(
    world: World, reservekit: ReserveKit
) -> None:
    answer = await reservekit.patch(wire(), wire(id=None, day_of_week=6))
    assert (answer.status_code, answer.json()) == (200, {"data": []})
    assert hours(world) == [NINE_TO_TWELVE, (6, 540, 720, 3)]
    [first, _] = await reservekit.slots()
    stamps = dict.fromkeys(["created_at", "updated_at"], "2026-03-02T12:00:00Z")
    assert first == wire() | {"id": 1001, "service_id": 123} | stamps


async def test_slots_with_an_id_are_updated_in_place(world: World, clock: FakeClock, reservekit: ReserveKit) -> None:
    slot_id = world.reservations.add_slot(123, 4, 600, 660, 1)
    other = world.reservations.add_slot(123, 5, 600, 660, 1)
    clock.elapsed += 60
    answer = await reservekit.patch(wire(id=slot_id), wire(day_of_week=3))
    [shown] = answer.json()["data"]
    assert (shown["id"], shown["updated_at"]) == (slot_id, "2026-03-02T12:01:00Z")
    assert hours(world) == [NINE_TO_TWELVE, (5, 600, 660, 1), (3, 540, 720, 3)]
    assert world.reservations.slots(123)[1].id == other


async def test_an_update_may_carry_some_fields_only(world: World, reservekit: ReserveKit) -> None:
    slot_id = world.reservations.add_slot(123, 4, 600, 660, 1)
    assert (await reservekit.patch({"id": slot_id, "max_bookings": 9})).status_code == 200
    assert hours(world) == [(4, 600, 660, 9)]


async def test_until_midnight_is_the_next_day(world: World, reservekit: ReserveKit) -> None:
    await reservekit.patch(wire(end_time="2024-01-02 00:00:00"))
    assert hours(world) == [(0, 540, 1440, 3)]
    assert (await reservekit.slots())[0]["end_time"] == "2024-01-02 00:00:00"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"day_of_week": 7}, "day_of_week"),
        ({"day_of_week": -1}, "day_of_week"),
        ({"day_of_week": "1"}, "day_of_week"),
        ({"day_of_week": True}, "day_of_week"),
        ({"max_bookings": 0}, "max_bookings"),
        ({"max_bookings": 1.5}, "max_bookings"),
        ({"id": "5"}, "id"),
        ({"start_time": "09:00"}, "start_time"),
        ({"start_time": "2024-13-01 09:00:00"}, "start_time"),
        ({"end_time": "2024-01-01 24:00:00"}, "end_time"),
        ({"end_time": "2024-01-01 09:00:00"}, "end_time"),
        ({"end_time": "2024-01-02 02:00:00"}, "end_time"),
    ],
)
async def test_values_out_of_range(
    world: World, reservekit: ReserveKit, changes: dict[str, object], field: str
) -> None:
    assert list(details(await reservekit.patch(wire(**changes)))) == [f"time_slots[0].{field}"]
    assert hours(world) == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"time_slots": []}, "missing_required_field"),
        ({"service_id": "123", "time_slots": []}, "missing_required_field"),
        ({"service_id": 123}, "missing_required_field"),
        ({"service_id": 123, "time_slots": [1]}, "invalid_field_format"),
        ({"service_id": 123, "time_slots": [{"day_of_week": 1}]}, "missing_required_field"),
        ([], "invalid_request"),
    ],
)
async def test_bodies_of_the_wrong_shape(reservekit: ReserveKit, body: object, code: str) -> None:
    assert await reservekit.error("PATCH", "/time-slots", body) == (400, code)


async def test_unknown_service_and_broken_json(http: httpx.AsyncClient, reservekit: ReserveKit) -> None:
    body = {"service_id": 9, "time_slots": []}
    assert await reservekit.error("PATCH", "/time-slots", body) == (404, "service_not_found")
    answer = await http.patch("/v1/time-slots", content=b"{", headers=reservekit.headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_request")


@pytest.mark.parametrize("atomic", [False, True])
async def test_a_batch_with_a_bad_slot(world: World, reservekit: ReserveKit, atomic: bool) -> None:
    kept = world.reservations.add_slot(123, 4, 600, 660, 1)
    switch(world, atomic=atomic)
    answer = await reservekit.patch(wire(id=kept), wire(), wire(max_bookings=0))
    assert list(details(answer)) == ["time_slots[2].max_bookings"]
    assert hours(world) == ([(4, 600, 660, 1)] if atomic else [NINE_TO_TWELVE, NINE_TO_TWELVE])


async def test_a_server_that_replaces_the_whole_set(world: World, reservekit: ReserveKit) -> None:
    kept = world.reservations.add_slot(123, 4, 600, 660, 1)
    world.reservations.add_slot(123, 5, 600, 660, 1)
    switch(world, patch="replace", patch_answer="all")
    answer = await reservekit.patch(wire(id=kept), wire())
    assert [slot["id"] for slot in answer.json()["data"]] == [kept, 1003]
    assert hours(world) == [NINE_TO_TWELVE, NINE_TO_TWELVE]


@pytest.mark.parametrize(("stale", "status", "count"), [("404", 404, 0), ("ignore", 200, 0), ("create", 200, 1)])
async def test_an_id_that_no_longer_exists(
    world: World, reservekit: ReserveKit, stale: Any, status: int, count: int
) -> None:
    switch(world, stale_id=stale, patch_answer="empty")
    assert (await reservekit.patch(wire(id=77))).status_code == status
    assert hours(world) == [NINE_TO_TWELVE] * count


async def test_a_slot_of_another_service_is_not_touched(world: World, reservekit: ReserveKit) -> None:
    world.reservations.add_service("Other", "UTC", service_id=124)
    slot_id = world.reservations.add_slot(124, 4, 600, 660, 1)
    assert (await reservekit.patch(wire(id=slot_id))).status_code == 404


async def test_day_zero_may_look_missing(world: World, reservekit: ReserveKit) -> None:
    slot_id = world.reservations.add_slot(123, 4, 600, 660, 1)
    switch(world, zero_day="refuse")
    assert details(await reservekit.patch(wire())) == {"time_slots[0].day_of_week": "is required"}
    switch(world, zero_day="unchanged")
    await reservekit.patch(wire(id=slot_id))
    assert hours(world) == [(4, 540, 720, 3)]


async def test_a_strict_decoder_and_a_largest_batch(world: World, reservekit: ReserveKit) -> None:
    await reservekit.patch(wire(service_id=123, available=True))
    switch(world, strict_fields=True, max_batch=1)
    answer = await reservekit.patch(wire(service_id=123, available=True))
    assert list(details(answer)) == ["time_slots[0].available", "time_slots[0].service_id"]
    assert (await reservekit.patch(wire(), wire())).json()["error"]["code"] == "invalid_request"
    assert len(hours(world)) == 1


async def test_minutes_may_be_rounded_and_nights_allowed(world: World, reservekit: ReserveKit) -> None:
    switch(world, round_minutes=15, overnight=True)
    await reservekit.patch(wire(start_time="2024-01-01 09:08:00", end_time="2024-01-02 01:52:10"))
    assert hours(world) == [(0, 555, 1440 + 105, 3)]


@pytest.mark.parametrize("status", [401, 403, 404, 405])
async def test_writes_can_be_closed_while_reads_go_on(world: World, reservekit: ReserveKit, status: Any) -> None:
    slot_id = world.reservations.add_slot(123, 4, 600, 660, 1)
    switch(world, writes_refused=status)
    assert (await reservekit.patch(wire())).status_code == status
    assert (await reservekit.call("DELETE", f"/time-slots/{slot_id}")).status_code == status
    assert len(await reservekit.slots()) == 1


async def test_deleted_ids_are_never_used_again(world: World, reservekit: ReserveKit) -> None:
    slot_id = world.reservations.add_slot(123, 4, 600, 660, 1)
    assert await reservekit.data("DELETE", f"/time-slots/{slot_id}") == "ok"
    assert await reservekit.error("DELETE", f"/time-slots/{slot_id}") == (404, "time_slot_not_found")
    await reservekit.patch(wire())
    switch(world, delete_status=204)
    answer = await reservekit.call("DELETE", f"/time-slots/{slot_id + 1}")
    assert (answer.status_code, answer.content) == (204, b"")


@pytest.mark.parametrize(
    ("outcome", "status", "slots", "bookings"), [("cascade", 200, 0, 0), ("dangle", 200, 0, 1), ("refuse", 409, 1, 1)]
)
async def test_deleting_a_booked_slot(
    world: World, reservekit: ReserveKit, outcome: Any, status: int, slots: int, bookings: int
) -> None:
    slot_id = world.reservations.add_slot(123, 4, 600, 660, 1)
    world.reservations.add_booking(slot_id, "2026-03-06")
    switch(world, booked_slot=outcome)
    assert (await reservekit.call("DELETE", f"/time-slots/{slot_id}")).status_code == status
    assert (len(world.reservations.time_slots), len(world.reservations.bookings)) == (slots, bookings)


async def test_deleting_by_day_takes_every_slot_of_the_day(world: World, reservekit: ReserveKit) -> None:
    for day in (1, 1, 2):
        world.reservations.add_slot(123, day, 600, 660)
    world.reservations.add_slot(world.reservations.add_service("Other", "UTC"), 1, 600, 660)
    assert await reservekit.error("DELETE", "/time-slots?service_id=123") == (400, "missing_required_field")
    expected = (404, "service_not_found")
    assert await reservekit.error("DELETE", "/time-slots?service_id=9&day_of_week=1") == expected
    assert await reservekit.data("DELETE", "/time-slots?service_id=123&day_of_week=1") == "ok"
    assert hours(world) == [(2, 600, 660, 1)]
    assert len(world.reservations.time_slots) == 2
    switch(world, writes_refused=403)
    assert (await reservekit.call("DELETE", "/time-slots?service_id=123&day_of_week=2")).status_code == 403


async def test_deleting_by_day_stops_at_bookings_before_anything_is_gone(world: World, reservekit: ReserveKit) -> None:
    switch(world, booked_slot="refuse")
    world.reservations.add_slot(123, 1, 600, 660)
    world.reservations.add_booking(world.reservations.add_slot(123, 1, 700, 760), "2026-03-03")
    expected = (409, "time_slot_has_bookings")
    assert await reservekit.error("DELETE", "/time-slots?service_id=123&day_of_week=1") == expected
    assert len(hours(world)) == 2


async def test_an_update_may_need_all_fields(world: World, reservekit: ReserveKit) -> None:
    slot_id = world.reservations.add_slot(123, 4, 600, 660, 1)
    switch(world, partial_update=False)
    body = {"service_id": 123, "time_slots": [{"id": slot_id, "max_bookings": 9}]}
    assert await reservekit.error("PATCH", "/time-slots", body) == (400, "missing_required_field")
    assert (await reservekit.patch(wire(id=slot_id))).status_code == 200
    assert hours(world) == [NINE_TO_TWELVE]


async def test_a_cancelled_booking_is_not_in_the_way(world: World, reservekit: ReserveKit) -> None:
    slot_id = world.reservations.add_slot(123, 4, 600, 660, 1)
    world.reservations.add_booking(slot_id, "2026-03-06", status="cancelled")
    switch(world, booked_slot="refuse")
    assert (await reservekit.call("DELETE", f"/time-slots/{slot_id}")).status_code == 200


async def test_updated_rows_may_move_to_the_end(world: World, reservekit: ReserveKit) -> None:
    first = world.reservations.add_slot(123, 4, 600, 660, 1)
    second = world.reservations.add_slot(123, 5, 600, 660, 1)
    switch(world, order="updated")
    world.reservations.edit_slot(first, max_bookings=2)
    assert [slot["id"] for slot in await reservekit.slots()] == [second, first]


def test_people_edit_in_the_dashboard(world: World) -> None:
    slot_id = world.reservations.add_slot(123, 4, 600, 1440, 2)
    world.reservations.edit_slot(slot_id, day=5, start=660)
    assert world.reservations.slots(123) == (DashboardSlot(slot_id, 5, 660, 1440, 2),)
    world.reservations.remove_service(123)
    assert (world.reservations.time_slots, world.reservations.services) == ({}, {})


async def test_the_sunday_numbering(world: World, reservekit: ReserveKit) -> None:
    switch(world, day_base="sunday")
    ids = [world.reservations.add_slot(123, day, 600, 660) for day in range(7)]
    assert [slot["day_of_week"] for slot in await reservekit.slots()] == [1, 2, 3, 4, 5, 6, 0]
    assert [slot.day for slot in world.reservations.slots(123)] == list(range(7))
    world.reservations.edit_slot(ids[0], day=6)
    assert (await reservekit.slots())[0]["day_of_week"] == 0
