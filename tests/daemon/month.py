"""`python -m tests.daemon.month [--seed N] [--months N]`: a month of the daemon in virtual time, and what it kept.

Twenty services on the smallest ReserveKit plan, the real engine, store and clients over the sandbox, both sides faulty
at random, edits by people on either side, some of them told by an event.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any, Literal

import httpx
from structlog.testing import capture_logs

from slotbridge.daemon.daemon import Daemon
from slotbridge.daemon.pace import SPENT, USED_UP, seconds_left
from slotbridge.daemon.runner import Runner
from slotbridge.errors import Side
from slotbridge.lenses.items import Range
from slotbridge.sandbox.world import World
from slotbridge.settings import PairSettings
from slotbridge.store import Store
from slotbridge.sync.bridge import Bridge
from tests.http.clock import FakeClock
from tests.simulation.rig import base_settings
from tests.sync.rig import ZONE, Network

CAP = 10_000
DAY = 86400.0
PAIRS = 20
STEP = 20.0
EPOCH = datetime(2026, 5, 14, tzinfo=UTC)
"""Where the clock's time begins."""

Kind = Literal["unreachable", "silent", "busy", "flaky", "refused"]
KINDS: tuple[Kind, ...] = ("unreachable", "silent", "busy", "flaky", "refused")


@dataclass(frozen=True)
class Storm:
    """A time in which a side is faulty."""

    begin: float
    end: float
    side: Side
    kind: Kind


@dataclass
class Edit:
    """An edit that has not travelled yet: when it was made, and by when it has to be on the other side.

    `looked_by` is by when it has to be although polling has stopped; infinite where nobody looks then.
    """

    at: float
    promised: float
    told: bool
    looked_by: float


class Weather(Network):
    """The way to the world, with storms."""

    def __init__(self, world: World, clock: FakeClock, storms: list[Storm], random: Random) -> None:
        super().__init__(world)
        self.clock, self.storms, self.random = clock, storms, random

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        side = "bitrix24" if request.url.path.startswith("/rest/") else "reservekit"
        kind = next((s.kind for s in self.storms if s.side == side and s.begin <= self.clock.time < s.end), None)
        if kind == "flaky":
            kind = self.random.choice((None, None, "silent", "busy"))
        match kind:
            case None:
                return await super().handle_async_request(request)
            case "unreachable":
                raise httpx.ConnectError("no route to host", request=request)
            case "silent":
                if self.random.random() < 0.5:
                    await super().handle_async_request(request)
                self.clock.time += 3
                raise httpx.ReadTimeout("", request=request)
            case "refused":
                return httpx.Response(401, json={"error": "invalid_token", "success": False, "message": "no"})
            case _:
                return httpx.Response(503, headers={"retry-after": "7"}, text="<html>busy</html>")


@dataclass
class Outcome:
    """`broken` are the promises that were not kept."""

    counters: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    slowest: float = 0.0


