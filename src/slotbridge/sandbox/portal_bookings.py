"""`booking.v1.booking.get` and `list`: real periods of time, unlike slot settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from slotbridge.sandbox import php
from slotbridge.sandbox.portal_binding import (
    Params,
    Refusal,
    integer,
    listed,
    optional_array,
    require,
    require_fields,
)
from slotbridge.sandbox.portal_lists import Key, Test, filtered, ordered, page
from slotbridge.sandbox.portal_rows import StoredBooking
from slotbridge.sandbox.portal_state import PortalState


def booking_get(state: PortalState, params: Params) -> object:
    """One booking."""
    require(params, "id")
    row = state.bookings.get(integer(params, "id"))
    if row is None:
        raise Refusal("1021", "Booking not found")
    return {"booking": _shown(state, row)}


def booking_list(state: PortalState, params: Params) -> object:
    """One page of the bookings that touch the period, of these resources."""
    rows = sorted(state.bookings.values(), key=_KEYS["id"])
    rows = filtered(rows, optional_array(params, "filter"), _TESTS)
    some = page(ordered(rows, optional_array(params, "order"), _KEYS), params)
    return {"booking": [_shown(state, row) for row in some]}


def _within(value: object) -> Test[StoredBooking]:
    fields = php.items(value)
    require_fields(fields, "dateFrom", "dateTo")
    begin, end = php.to_int(fields["dateFrom"]), php.to_int(fields["dateTo"])
    if begin >= end:
        raise Refusal("422", "Invalid date period")
    return lambda row: row.start < end and row.end > begin


def _of_resources(value: object) -> Test[StoredBooking]:
    wanted = {php.to_int(item) for item in listed(value)}
    return lambda row: not wanted.isdisjoint(row.resource_ids)


_KEYS: Mapping[str, Key[StoredBooking]] = {
    "id": lambda row: row.id,
    "dateFrom": lambda row: row.start,
    "dateTo": lambda row: row.end,
}
_TESTS: Mapping[str, Callable[[object], Test[StoredBooking]]] = {"within": _within, "resourceId": _of_resources}


def _shown(state: PortalState, row: StoredBooking) -> dict[str, object]:
    empty = None if state.behaviour.empty_as_null else ""
    return {
        "datePeriod": {
            "from": {"timestamp": row.start, "timezone": row.timezone},
            "to": {"timestamp": row.end, "timezone": row.timezone},
        },
        "description": row.description or empty,
        "id": row.id,
        "name": row.name or empty,
        "resourceIds": list(row.resource_ids),
    }
