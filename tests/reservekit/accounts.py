"""Accounts to try the client on: the product's sandbox in each of its forms, and a real one if there is a key."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import httpx

from slotbridge.clock import SystemClock
from slotbridge.http.limiter import Limiter
from slotbridge.http.transport import Transport
from slotbridge.reservekit import ReserveKitClient
from slotbridge.reservekit.calls import Calls
from slotbridge.sandbox.reservations import Reservations
from tests.reservekit.kit import Server

SANDBOX_KEY = "sk_rsv_sandbox"
ENVIRONMENT = "SLOTBRIDGE_CONTRACT_RESERVEKIT_"
REAL_BASE = "https://api.reservekit.io/v1"

# One row for each way in which the documentation contradicts itself about what is read or sent.
FORMS: dict[str, dict[str, Any]] = {
    "guide": {},
    "schema": {"pagination": "page", "envelope": "null-error", "extras": True, "booking_date": "timestamp"},
    "metadata": {"pagination": "metadata", "envelope": "status", "ids": "text", "errors": "status-text"},
    "null": {"pagination": "null", "zones": "null", "errors": "text"},
    "bare list": {"pagination": "list", "zones": "missing", "errors": "status"},
    "clamped": {"max_page_size": 7, "order": "reversed"},
    "strict": {
        "strict_fields": True,
        "partial_update": False,
        "page_required": True,
        "booking_service": "query",
        "booking_weekday": True,
        "zone_writable": False,
        "closed": ("DELETE /time-slots", "DELETE /services/{id}"),
        "closed_status": 403,
    },
    "terse": {"patch_answer": "empty", "delete_status": 204, "create_status": 200, "new_status": "confirmed"},
}


class Sandbox:
    """A sandbox account with one service, and a client that talks to it."""

    def __init__(self, **behaviour: Any) -> None:
        self.server = Server(self._answer)
        self.account = Reservations(self.server.clock)
        self.account.behaviour = replace(self.account.behaviour, limiter=False, **behaviour)
        self.service = self.account.add_service("Dental", "Europe/Berlin")
        self.client: ReserveKitClient = self.server.client(key=SANDBOX_KEY)

    def _answer(self, request: httpx.Request) -> httpx.Response | Exception:
        url = request.url
        answer = self.account.answer(
            request.method, url.path, url.query.decode(), dict(request.headers.items()), request.content
        )
        if answer.dropped:
            return httpx.RemoteProtocolError("closed")
        return httpx.Response(answer.status, headers=dict(answer.headers), content=answer.body)

    def fill(self, count: int) -> list[int]:
        return [self.account.add_slot(self.service, n % 7, n, n + 30) for n in range(count)]


@dataclass(frozen=True)
class Account:
    """What the contract is held against. `service` may be written to; None if nothing may."""

    client: ReserveKitClient
    service: int | None
    sandbox: Sandbox | None = None

    @property
    def writable(self) -> int:
        assert self.service is not None
        return self.service


def names(environ: Mapping[str, str] = os.environ) -> list[str]:
    """All forms of the sandbox, and the real account if its key is in the environment."""
    return [*FORMS, *(["real"] if environ.get(f"{ENVIRONMENT}API_KEY") else [])]


def may_write(name: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether the account has a service that may be written to."""
    return name != "real" or bool(environ.get(f"{ENVIRONMENT}SERVICE"))


@asynccontextmanager
async def opened(name: str, environ: Mapping[str, str] = os.environ) -> AsyncIterator[Account]:
    """The account of that name."""
    if name != "real":
        sandbox = Sandbox(**FORMS[name])
        yield Account(sandbox.client, sandbox.service, sandbox)
        return
    clock, service = SystemClock(), environ.get(f"{ENVIRONMENT}SERVICE")
    transport = Transport("reservekit", Limiter(2, 2, clock), clock)
    base = environ.get(f"{ENVIRONMENT}BASE_URL", REAL_BASE)
    client = ReserveKitClient(Calls(base, environ[f"{ENVIRONMENT}API_KEY"], transport, clock=clock, random=Random()))
    try:
        yield Account(client, int(service) if service else None)
    finally:
        await transport.aclose()
