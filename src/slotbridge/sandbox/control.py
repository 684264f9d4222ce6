"""The control pages: what a person would do in the two web interfaces, and what shall go wrong, over HTTP."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import asdict, fields
from typing import TypeVar

from pydantic import BaseModel, Field, TypeAdapter, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from slotbridge.lenses.items import Range
from slotbridge.sandbox import php
from slotbridge.sandbox.behaviour import PortalBehaviour, ReserveKitBehaviour
from slotbridge.sandbox.traffic import Fault
from slotbridge.sandbox.words import overview
from slotbridge.sandbox.world import World

T = TypeVar("T")
B = TypeVar("B", PortalBehaviour, ReserveKitBehaviour)
CONTROL_PATH = "/_sandbox"
Handler = Callable[[World, Request], Awaitable[Response]]


class _RangeBody(BaseModel):
    """A range as the API writes it; an id is ignored."""

    start: int = Field(alias="from")
    end: int = Field(alias="to")
    timezone: str
    week_days: tuple[str, ...] = Field(alias="weekDays")
    slot_size: int = Field(alias="slotSize")


def control_routes(world: World) -> list[Route]:
    """The routes below /_sandbox."""
    slots = "/reservekit/services/{service:int}/time-slots"
    table: list[tuple[str, str, Handler]] = [
        ("GET", "", _help),
        ("GET", "/state", _state),
        ("GET", "/requests", _requests),
        ("PUT", "/bitrix24/resources/{resource:int}/slots", _put_ranges),
        ("POST", slots, _add_slot),
        ("PATCH", f"{slots}/{{slot:int}}", _edit_slot),
        ("DELETE", f"{slots}/{{slot:int}}", _remove_slot),
        ("POST", "/faults", _add_fault),
        ("DELETE", "/faults", _clear_faults),
        ("PATCH", "/behaviour", _change_behaviour),
    ]
    return [Route(f"{CONTROL_PATH}{path}", _bound(world, handler), methods=[method]) for method, path, handler in table]


def _bound(world: World, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        return await handler(world, request)

    return endpoint


async def _help(world: World, request: Request) -> Response:
    return PlainTextResponse(overview(world, f"{request.url.scheme}://{request.url.netloc}"))


async def _state(world: World, _request: Request) -> Response:
    return JSONResponse(state_of(world))


async def _requests(world: World, _request: Request) -> Response:
    return JSONResponse([asdict(logged) for logged in world.log])


async def _put_ranges(world: World, request: Request) -> Response:
    resource_id = request.path_params["resource"]
    _require(resource_id in world.portal.resources, "no such resource")
    ranges = _checked(list[_RangeBody], await _json(request))
    world.portal.put_slots(resource_id, [Range(**item.model_dump()) for item in ranges])
    return JSONResponse(_resource_state(world, resource_id))


async def _add_slot(world: World, request: Request) -> Response:
    service_id = request.path_params["service"]
    _require(service_id in world.reservations.services, "no such service")
    numbers = await _numbers(request)
    _require({"day", "start", "end"} <= numbers.keys(), "day, start and end are wanted", 400)
    slot_id = world.reservations.add_slot(service_id, **numbers)
    return JSONResponse({"id": slot_id}, 201)


async def _edit_slot(world: World, request: Request) -> Response:
    slot_id = _slot_id(world, request)
    world.reservations.edit_slot(slot_id, **await _numbers(request))
    return JSONResponse({"id": slot_id})


async def _remove_slot(world: World, request: Request) -> Response:
    world.reservations.remove_slot(_slot_id(world, request))
    return JSONResponse({"removed": True})


async def _add_fault(world: World, request: Request) -> Response:
    given = _known(await _json(request), [member.name for member in fields(Fault)])
    world.faults.append(_checked(Fault, {"match": "", **given}))
    return JSONResponse([asdict(fault) for fault in world.faults], 201)


async def _clear_faults(world: World, _request: Request) -> Response:
    world.faults.clear()
    return JSONResponse([])


async def _change_behaviour(world: World, request: Request) -> Response:
    body = _known(await _json(request), ("bitrix24", "reservekit"))
    portal = _changed(world.portal.behaviour, body.get("bitrix24"))
    reservations = _changed(world.reservations.behaviour, body.get("reservekit"))
    world.portal.behaviour, world.reservations.behaviour = portal, reservations
    return JSONResponse({"bitrix24": asdict(portal), "reservekit": asdict(reservations)})


def _changed(behaviour: B, given: object) -> B:
    members = asdict(behaviour)
    return _checked(type(behaviour), members | _known(given, members))


def state_of(world: World) -> dict[str, object]:
    """Everything that both sides hold, as people see it."""
    services = [
        {
            "id": service.id,
            "name": service.name,
            "timezone": service.timezone,
            "time_slots": [asdict(slot) for slot in world.reservations.slots(service.id)],
        }
        for service in world.reservations.services.values()
    ]
    bookings = [
        {"id": row.id, "time_slot_id": row.time_slot_id, "date": row.date, "status": row.status}
        for row in world.reservations.bookings.values()
    ]
    resources = [_resource_state(world, resource_id) for resource_id in world.portal.resources]
    return {"bitrix24": {"resources": resources}, "reservekit": {"services": services, "bookings": bookings}}


def _resource_state(world: World, resource_id: int) -> dict[str, object]:
    resource = world.portal.resources[resource_id]
    rows = [{"id": row.id, **_range_members(row.range)} for row in resource.slots]
    return {"id": resource.id, "name": resource.name, "slots": rows}


def _range_members(item: Range) -> dict[str, object]:
    return {
        "from": item.start,
        "to": item.end,
        "timezone": item.timezone,
        "weekDays": list(item.week_days),
        "slotSize": item.slot_size,
    }


def _slot_id(world: World, request: Request) -> int:
    slot_id: int = request.path_params["slot"]
    slot = world.reservations.time_slots.get(slot_id)
    _require(slot is not None and slot.service_id == request.path_params["service"], "no such time slot")
    return slot_id


async def _numbers(request: Request) -> dict[str, int]:
    given = _known(await _json(request), ("day", "start", "end", "max_bookings"))
    return _checked(dict[str, int], given)


async def _json(request: Request) -> object:
    try:
        return json.loads(await request.body())
    except ValueError as error:
        raise HTTPException(400, "The body is not valid JSON") from error


def _known(given: object, names: Iterable[str]) -> dict[str, object]:
    """The members of a JSON object, all of which must have one of these names."""
    _require(given is None or isinstance(given, dict), "a JSON object is wanted", 400)
    members = php.items(given)
    unknown = members.keys() - set(names)
    _require(not unknown, f"unknown: {', '.join(sorted(unknown))}", 400)
    return members


def _checked(kind: type[T], values: object) -> T:
    """The values as a `kind`; a wrong one is answered with what is wrong."""
    try:
        return TypeAdapter(kind).validate_python(values)
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()]
        raise HTTPException(400, "; ".join(problems)) from error


def _require(condition: bool, problem: str, status: int = 404) -> None:
    if not condition:
        raise HTTPException(status, problem)
