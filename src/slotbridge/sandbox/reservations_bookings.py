"""The routes of bookings and their customers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from slotbridge.sandbox.reservations_body import Given
from slotbridge.sandbox.reservations_shown import found, in_order, shown_booking, shown_customer
from slotbridge.sandbox.reservations_state import ReservationsState, StoredBooking, StoredSlot
from slotbridge.sandbox.reservations_wire import Query, Refusal, Success, page

_STATUSES = ("pending", "confirmed", "cancelled")


def list_bookings(state: ReservationsState, query: Query) -> Success:
    """One page of a service's bookings, or of all; there is no filter by slot, date or status."""
    service_id = query.number("service_id")
    if service_id is not None:
        found(state, service_id)
    rows = [row for row in state.bookings.values() if service_id in (None, row.service_id)]
    return page("bookings", [shown_booking(row, state) for row in in_order(state, rows)], query, state.behaviour)


def get_booking(state: ReservationsState, booking_id: int) -> Success:
    """One booking."""
    return Success(shown_booking(_found(state, booking_id), state))


def create_booking(state: ReservationsState, query: Query, body: Mapping[str, object]) -> Success:
    """Books a slot on a date, as long as there is room."""
    given = Given(body, state.behaviour)
    given.require("date", "time_slot_id")
    day, slot_id, message = given.day("date") or "", given.number("time_slot_id"), given.text("message")
    name, email, phone = given.text("customer_name"), given.email("customer_email"), given.phone("customer_phone")
    given.check("date", "time_slot_id", "message", "customer_name", "customer_email", "customer_phone")
    service_id = query.number("service_id")
    if service_id is None and state.behaviour.booking_service == "query":
        raise Refusal(400, "missing_required_field", "service_id is required")
    slot = state.time_slots.get(slot_id or 0)
    if slot is None or service_id not in (None, slot.service_id):
        raise Refusal(404, "time_slot_not_found", "Time slot not found")
    _check_day(state, slot, day)
    _check_room(state, slot, day, email)
    new = state.add_booking(slot.id, day, status=state.behaviour.new_status, name=name, email=email, phone=phone)
    state.bookings[new].message = message
    return Success(shown_booking(state.bookings[new], state), state.behaviour.create_status)


def patch_booking(state: ReservationsState, booking_id: int, body: Mapping[str, object]) -> Success:
    """Changes date, status or message. Cancelled is final, and wants a reason."""
    booking, given = _found(state, booking_id), Given(body, state.behaviour)
    status, day = given.text("status") or booking.status, given.day("date")
    reason, message = given.text("cancel_reason"), given.text("message")
    given.check("date", "status", "cancel_reason", "message")
    if status not in _STATUSES:
        raise Refusal(400, "invalid_field_format", "status is unknown")
    again = state.behaviour.cancelled_again and status == "cancelled"
    if booking.status == "cancelled" and "status" in body and not again:
        raise Refusal(422, "invalid_status_transition", "A cancelled booking stays cancelled")
    if status == "cancelled" and not (reason or booking.cancel_reason):
        raise Refusal(400, "missing_required_field", "cancel_reason is required")
    if day is not None and (slot := state.time_slots.get(booking.time_slot_id)):
        _check_day(state, slot, day)
    booking.date, booking.status = day or booking.date, status
    booking.cancel_reason = booking.cancel_reason if reason is None else reason
    booking.message = booking.message if message is None else message
    booking.updated_at = state.clock.now()
    return Success(shown_booking(booking, state))


def delete_booking(state: ReservationsState, booking_id: int) -> Success:
    """Removes a booking."""
    del state.bookings[_found(state, booking_id).id]
    return Success("ok", state.behaviour.delete_status)


def get_customer(state: ReservationsState, booking_id: int) -> Success:
    """Who made a booking."""
    return Success(shown_customer(_found(state, booking_id), state.behaviour))


def patch_customer(state: ReservationsState, booking_id: int, body: Mapping[str, object]) -> Success:
    """Changes name, e-mail address or phone number."""
    booking, given = _found(state, booking_id), Given(body, state.behaviour)
    changes = {"name": given.text("name"), "email": given.email("email"), "phone": given.phone("phone")}
    given.check(*changes)
    booking.customer |= {name: value for name, value in changes.items() if value is not None}
    booking.updated_at = state.clock.now()
    return Success(shown_customer(booking, state.behaviour))


def _found(state: ReservationsState, booking_id: int) -> StoredBooking:
    booking = state.bookings.get(booking_id)
    if booking is None:
        raise Refusal(404, "booking_not_found", "Booking not found")
    return booking


def _check_day(state: ReservationsState, slot: StoredSlot, day: str) -> None:
    if state.behaviour.booking_weekday and date.fromisoformat(day).weekday() != state.weekday(slot):
        raise Refusal(400, "invalid_field_format", "date is not on the time slot's day of the week")


def _check_room(state: ReservationsState, slot: StoredSlot, day: str, email: str | None) -> None:
    taken = [row for row in state.bookings.values() if (row.time_slot_id, row.date) == (slot.id, day)]
    taken = [row for row in taken if row.status != "cancelled"]
    if email is not None and any(row.customer.get("email") == email for row in taken):
        raise Refusal(400, "duplicate_booking", "duplicate booking")
    if len(taken) >= slot.max_bookings:
        raise Refusal(400, "time_slot_full", "time slot is full")
    limit, now = state.behaviour.bookings_per_month, state.clock.now()
    made = [row for row in state.bookings.values() if row.created_at.strftime("%Y-%m") == now.strftime("%Y-%m")]
    if limit is not None and len(made) >= limit:
        raise Refusal(422, "bookings_per_month_exceeded", "Booking cannot be created: bookings per month exceeded")
