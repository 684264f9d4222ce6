"""What is booked at the portal's own side."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from slotbridge.bitrix24.bookings import BookingEntry
from slotbridge.errors import BadAnswer
from tests.bitrix24.answers import listing
from tests.bitrix24.portal import Portal, ok

DOCUMENTED = {
    "datePeriod": {
        "from": {"timestamp": 1723446900, "timezone": "Europe/Berlin"},
        "to": {"timestamp": 1723447800, "timezone": "Europe/Berlin"},
    },
    "description": None,
    "id": 15,
    "name": "booking 15",
    "resourceIds": [1, 2],
}
START, END = datetime(2024, 8, 12, 7, 15, tzinfo=UTC), datetime(2024, 8, 12, 7, 30, tzinfo=UTC)
BOOKING = BookingEntry(15, "booking 15", "", (1, 2), START, END, "Europe/Berlin")


async def test_one_booking_is_read(portal: Portal) -> None:
    portal.script = [ok({"booking": DOCUMENTED})]
    assert await portal.client.bookings.get(15) == BOOKING
    assert portal.sent == [("booking.v1.booking.get", {"id": 15})]


async def test_a_booking_without_name_resources_and_zone_is_one(portal: Portal) -> None:
    period = {"from": {"timestamp": "1723446900"}, "to": {"timestamp": 1723447800.0, "timezone": None}}
    portal.script = [ok({"booking": {"id": "15", "name": None, "resourceIds": {"4": "2"}, "datePeriod": period}})]
    assert await portal.client.bookings.get(15) == BookingEntry(15, "", "", (2,), START, END, "")


@pytest.mark.parametrize(
    "changes",
    [
        {"id": 16},
        {"datePeriod": None},
        {"datePeriod": []},
        {"datePeriod": {"from": {"timestamp": 1}, "to": {"timestamp": 10**17}}},
        {"datePeriod": {"from": {"timestamp": None}, "to": {"timestamp": 1}}},
        {"resourceIds": "1"},
        {"resourceIds": ["x"]},
    ],
)
async def test_a_booking_that_cannot_be_read_is_a_bad_answer(portal: Portal, changes: dict[str, Any]) -> None:
    portal.script = [ok({"booking": {**DOCUMENTED, **changes}})]
    with pytest.raises(BadAnswer) as caught:
        await portal.client.bookings.get(15)
    assert caught.value.item == "booking 15"


async def test_bookings_are_listed_in_ascending_order(portal: Portal) -> None:
    portal.script = [listing("booking", [DOCUMENTED, {**DOCUMENTED, "id": 3}])]
    assert [booking.id for booking in await portal.client.bookings.list()] == [3, 15]
    assert portal.commands()[0] == ("booking.v1.booking.list", {"order": {"id": "asc"}, "start": "0"})


async def test_bookings_are_chosen_by_period_and_resource(portal: Portal) -> None:
    portal.script = [listing("booking", [DOCUMENTED])]
    assert await portal.client.bookings.list((START, END), [2, 5]) == (BOOKING,)
    chosen = {"within": {"dateFrom": "1723446900", "dateTo": "1723447800"}, "resourceId": ["2", "5"]}
    assert portal.commands()[0][1]["filter"] == chosen


async def test_a_portal_that_drops_the_condition_does_not_mislead_us(portal: Portal) -> None:
    portal.script = [listing("booking", [DOCUMENTED, {**DOCUMENTED, "id": 16, "resourceIds": [9]}])]
    assert [booking.id for booking in await portal.client.bookings.list(resource_ids=[9])] == [16]
