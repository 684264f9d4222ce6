"""The control pages of the ReserveKit side."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date as Day
from typing import Literal

from pydantic import BaseModel, ConfigDict
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from slotbridge.sandbox.control_forms import Page, checked, json_body, known, own_address, require
from slotbridge.sandbox.deliveries import BookingHook
from slotbridge.sandbox.reservations_state import ReservationsState
from slotbridge.sandbox.world import World


class _NewBooking(BaseModel):
    model_config = ConfigDict(extra="forbid")

    time_slot_id: int
    date: Day
    status: Literal["pending", "confirmed", "cancelled"] = "confirmed"
    name: str = "A customer"
    email: str | None = None
    phone: str | None = None


class _BookingEdit(BaseModel):
    model_config = ConfigDict(extra="forbid")

    status: Literal["pending", "confirmed", "cancelled"] | None = None
    cancel_reason: str | None = None
    date: Day | None = None


class _Hook(BaseModel):
    model_config = ConfigDict(extra="forbid")

    url: str
    form: Literal["envelope", "bare"] = "envelope"


def reservations_pages() -> list[Page]:
    """What people do in ReserveKit's dashboard and on its booking page."""
    slots, bookings = "/reservekit/services/{service:int}/time-slots", "/reservekit/bookings"
    return [
        ("POST", slots, _add_slot),
        ("PATCH", f"{slots}/{{slot:int}}", _edit_slot),
        ("DELETE", f"{slots}/{{slot:int}}", _remove_slot),
        ("POST", bookings, _add_booking),
        ("PATCH", f"{bookings}/{{booking:int}}", _edit_booking),
        ("DELETE", f"{bookings}/{{booking:int}}", _remove_booking),
        ("POST", "/reservekit/webhook", _set_hook),
        ("DELETE", "/reservekit/webhook", _clear_hook),
    ]


def reservations_shown(state: ReservationsState) -> dict[str, object]:
    """Everything that the account holds, as people see it."""
    services = [
        {
            "id": service.id,
            "name": service.name,
            "timezone": service.timezone,
            "time_slots": [asdict(slot) for slot in state.slots(service.id)],
        }
        for service in state.services.values()
    ]
    bookings = [
        {"id": row.id, "time_slot_id": row.time_slot_id, "date": row.date, "status": row.status}
        for row in state.bookings.values()
    ]
    return {"services": services, "bookings": bookings}


async def _add_slot(world: World, request: Request) -> Response:
    service_id = request.path_params["service"]
    require(service_id in world.reservations.services, "no such service")
    numbers = await _numbers(request)
    require({"day", "start", "end"} <= numbers.keys(), "day, start and end are wanted", 400)
    slot_id = world.reservations.add_slot(service_id, **numbers)
    return JSONResponse({"id": slot_id}, 201)


async def _edit_slot(world: World, request: Request) -> Response:
    slot_id = _slot_id(world, request)
    world.reservations.edit_slot(slot_id, **await _numbers(request))
    return JSONResponse({"id": slot_id})


async def _remove_slot(world: World, request: Request) -> Response:
    world.reservations.remove_slot(_slot_id(world, request))
    return JSONResponse({"removed": True})


async def _add_booking(world: World, request: Request) -> Response:
    given = checked(_NewBooking, await json_body(request))
    state = world.reservations
    require(given.time_slot_id in state.time_slots, "no such time slot")
    new = state.add_booking(given.time_slot_id, given.date.isoformat(), status=given.status)
    state.bookings[new].customer |= {"name": given.name, "email": given.email, "phone": given.phone}
    return JSONResponse({"id": new}, 201)


async def _edit_booking(world: World, request: Request) -> Response:
    edit = checked(_BookingEdit, await json_body(request))
    row = world.reservations.bookings[_booking_id(world, request)]
    row.status = edit.status or row.status
    row.cancel_reason = edit.cancel_reason or row.cancel_reason
    row.date = edit.date.isoformat() if edit.date else row.date
    return JSONResponse({"id": row.id, "status": row.status, "date": row.date})


async def _remove_booking(world: World, request: Request) -> Response:
    del world.reservations.bookings[_booking_id(world, request)]
    return JSONResponse({"removed": True})


async def _set_hook(world: World, request: Request) -> Response:
    given = checked(_Hook, await json_body(request))
    world.watch_bookings(BookingHook(own_address(given.url), given.form))
    return JSONResponse(given.model_dump(), 201)


async def _clear_hook(world: World, _request: Request) -> Response:
    world.watch_bookings(None)
    return JSONResponse({"removed": True})


def _slot_id(world: World, request: Request) -> int:
    slot_id: int = request.path_params["slot"]
    slot = world.reservations.time_slots.get(slot_id)
    require(slot is not None and slot.service_id == request.path_params["service"], "no such time slot")
    return slot_id


def _booking_id(world: World, request: Request) -> int:
    booking_id: int = request.path_params["booking"]
    require(booking_id in world.reservations.bookings, "no such booking")
    return booking_id


async def _numbers(request: Request) -> dict[str, int]:
    given = known(await json_body(request), ("day", "start", "end", "max_bookings"))
    return checked(dict[str, int], given)
