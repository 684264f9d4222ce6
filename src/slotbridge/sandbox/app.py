"""The sandbox as one ASGI application: both APIs and the control pages."""

from __future__ import annotations

import asyncio

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from slotbridge.clock import Clock
from slotbridge.sandbox.control import control_routes
from slotbridge.sandbox.wire import Answer
from slotbridge.sandbox.world import World

TRANSPORT = "slotbridge.transport"  # the scope's entry for the connection, put there by the server


class ConnectionDropped(ConnectionResetError):
    """The connection was to be closed, but no server is there that could close it."""


def make_app(world: World) -> Starlette:
    """The application for one world. Bitrix24 under /rest and /oauth, ReserveKit under /v1, control under /_sandbox."""
    api = _api(world)
    return Starlette(
        routes=[
            Mount("/rest", app=api),
            Mount("/oauth", app=api),
            Mount("/v1", app=api),
            *control_routes(world),
        ]
    )


def _api(world: World) -> ASGIApp:
    async def endpoint(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        headers = dict(request.headers)
        body = await request.body()
        query = scope["query_string"].decode("ascii", "replace")
        answer = world.answer(request.method, scope["path"], query, headers, body)
        if answer.delay and not await _waited(answer.delay, world.clock, receive):
            return
        if answer.dropped:
            await _drop(scope, receive)
        else:
            await _send(answer, scope, receive, send)

    return endpoint


async def _waited(seconds: float, clock: Clock, receive: Receive) -> bool:
    """Waits; False as soon as the client is gone, so that nobody is kept waiting when the server stops."""
    sleep = asyncio.ensure_future(clock.sleep(seconds))
    gone = asyncio.ensure_future(_disconnected(receive))
    done, pending = await asyncio.wait({sleep, gone}, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    return gone not in done


async def _send(answer: Answer, scope: Scope, receive: Receive, send: Send) -> None:
    headers = {"content-length": str(len(answer.body)), **answer.headers}
    if answer.status == 204:
        del headers["content-length"]
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": raw})
    await send({"type": "http.response.body", "body": answer.body, "more_body": answer.cut})
    if answer.cut:
        await _drop(scope, receive, flush=True)


async def _drop(scope: Scope, receive: Receive, *, flush: bool = False) -> None:
    """Closes the connection for real, then waits until the server has noticed, which keeps it quiet."""
    transport = scope.get(TRANSPORT)
    if transport is None:
        raise ConnectionDropped("The sandbox closed the connection")
    if flush:
        transport.close()
    else:
        transport.abort()
    await _disconnected(receive)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
