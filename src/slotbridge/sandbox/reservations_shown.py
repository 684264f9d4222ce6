"""How services and time slots look on the wire."""

from __future__ import annotations

from datetime import datetime

from slotbridge.sandbox import times
from slotbridge.sandbox.behaviour import ReserveKitBehaviour
from slotbridge.sandbox.reservations_state import ReservationsState, StoredService, StoredSlot
from slotbridge.sandbox.reservations_wire import Refusal


def found(state: ReservationsState, service_id: int) -> StoredService:
    """The service, or 404 `service_not_found`."""
    service = state.services.get(service_id)
    if service is None:
        raise Refusal(404, "service_not_found", "Service not found")
    return service


def shown_slot(slot: StoredSlot, behaviour: ReserveKitBehaviour) -> dict[str, object]:
    return {
        "id": number(slot.id, behaviour),
        "service_id": number(slot.service_id, behaviour),
        "day_of_week": slot.day,
        "start_time": times.show(slot.start, behaviour.text_form),
        "end_time": times.show(slot.end, behaviour.text_form),
        "max_bookings": slot.max_bookings,
        "created_at": stamp(slot.created_at),
        "updated_at": stamp(slot.updated_at),
        **({"available": True} if behaviour.extras else {}),
    }


def number(value: int, behaviour: ReserveKitBehaviour) -> int | str:
    """An id as the server writes it."""
    return str(value) if behaviour.ids == "text" else value


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def shown_service(service: StoredService, behaviour: ReserveKitBehaviour) -> dict[str, object]:
    zones: dict[str, dict[str, object]] = {
        "present": {"timezone": service.timezone},
        "null": {"timezone": None},
        "empty": {"timezone": ""},
        "missing": {},
    }
    extras = {"version": 1, "provider_id": "7d0c1e5c-2f5c-4c3e-9d6b-3b1f0a6f7a11", "bookings_count": 0}
    return {
        "id": number(service.id, behaviour),
        "name": service.name,
        "description": service.description,
        **zones[behaviour.zones],
        "created_at": stamp(service.created_at),
        "updated_at": stamp(service.created_at),
        **(extras if behaviour.extras else {}),
    }
