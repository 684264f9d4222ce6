"""The control pages: what a person would do in the two web interfaces, and what shall go wrong, over HTTP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict, fields
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from slotbridge.sandbox.behaviour import PortalBehaviour, ReserveKitBehaviour
from slotbridge.sandbox.control_forms import Handler, Page, checked, json_body, known
from slotbridge.sandbox.control_portal import portal_pages, portal_shown
from slotbridge.sandbox.control_reservations import reservations_pages, reservations_shown
from slotbridge.sandbox.traffic import Fault
from slotbridge.sandbox.words import overview
from slotbridge.sandbox.world import World

B = TypeVar("B", PortalBehaviour, ReserveKitBehaviour)
CONTROL_PATH = "/_sandbox"


def control_routes(world: World) -> list[Route]:
    """The routes below /_sandbox."""
    table: list[Page] = [
        ("GET", "", _help),
        ("GET", "/state", _state),
        ("GET", "/requests", _requests),
        ("GET", "/deliveries", _deliveries),
        *portal_pages(),
        *reservations_pages(),
        ("POST", "/faults", _add_fault),
        ("DELETE", "/faults", _clear_faults),
        ("PATCH", "/behaviour", _change_behaviour),
    ]
    return [Route(f"{CONTROL_PATH}{path}", _bound(world, handler), methods=[method]) for method, path, handler in table]


def state_of(world: World) -> dict[str, object]:
    """Everything that both sides hold, as people see it."""
    return {"bitrix24": portal_shown(world.portal), "reservekit": reservations_shown(world.reservations)}


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


async def _deliveries(world: World, _request: Request) -> Response:
    return JSONResponse([asdict(attempt) for attempt in world.delivered])


async def _add_fault(world: World, request: Request) -> Response:
    given = known(await json_body(request), [member.name for member in fields(Fault)])
    world.faults.append(checked(Fault, {"match": "", **given}))
    return JSONResponse([asdict(fault) for fault in world.faults], 201)


async def _clear_faults(world: World, _request: Request) -> Response:
    world.faults.clear()
    return JSONResponse([])


async def _change_behaviour(world: World, request: Request) -> Response:
    body = known(await json_body(request), ("bitrix24", "reservekit"))
    portal = _changed(world.portal.behaviour, body.get("bitrix24"))
    reservations = _changed(world.reservations.behaviour, body.get("reservekit"))
    world.portal.behaviour, world.reservations.behaviour = portal, reservations
    return JSONResponse({"bitrix24": asdict(portal), "reservekit": asdict(reservations)})


def _changed(behaviour: B, given: object) -> B:
    members = asdict(behaviour)
    return checked(type(behaviour), members | known(given, members))
