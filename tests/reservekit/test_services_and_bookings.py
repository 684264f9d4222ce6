"""Services, bookings and their customers: what is sent, and what is made of the answer."""

from __future__ import annotations

import httpx
import pytest

from slotbridge.errors import (
    ApiError,
    BadAnswer,
    BudgetSpent,
    NotFound,
    OutcomeUnknown,
    Rejected,
    WriteRefused,
)
from slotbridge.reservekit import Booking, Customer, Service
from tests.reservekit.kit import BASE, Answer, Server, ok, refusal

ADA = Customer(None, "Ada Lind", "ada@example.com", "+4930123456")


def booking(number: int = 9, **fields: object) -> dict[str, object]:
    """A booking as the guide shows it."""
    return {
        "id": number,
        "service_id": 123,
        "date": "2025-03-10",
        "time_slot_id": 456,
        "status": "confirmed",
        "cancel_reason": None,
        "message": None,
        "created_at": "2025-03-03T14:22:00Z",
        "updated_at": "2025-03-03T14:22:00Z",
        "customer": {"id": 31, "name": "Ada Lind", "email": "ada@example.com", "phone": "+4930123456"},
        **fields,
    }


# What is sent


async def test_a_service_is_created_with_name_zone_and_description() -> None:
    made = {"id": 5, "name": "Dental", "description": "Teeth", "timezone": "Europe/Berlin", "version": 1}
    server = Server([httpx.Response(201, json={"data": made})])
    service = await server.client().create_service("Dental", "Europe/Berlin", description="Teeth")
    assert service == Service(5, "Dental", "Europe/Berlin", "Teeth")
    assert (server.asked[0].method, str(server.asked[0].url)) == ("POST", f"{BASE}/services")
    assert server.sent == {"name": "Dental", "description": "Teeth", "timezone": "Europe/Berlin"}


async def test_an_update_of_a_service_carries_what_changes_and_never_the_zone() -> None:
    server = Server([ok("whatever"), httpx.Response(204)])
    client = server.client()
    await client.update_service(5, name="Dentist")
    assert (server.asked[0].method, str(server.asked[0].url)) == ("PATCH", f"{BASE}/services/5")
    assert server.sent == {"name": "Dentist"}
    await client.update_service(5, description="")
    assert server.sent == {"description": ""}


async def test_nothing_to_change_sends_nothing() -> None:
    server = Server([])
    client = server.client()
    await client.update_service(5)
    await client.update_booking(9)
    await client.update_booking_customer(9, Customer(id=31))
    assert server.asked == []


async def test_a_booking_is_made_with_the_service_in_the_query_and_numbers_as_numbers() -> None:
    server = Server([httpx.Response(201, json={"data": booking(message="hello")})])
    made = await server.client().create_booking(123, 456, "2025-03-10", ADA, message="hello")
    assert (made.id, made.time_slot_id, made.date, made.message) == (9, 456, "2025-03-10", "hello")
    assert (server.asked[0].method, str(server.asked[0].url)) == ("POST", f"{BASE}/bookings?service_id=123")
    assert server.sent == {
        "date": "2025-03-10",
        "time_slot_id": 456,
        "customer_name": "Ada Lind",
        "customer_email": "ada@example.com",
        "customer_phone": "+4930123456",
        "message": "hello",
    }


async def test_a_booking_without_customer_is_a_slot_and_a_date() -> None:
    server = Server([ok(booking(customer=None))])
    assert (await server.client().create_booking(123, 456, "2025-03-10")).customer is None
    assert server.sent == {"date": "2025-03-10", "time_slot_id": 456}


async def test_an_update_of_a_booking_carries_what_changes() -> None:
    server = Server([ok("ok")] * 3)
    client = server.client()
    await client.update_booking(9, status="confirmed", date="2025-03-17")
    assert (server.asked[0].method, str(server.asked[0].url)) == ("PATCH", f"{BASE}/bookings/9")
    assert server.sent == {"status": "confirmed", "date": "2025-03-17"}
    await client.update_booking(9, message="")
    assert server.sent == {"message": ""}
    await client.cancel_booking(9, "The slot is gone")
    assert server.sent == {"status": "cancelled", "cancel_reason": "The slot is gone"}


