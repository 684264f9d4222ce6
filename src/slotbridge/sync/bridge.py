"""Everything that a command needs of both sides, behind one door."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any
from urllib.parse import urlsplit

import structlog

from slotbridge.bitrix24 import Bitrix24Client, Resource
from slotbridge.clock import Clock
from slotbridge.errors import ApiError, ConfigurationError, SlotbridgeError
from slotbridge.http.limiter import Limiter
from slotbridge.http.meter import Meter, Unmetered
from slotbridge.http.transport import Transport
from slotbridge.reconcile.model import Initial, Plan, Side, Snapshot
from slotbridge.reconcile.verify import Disagreement, disagreements
from slotbridge.reservekit import ReserveKitClient, Service
from slotbridge.settings import Limits, PairSettings, Settings
from slotbridge.settings.kinds import is_loopback
from slotbridge.store import Memory, Store
from slotbridge.sync.metering import StoreMeter, content_digest, digest_of
from slotbridge.sync.planning import Base, Planner
from slotbridge.sync.reading import Reader
from slotbridge.sync.report import RunReport
from slotbridge.sync.run import Pass, Progress, chunks, read_zones, set_zones
from slotbridge.sync.terms import agreement_of, options_of
from slotbridge.sync.work import Circuits, Work
from slotbridge.sync.writing import Writer

log = structlog.get_logger("slotbridge.sync")


@dataclass(frozen=True, slots=True)
class Look:
    """A pair as it stands on both sides, and what a sync would make of it."""

    pair: PairSettings
    snapshot: Snapshot
    plan: Plan


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


CLOSED_FOR = timedelta(hours=1)
"""For how long a refused key is believed to be closed to writing, where nobody watches."""


def ignore(_done: int, _all: int) -> None:
    """Progress that nobody watches."""


class Bridge:
    """Both sides, the memory, and the runs over them. With `store` None nothing is remembered, and every run is dry."""

    def __init__(
        self,
        settings: Settings,
        bitrix24: Transport,
        reservekit: Transport,
        store: Store | None,
        *,
        clock: Clock,
        random: Random,
        unattended: bool = False,
    ) -> None:
        webhook = settings.bitrix24.webhook_url
        if webhook is None:
            raise ConfigurationError("[bitrix24.oauth] is not supported yet", hint="Use webhook_url")
        self._settings = settings
        self._transports = {"bitrix24": bitrix24, "reservekit": reservekit}
        self._store = store
        self._clock = clock
        self._unattended = unattended
        self._bitrix24 = Bitrix24Client(webhook.get_secret_value(), bitrix24, clock=clock, random=random)
        api = settings.reservekit
        self._reservekit = ReserveKitClient(
            api.base_url, api.api_key.get_secret_value(), reservekit, clock=clock, random=random
        )

    @classmethod
    def connect(
        cls,
        settings: Settings,
        store: Store | None,
        *,
        clock: Clock,
        random: Random,
        network: Any = None,
        unattended: bool = False,
    ) -> Bridge:
        """A bridge at the pace of both plans. `network` is an HTTP transport to use in place of the real network.

        An `unattended` one sends no request beyond the plan's number for a month, and asks a key that may only read
        no more than once an hour whether it may write by now.
        """

        def transport(side: Side, address: str, limits: Limits) -> Transport:
            limiter = Limiter(limits.rate, limits.burst, clock)
            # A proxy knows its own loopback only, and not the sandbox on ours.
            trusting = not is_loopback(urlsplit(address).hostname or "")
            meter: Meter = Unmetered()
            if store is not None and not store.read_only:
                cap = limits.per_month if unattended else None
                meter = StoreMeter(side, store.usage, limiter, clock, key=key_of(settings, side), cap=cap)
            return Transport(side, limiter, clock, handler=network, trust_env=trusting, meter=meter)

        webhook = settings.bitrix24.webhook_url
        bitrix24 = transport("bitrix24", webhook.get_secret_value() if webhook else "", settings.bitrix24.limits)
        reservekit = transport("reservekit", settings.reservekit.base_url, settings.reservekit.limits)
        return cls(settings, bitrix24, reservekit, store, clock=clock, random=random, unattended=unattended)

    @property
    def requests(self) -> dict[Side, int]:
        """How many requests were sent to each side so far."""
        return {"bitrix24": self._bitrix24.requests, "reservekit": self._reservekit.requests}

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
    ) -> RunReport:
        """One run over the pairs. Raises StoreError where it cannot be remembered; a pair's own failure is reported."""
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
        )
        if dry_run or store is None:
            reports = await Pass(reader, planner, None, store, clock, None).over(pairs, progress)
            return RunReport(True, tuple(reports), self._since(before))
        run = store.begin_run(trigger)
        api = self._settings.reservekit
        closed = self._closed(store)
        planner.frozen |= closed
        writer = Writer(self._bitrix24, self._reservekit, reader, planner, store, clock, api, run)
        report = RunReport(False, (), {})
        try:
            reports = await Pass(reader, planner, writer, store, clock, run).over(pairs, progress)
            report = RunReport(False, tuple(reports), self._since(before))
        finally:
            self._note_closed(store, planner.frozen.keys() - closed.keys(), planner.frozen)
            counts = {status: report.count(status) for status in ("quiet", "changed", "held", "failed")}
            store.finish_run(run, requests=dict(self._since(before)), pairs=counts)
        log.info("run.finished", run=run, pairs=counts, requests=report.requests)
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
            await Planner(self._reservekit, self._settings.reservekit, self._clock).plan(work)
        if work.error is not None or work.plan is None:
            raise work.error or SlotbridgeError("the pair could not be planned", pair=pair.name)
        return Look(pair, work.snapshot, work.plan)

    async def verify(self, pairs: Sequence[PairSettings], *, progress: Progress = ignore) -> list[Verified]:
        """Reads both sides and the base of every pair and names what disagrees; changes nothing."""
        found: list[Verified] = []
        for chunk in chunks(pairs):
            for work in await self._read(chunk):
                if work.error is not None or work.terms is None:
                    found.append(Verified(work.name, (), work.error))
                    continue
                base = None if work.memory.agreement is None else work.memory.links
                options = options_of(
                    work.pair, work.memory, agreement_of(work.pair, work.terms, work.snapshot, work.memory)
                )
                found.append(Verified(work.name, disagreements(base, work.snapshot, work.terms, options)))
            progress(len(found), len(pairs))
        return found

    async def _read(self, pairs: Sequence[PairSettings]) -> list[Work]:
        """These pairs as both sides have them now, each with its terms or its error."""
        reader = self._reader()
        planner = Planner(self._reservekit, self._settings.reservekit, self._clock)
        memories = self._store.recall([pair.name for pair in pairs]) if self._store else {}
        works = [Work(pair, memories.get(pair.name, Memory())) for pair in pairs]
        set_zones(works, await read_zones(reader, pairs, remember=False), planner)
        await reader.read(works)
        return works

    async def bitrix24_digests(self, pairs: Sequence[PairSettings]) -> dict[str, str | None]:
        """What Bitrix24 holds for each pair now, as `PairReport.bitrix24_digest`; None for one that cannot be read.

        Costs one request to Bitrix24 for 50 pairs, and none to ReserveKit. Raises ApiError where Bitrix24 is down.
        """
        found = await self._bitrix24.list_slots([pair.resource_id for pair in pairs])
        ranges = {pair.name: found[pair.resource_id] for pair in pairs}
        return {name: None if isinstance(held, ApiError) else content_digest(held) for name, held in ranges.items()}

    async def discover(self) -> Discovery:
        """All resources and all services."""
        resources, services = await asyncio.gather(self._bitrix24.list_resources(), self._reservekit.list_services())
        return Discovery(resources, services)

    async def aclose(self) -> None:
        """Closes the connections."""
        for transport in self._transports.values():
            await transport.aclose()

    def _reader(self) -> Reader:
        return Reader(self._bitrix24, self._reservekit, self._store, self._clock, Circuits())

    def _closed(self, store: Store) -> dict[Side, str]:
        """Why a side is not written to in this run: nobody watches, and it refused our key not long ago (W6)."""
        known = store.usage.side("reservekit", key_of(self._settings, "reservekit"))
        if not self._unattended or known.closed_at is None or known.closed_reason is None:
            return {}
        recent = self._clock.now() - known.closed_at < CLOSED_FOR
        return {"reservekit": known.closed_reason} if recent else {}

    def _note_closed(self, store: Store, sides: Iterable[Side], reasons: Mapping[Side, str]) -> None:
        for side in sides:
            key, now = key_of(self._settings, side), self._clock.now()
            store.usage.note(side, key, closed_at=now, closed_reason=reasons[side])

    def _since(self, before: dict[Side, int]) -> dict[Side, int]:
        return {side: count - before[side] for side, count in self.requests.items()}


def key_of(settings: Settings, side: Side) -> str:
    """A digest of what a side's answers depend on: by which key, and on which plan, it is asked."""
    if side == "bitrix24":
        way = settings.bitrix24.webhook_url or (settings.bitrix24.oauth.client_id if settings.bitrix24.oauth else None)
        return digest_of(way.get_secret_value() if way else "", settings.bitrix24.limits)
    api = settings.reservekit
    return digest_of(api.api_key.get_secret_value(), api.limits)
