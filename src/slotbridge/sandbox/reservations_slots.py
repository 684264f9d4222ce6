"""The routes that read time slots, and the two that delete them."""

from __future__ import annotations

from slotbridge.sandbox.reservations_shown import found, in_order, shown_slot
from slotbridge.sandbox.reservations_state import ReservationsState, StoredSlot
from slotbridge.sandbox.reservations_wire import Query, Refusal, Success, page


def list_slots(state: ReservationsState, query: Query) -> Success:
    """One page of a service's time slots."""
    service_id = query.number("service_id")
    if service_id is None and not state.behaviour.slots_of_all:
        raise Refusal(400, "missing_required_field", "service_id is required")
    rows = list(state.time_slots.values()) if service_id is None else state.rows(found(state, service_id).id)
    return page("time_slots", _shown(state, rows), query, state.behaviour)


def nested_slots(state: ReservationsState, service_id: int, query: Query) -> Success:
    """A service's time slots under its own path: a bare list in the guide."""
    rows = _shown(state, state.rows(found(state, service_id).id))
    return page("time_slots", rows, query, state.behaviour) if state.behaviour.nested_paged else Success(rows)


def delete_slot(state: ReservationsState, slot_id: int) -> Success:
    """Removes one time slot; bookings that refer to it may be in the way."""
    if slot_id not in state.time_slots:
        raise Refusal(404, "time_slot_not_found", "Time slot not found")
    _check_bookings(state, slot_id)
    state.remove_slot(slot_id)
    return Success("ok", state.behaviour.delete_status)


def delete_day(state: ReservationsState, query: Query) -> Success:
    """Removes all time slots of a service's weekday. One page of the guide has it in the Admin API only."""
    service_id, day = query.number("service_id"), query.number("day_of_week")
    if service_id is None or day is None:
        raise Refusal(400, "missing_required_field", "service_id and day_of_week are required")
    rows = [slot for slot in state.rows(found(state, service_id).id) if slot.day == day]
    for slot in rows:
        _check_bookings(state, slot.id)
    for slot in rows:
        state.remove_slot(slot.id)
    return Success("ok", state.behaviour.delete_status)


def _check_bookings(state: ReservationsState, slot_id: int) -> None:
    if state.behaviour.booked_slot == "refuse" and state.is_booked(slot_id):
        raise Refusal(409, "time_slot_has_bookings", "Time slot has bookings")


def _shown(state: ReservationsState, rows: list[StoredSlot]) -> list[dict[str, object]]:
    return [shown_slot(slot, state.behaviour) for slot in in_order(state, rows)]
