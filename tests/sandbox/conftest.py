from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from slotbridge.lenses.items import Range
from slotbridge.sandbox.app import make_app
from slotbridge.sandbox.world import World

ZONE = "Europe/Berlin"
MONDAY = Range(540, 1080, ZONE, ("Mon",), 30)


class FakeClock:
    """A clock that stands still until it is told to go on, or somebody sleeps."""

    def __init__(self) -> None:
        self.elapsed = 0.0

    def now(self) -> datetime:
        return datetime(2026, 3, 2, 12, tzinfo=UTC) + timedelta(seconds=self.elapsed)

    def monotonic(self) -> float:
        return self.elapsed

    async def sleep(self, seconds: float) -> None:
        self.elapsed += seconds


class Bitrix24:
    """Calls a method of the portal by its webhook."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def call(self, method: str, params: object = None) -> tuple[int, Any]:
        answer = await self.http.post(f"/rest/1/sandbox/{method}", json={} if params is None else params)
        return answer.status_code, answer.json()

    async def result(self, method: str, params: object = None) -> Any:
        status, body = await self.call(method, params)
        assert status == 200, body
        return body["result"]

    async def error(self, method: str, params: object = None) -> tuple[int, str]:
        status, body = await self.call(method, params)
        assert "time" not in body
        return status, body["error"]

    async def slots(self, resource_id: int = 15) -> Any:
        return (await self.result("booking.v1.resource.slots.list", {"resourceId": resource_id}))["slots"]

    async def batch(self, cmd: object, halt: object = 0) -> Any:
        return await self.result("batch", {"halt": halt, "cmd": cmd})


class Application(Bitrix24):
    """Calls a method of the portal with an access token, in the body."""

    def __init__(self, http: httpx.AsyncClient, token: str) -> None:
        super().__init__(http)
        self.token = token

    async def call(self, method: str, params: object = None) -> tuple[int, Any]:
        given = params if isinstance(params, dict) else {}
        answer = await self.http.post(f"/rest/{method}", json={**given, "auth": self.token})
        return answer.status_code, answer.json()


class ReserveKit:
    """Calls the account's API with its key."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http
        self.headers = {"Authorization": "Bearer sk_rsv_sandbox"}

    async def call(self, method: str, path: str, json: object = None) -> httpx.Response:
        return await self.http.request(method, f"/v1{path}", json=json, headers=self.headers)

    async def data(self, method: str, path: str, json: object = None) -> Any:
        answer = await self.call(method, path, json)
        assert answer.is_success, answer.text
        return answer.json()["data"]

    async def error(self, method: str, path: str, json: object = None) -> tuple[int, str]:
        answer = await self.call(method, path, json)
        return answer.status_code, answer.json()["error"]["code"]

    async def slots(self, service_id: int = 123) -> Any:
        listing = await self.data("GET", f"/time-slots?service_id={service_id}&page=1&page_size=100")
        return listing["time_slots"]

    async def patch(self, *slots: object, service_id: int = 123) -> httpx.Response:
        return await self.call("PATCH", "/time-slots", {"service_id": service_id, "time_slots": slots})


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def world(clock: FakeClock) -> World:
    """Resource 15 with one range, service 123 without slots."""
    world = World(clock)
    world.portal.add_resource("Dr. Weber", resource_id=15)
    world.portal.put_slots(15, [MONDAY])
    world.reservations.add_service("Check-up", ZONE, service_id=123)
    return world


@pytest.fixture
async def http(world: World) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(make_app(world))
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as client:
        yield client


@pytest.fixture
def bitrix24(http: httpx.AsyncClient) -> Bitrix24:
    return Bitrix24(http)


@pytest.fixture
def application(world: World, http: httpx.AsyncClient) -> Application:
    return Application(http, world.portal.application.issue(3600).access)


@pytest.fixture
def reservekit(http: httpx.AsyncClient) -> ReserveKit:
    return ReserveKit(http)
