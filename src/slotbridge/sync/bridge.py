"""Everything that a command needs of both sides, behind one door."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Any

import structlog

from slotbridge.bitrix24 import Resource
from slotbridge.clock import Clock
from slotbridge.errors import ApiError, SlotbridgeError
from slotbridge.http.observer import RequestObserver
from slotbridge.reconcile.model import Change, Initial, Plan, Side, Snapshot
from slotbridge.reconcile.verify import Disagreement, disagreements, names_apart, taken_away
from slotbridge.reservekit import Service
from slotbridge.settings import PairSettings, Settings
from slotbridge.store import Memory, Store
from slotbridge.sync.connection import Connection, connect, key_of
from slotbridge.sync.metering import content_digest
from slotbridge.sync.naming import Naming
from slotbridge.sync.planning import Base, Planner
from slotbridge.sync.reading import Reader
from slotbridge.sync.report import RunReport, TypeReport
from slotbridge.sync.resource_types import TypeKeeper
from slotbridge.sync.resting import CLOSED_FOR
from slotbridge.sync.run import Pass, Progress, chunks, read_zones, set_zones
from slotbridge.sync.terms import agreement_of, options_of
from slotbridge.sync.work import Circuits, Stop, Work, never
from slotbridge.sync.writing import Writer
from slotbridge.together import both

log = structlog.get_logger("slotbridge.sync")


@dataclass(frozen=True, slots=True)
class Look:
    """A pair as it stands on both sides, and what a sync would make of it.

    `restored` is what Bitrix24 lacks of the snapshot, because a write of ours was broken off: a sync sets it first.
    """

    pair: PairSettings
    snapshot: Snapshot
    plan: Plan
    restored: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Discovery:
    """What there is to be paired."""

    resources: list[Resource]
    services: list[Service]


@dataclass(frozen=True, slots=True)
class Verified:
    """What disagrees in one pair, or why it could not be read."""

    name: str
    disagreements: tuple[Disagreement, ...]
    error: SlotbridgeError | None = None


def _verified(work: Work) -> Verified:
    points: tuple[Disagreement, ...] = ()
    if work.error is None and work.terms is not None:
        base = None if work.memory.agreement is None else work.memory.links
        agreement = agreement_of(work.pair, work.terms, work.snapshot)
        options = options_of(work.pair, work.memory, agreement)
        missing = [] if work.instead is None else taken_away(work.bitrix24, work.instead, work.terms)
        points = (*missing, *disagreements(base, work.snapshot, work.terms, options))
    names = work.names
    if names is None or names.plan is None or names.shown is None:
        return Verified(work.name, points, work.error or (names.error if names else None))
    return Verified(work.name, points + names_apart(names.plan, names.shown), work.error)


PRUNING = 20
"""How many batches of old rows go in one day at most."""


def ignore(_done: int, _all: int) -> None:
    """Progress that nobody watches."""


class Bridge:
    """Both sides, the memory, and the runs over them. With `store` None nothing is remembered, and every run is dry."""

    def __init__(
        self,
        settings: Settings,
        connection: Connection,
        store: Store | None,
        *,
        clock: Clock,
        unattended: bool = False,
    ) -> None:
        self._settings = settings
        self._connection = connection
        self._bitrix24 = connection.bitrix24
        self._reservekit = connection.reservekit
        self._store = store
        self._clock = clock
        self._unattended = unattended
        self._typing = asyncio.Lock()
        self._typed_at: float | None = None
        self._forgot_on: date | None = None

    @classmethod
    def connect(
        cls,
        settings: Settings,
        store: Store | None,
        *,
        clock: Clock,
        random: Random,
        network: Any = None,
        observer: RequestObserver | None = None,
        unattended: bool = False,
    ) -> Bridge:
        """A bridge at the pace of both plans. `network` is an HTTP transport to use in place of the real network.

        An `unattended` one sends no request beyond the plan's number for a month, and asks a key that may only read
        no more than once an hour whether it may write by now.
        """
        connection = connect(
            settings, store, clock=clock, random=random, network=network, observer=observer, capped=unattended
        )
        return cls(settings, connection, store, clock=clock, unattended=unattended)

    @property
    def secrets(self) -> Collection[str]:
        """What lets us into the portal now: an application's tokens come and go."""
        return self._connection.access.secrets

    @property
    def requests(self) -> dict[Side, int]:
        """How many requests were sent to each side so far."""
        return self._connection.requests

    async def sync(
        self,
        pairs: Sequence[PairSettings],
        *,
        dry_run: bool = False,
        accept_deletes: bool = False,
        initial: Initial | None = None,
        targets: Mapping[str, Base] | None = None,
        trigger: str = "sync",
        progress: Progress = ignore,
        stop: Stop = never,
    ) -> RunReport:
        """One run over the pairs. Raises StoreError where it cannot be remembered; a pair's own failure is reported.

        Once `stop` says so, the writes that were begun are brought to their end and remembered; the pairs for which
        nothing was begun by then are left out of the report.
        """
        before = self.requests
        store, clock = self._store, self._clock
        reader = self._reader()
        planner = Planner(
            self._reservekit,
            self._settings.reservekit,
            clock,
            initial=initial,
            accept_deletes=accept_deletes,
            targets=targets,
            patient=self._unattended,
        )
        whole = targets is None and (self._are_all(pairs) or self._types_are_due())
        if dry_run or store is None:
            reports = await Pass(reader, planner, None, store, clock, None).over(pairs, progress)
            types = await self._resource_types(None) if whole else ()
            return RunReport(True, tuple(reports), self._since(before), types)
        run = store.begin_run(trigger)

        async def work() -> RunReport:
            writer = self._writer(reader, planner, store, run, stop)
            reports = await Pass(reader, planner, writer, store, clock, run, stop).over(pairs, progress)
            types = await self._resource_types(run) if whole and not stop() else ()
            return RunReport(False, tuple(reports), self._since(before), types)

        with structlog.contextvars.bound_contextvars(run=run, trigger=trigger):
            return await self._recorded(run, store, planner, before, work)

    async def _recorded(
        self,
        run: int,
        store: Store,
        planner: Planner,
        before: dict[Side, int],
        work: Callable[[], Awaitable[RunReport]],
    ) -> RunReport:
        """Does the work of a run; whatever comes of it, the store is told how it ended."""
        closed = self._closed(store)
        planner.frozen |= closed
        report = RunReport(False, (), {})
        try:
            report = await work()
        finally:
            self._note_closed(store, planner.frozen.keys() - closed.keys(), planner.frozen)
            counts = {status: report.count(status) for status in ("quiet", "changed", "held", "failed")}
            store.finish_run(run, requests=dict(self._since(before)), pairs=counts)
            store.usage.note_pages(self._reservekit.pages)
        self._forget_old(store)
        log.info("run.finished", pairs=counts, requests=report.requests)
        return report

    async def undo(
        self, run: int, pairs: Sequence[PairSettings], *, apply: bool, accept_deletes: bool = False
    ) -> RunReport:
        """Brings both sides of the pairs back to what they agreed on before that run; without `apply` only plans it.

        Raises SlotbridgeError for a pair whose base that run did not change, or that had none before it.
        """
        targets: dict[str, Base] = {}
        for pair in pairs:
            base = self._store.base_before(run, pair.name) if self._store else None
            if base is None:
                hint = (
                    "`slotbridge history` shows which runs changed it; a first sync has nothing before it to go back to"
                )
                raise SlotbridgeError(f"nothing was agreed before run {run} that it changed", pair=pair.name, hint=hint)
            targets[pair.name] = base
        return await self.sync(
            pairs, dry_run=not apply, accept_deletes=accept_deletes, targets=targets, trigger=f"undo of run {run}"
        )

    async def look(self, pair: PairSettings) -> Look:
        """Both sides of one pair and the plan for it; changes nothing. Raises what keeps it from being read."""
        (work,) = await self._read([pair])
        if work.error is None:
            await Planner(self._reservekit, self._settings.reservekit, self._clock).plan(work, even_refused=True)
        if work.error is not None or work.plan is None:
            raise work.error or SlotbridgeError("the pair could not be planned", pair=pair.name)
        return Look(pair, work.snapshot, work.plan, work.restored)

    async def verify(self, pairs: Sequence[PairSettings], *, progress: Progress = ignore) -> list[Verified]:
        """Reads both sides and the base of every pair and names what disagrees; changes nothing."""
        found: list[Verified] = []
        for chunk in chunks(pairs):
            found += map(_verified, await self._read(chunk, names=True))
            progress(len(found), len(pairs))
        return found

    async def _read(self, pairs: Sequence[PairSettings], *, names: bool = False) -> list[Work]:
        """These pairs as a sync would take them now, each with its terms or its error; `names` wants these, too."""
        reader = self._reader()
        planner = Planner(self._reservekit, self._settings.reservekit, self._clock)
        memories = self._store.recall([pair.name for pair in pairs]) if self._store else {}
        works = [Work(pair, memories.get(pair.name, Memory())) for pair in pairs]
        for work in works if names else ():
            work.names = Naming.of(work.pair, work.memory)
        follow = any(work.names is not None for work in works)
        set_zones(works, await read_zones(reader, pairs, remember=False, names=follow), planner)
        await reader.read(works)
        await reader.names.read(works)
        for work in works:
            work.look_for_rescue()
        return works

    async def bitrix24_digests(self, pairs: Sequence[PairSettings]) -> dict[str, str | None]:
        """What Bitrix24 holds for each pair now, as `PairReport.bitrix24_digest`; None for one that cannot be read.

        Costs one request to Bitrix24 for 50 pairs, and none to ReserveKit. Raises ApiError where Bitrix24 is down.
        """
        found = await self._bitrix24.list_slots([pair.resource_id for pair in pairs])
        ranges = {pair.name: found[pair.resource_id] for pair in pairs}
        return {name: None if isinstance(held, ApiError) else content_digest(held) for name, held in ranges.items()}

    def granted_anew(self) -> bool:
        """Whether somebody has let us into the portal anew since it was asked last. Asks nobody; raises StoreError."""
        return self._connection.access.granted_anew()

    async def discover(self) -> Discovery:
        """All resources and all services."""
        resources, services = await both(self._bitrix24.list_resources(), self._reservekit.list_services())
        return Discovery(resources, services)

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._connection.aclose()

    def _reader(self) -> Reader:
        return Reader(self._bitrix24, self._reservekit, self._store, self._clock, Circuits())

    def _writer(self, reader: Reader, planner: Planner, store: Store, run: int, stop: Stop) -> Writer:
        api, patient = self._settings.reservekit, self._unattended
        return Writer(
            self._bitrix24, self._reservekit, reader, planner, store, self._clock, api, run, patient=patient, stop=stop
        )

    async def _resource_types(self, run: int | None) -> tuple[TypeReport, ...]:
        """Brings the declared types in line, or tells what would be done; by one run at a time."""
        if self._typing.locked():
            return ()
        async with self._typing:
            self._typed_at = self._clock.monotonic()
            keeper = TypeKeeper(self._bitrix24.resource_types, self._store, self._clock, run)
            return await keeper.over(self._settings.resource_types)

    def _are_all(self, pairs: Sequence[PairSettings]) -> bool:
        return {pair.name for pair in self._settings.pairs} <= {pair.name for pair in pairs}

    def _types_are_due(self) -> bool:
        """Where nobody watches, pairs run in groups that may never be all of them: a failing one goes by itself."""
        since, every = self._typed_at, self._settings.sync.interval
        return self._unattended and (since is None or self._clock.monotonic() - since >= every)

    def _forget_old(self, store: Store) -> None:
        """Once a day what is older than `history_days` goes, a bounded number of rows at a time."""
        today = self._clock.now().date()
        batches = PRUNING if self._forgot_on != today and store.prune_due() else 0
        self._forgot_on = today
        while batches and store.prune(self._settings.store.history_days).total:
            batches -= 1

    def _closed(self, store: Store) -> dict[Side, str]:
        """Why a side is not written to in this run: nobody watches, and it refused our key not long ago (W6)."""
        if not self._unattended:
            return {}
        known = store.usage.side("reservekit", key_of(self._settings, "reservekit"))
        if known.closed_at is None or known.closed_reason is None:
            return {}
        recent = self._clock.now() - known.closed_at < CLOSED_FOR
        return {"reservekit": known.closed_reason} if recent else {}

    def _note_closed(self, store: Store, sides: Iterable[Side], reasons: Mapping[Side, str]) -> None:
        for side in sides:
            key, now = key_of(self._settings, side), self._clock.now()
            store.usage.note(side, key, closed_at=now, closed_reason=reasons[side])

    def _since(self, before: dict[Side, int]) -> dict[Side, int]:
        return {side: count - before[side] for side, count in self.requests.items()}