async def test_a_customer_is_read_and_changed_below_the_booking() -> None:
    server = Server([ok({"id": "31", "name": "Ada Lind", "email": "", "phone": None, "x": 1}), ok("ok")])
    client = server.client()
    assert await client.get_booking_customer(9) == Customer(31, "Ada Lind", None, None)
    await client.update_booking_customer(9, Customer(31, email="ada@example.com"))
    assert [(request.method, str(request.url)) for request in server.asked] == [
        ("GET", f"{BASE}/bookings/9/customer"),
        ("PATCH", f"{BASE}/bookings/9/customer"),
    ]
    assert server.sent == {"email": "ada@example.com"}


# What is made of the answer


async def test_a_booking_is_read_with_its_customer() -> None:
    row = booking(status="cancelled", cancel_reason="ill", message="late")
    found = await Server([ok(row)]).client().get_booking(9)
    customer = Customer(31, "Ada Lind", "ada@example.com", "+4930123456")
    assert found == Booking(9, 456, "2025-03-10", "cancelled", customer, "ill", "late")
    assert found.is_cancelled


@pytest.mark.parametrize("data", [booking(8), {"date": "2025-03-10"}, [booking()], "ok", booking(date="soon")])
async def test_an_answer_about_another_booking_or_none_is_not_taken(data: object) -> None:
    with pytest.raises(BadAnswer, match="booking 9"):
        await Server([ok(data)]).client().get_booking(9)


@pytest.mark.parametrize("data", [[], "ok", 7])
async def test_a_customer_that_is_no_object_is_not_taken(data: object) -> None:
    with pytest.raises(BadAnswer, match="customer of booking 9"):
        await Server([ok(data)]).client().get_booking_customer(9)


def test_a_person_s_data_are_not_in_the_repr() -> None:
    shown = repr(Booking(9, 456, "2025-03-10", "confirmed", ADA, "ill with the flu", "call my mother"))
    assert not any(text in shown for text in ("Ada", "example.com", "4930", "flu", "mother"))


UNSEEN = [
    httpx.Response(204),
    httpx.Response(201, json={"data": None}),
    ok("ok"),
    ok({"name": "Dental"}),
    ok({"id": 0}),
    ok([{"id": 5}]),
    httpx.Response(200, json={"error": "odd", "data": {"id": 5}}),
    httpx.Response(200, html="<html>"),
    httpx.Response(500),
    httpx.ReadTimeout("late"),
]


@pytest.mark.parametrize("answer", UNSEEN)
async def test_W5_a_creation_that_is_not_shown_may_have_happened_and_is_sent_once(answer: Answer) -> None:
    server = Server([answer, answer])
    client = server.client()
    with pytest.raises(OutcomeUnknown):
        await client.create_service("Dental", "UTC")
    with pytest.raises(OutcomeUnknown):
        await client.create_booking(123, 456, "2025-03-10")
    assert len(server.asked) == 2


async def test_W5_a_change_whose_answer_is_lost_is_sent_once() -> None:
    server = Server([httpx.ReadError("reset")] * 3)
    client = server.client()
    for call in (
        client.update_service(5, name="x"),
        client.cancel_booking(9, "gone"),
        client.update_booking_customer(9, ADA),
    ):
        with pytest.raises(OutcomeUnknown):
            await call
    assert len(server.asked) == 3


# Cancelling


