"""A daemon over an engine that does as it is told, in time that passes when it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from structlog.testing import capture_logs

from slotbridge.daemon.daemon import Daemon
from slotbridge.daemon.roster import Entry
from slotbridge.daemon.runner import Runner
from slotbridge.errors import Side, SlotbridgeError, StoreError
from slotbridge.reconcile.model import Change, Hold
from slotbridge.settings import PairSettings
from slotbridge.store import DatabaseLock, Store
from slotbridge.sync.report import PairReport, RunReport
from tests.http.clock import FakeClock

CHANGE = Change("reservekit", "create", None, {"day_of_week": 0}, "new in Bitrix24")
HOLD = Hold("booked", "it has bookings", "f00d", "a", ())


class Ran(NamedTuple):
    """One run: when it began, over which pairs, and what started it."""

    at: float
    names: tuple[str, ...]
    trigger: str


class ScriptedEngine:
    """What each pair's next runs find: an error, changes, holds; nothing, if nothing is scripted.

    `broken` are lasting errors by pair; `gates` keep runs of a pair from ending until they are opened; `holdings` is
    what Bitrix24 holds. `granted` says that somebody has granted access. `raises` is what
    whole runs end with, `put_off` are pairs that nothing is begun for.
    """

    def __init__(self, clock: FakeClock, store: Store) -> None:
        self.clock = clock
        self.store = store
        self.runs: list[Ran] = []
        self.looks: list[tuple[float, tuple[str, ...]]] = []
        self.script: dict[str, list[Mapping[str, Any]]] = {}
        self.broken: dict[str, SlotbridgeError] = {}
        self.gates: dict[str, asyncio.Event] = {}
        self.holdings: dict[str, str] = {}
        self.raises: Exception | None = None
        self.cannot_look: SlotbridgeError | None = None
        self.granted = False
        self.access_fails: StoreError | None = None
        self.asked_for_access = 0
        self.cost = 1
        self.open: set[str] = set()
        self.put_off: set[str] = set()

    async def sync(self, pairs: Sequence[PairSettings], *, trigger: str, stop: Callable[[], bool]) -> RunReport:
        names = tuple(pair.name for pair in pairs)
        assert not self.open & set(names), "two runs of one pair at once"
        self.open |= set(names)
        self.runs.append(Ran(self.clock.monotonic(), names, trigger))
        try:
            for name in names:
                if name in self.gates:
                    await self.gates[name].wait()
            if self.raises is not None:
                raise self.raises
            requests: dict[Side, int] = {"bitrix24": 1, "reservekit": self.cost * len(names)}
            self.store.usage.count("reservekit", requests["reservekit"], self.clock.now(), None)
            begun = [name for name in names if name not in self.put_off]
            return RunReport(False, tuple(self._report(name) for name in begun), requests)
        finally:
            self.open -= set(names)

    async def bitrix24_digests(self, pairs: Sequence[PairSettings]) -> dict[str, str | None]:
        self.looks.append((self.clock.monotonic(), tuple(pair.name for pair in pairs)))
        if self.cannot_look is not None:
            raise self.cannot_look
        return {pair.name: self.holdings.get(pair.name, "") for pair in pairs}

    def granted_anew(self) -> bool:
        self.asked_for_access += 1
        if self.access_fails is not None:
            raise self.access_fails
        granted, self.granted = self.granted, False
        return granted

    def _report(self, name: str) -> PairReport:
        found = dict(self.script[name].pop(0)) if self.script.get(name) else {}
        error = found.pop("error", self.broken.get(name))
        digest = None if error else self.holdings.get(name, "")
        return PairReport(name, error=error, bitrix24_digest=digest, **found)

    def times(self, name: str) -> list[float]:
        return [ran.at for ran in self.runs if name in ran.names]

    def gaps(self, name: str) -> list[float]:
        """The seconds between the pair's runs."""
        return [later - sooner for sooner, later in pairwise(self.times(name))]


async def spun(condition: Callable[[], bool], turns: int = 100_000) -> None:
    """Lets the loop turn until the condition holds."""
    for _ in range(turns):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came to that")


class Rig:
    """`events` are the log events so far, by name."""

    def __init__(self, folder: Path, *pairs: str, cap: int | None = None, **options: Any) -> None:
        self.clock = FakeClock()
        self.file = folder / "slotbridge.db"
        self.lock = DatabaseLock(f"sqlite:///{self.file}", "run")
        self.lock.take(self.clock.now())
        self.store = Store.open(f"sqlite:///{self.file}", clock=self.clock)
        self.engine = ScriptedEngine(self.clock, self.store)
        self.pairs = [
            PairSettings(name=name, resource_id=number, service_id=number, **options.get(name, {}))
            for number, name in enumerate(pairs or ("a",), start=1)
        ]
        self.cap = cap
        self.runner = Runner()
        self.logged: list[Any] = []
        self.daemon = self.started()

    def started(self) -> Daemon:
        caps: dict[Side, int | None] = {"bitrix24": None, "reservekit": self.cap}
        daemon = Daemon(
            self.pairs,
            self.engine,
            self.store,
            self.runner,
            caps=caps,
            clock=self.clock,
            random=Random(1),
            lock=self.lock,
        )
        daemon.open()
        return daemon

    async def tick(self) -> None:
        """One tick, and what it began as far as it gets."""
        with capture_logs() as logs:
            self.daemon.tick()
            for _ in range(8):
                await asyncio.sleep(0)
        self.logged += logs

    async def pass_by(self, seconds: float, step: float = 1.0) -> None:
        """Ticks until so much time has passed."""
        until = self.clock.time + seconds
        while self.clock.time < until:
            self.clock.time = min(until, self.clock.time + step)
            await self.tick()

    async def until(self, condition: Callable[[], bool], most: float = 86400, step: float = 1.0) -> float:
        """Ticks until the condition holds; returns how long that took."""
        begun = self.clock.time
        while not condition():
            assert self.clock.time - begun < most, "it never came to that"
            self.clock.time += step
            await self.tick()
        return self.clock.time - begun

    @property
    def events(self) -> list[str]:
        return [entry["event"] for entry in self.logged]

    def entry(self, name: str = "a") -> Entry:
        return self.daemon.roster[name]

    def close(self) -> None:
        self.store.close()
        self.lock.release()
