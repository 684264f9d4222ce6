"""The portal that the contenders read from: the sandbox's, with the real bucket, on loopback, and what it counted."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import ceil

import uvicorn

from slotbridge.clock import Clock
from slotbridge.lenses.items import Range
from slotbridge.sandbox.app import make_app
from slotbridge.sandbox.wire import Answer
from slotbridge.sandbox.world import WEBHOOK_PATH, World

RATE, SIZE = 2.0, 50
"""The API documentation: the bucket drains two requests a second, and blocks above 50."""

BATCH = PAGE = 50
ZONE = "Europe/Berlin"
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri")


@dataclass(frozen=True, slots=True)
class Seen:
    """One request: when it came, in seconds since the epoch, how full the bucket was, and how it was answered."""

    at: float
    level: float
    status: int


class CountingWorld(World):
    """A portal with resources of two ranges each. `seen` is every request so far; each answer takes `delay` seconds."""

    def __init__(self, resources: int, clock: Clock | None = None) -> None:
        super().__init__(clock)
        self.seen: list[Seen] = []
        self.delay = 0.0
        # Listing a resource's slots takes the portal less than the tenth of a second from which on it is charged.
        self.portal.behaviour = replace(self.portal.behaviour, operating_cost=0.05, booking_events=False)
        for number in range(1, resources + 1):
            self.portal.add_resource(f"Resource {number}", resource_id=number)
            self.portal.put_slots(number, [Range(540, 720, ZONE, DAYS, 30), Range(780, end_of(number), ZONE, DAYS, 20)])

    def answer(self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> Answer:
        level = self.portal.bucket.level
        answer = super().answer(method, path, query, headers, body)
        self.seen.append(Seen(time.time(), level, answer.status))
        return replace(answer, delay=self.delay)

    @property
    def refused(self) -> int:
        """How many requests were refused because the bucket was full."""
        return sum(seen.status == 503 for seen in self.seen)


def end_of(resource: int) -> int:
    """When the second range of a resource ends: not all alike, so that answers cannot be mixed up unnoticed."""
    return 1000 + resource % 400


@dataclass(frozen=True, slots=True)
class FakePortal:
    """A portal that listens, and its address with the webhook in it."""

    webhook_url: str
    world: CountingWorld


@contextmanager
def fake_portal(resources: int) -> Iterator[FakePortal]:
    """A portal in a thread of this process; those who read from it are other processes."""
    world = CountingWorld(resources)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        # Otherwise the kernel holds each body back until the headers are acknowledged: 40 ms, for some clients only.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        server = uvicorn.Server(
            uvicorn.Config(make_app(world), ws="none", lifespan="off", log_config=None, access_log=False)
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield FakePortal(f"http://127.0.0.1:{listener.getsockname()[1]}{WEBHOOK_PATH}", world)
        finally:
            server.should_exit = server.force_exit = True
            thread.join()


def least_requests(resources: int, *, known: bool) -> int:
    """The fewest requests that can bring the slots of all resources, fifty commands to each.

    Where the ids are not known, pages of the list have to come first; the one that is not full is the last, and it
    rides along with commands that refer to the ids on it. Nobody reads so; it is what cannot be undercut.
    """
    pages = 0 if known else resources // PAGE + 1
    return ceil((resources + pages) / BATCH)


def forced_seconds(requests: int, room: float) -> float:
    """How long the bucket keeps one waiting who needs so many requests and finds it with room for `room` of them."""
    return max(0.0, requests - room) / RATE
