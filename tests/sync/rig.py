"""The real engine, store and clients over the sandbox's world, in process and with a clock that stands still."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import httpx

from slotbridge.lenses.items import Range
from slotbridge.reconcile.model import Initial
from slotbridge.sandbox.world import RESERVEKIT_KEY, RESERVEKIT_PATH, WEBHOOK_PATH, World
from slotbridge.settings import PairSettings, Settings, load_settings
from slotbridge.store import Store
from slotbridge.sync.bridge import Bridge, Look, Verified
from slotbridge.sync.report import PairReport, RunReport
from tests.http.clock import FakeClock

ZONE = "Europe/Berlin"
HOST = "http://127.0.0.1:1"

T = TypeVar("T")


class Network(httpx.AsyncBaseTransport):
    """Hands requests to the world; `before` is called ahead of each, so that a test can edit in between."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        url = request.url
        headers = dict(request.headers.items())
        answer = self.world.answer(request.method, url.path, url.query.decode(), headers, body)
        if answer.dropped:
            raise httpx.RemoteProtocolError("Server disconnected without sending a response.", request=request)
        if answer.cut:
            raise httpx.RemoteProtocolError("peer closed connection without sending complete body", request=request)
        return httpx.Response(answer.status, headers=dict(answer.headers), content=answer.body)


