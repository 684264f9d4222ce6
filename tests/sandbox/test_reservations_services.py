"""The routes of services."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from slotbridge.sandbox.world import World

from .conftest import FakeClock, ReserveKit

NEW = {"name": "Cleaning", "timezone": "Asia/Kuala_Lumpur", "description": "Teeth"}
SLOT = {
    "day_of_week": 0,
    "start_time": "2024-01-01 09:00:00",
    "end_time": "2024-01-01 12:00:00",
    "max_bookings": 3,
}


def switch(world: World, **switches: Any) -> None:
    world.reservations.behaviour = replace(world.reservations.behaviour, limiter=False, **switches)


async def test_a_service_is_created_and_its_slots_are_not_shown(world: World, reservekit: ReserveKit) -> None:
    answer = await reservekit.call("POST", "/services", {**NEW, "time_slots": [SLOT]})
    made = answer.json()["data"]
    assert (answer.status_code, made["id"], "time_slots" in made) == (201, 124, False)
    assert {name: made[name] for name in NEW} == NEW
    assert [slot["day_of_week"] for slot in await reservekit.slots(124)] == [0]
    switch(world, create_status=200)
    assert (await reservekit.call("POST", "/services", NEW)).status_code == 200


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"name": ""}, (400, "missing_required_field")),
        ({"timezone": None}, (400, "missing_required_field")),
        ({"timezone": "Mars/Olympus"}, (400, "validation_failed")),
        ({"name": "x" * 73}, (400, "validation_failed")),
        ({"name": 5}, (400, "validation_failed")),
        ({"description": "x" * 256}, (400, "validation_failed")),
        ({"time_slots": 5}, (400, "invalid_field_format")),
        ({"time_slots": [SLOT, {**SLOT, "max_bookings": 0}]}, (400, "validation_failed")),
    ],
)
async def test_a_service_that_is_refused_leaves_nothing_behind(
    world: World, reservekit: ReserveKit, changes: dict[str, object], expected: tuple[int, str]
) -> None:
    assert await reservekit.error("POST", "/services", {**NEW, **changes}) == expected
    assert (list(world.reservations.services), world.reservations.time_slots) == ([123], {})


async def test_the_longest_texts_are_taken(reservekit: ReserveKit) -> None:
    longest = {"name": "ä" * 72, "description": "ß" * 255}
    made = await reservekit.data("POST", "/services", {**NEW, **longest})
    assert {name: made[name] for name in longest} == longest


async def test_a_service_is_changed_in_part(world: World, clock: FakeClock, reservekit: ReserveKit) -> None:
    clock.elapsed += 60
    switch(world, extras=True)
    changed = await reservekit.data("PATCH", "/services/123", {"name": "Dentist"})
    assert (changed["name"], changed["timezone"], changed["description"]) == ("Dentist", "Europe/Berlin", None)
    assert (changed["created_at"], changed["updated_at"], changed["version"]) == (
        "2026-03-02T12:00:00Z",
        "2026-03-02T12:01:00Z",
        2,
    )
    assert await reservekit.data("GET", "/services/123") == changed
    assert await reservekit.error("PATCH", "/services/9", {"name": "x"}) == (404, "service_not_found")


async def test_an_empty_text_may_count_as_not_sent(world: World, reservekit: ReserveKit) -> None:
    await reservekit.data("PATCH", "/services/123", {"description": "Teeth"})
    switch(world, empty_text="unchanged")
    assert (await reservekit.data("PATCH", "/services/123", {"description": ""}))["description"] == "Teeth"
    switch(world, empty_text="accept")
    assert (await reservekit.data("PATCH", "/services/123", {"description": ""}))["description"] == ""


async def test_a_zone_is_writable_or_unknown(world: World, reservekit: ReserveKit) -> None:
    slot_id = world.reservations.add_slot(123, 0, 540, 720)
    assert (await reservekit.data("PATCH", "/services/123", {"timezone": "UTC"}))["timezone"] == "UTC"
    assert [(slot.id, slot.start) for slot in world.reservations.slots(123)] == [(slot_id, 540)]
    switch(world, zone_writable=False)
    assert (await reservekit.data("PATCH", "/services/123", {"timezone": "Asia/Tokyo"}))["timezone"] == "UTC"
    switch(world, strict_fields=True)
    assert await reservekit.error("PATCH", "/services/123", {"timezone": "Asia/Tokyo"}) == (400, "validation_failed")


async def test_slots_through_the_service_are_a_switch(world: World, reservekit: ReserveKit) -> None:
    body = {"time_slots": [SLOT]}
    await reservekit.data("PATCH", "/services/123", body)
    assert await reservekit.slots() == []
    switch(world, service_slots=True)
    await reservekit.data("PATCH", "/services/123", body)
    assert len(await reservekit.slots()) == 1


async def test_a_strict_decoder(world: World, reservekit: ReserveKit) -> None:
    switch(world, strict_fields=True)
    answer = await reservekit.call("POST", "/services", {**NEW, "id": 5, "version": 1})
    assert list(answer.json()["error"]["details"]) == ["id", "version"]
    assert await reservekit.data("POST", "/services", NEW)


async def test_the_plan_has_room_for_so_many(world: World, reservekit: ReserveKit) -> None:
    switch(world, services_limit=1)
    assert await reservekit.error("POST", "/services", NEW) == (422, "services_limit_reached")


@pytest.mark.parametrize("outcome", ["cascade", "dangle"])
async def test_a_deleted_service_takes_all_along_and_its_id_is_not_used_again(
    world: World, reservekit: ReserveKit, outcome: Any
) -> None:
    switch(world, booked_slot=outcome)
    world.reservations.add_booking(world.reservations.add_slot(123, 0, 540, 720), "2026-03-09")
    assert await reservekit.data("DELETE", "/services/123") == "ok"
    assert (world.reservations.time_slots, world.reservations.bookings) == ({}, {})
    assert await reservekit.error("DELETE", "/services/123") == (404, "service_not_found")
    assert (await reservekit.data("POST", "/services", NEW))["id"] == 124


@pytest.mark.parametrize("status", [401, 403, 404, 405])
async def test_each_route_can_be_closed(world: World, reservekit: ReserveKit, status: Any) -> None:
    switch(world, closed=("PATCH /services/{id}", "GET /bookings/{id}/customer"), closed_status=status)
    assert (await reservekit.call("PATCH", "/services/123", {"name": "x"})).status_code == status
    assert (await reservekit.call("GET", "/bookings/1/customer")).status_code == status
    assert (await reservekit.call("POST", "/services", NEW)).status_code == 201
