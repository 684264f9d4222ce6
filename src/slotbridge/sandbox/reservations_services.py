"""The routes of services."""

from __future__ import annotations

from collections.abc import Mapping

from slotbridge.sandbox.reservations_body import Given
from slotbridge.sandbox.reservations_patch import create_slots
from slotbridge.sandbox.reservations_shown import found, in_order, shown_service
from slotbridge.sandbox.reservations_state import ReservationsState
from slotbridge.sandbox.reservations_wire import Query, Refusal, Success, page

_NAME = 72
_DESCRIPTION = 255


def list_services(state: ReservationsState, query: Query) -> Success:
    """One page of the services."""
    rows = [shown_service(service, state.behaviour) for service in in_order(state, list(state.services.values()))]
    return page("services", rows, query, state.behaviour)


def get_service(state: ReservationsState, service_id: int) -> Success:
    """One service, without its slots."""
    return Success(shown_service(found(state, service_id), state.behaviour))


def create_service(state: ReservationsState, body: Mapping[str, object]) -> Success:
    """Creates a service, perhaps with slots; the answer does not show these."""
    given = Given(body, state.behaviour)
    given.require("name", "timezone")
    name, zone = given.text("name", _NAME), given.zone("timezone")
    description = given.text("description", _DESCRIPTION)
    given.check("name", "description", "timezone", "time_slots")
    limit = state.behaviour.services_limit
    if limit is not None and len(state.services) >= limit:
        raise Refusal(422, "services_limit_reached", "Service cannot be created: services limit reached")
    service_id = state.add_service(name or "", zone or "", description=description)
    try:
        create_slots(state, service_id, body.get("time_slots") or [])
    except Refusal:
        state.remove_service(service_id)
        raise
    return Success(shown_service(state.services[service_id], state.behaviour), state.behaviour.create_status)


def patch_service(state: ReservationsState, service_id: int, body: Mapping[str, object]) -> Success:
    """Changes what is given. The digits of its slots stay when the zone changes."""
    service, behaviour = found(state, service_id), state.behaviour
    given = Given(body, behaviour)
    name, description = given.text("name", _NAME), given.text("description", _DESCRIPTION)
    zone = given.zone("timezone") if behaviour.zone_writable else None
    given.check("name", "description", *_more(behaviour.zone_writable, behaviour.service_slots))
    if behaviour.service_slots:
        create_slots(state, service_id, body.get("time_slots") or [])
    service.name = name or service.name
    service.description = service.description if description is None else description
    service.timezone = zone or service.timezone
    service.updated_at, service.version = state.clock.now(), service.version + 1
    return Success(shown_service(service, behaviour))


def delete_service(state: ReservationsState, service_id: int) -> Success:
    """Removes a service with its slots and bookings, as the guide says."""
    found(state, service_id)
    state.remove_service(service_id)
    state.bookings = {key: row for key, row in state.bookings.items() if row.service_id != service_id}
    return Success("ok", state.behaviour.delete_status)


def _more(zone_writable: bool, service_slots: bool) -> list[str]:
    return ["timezone"] * zone_writable + ["time_slots"] * service_slots
