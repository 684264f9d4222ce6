"""A clock that does not wait, and a server that answers from a list and remembers what it was asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import httpx

from slotbridge.http.limiter import Limiter
from slotbridge.http.meter import Meter
from slotbridge.http.transport import Transport
from slotbridge.reservekit import ReserveKitClient
from slotbridge.reservekit.calls import Calls

KEY = "sk_rsv_4f9c1d2e3b5a6978"
BASE = "https://api.reservekit.test/v1"
Answer = httpx.Response | Exception
Handler = Callable[[httpx.Request], Answer]


class FakeClock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self._start = datetime(2025, 3, 3, 9, tzinfo=UTC)
        self._elapsed = 0.0

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed)

    def monotonic(self) -> float:
        return self._elapsed

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self._elapsed += seconds


class Server:
    """Stands in for ReserveKit. `asked` are the requests in their order."""

    def __init__(self, answers: Handler | Iterable[Answer]) -> None:
        self.asked: list[httpx.Request] = []
        self.clock = FakeClock()
        self._answers = answers if callable(answers) else None
        self._queue = iter(()) if callable(answers) else iter(answers)

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self._answers(request) if self._answers else next(self._queue)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def client(
        self, *, key: str = KEY, base_url: str = BASE, meter: Meter | None = None, origin: str | None = None
    ) -> ReserveKitClient:
        network, limiter = httpx.MockTransport(self.handle), Limiter(100, 100, self.clock)
        transport = Transport("reservekit", limiter, self.clock, handler=network, meter=meter)
        return ReserveKitClient(Calls(base_url, key, transport, clock=self.clock, random=Random(1), origin=origin))

    @property
    def sent(self) -> Any:
        """The JSON of the last request."""
        return json.loads(self.asked[-1].content)


def ok(data: object, **beside: object) -> httpx.Response:
    return httpx.Response(200, json={"data": data, **beside})


def refusal(status: int, code: str, message: str = "no", **more: object) -> httpx.Response:
    return httpx.Response(status, json={"error": {"code": code, "message": message, **more}})


def slot(number: int, **fields: object) -> dict[str, object]:
    """A time slot as the guide shows it."""
    return {
        "id": number,
        "service_id": 123,
        "day_of_week": 1,
        "start_time": "2023-01-01 09:00:00",
        "end_time": "2023-01-01 17:00:00",
        "max_bookings": 8,
        "created_at": "2023-06-15T14:22:00Z",
        "updated_at": "2023-06-15T14:22:00Z",
        **fields,
    }


def listed(numbers: Iterable[int], pagination: object = None) -> httpx.Response:
    """A page of time slots with the given ids."""
    return ok({"time_slots": [slot(number) for number in numbers], "pagination": pagination})


def guide(page: int, pages: int, total: int, size: int = 100) -> dict[str, int]:
    """Page numbers by the names of the guide."""
    return {"current_page": page, "total_pages": pages, "total_count": total, "page_size": size}
