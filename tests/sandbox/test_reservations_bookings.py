from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from slotbridge.sandbox.world import World

from .conftest import FakeClock, ReserveKit


@pytest.fixture
def slot_id(world: World) -> int:
    return world.reservations.add_slot(123, 0, 540, 720, 2)


def switch(world: World, **switches: Any) -> None:
    world.reservations.behaviour = replace(world.reservations.behaviour, **switches)


def wanted(slot_id: int, **more: Any) -> dict[str, Any]:
    return {"date": "2026-03-09", "time_slot_id": slot_id, "customer_name": "Ada", **more}


async def test_a_booking_is_a_slot_and_a_date(reservekit: ReserveKit, slot_id: int) -> None:
    answer = await reservekit.call("POST", "/bookings?service_id=123", wanted(slot_id))
    booking = answer.json()["data"]
    assert answer.status_code == 201
    assert {name: booking[name] for name in ("id", "service_id", "date", "time_slot_id", "status")} == {
        "id": 1,
        "service_id": 123,
        "date": "2026-03-09",
        "time_slot_id": slot_id,
        "status": "pending",
    }
    assert booking["customer"]["name"] == "Ada"
    assert await reservekit.data("GET", "/bookings/1") == booking
    listing = await reservekit.data("GET", "/bookings?service_id=123&page=1&page_size=100")
    assert (listing["bookings"], listing["pagination"]["total_count"]) == ([booking], 1)


async def test_there_is_room_for_so_many_and_no_more(reservekit: ReserveKit, slot_id: int) -> None:
    for _ in range(2):
        await reservekit.data("POST", "/bookings?service_id=123", wanted(slot_id))
    assert await reservekit.error("POST", "/bookings", wanted(slot_id)) == (400, "time_slot_full")
    assert await reservekit.data("POST", "/bookings", wanted(slot_id, date="2026-03-16"))


async def test_refused_bookings(reservekit: ReserveKit, slot_id: int) -> None:
    twice = wanted(slot_id, customer_email="ada@example.com")
    await reservekit.data("POST", "/bookings", twice)
    for path, body, expected in (
        ("/bookings", {"date": "2026-03-09"}, (400, "missing_required_field")),
        ("/bookings", wanted(slot_id, date="soon"), (400, "invalid_field_format")),
        ("/bookings", wanted(99), (404, "time_slot_not_found")),
        ("/bookings?service_id=9", wanted(slot_id), (404, "time_slot_not_found")),
        ("/bookings", twice, (400, "duplicate_booking")),
    ):
        assert await reservekit.error("POST", path, body) == expected


async def test_cancelling_wants_a_reason_and_is_final(world: World, reservekit: ReserveKit, slot_id: int) -> None:
    path = f"/bookings/{world.reservations.add_booking(slot_id, '2026-03-09')}"
    assert await reservekit.error("PATCH", path, {"status": "cancelled"}) == (400, "missing_required_field")
    assert await reservekit.error("PATCH", path, {"status": "lost"}) == (400, "invalid_field_format")
    assert (await reservekit.data("PATCH", path, {"date": "2026-03-16"}))["date"] == "2026-03-16"
    cancelled = await reservekit.data("PATCH", path, {"status": "cancelled", "cancel_reason": "ill"})
    assert (cancelled["status"], cancelled["cancel_reason"]) == ("cancelled", "ill")
    expected = (422, "invalid_status_transition")
    assert await reservekit.error("PATCH", path, {"status": "confirmed"}) == expected


async def test_cancelling_again_is_refused_or_not(world: World, reservekit: ReserveKit, slot_id: int) -> None:
    path = f"/bookings/{world.reservations.add_booking(slot_id, '2026-03-09')}"
    again = {"status": "cancelled", "cancel_reason": "ill"}
    await reservekit.data("PATCH", path, again)
    assert await reservekit.error("PATCH", path, again) == (422, "invalid_status_transition")
    assert (await reservekit.data("PATCH", path, {"message": "sorry"}))["message"] == "sorry"
    switch(world, cancelled_again=True)
    assert (await reservekit.data("PATCH", path, again))["status"] == "cancelled"


