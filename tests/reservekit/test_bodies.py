"""Writing strictly: documented fields only, and what would be refused is refused before it is sent."""

from __future__ import annotations

from typing import Any

import pytest

from slotbridge.errors import Rejected
from slotbridge.lenses.items import TimeSlot
from slotbridge.reservekit import Customer, ReserveKitClient, bodies
from slotbridge.reservekit.models import read_time_slot
from tests.reservekit.kit import Server, slot


def test_a_slot_to_be_created_is_written_without_id_and_with_day_zero() -> None:
    assert bodies.time_slot(TimeSlot(None, 0, "a", "b", 1)) == {
        "day_of_week": 0,
        "start_time": "a",
        "end_time": "b",
        "max_bookings": 1,
    }


def test_an_odd_slot_is_written_as_it_was_with_the_documented_fields_only() -> None:
    odd = read_time_slot(slot(9, day_of_week=None, available=True))
    assert bodies.time_slot(odd) == {
        "id": 9,
        "day_of_week": None,
        "start_time": "2023-01-01 09:00:00",
        "end_time": "2023-01-01 17:00:00",
        "max_bookings": 8,
    }


LIMITS = [
    (lambda client: client.create_service("x" * 73, "UTC"), "the name has 73 characters, 72 are allowed"),
    (lambda client: client.create_service(" ", "UTC"), "the name is empty"),
    (lambda client: client.create_service("Dental", "Mars/Olympus"), "the time zone 'Mars/Olympus' is unknown"),
    (lambda client: client.create_service("Dental", ""), "the time zone '' is unknown"),
    (lambda client: client.update_service(5, name="x" * 73), "the name has 73 characters"),
    (lambda client: client.update_service(5, name=""), "the name is empty"),
    (lambda client: client.update_service(5, description="x" * 256), "the description has 256 characters"),
    (lambda client: client.create_booking(1, 2, "2025-02-30"), "the date '2025-02-30' is none"),
    (lambda client: client.create_booking(1, 2, "2025-W10-1"), "the date '2025-W10-1' is none"),
    (lambda client: client.create_booking(1, 2, "20250310"), "the date '20250310' is none"),
    (lambda client: client.update_booking(9, status="lost"), "there is no status 'lost'"),
    (lambda client: client.update_booking(9, status="cancelled"), "a cancellation has no reason"),
    (lambda client: client.update_booking(9, date="soon"), "the date 'soon' is none"),
    (lambda client: client.cancel_booking(9, "  "), "the reason is empty"),
]


@pytest.mark.parametrize(("call", "said"), LIMITS)
async def test_what_would_be_refused_is_not_sent(call: Any, said: str) -> None:
    server = Server([])
    with pytest.raises(Rejected) as caught:
        await call(server.client())
    assert said in caught.value.what
    assert caught.value.what.endswith("; nothing was sent")
    assert (caught.value.side, bool(caught.value.item), bool(caught.value.hint)) == ("reservekit", True, True)
    assert server.asked == []


@pytest.mark.parametrize(
    "customer",
    [
        Customer(name=""),
        Customer(email="ada"),
        Customer(email="ada@"),
        Customer(email="ada @example.com"),
        Customer(email="ada@example"),
        Customer(phone="030 123456"),
        Customer(phone="+0301234567"),
        Customer(phone="+4930 123456"),
        Customer(phone="+123456"),
        Customer(phone="+1234567890123456"),
    ],
)
async def test_a_customer_that_would_be_refused_is_not_sent_and_not_shown(customer: Customer) -> None:
    def calls(client: ReserveKitClient) -> list[Any]:
        return [client.create_booking(1, 2, "2025-03-10", customer), client.update_booking_customer(9, customer)]

    server = Server([])
    for call in calls(server.client()):
        with pytest.raises(Rejected) as caught:
            await call
        shown = f"{caught.value} {caught.value.as_json()} {customer!r}"
        assert not any(text in shown for text in (customer.email, customer.phone) if text)
    assert server.asked == []


def test_the_longest_texts_that_are_allowed() -> None:
    body = bodies.new_service("ä" * 72, "Asia/Kuala_Lumpur", "ß" * 255, item="the new service")
    assert body == {"name": "ä" * 72, "description": "ß" * 255, "timezone": "Asia/Kuala_Lumpur"}


def test_what_is_none_is_left_out_and_an_empty_description_is_not() -> None:
    assert bodies.service_changes(None, "", item="service 5") == {"description": ""}
    assert bodies.booking_changes(None, None, None, "", item="booking 9") == {"message": ""}
    assert bodies.customer_changes(Customer(id=7, phone="+4930123456"), item="x") == {"phone": "+4930123456"}
