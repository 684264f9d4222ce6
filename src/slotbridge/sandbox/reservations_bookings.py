"""The routes of bookings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from slotbridge.sandbox.behaviour import ReserveKitBehaviour
from slotbridge.sandbox.reservations_shown import found, number, stamp
from slotbridge.sandbox.reservations_state import ReservationsState, StoredBooking
from slotbridge.sandbox.reservations_wire import Query, Refusal, Success, page

_STATUSES = ("pending", "confirmed", "cancelled")


def list_bookings(state: ReservationsState, query: Query) -> Success:
    """One page of a service's bookings, or of all; there is no filter by slot, date or status."""
    service_id = query.number("service_id")
    if service_id is not None:
        found(state, service_id)
    rows = [row for row in state.bookings.values() if service_id in (None, row.service_id)]
    return page("bookings", [_shown(row, state.behaviour) for row in rows], query, state.behaviour)


def get_booking(state: ReservationsState, booking_id: int) -> Success:
    """One booking."""
    return Success(_shown(_found(state, booking_id), state.behaviour))


def create_booking(state: ReservationsState, query: Query, body: Mapping[str, object]) -> Success:
    """Books a slot on a date, as long as there is room."""
    for name in ("date", "time_slot_id"):
        if body.get(name) is None:
            raise Refusal(400, "missing_required_field", f"{name} is required")
    slot_id, day = body["time_slot_id"], _date(body["date"])
    slot = state.time_slots.get(slot_id) if isinstance(slot_id, int) else None
    if slot is None or query.number("service_id") not in (None, slot.service_id):
        raise Refusal(404, "time_slot_not_found", "Time slot not found")
    taken = [row for row in state.bookings.values() if (row.time_slot_id, row.date) == (slot.id, day)]
    taken = [row for row in taken if row.status != "cancelled"]
    email = body.get("customer_email")
    if email is not None and any(row.customer.get("email") == email for row in taken):
        raise Refusal(400, "duplicate_booking", "duplicate booking")
    if len(taken) >= slot.max_bookings:
        raise Refusal(400, "time_slot_full", "time slot is full")
    booking = state.bookings[state.add_booking(slot.id, day, status="pending")]
    booking.customer = {name: body.get(f"customer_{name}") for name in ("name", "email", "phone")}
    return Success(_shown(booking, state.behaviour), 201)


def patch_booking(state: ReservationsState, booking_id: int, body: Mapping[str, object]) -> Success:
    """Changes date, status or message. Cancelled is final, and wants a reason."""
    booking = _found(state, booking_id)
    status = body.get("status", booking.status)
    if status not in _STATUSES:
        raise Refusal(400, "invalid_field_format", "status is unknown")
    if booking.status == "cancelled" and status != "cancelled":
        raise Refusal(422, "invalid_status_transition", "A cancelled booking stays cancelled")
    if status == "cancelled" and not (body.get("cancel_reason") or booking.cancel_reason):
        raise Refusal(400, "missing_required_field", "cancel_reason is required")
    booking.date = _date(body["date"]) if "date" in body else booking.date
    booking.status = str(status)
    booking.cancel_reason = _text(body.get("cancel_reason", booking.cancel_reason))
    booking.message = _text(body.get("message", booking.message))
    return Success(_shown(booking, state.behaviour))


def delete_booking(state: ReservationsState, booking_id: int) -> Success:
    """Removes a booking."""
    del state.bookings[_found(state, booking_id).id]
    return Success("ok", state.behaviour.delete_status)


def _found(state: ReservationsState, booking_id: int) -> StoredBooking:
    booking = state.bookings.get(booking_id)
    if booking is None:
        raise Refusal(404, "booking_not_found", "Booking not found")
    return booking


def _date(value: object) -> str:
    try:
        return date.fromisoformat(str(value)[:10]).isoformat()
    except ValueError as error:
        raise Refusal(400, "invalid_field_format", "date must be YYYY-MM-DD") from error


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _shown(booking: StoredBooking, behaviour: ReserveKitBehaviour) -> dict[str, object]:
    return {
        "id": number(booking.id, behaviour),
        "service_id": number(booking.service_id, behaviour),
        "date": f"{booking.date}T00:00:00Z" if behaviour.booking_date == "timestamp" else booking.date,
        "time_slot_id": number(booking.time_slot_id, behaviour),
        "status": booking.status,
        "cancel_reason": booking.cancel_reason,
        "message": booking.message,
        "created_at": stamp(booking.created_at),
        "updated_at": stamp(booking.created_at),
        "customer": booking.customer,
    }