async def test_a_customer_belongs_to_a_booking(
    world: World, clock: FakeClock, reservekit: ReserveKit, slot_id: int
) -> None:
    ada = {"customer_email": "ada@example.com", "customer_phone": "+4930123456"}
    booking = await reservekit.data("POST", "/bookings?service_id=123", wanted(slot_id, **ada))
    customer = await reservekit.data("GET", "/bookings/1/customer")
    assert customer == booking["customer"]
    assert (customer["name"], customer["email"], customer["phone"]) == ("Ada", "ada@example.com", "+4930123456")
    clock.elapsed += 60
    changed = await reservekit.data("PATCH", "/bookings/1/customer", {"phone": "+4930654321"})
    assert changed == customer | {"phone": "+4930654321", "updated_at": "2026-03-02T12:01:00Z"}
    for method in ("GET", "PATCH"):
        assert await reservekit.error(method, "/bookings/9/customer", {}) == (404, "booking_not_found")


@pytest.mark.parametrize("field", [{"email": "ada"}, {"phone": "030 123"}, {"name": 5}])
async def test_values_that_a_customer_cannot_have(
    world: World, reservekit: ReserveKit, slot_id: int, field: dict[str, object]
) -> None:
    world.reservations.add_booking(slot_id, "2026-03-09")
    assert await reservekit.error("PATCH", "/bookings/1/customer", field) == (400, "validation_failed")
    long = {f"customer_{name}": value for name, value in field.items()}
    assert await reservekit.error("POST", "/bookings", wanted(slot_id, **long)) == (400, "validation_failed")


async def test_the_form_of_the_schema(world: World, reservekit: ReserveKit, slot_id: int) -> None:
    switch(world, booking_form="schema")
    world.reservations.add_booking(slot_id, "2026-03-09")
    booking = await reservekit.data("GET", "/bookings/1")
    assert (booking["time_slot"]["id"], booking["version"]) == (slot_id, 1)
    assert booking.keys().isdisjoint({"status", "message", "cancel_reason", "customer", "time_slot_id"})
    switch(world, booked_slot="dangle")
    world.reservations.remove_slot(slot_id)
    assert (await reservekit.data("GET", "/bookings/1"))["time_slot"] is None


async def test_switches_of_creating(world: World, reservekit: ReserveKit, slot_id: int) -> None:
    switch(world, booking_service="query", booking_weekday=True, new_status="confirmed", bookings_per_month=1)
    path = "/bookings?service_id=123"
    assert await reservekit.error("POST", "/bookings", wanted(slot_id)) == (400, "missing_required_field")
    tuesday = wanted(slot_id, date="2026-03-10")
    assert await reservekit.error("POST", path, tuesday) == (400, "invalid_field_format")
    assert (await reservekit.data("POST", path, wanted(slot_id)))["status"] == "confirmed"
    assert await reservekit.error("POST", path, wanted(slot_id)) == (422, "bookings_per_month_exceeded")
    assert await reservekit.error("PATCH", "/bookings/1", {"date": "2026-03-10"}) == (400, "invalid_field_format")


async def test_a_strict_decoder(world: World, reservekit: ReserveKit, slot_id: int) -> None:
    switch(world, strict_fields=True)
    for method, path, body in (
        ("POST", "/bookings", wanted(slot_id, service_id=123)),
        ("PATCH", "/bookings/1", {"id": 1, "date": "2026-03-16"}),
        ("PATCH", "/bookings/1/customer", {"id": 31, "name": "Eve"}),
    ):
        world.reservations.add_booking(slot_id, "2026-03-09")
        assert await reservekit.error(method, path, body) == (400, "validation_failed")
    assert world.reservations.bookings[1].date == "2026-03-09"


async def test_deleting_and_the_long_form_of_a_date(world: World, reservekit: ReserveKit, slot_id: int) -> None:
    world.reservations.behaviour = replace(world.reservations.behaviour, booking_date="timestamp")
    world.reservations.add_booking(slot_id, "2026-03-09")
    assert (await reservekit.data("GET", "/bookings/1"))["date"] == "2026-03-09T00:00:00Z"
    assert await reservekit.data("DELETE", "/bookings/1") == "ok"
    assert await reservekit.error("DELETE", "/bookings/1") == (404, "booking_not_found")
