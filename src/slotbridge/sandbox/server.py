"""The sandbox on a real socket, on loopback only."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import cast

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from slotbridge.errors import ConfigurationError, SlotbridgeError
from slotbridge.sandbox.addresses import is_loopback
from slotbridge.sandbox.app import TRANSPORT, make_app
from slotbridge.sandbox.deliveries import send
from slotbridge.sandbox.sample import sample_world
from slotbridge.sandbox.world import RESERVEKIT_KEY, RESERVEKIT_PATH, REST_PATH, TOKEN_PATH, WEBHOOK_PATH, World

_START_TIMEOUT = 10.0
_DELIVERY_INTERVAL = 0.05


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A running sandbox: its address without a path, and its world."""

    url: str
    world: World

    @property
    def webhook_url(self) -> str:
        return f"{self.url}{WEBHOOK_PATH}"

    @property
    def rest_url(self) -> str:
        """Where an application appends its methods."""
        return f"{self.url}{REST_PATH}"

    @property
    def token_url(self) -> str:
        return f"{self.url}{TOKEN_PATH}"

    @property
    def base_url(self) -> str:
        return f"{self.url}{RESERVEKIT_PATH}"

    @property
    def api_key(self) -> str:
        return RESERVEKIT_KEY


def serve(host: str, port: int, *, state: World, ready: Callable[[str], None]) -> None:
    """Serves `state` until the process is told to stop; `ready` gets the address once it listens.

    Port 0 takes a free one. Raises ConfigurationError if `host` is not loopback or the address is taken.
    """
    listener = _listen(host, port)
    state.portal.host = _host(listener)
    with listener:
        _Server(state, lambda: ready(_url(listener))).run(sockets=[listener])


@contextmanager
def running_sandbox(state: World | None = None, *, port: int = 0) -> Iterator[Sandbox]:
    """A sandbox in a thread of its own, with the sample business unless `state` says otherwise."""
    world = state or sample_world()
    listener = _listen("127.0.0.1", port)
    world.portal.host = _host(listener)
    up = threading.Event()
    server = _Server(world, up.set)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    with listener:
        thread.start()
        if not up.wait(_START_TIMEOUT):
            raise SlotbridgeError("The sandbox did not start")
        try:
            yield Sandbox(_url(listener), world)
        finally:
            server.should_exit = True
            thread.join()


class _Server(uvicorn.Server):
    """A quiet server that tells when it is up, and sends events to those who listen."""

    def __init__(self, world: World, up: Callable[[], None]) -> None:
        config = uvicorn.Config(
            make_app(world),
            http=_Protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
        super().__init__(config)
        self._world = world
        self._up = up
        self._messenger: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self._messenger = asyncio.create_task(_deliver(self._world))
        self._up()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._messenger is not None:
            self._messenger.cancel()
            with suppress(asyncio.CancelledError):
                await self._messenger
        await super().shutdown(sockets=sockets)


async def _deliver(world: World) -> None:
    """Sends what is due, for as long as the server runs. What is due goes by the world's clock, the pace does not."""
    while True:
        due = world.deliver_events()
        world.delivered += await asyncio.gather(*(send(delivery) for delivery in due))
        await asyncio.sleep(_DELIVERY_INTERVAL)


class _Protocol(H11Protocol):
    """Hands the connection to the application, so that it can break it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app = _with_transport(cast(ASGIApp, self.app), transport)


def _with_transport(app: ASGIApp, transport: asyncio.Transport) -> ASGIApp:
    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        scope[TRANSPORT] = transport
        await app(scope, receive, send)

    return wrapped


def _listen(host: str, port: int) -> socket.socket:
    address = "127.0.0.1" if host == "localhost" else host
    if not is_loopback(address):
        hint = "Use 127.0.0.1, ::1 or localhost"
        raise ConfigurationError(f"The sandbox does not listen on {host}: it asks nobody for a key", hint=hint)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        listener = socket.create_server((address, port), family=family)
    except OSError as error:
        hint = "Choose another port, or 0 for a free one"
        raise ConfigurationError(f"Port {port} cannot be used: {error.strerror}", hint=hint) from error
    # Connections inherit it. An answer in two writes otherwise waits some 40 ms for the client's acknowledgement.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _url(listener: socket.socket) -> str:
    return f"http://{_host(listener)}"


def _host(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