class Rig:
    """A world with pairs, a database file, and runs over them. Each run is a new process as far as slotbridge knows."""

    def __init__(self, folder: Path, pairs: int = 1, zone: str | None = ZONE, **options: Any) -> None:
        self.clock = FakeClock()
        self.zone = ZONE
        self.world = World(self.clock)
        self.world.portal.behaviour = replace(self.world.portal.behaviour, limiter=False)
        self.world.reservations.behaviour = replace(
            self.world.reservations.behaviour, limiter=False, requests_per_month=None
        )
        self.database = folder / "slotbridge.db"
        self.reservekit: dict[str, Any] = {}
        self.unattended = False
        self.options: dict[str, Any] = options
        self.pair_options: dict[str, dict[str, Any]] = {}
        self.ids: dict[str, tuple[int, int]] = {}
        for number in range(1, pairs + 1):
            name = f"pair{number}"
            resource = self.world.portal.add_resource(name)
            self.ids[name] = (resource, self.world.reservations.add_service(name, zone or ""))
        self._random = random.Random(1)

    @property
    def settings(self) -> Settings:
        environ = {
            "SLOTBRIDGE_BITRIX24__WEBHOOK_URL": HOST + WEBHOOK_PATH,
            "SLOTBRIDGE_BITRIX24__REQUESTS_PER_SECOND": "1000",
            "SLOTBRIDGE_RESERVEKIT__REQUESTS_PER_SECOND": "1000",
            "SLOTBRIDGE_RESERVEKIT__BASE_URL": HOST + RESERVEKIT_PATH,
            "SLOTBRIDGE_RESERVEKIT__API_KEY": RESERVEKIT_KEY,
            "SLOTBRIDGE_STORE__URL": f"sqlite:///{self.database}",
        }
        environ |= {f"SLOTBRIDGE_RESERVEKIT__{key.upper()}": str(value) for key, value in self.reservekit.items()}
        return load_settings(None, environ)

    @property
    def pairs(self) -> list[PairSettings]:
        return [
            PairSettings(
                name=name,
                resource_id=resource,
                service_id=service,
                **(self.options | self.pair_options.get(name, {})),
            )
            for name, (resource, service) in self.ids.items()
        ]

    def run(self, *, dry_run: bool = False, **how: Any) -> RunReport:
        """One run of a new process; the database is opened and closed around it."""
        return asyncio.run(self._run(dry_run, how))

    def look(self) -> Look:
        """What `show` shows of the first pair."""
        return asyncio.run(self._using(Store.open_existing, lambda bridge: bridge.look(self.pairs[0])))

    def verified(self) -> Verified:
        """What `verify` says of the first pair."""
        return asyncio.run(self._using(Store.open_existing, lambda bridge: bridge.verify(self.pairs[:1])))[0]

    def looked(self) -> dict[str, str | None]:
        """What Bitrix24 holds for each pair, as a daemon looks at it."""
        return asyncio.run(self._using(Store.open, lambda bridge: bridge.bitrix24_digests(self.pairs)))

    async def _run(self, dry_run: bool, how: dict[str, Any]) -> RunReport:
        opened = Store.open_existing if dry_run else Store.open
        return await self._using(opened, lambda bridge: bridge.sync(self.pairs, dry_run=dry_run, **how))

    async def _using(self, opened: Callable[..., Store | None], job: Callable[[Bridge], Awaitable[T]]) -> T:
        store = opened(f"sqlite:///{self.database}", clock=self.clock)
        bridge = Bridge.connect(
            self.settings,
            store,
            clock=self.clock,
            random=self._random,
            network=Network(self.world),
            unattended=self.unattended,
        )
        try:
            return await job(bridge)
        finally:
            await bridge.aclose()
            if store is not None:
                store.close()

    def sync(self, *, quiet_after: bool = True, initial: Initial | None = None, **how: Any) -> PairReport | Any:
        """A run, told for its first pair, and then a second one, which has to be quiet (M8, G6)."""
        report = self.run(initial=initial, **how)
        if quiet_after:
            self.is_quiet(report)
        return report.pairs[0]

    def is_quiet(self, after: RunReport) -> None:
        """A second run writes nothing, keeps the same holds, and leaves the base as it was."""
        base = self.base()
        writes = self.writes()
        again = self.run()
        for first, second in zip(after.pairs, again.pairs, strict=True):
            assert second.changes == (), f"not quiet: {second.changes}"
            if first.status != "failed":
                assert {hold.id for hold in second.holds} == {hold.id for hold in first.holds}
        assert self.writes() == writes
        assert self.base() == base

    def base(self, pair: str = "pair1") -> list[str]:
        store = Store.open(f"sqlite:///{self.database}", clock=self.clock)
        links = store.recall([pair]).get(pair)
        store.close()
        return [] if links is None else [f"{link.window} {link.slot_size}/{link.max_bookings}" for link in links.links]

    def writes(self) -> int:
        return sum(logged.write for logged in self.world.log)

    def requests(self, api: str) -> int:
        return sum(logged.api == api for logged in self.world.log)

    # What people do on either side.

    def ranges(self, *ranges: tuple[str, int, int, int], pair: str = "pair1") -> None:
        """Puts ranges into Bitrix24: ("Mon Tue", 540, 1080, 30)."""
        put = [Range(start, end, self.zone, tuple(days.split()), size) for days, start, end, size in ranges]
        self.world.portal.put_slots(self.ids[pair][0], put)

    def slot(self, day: int, start: int, end: int, bookings: int = 1, pair: str = "pair1") -> int:
        return self.world.reservations.add_slot(self.ids[pair][1], day, start, end, bookings)

    def in_bitrix24(self, pair: str = "pair1") -> list[tuple[str, int, int, int]]:
        found = self.world.portal.slots(self.ids[pair][0])
        return sorted((" ".join(r.week_days), r.start, r.end, r.slot_size) for r in found)

    def in_reservekit(self, pair: str = "pair1") -> list[tuple[int, int, int, int]]:
        found = self.world.reservations.slots(self.ids[pair][1])
        return sorted((s.day, s.start, s.end, s.max_bookings) for s in found)

    def slot_ids(self, pair: str = "pair1") -> list[int]:
        return [s.id for s in self.world.reservations.slots(self.ids[pair][1])]

    def before_request(self, part: str, edit: Callable[[], object]) -> None:
        """Calls `edit` once, right before the next request whose path or method contains `part` is executed."""

        def hook(_world: World, api: str, method: str, path: str) -> None:
            if part in f"{api} {method} {path}":
                self.world.on_request.remove(hook)
                edit()

        self.world.on_request.append(hook)

    def garble(self, part: str, spoil: Callable[[Any], object]) -> None:
        """Lets `spoil` change the JSON of one answer, that to the next request whose body contains `part`."""
        answer = self.world.answer

        def spoiled(method: str, path: str, query: str, headers: Any, body: bytes) -> Any:
            came = answer(method, path, query, headers, body)
            if part.encode() not in body:
                return came
            del self.world.answer
            envelope = json.loads(came.body)
            spoil(envelope)
            return replace(came, body=json.dumps(envelope).encode())

        self.world.answer = spoiled  # type: ignore[method-assign]
