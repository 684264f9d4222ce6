"""The routes that read services and time slots, and the deletion of a slot."""

from __future__ import annotations

from slotbridge.sandbox.reservations_shown import found, shown_service, shown_slot
from slotbridge.sandbox.reservations_state import ReservationsState
from slotbridge.sandbox.reservations_wire import Query, Refusal, Success, page


def list_services(state: ReservationsState, query: Query) -> Success:
    """One page of the services."""
    rows = [shown_service(service, state.behaviour) for service in state.services.values()]
    return page("services", rows, query, state.behaviour)


def get_service(state: ReservationsState, service_id: int) -> Success:
    """One service, without its slots."""
    return Success(shown_service(found(state, service_id), state.behaviour))


def list_slots(state: ReservationsState, query: Query) -> Success:
    """One page of a service's time slots."""
    service_id = query.number("service_id")
    if service_id is None:
        raise Refusal(400, "missing_required_field", "service_id is required")
    found(state, service_id)
    return page("time_slots", _shown_slots(state, service_id), query, state.behaviour)


def nested_slots(state: ReservationsState, service_id: int, query: Query) -> Success:
    """A service's time slots under its own path: a bare list in the guide."""
    found(state, service_id)
    rows = _shown_slots(state, service_id)
    return page("time_slots", rows, query, state.behaviour) if state.behaviour.nested_paged else Success(rows)


def delete_slot(state: ReservationsState, slot_id: int) -> Success:
    """Removes one time slot; bookings that refer to it may be in the way."""
    if slot_id not in state.time_slots:
        raise Refusal(404, "time_slot_not_found", "Time slot not found")
    if state.behaviour.booked_slot == "refuse" and state.is_booked(slot_id):
        raise Refusal(409, "time_slot_has_bookings", "Time slot has bookings")
    state.remove_slot(slot_id)
    return Success("ok", state.behaviour.delete_status)


def _shown_slots(state: ReservationsState, service_id: int) -> list[dict[str, object]]:
    rows = state.rows(service_id)
    if state.behaviour.order != "updated":
        rows.sort(key=lambda slot: slot.id, reverse=state.behaviour.order == "reversed")
    return [shown_slot(slot, state.behaviour) for slot in rows]