class Month:
    """The stage. `begin` is an instant of the clock."""

    def __init__(self, folder: Path, seed: int, begin: float, seconds: float, used: int) -> None:
        self.random = Random(seed)
        self.clock = FakeClock(begin)
        self.end = begin + seconds
        self.world = World(self.clock)
        self.world.portal.behaviour = replace(self.world.portal.behaviour, limiter=False)
        self.world.reservations.behaviour = replace(
            self.world.reservations.behaviour, limiter=False, requests_per_month=None
        )
        self.storms = list(self._storms(begin, seconds))
        self.pairs = [self._pair(number) for number in range(1, PAIRS + 1)]
        self.store = Store.open(f"sqlite:///{folder / 'month.db'}", clock=self.clock)
        self.store.usage.count("reservekit", used, self.clock.now(), None)
        weather = Weather(self.world, self.clock, self.storms, self.random)
        self.bridge = Bridge.connect(
            base_settings(), self.store, clock=self.clock, random=self.random, network=weather, unattended=True
        )
        self.runner = Runner()
        caps: dict[Side, int | None] = {"bitrix24": None, "reservekit": CAP}
        self.daemon = Daemon(
            self.pairs, self.bridge, self.store, self.runner, caps=caps, clock=self.clock, random=self.random
        )
        self.daemon.open()
        self.outcome = Outcome()
        self.edits: dict[str, Edit] = {}
        self.next_edit = begin + 3600
        self.arrived: Counter[str] = Counter({f"{self.clock.now():%Y-%m}": used})
        self.world.on_request.append(self._count)
        self.stale_events: dict[str, float] = {}
        self.in_force: dict[str, tuple[float, float]] = {}

    def _storms(self, begin: float, seconds: float) -> Iterator[Storm]:
        """About one a day, the last one well before the end."""
        at = begin + self.random.expovariate(1 / DAY)
        while at < begin + seconds - 0.35 * min(seconds, 4 * DAY):
            lasting = self.random.choice((60.0, 600.0, 3600.0, 4 * 3600.0))
            side: Side = self.random.choice(("bitrix24", "reservekit"))
            yield Storm(at, at + lasting, side, self.random.choice(KINDS))
            at += lasting + self.random.expovariate(1 / DAY)

    def _pair(self, number: int) -> PairSettings:
        resource = self.world.portal.add_resource(f"pair{number}")
        service = self.world.reservations.add_service(f"pair{number}", ZONE)
        self.world.portal.put_slots(
            resource, [Range(540, 720, ZONE, ("Mon",), 30), Range(600, 900, ZONE, ("Tue",), 30)]
        )
        return PairSettings(name=f"pair{number}", resource_id=resource, service_id=service)

    def _count(self, _world: World, api: str, _method: str, _path: str) -> None:
        if api == "reservekit":
            self.arrived[f"{self.clock.now():%Y-%m}"] += 1
            self.outcome.counters["requests to ReserveKit"] += 1

    async def play(self) -> Outcome:
        """The whole of it."""
        while self.clock.time < self.end:
            self._edit()
            with capture_logs() as logs:
                self.daemon.tick()
                await self.runner.settled()
            self._hear(logs)
            self._check()
            self.clock.time += STEP
        await self.bridge.aclose()
        self._final()
        self.store.close()
        return self.outcome

    # What people do.

    def _edit(self) -> None:
        if self.clock.time < self.next_edit or self.clock.time > self.end - DAY:
            return
        self.next_edit = self.clock.time + self.random.expovariate(1 / 3600)
        pair = self.random.choice(self.pairs)
        if pair.name in self.edits or not self._in_step(pair):
            return
        begin, end = (self.random.randrange(300, 600, 30), self.random.randrange(690, 1400, 30))
        told, looked_by = False, math.inf
        if self.random.random() < 0.5:
            ranges = self.world.portal.slots(pair.resource_id)
            edited = [replace(held, start=begin, end=end) if held.week_days == ("Mon",) else held for held in ranges]
            self.world.portal.put_slots(pair.resource_id, edited)
            looked_by = self._looked_by(pair)
            if told := self.random.random() < 0.5:
                self.daemon.notice(pair.name, "bitrix24 event")
        else:
            slot = next(slot for slot in self.world.reservations.slots(pair.service_id) if slot.day == 0)
            self.world.reservations.edit_slot(slot.id, start=begin, end=end)
        if not self._in_step(pair):
            self.outcome.counters["edits"] += 1
            self.edits[pair.name] = Edit(self.clock.time, self._promise(pair, told), told, looked_by)

    def _promise(self, pair: PairSettings, told: bool) -> float:
        """By when an edit made now has to have travelled: within the interval in force, or, where a storm comes in
        between, that long after it, what was waited and backed off for it included."""
        now, entry = self.clock.time, self.daemon.roster[pair.name]
        budget_left = max(0.0, entry.due_at - now)
        within = 90.0 if told and not entry.failures else max(entry.interval * 1.03, budget_left) + 90
        by = now + within
        for storm in self.storms:
            if storm.begin <= by and storm.end + 4500 >= now:
                by = max(by, storm.end + 2 * max(entry.interval, entry.pair.interval_max) + 4500)
        return by

    def _looked_by(self, pair: PairSettings) -> float:
        """By when an edit in Bitrix24 has to have travelled that is made while polling has stopped: what failed in a
        storm waits after it for as long as the storm had lasted, at most."""
        now, entry = self.clock.time, self.daemon.roster[pair.name]
        if entry.why != SPENT:
            return math.inf
        by = now + entry.pair.interval_max + 90
        for storm in self.storms:
            if storm.begin <= by and storm.end + 4 * 3600 + 4500 >= now:
                by = max(by, storm.end + 4 * 3600 + 4500)
        return by

    # What is kept.

    def _in_step(self, pair: PairSettings) -> bool:
        ranges = sorted((r.week_days, r.start, r.end) for r in self.world.portal.slots(pair.resource_id))
        slots = sorted(
            ((("Mon", "Tue")[s.day],), s.start, s.end) for s in self.world.reservations.slots(pair.service_id)
        )
        return bool(slots) and ranges == slots

    def _hear(self, logs: list[Any]) -> None:
        for entry in logs:
            self.outcome.counters[entry["event"]] += 1
            if entry["event"] == "pair.stale":
                self.stale_events[entry["pair"]] = self.clock.time
            if entry["event"] in ("run.bug", "pair.bug", "hold.began", "store.failed"):
                self.outcome.broken.append(f"{self.clock.now()}: {entry}")

    def _check(self) -> None:
        now = self.clock.time
        for name, edit in tuple(self.edits.items()):
            if self._in_step(self.daemon.roster[name].pair):
                self.outcome.slowest = max(self.outcome.slowest, now - edit.at)
                self.outcome.counters["edits told and travelled" if edit.told else "edits found and travelled"] += 1
                looked = not edit.told and math.isfinite(edit.looked_by) and self.daemon.roster[name].why == SPENT
                self.outcome.counters["edits found by a look while polling had stopped"] += looked
                del self.edits[name]
            elif self.daemon.roster[name].why == SPENT and now > edit.looked_by:
                self.outcome.broken.append(
                    f"{self.clock.now()}: no look found an edit of {name}: {now - edit.at:.0f} s"
                )
                del self.edits[name]
            elif self.daemon.roster[name].why in (SPENT, USED_UP):
                # Polling has stopped: the interval in force ends with the month.
                edit.promised = max(edit.promised, now + seconds_left(self.clock.now()) + 150)
            elif now > edit.promised:
                self.outcome.broken.append(f"{self.clock.now()}: an edit of {name} is late: {now - edit.at:.0f} s")
                del self.edits[name]
        for entry in self.daemon.roster.entries:
            succeeded, interval = self.in_force.get(entry.name, (None, 0.0))
            if succeeded != entry.success_at and entry.success_at is not None:
                self.in_force[entry.name] = (entry.success_at, entry.interval)
                continue
            overdue = succeeded is not None and now - succeeded > 4 * interval + 300 + STEP
            if overdue and self.stale_events.get(entry.name, -1.0) < (succeeded or 0.0):
                self.outcome.broken.append(f"{self.clock.now()}: {entry.name} went stale unnoticed")

    def _final(self) -> None:
        for month, count in self.arrived.items():
            self.outcome.counters[f"requests in {month}"] = count
            if count > CAP:
                self.outcome.broken.append(f"{count} requests in {month}")
        late = [name for name, edit in self.edits.items() if edit.promised < self.clock.time]
        apart = [pair.name for pair in self.pairs if pair.name not in self.edits and not self._in_step(pair)]
        if late or apart:
            self.outcome.broken.append(f"late at the end: {late}, apart: {apart}")


