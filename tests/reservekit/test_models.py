"""Reading what ReserveKit sends: tolerant in form, and never a crash."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from slotbridge.lenses.items import Odd, TimeSlot
from slotbridge.reservekit.kinds import identity, problem, whole
from slotbridge.reservekit.models import (
    Booking,
    Customer,
    Service,
    read_booking,
    read_service,
    read_time_slot,
)
from tests.reservekit.kit import slot

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@pytest.mark.parametrize(("written", "number"), [(7, 7), ("7", 7), (7.0, 7), ("-1", -1), ("007", 7), (0, 0)])
def test_a_whole_number_may_be_written_as_number_or_digits(written: object, number: int) -> None:
    assert whole(written) == number


@pytest.mark.parametrize(
    "written",
    [True, False, None, "", " 7", "7.0", "seven", "٧", "1_0", 7.5, float("inf"), 2**63, "9" * 30, [7], {}],
)
def test_nothing_else_is_a_whole_number(written: object) -> None:
    with pytest.raises(ValueError, match="not a"):
        whole(written)


@pytest.mark.parametrize("row", [{}, {"id": None}, {"id": 0}, {"id": -3}, {"id": True}, {"id": "x"}, {"id": []}])
def test_an_id_is_above_zero_or_there_is_none(row: dict[str, object]) -> None:
    assert identity(row) is None


def test_a_time_slot_keeps_its_texts_as_they_are() -> None:
    row = slot(456, start_time="0000-01-01T09:00:00Z", end_time="24:00")
    assert read_time_slot(row) == TimeSlot(456, 1, "0000-01-01T09:00:00Z", "24:00", 8)


@pytest.mark.parametrize(("day", "read"), [(0, 0), ("6", 6), (3.0, 3), (9, 9), (-1, -1)])
def test_a_day_is_read_by_kind_and_not_judged(day: object, read: int) -> None:
    item = read_time_slot(slot(1, day_of_week=day))
    assert isinstance(item, TimeSlot)
    assert item.day_of_week == read


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        ("day_of_week", True, "day_of_week is not a whole number"),
        ("day_of_week", "Mon", "day_of_week is not a whole number"),
        ("day_of_week", None, "day_of_week is not a whole number"),
        ("max_bookings", [8], "max_bookings is not a whole number"),
        ("max_bookings", 2**64, "max_bookings is not a whole number"),
        ("start_time", 540, "start_time is not text"),
        ("end_time", None, "end_time is not text"),
    ],
)
def test_V7_a_field_of_the_wrong_kind_makes_the_slot_odd(field: str, value: object, complaint: str) -> None:
    row = slot(456, **{field: value})
    item = read_time_slot(row)
    assert isinstance(item, Odd)
    assert (item.id, item.problem) == (456, complaint)
    assert json.loads(item.raw) == row


def test_V7_every_wrong_field_is_named() -> None:
    row = slot(456, max_bookings="many")
    del row["start_time"]
    item = read_time_slot(row)
    assert isinstance(item, Odd)
    assert item.problem == "start_time is missing, max_bookings is not a whole number"


@given(
    st.fixed_dictionaries(
        {"id": st.integers(1, 2**63 - 1)},
        optional=dict.fromkeys(("day_of_week", "start_time", "end_time", "max_bookings", "service_id"), ANYTHING),
    )
)
def test_G4_no_slot_with_an_id_is_ever_lost(row: dict[str, Any]) -> None:
    item = read_time_slot(row)
    assert item.id == row["id"]


@pytest.mark.parametrize("zone", [{}, {"timezone": None}, {"timezone": ""}, {"timezone": 3}])
def test_S7_a_service_may_have_no_time_zone(zone: dict[str, object]) -> None:
    assert read_service({"id": "5", "name": "Dental", **zone}) == Service(5, "Dental", None)


@pytest.mark.parametrize("shown", [{}, {"description": None}, {"description": ""}, {"description": ["x"]}])
def test_a_service_may_have_no_description(shown: dict[str, object]) -> None:
    assert read_service({"id": 5, "name": "Dental", **shown}).description is None


def test_a_service_may_have_no_name() -> None:
    assert read_service({"id": 5, "name": None, "timezone": "Europe/Berlin"}) == Service(5, "", "Europe/Berlin")


@pytest.mark.parametrize(
    "row",
    [
        {"time_slot_id": 456, "date": "2025-03-10", "status": "pending"},
        {"time_slot_id": "456", "date": "2025-03-10T00:00:00Z", "status": "pending", "customer": None},
        {"time_slot": {"id": 456, "max_bookings": 2}, "date": "2025-03-10 09:00:00", "status": "pending"},
    ],
)
def test_a_booking_is_read_in_each_documented_form(row: dict[str, object]) -> None:
    assert read_booking({"id": 1, **row}) == Booking(1, 456, "2025-03-10", "pending")


@pytest.mark.parametrize(
    ("customer", "read"),
    [
        ({"id": "3", "name": "Ada", "email": "a@b.c", "phone": "+491"}, Customer(3, "Ada", "a@b.c", "+491")),
        ({"id": 0, "name": "", "email": None, "phone": 491}, Customer()),
        ({}, Customer()),
        (None, None),
        ("Ada", None),
        ([1], None),
    ],
)
def test_whatever_of_a_customer_is_readable_is_read(customer: object, read: Customer | None) -> None:
    assert read_booking({"id": 1, "date": "2025-03-10", "customer": customer}).customer == read


@pytest.mark.parametrize(("status", "cancelled"), [("cancelled", True), ("Canceled", True), ("", False), ("x", False)])
def test_a_status_that_is_not_known_counts_as_active(status: str, cancelled: bool) -> None:
    assert Booking(1, 456, "2025-03-10", status).is_cancelled is cancelled


@pytest.mark.parametrize("row", [{}, {"time_slot_id": None}, {"time_slot_id": 0}, {"time_slot": None}])
def test_a_booking_may_name_no_slot_and_have_no_status(row: dict[str, object]) -> None:
    assert read_booking({"id": 1, "date": "2025-03-10", **row}) == Booking(1, None, "2025-03-10", "")


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ({"time_slot_id": 4}, "date is missing"),
        ({"time_slot_id": 4, "date": None}, "date is not text"),
        ({"time_slot_id": 4, "date": "10 March"}, "date does not start with YYYY-MM-DD"),
        ({"time_slot_id": "x", "date": "2025-03-10"}, "time_slot_id is not a whole number"),
        ({"time_slot": {"id": True}, "date": "2025-03-10"}, "time_slot is not a whole number"),
    ],
)
def test_G3_a_booking_that_cannot_be_placed_is_an_error(row: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValidationError) as caught:
        read_booking({"id": 1, **row})
    assert problem(caught.value) == complaint