@pytest.mark.parametrize(
    "refused",
    [
        refusal(422, "invalid_status_transition"),
        httpx.Response(422, json={"error": "Invalid status transition", "data": None}),
        refusal(409, "conflict"),
        refusal(400, "invalid_request"),
    ],
)
async def test_what_is_already_cancelled_is_a_success_once_it_was_looked_at(refused: httpx.Response) -> None:
    server = Server([refused, ok(booking(status="cancelled", cancel_reason="ill"))])
    await server.client().cancel_booking(9, "gone")
    assert [request.method for request in server.asked] == ["PATCH", "GET"]


@pytest.mark.parametrize("status", ["confirmed", "pending", "", "archived"])
async def test_what_still_stands_after_a_refusal_is_a_failure(status: str) -> None:
    server = Server([refusal(422, "invalid_status_transition"), ok(booking(status=status))])
    with pytest.raises(Rejected) as caught:
        await server.client().cancel_booking(9, "gone")
    assert caught.value.code == "invalid_status_transition"


@pytest.mark.parametrize(
    "answer",
    [
        refusal(404, "booking_not_found"),
        httpx.Response(404, json={"error": "Booking not found", "data": None}),
        refusal(404, "not_found", "no such booking"),
    ],
)
async def test_cancelling_what_was_deleted_says_so(answer: httpx.Response) -> None:
    with pytest.raises(NotFound, match="deleted in the meantime") as caught:
        await Server([answer]).client().cancel_booking(9, "gone")
    assert caught.value.code == "booking_not_found"


async def test_a_missing_route_is_not_taken_for_a_missing_booking() -> None:
    server = Server([httpx.Response(404, text="404 page not found")])
    with pytest.raises(WriteRefused, match="change the booking in the ReserveKit dashboard"):
        await server.client().cancel_booking(9, "gone")


# Refusals


@pytest.mark.parametrize(
    ("answer", "code", "hint"),
    [
        (refusal(400, "time_slot_full"), "time_slot_full", "another date"),
        (httpx.Response(400, json={"error": "time slot is full"}), "time_slot_full", "another date"),
        (httpx.Response(400, json={"error": "duplicate booking"}), "duplicate_booking", "not made twice"),
        (refusal(400, "validation_failed"), "validation_failed", "dashboard"),
    ],
)
async def test_a_refused_booking_says_why(answer: httpx.Response, code: str, hint: str) -> None:
    with pytest.raises(Rejected) as caught:
        await Server([answer]).client().create_booking(123, 456, "2025-03-10")
    assert caught.value.code == code
    assert hint in (caught.value.hint or "")


@pytest.mark.parametrize(
    "answer",
    [
        refusal(422, "services_limit_reached"),
        refusal(403, "forbidden", "Your plan's services limit is reached"),
        httpx.Response(429, json={"error": "Maximum number of services reached"}),
        httpx.Response(429, json={"error": "bookings per month exceeded"}),
    ],
)
async def test_a_plan_without_room_is_neither_the_rate_nor_the_month_nor_a_closed_key(answer: httpx.Response) -> None:
    server = Server([answer])
    with pytest.raises(Rejected, match="larger plan"):
        await server.client().create_service("Dental", "UTC")
    assert len(server.asked) == 1


@pytest.mark.parametrize("kind", [refusal(429, "api_limit_exceeded"), refusal(429, "rate_limit_exceeded")])
async def test_the_limits_of_requests_stay_what_they_are_when_writing(kind: httpx.Response) -> None:
    server = Server([kind] * 4)
    with pytest.raises(ApiError) as caught:
        await server.client().create_service("Dental", "UTC")
    assert isinstance(caught.value, BudgetSpent) is (len(server.asked) == 1)


@pytest.mark.parametrize("status", [401, 403, 404, 405])
async def test_W6_a_closed_surface_names_its_own_way_out(status: int) -> None:
    client = Server([httpx.Response(status)] * 2).client()
    with pytest.raises(WriteRefused, match="change the service in the ReserveKit dashboard"):
        await client.update_service(5, name="x")
    with pytest.raises(WriteRefused, match="change the booking in the ReserveKit dashboard"):
        await client.update_booking_customer(9, ADA)