@contextmanager
def month(seed: int, *, begin: datetime, days: float, used: int = 0) -> Iterator[Month]:
    """A month with a database of its own."""
    with tempfile.TemporaryDirectory() as folder:
        yield Month(Path(folder), seed, (begin - EPOCH).total_seconds(), days * DAY, used)


def play(seed: int, *, begin: datetime, days: float, used: int = 0) -> Outcome:
    """A month from that day on."""
    with month(seed, begin=begin, days=days, used=used) as stage:
        return asyncio.run(stage.play())


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.daemon.month", description="A month in virtual time.")
    parser.add_argument("--seed", type=int, default=int(time.time()) % 1_000_000)
    parser.add_argument("--months", type=int, default=1)
    given = parser.parse_args()
    broken = 0
    for seed in range(given.seed, given.seed + given.months):
        begun = time.monotonic()
        outcome = play(seed, begin=datetime(2026, 6, 1, tzinfo=UTC), days=32)
        broken += len(outcome.broken)
        for line in outcome.broken[:20]:
            say(line)
        say("".join(f"{count:9d}  {name}\n" for name, count in sorted(outcome.counters.items())))
        say(
            f"seed {seed}: a month in {time.monotonic() - begun:.1f} s, slowest edit {outcome.slowest / 60:.0f} min, "
            f"{len(outcome.broken)} promises broken"
        )
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
