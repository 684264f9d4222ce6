"""What the daemon shows and hears over HTTP, in its own event loop (S15).

It may be reached by the whole world, since the portal has to reach it: bodies, connections and their time are bounded.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from ipaddress import IPv6Address, ip_address

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from slotbridge.daemon.condition import Condition
from slotbridge.daemon.hooks import Hooks
from slotbridge.daemon.metrics import CONTENT_TYPE, Metrics
from slotbridge.errors import ConfigurationError, SlotbridgeError

MAX_BODY = 64 * 1024
MAX_CONNECTIONS = 100
"""One more, and the oldest one that has not said what it wants is closed."""

LONGEST = 10.0
"""Seconds after which a connection is closed, whatever it waits for. Each serves one request."""

HEAD = 3.0
"""Seconds after which one is closed that has not sent the whole head of its request."""

_GRACE = 0.3
_NOT_STORED = {"Cache-Control": "no-store"}

log = structlog.get_logger("slotbridge.daemon")


def outside(condition: Condition, metrics: Metrics, hooks: Hooks) -> Starlette:
    """The application: /healthz, /readyz, /metrics, and the two addresses under /hooks."""

    async def healthz(_request: Request) -> Response:
        why = condition.alive()
        return _told("alive", [why] if why else [])

    async def readyz(_request: Request) -> Response:
        return _told("ready", list(condition.unready()))

    async def numbers(_request: Request) -> Response:
        return Response(metrics.text(), headers={"Content-Type": CONTENT_TYPE, **_NOT_STORED})

    return Starlette(
        routes=[
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", numbers),
            Route("/hooks/bitrix24", _hook(hooks.bitrix24), methods=["POST"]),
            Route("/hooks/reservekit", _hook(hooks.reservekit), methods=["POST"]),
        ]
    )


@asynccontextmanager
async def serving(listen: str, app: ASGIApp) -> AsyncIterator[str | None]:
    """Serves `app` at `listen` while the context lasts; its address, or None where `listen` is empty.

    Leaves the process's signals alone. Raises ConfigurationError if the address cannot be used, or
    SlotbridgeError if another program has it for now.
    """
    if not listen:
        yield None
        return
    with _listener(listen) as listener:
        server = _server(app)
        await server.startup(sockets=[listener])
        await server.on_tick(0)  # this fills in the headers that every answer has
        url = _url(listener)
        log.info("endpoint.listening", url=url)
        try:
            yield url
        finally:
            asyncio.get_running_loop().call_later(_GRACE, _hang_up, server)
            await server.shutdown(sockets=[listener])


def _told(what: str, reasons: list[str]) -> Response:
    return JSONResponse({what: not reasons, "reasons": reasons}, 503 if reasons else 200, headers=_NOT_STORED)


def _hook(take: Callable[[bytes], int]) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        body = bytearray()
        try:
            async for part in request.stream():
                body += part
                if len(body) > MAX_BODY:
                    return Response(status_code=413)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is there to read it
        return Response(status_code=take(bytes(body)))

    return endpoint


def _server(app: ASGIApp) -> uvicorn.Server:
    """A server that is ready to start up. Its own `serve` would take over the process's signals."""
    config = uvicorn.Config(
        app,
        http=_Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        headers=[("Connection", "close")],
        timeout_graceful_shutdown=1,
    )
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    return server


def _hang_up(server: uvicorn.Server) -> None:
    """Closes what is still open when the server is to stop: clients that send slowly or read slowly."""
    for connection in tuple(server.server_state.connections):
        connection.transport.abort()


def is_here(host: str) -> bool:
    """Whether an address is one of this machine's loopback."""
    try:
        address = ip_address(host)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback


class _Protocol(H11Protocol):
    """One request per connection, and not forever."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._begun = self.loop.time()
        self._ends = (self.loop.call_later(HEAD, self._end_silence), self.loop.call_later(LONGEST, transport.abort))
        held = [one for one in self.connections if isinstance(one, _Protocol) and not one.transport.is_closing()]
        if len(held) > MAX_CONNECTIONS:
            min(held, key=_Protocol._worth).transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        for end in self._ends:
            end.cancel()
        super().connection_lost(exc)

    def _end_silence(self) -> None:
        if self.cycle is None:
            self.transport.abort()

    def _worth(self) -> tuple[bool, bool, float]:
        """The least is closed when there are too many: strangers first, then who has not asked yet, then the oldest."""
        asked = self.cycle is not None and not self.cycle.more_body
        return self.client is not None and is_here(self.client[0]), asked, self._begun


def _listener(listen: str) -> socket.socket:
    host, _, port = listen.rpartition(":")
    address = host.strip("[]")
    everywhere = address == "::" and socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        return socket.create_server((address, int(port)), family=family, dualstack_ipv6=everywhere)
    except OSError as error:
        why = (error.strerror or type(error).__name__).partition(" (")[0]
        where = f"[daemon] listen: {listen}"
        hint = 'Another program, or another slotbridge, may listen there: choose another port, or listen = "" for none'
        if error.errno == errno.EADDRINUSE:  # for how long is up to the other one: systemd is to try again
            raise SlotbridgeError(f"the daemon cannot listen ({why})", item=where, hint=hint) from error
        problems = (f"{where} cannot be used ({why})",)
        raise ConfigurationError("the daemon cannot listen", problems=problems, hint=hint) from error


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
