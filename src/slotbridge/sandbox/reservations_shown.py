"""How services, time slots, bookings and customers look on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol, TypeVar

from slotbridge.sandbox import times
from slotbridge.sandbox.behaviour import ReserveKitBehaviour
from slotbridge.sandbox.reservations_state import ReservationsState, StoredBooking, StoredService, StoredSlot
from slotbridge.sandbox.reservations_wire import Refusal


class _Stored(Protocol):
    id: int


R = TypeVar("R", bound=_Stored)


def found(state: ReservationsState, service_id: int) -> StoredService:
    """The service, or 404 `service_not_found`."""
    service = state.services.get(service_id)
    if service is None:
        raise Refusal(404, "service_not_found", "Service not found")
    return service


def in_order(state: ReservationsState, rows: list[R]) -> list[R]:
    """The rows, given in the order of their last change, as a listing has them."""
    order = state.behaviour.order
    if order == "updated":
        return rows
    if order == "restless":
        state.listings += 1
        turn = state.listings % max(1, len(rows))
        return rows[turn:] + rows[:turn]
    return sorted(rows, key=lambda row: row.id, reverse=order == "reversed")


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
    extras = {"version": service.version, "provider_id": "7d0c1e5c-2f5c-4c3e-9d6b-3b1f0a6f7a11", "bookings_count": 0}
    return {
        "id": number(service.id, behaviour),
        "name": service.name,
        "description": service.description,
        **zones[behaviour.zones],
        "created_at": stamp(service.created_at),
        "updated_at": stamp(service.updated_at),
        **(extras if behaviour.extras else {}),
    }


def shown_booking(booking: StoredBooking, state: ReservationsState) -> dict[str, object]:
    behaviour = state.behaviour
    shown: dict[str, object] = {
        "id": number(booking.id, behaviour),
        "service_id": number(booking.service_id, behaviour),
        "date": f"{booking.date}T00:00:00Z" if behaviour.booking_date == "timestamp" else booking.date,
        "created_at": stamp(booking.created_at),
        "updated_at": stamp(booking.updated_at),
    }
    if behaviour.booking_form == "schema":
        slot = state.time_slots.get(booking.time_slot_id)
        nested = None if slot is None else shown_slot(slot, behaviour)
        return shown | {"customer_id": booking.customer["id"], "user_id": 1, "version": 1, "time_slot": nested}
    return shown | {
        "time_slot_id": number(booking.time_slot_id, behaviour),
        "status": booking.status,
        "cancel_reason": booking.cancel_reason,
        "message": booking.message,
        "customer": shown_customer(booking, behaviour),
    }


def shown_customer(booking: StoredBooking, behaviour: ReserveKitBehaviour) -> dict[str, object]:
    customer = booking.customer
    stamps = {"created_at": stamp(booking.created_at), "updated_at": stamp(booking.updated_at)}
    return {**customer, "id": number(int(str(customer["id"])), behaviour), **stamps}
