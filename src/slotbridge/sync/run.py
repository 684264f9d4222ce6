"""One pass over the pairs, in chunks: read, plan, apply, verify, remember (W1, W4, W7, W8)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from itertools import takewhile
from typing import Any, TypeVar

import structlog

from slotbridge.clock import Clock
from slotbridge.errors import ApiError, SlotbridgeError
from slotbridge.settings import PairSettings
from slotbridge.store import Memory, Store
from slotbridge.sync.naming import Naming, closed_to_names, is_about_names
from slotbridge.sync.outcome import outcome_of, report_of
from slotbridge.sync.planning import Planner
from slotbridge.sync.reading import Reader, zone_of
from slotbridge.sync.refusals import keep_names_back
from slotbridge.sync.report import PairReport
from slotbridge.sync.work import Stop, Work, never
from slotbridge.sync.writing import Writer

CHUNK = 50
"""Pairs read by one request to Bitrix24 (S14)."""

JUDGED_FROM = 4
"""How many pairs a run has to have before deletions in most of them look like an outage (G5)."""

log = structlog.get_logger("slotbridge.sync")

LOOK_FOR_STOP = 0.5
"""Seconds after which a run that reads looks whether it shall stop."""

T = TypeVar("T")

Progress = Callable[[int, int], None]


class Pass:
    """One run. `writer` and `run` are None in a dry run: then nothing is written anywhere."""

    def __init__(
        self,
        reader: Reader,
        planner: Planner,
        writer: Writer | None,
        store: Store | None,
        clock: Clock,
        run: int | None,
        stop: Stop = never,
    ) -> None:
        self._reader = reader
        self._planner = planner
        self._writer = writer
        self._store = store
        self._clock = clock
        self._run = run
        self._stop = stop
        self._reports: dict[str, PairReport] = {}

    async def over(self, pairs: Sequence[PairSettings], progress: Progress) -> list[PairReport]:
        """All pairs, chunk by chunk. Those that would delete come last, when it is known how many they are (G5). They
        are read anew then (W1) if there is anything to write for them.

        When it is told to stop, the pairs that nothing was begun for have no report.
        """
        names = any(pair.names != "off" and not self._planner.undoes(pair.name) for pair in pairs)
        zones = await self._unless_stopped(read_zones(self._reader, pairs, remember=self._run is not None, names=names))
        if zones is None:
            return []
        deleting: list[PairSettings] = []
        resting: list[Work] = []
        for chunk in self._until_stopped(pairs):
            works = await self._planned(chunk, zones)
            waiting = [work for work in works if would_delete(work)] if len(pairs) > CHUNK else []
            if len(pairs) <= CHUNK:
                await self._raise_alarm(works, outage(sum(map(would_delete, works)), len(pairs)), len(pairs))
            await self._finish([work for work in works if work not in waiting])
            deleting += [work.pair for work in waiting if not self._rests(work)]
            resting += filter(self._rests, waiting)
            progress(len(self._reports), len(pairs))
        alarm = outage(len(deleting) + len(resting), len(pairs))
        await self._raise_alarm(resting, alarm, len(pairs))
        await self._finish(resting)
        for chunk in self._until_stopped(deleting):
            works = await self._planned(chunk, zones)
            await self._raise_alarm(works, alarm, len(pairs))
            await self._finish(works)
            progress(len(self._reports), len(pairs))
        return [self._reports[pair.name] for pair in pairs if pair.name in self._reports]

    def _rests(self, work: Work) -> bool:
        """Whether nothing is to be written for a pair, so that it need not be read once more before that."""
        busy = work.has_writes or work.instead is not None or work.renaming is not None or bool(work.memory.intents)
        return self._writer is None or not busy

    def _until_stopped(self, pairs: Sequence[PairSettings]) -> Iterator[Sequence[PairSettings]]:
        return takewhile(lambda _chunk: not self._stop(), chunks(pairs))

    async def _unless_stopped(self, reading: Coroutine[Any, Any, T]) -> T | None:
        """What is read; None when told to stop first. Nothing was begun yet, so it may be broken off at once."""
        if self._stop is never:
            return await reading
        task = asyncio.ensure_future(reading)
        try:
            while not task.done() and not self._stop():
                await asyncio.wait({task}, timeout=LOOK_FOR_STOP)
        finally:
            if broken_off := not task.done():
                task.cancel()
                await asyncio.wait({task})
        return None if broken_off else task.result()

    async def _read(self, works: Sequence[Work]) -> bool:
        await self._reader.read(works)
        await self._reader.names.read(works)
        return True

    async def _planned(self, pairs: Sequence[PairSettings], zones: dict[int, str | None] | ApiError) -> list[Work]:
        memories: Mapping[str, Memory] = self._store.recall([pair.name for pair in pairs]) if self._store else {}
        patient = self._planner.patient
        works = [Work(pair, memories.get(pair.name, Memory()), patient) for pair in pairs]
        for work in works:
            work.names = None if self._planner.undoes(work.name) else Naming.of(work.pair, work.memory, patient=patient)
        if self._run is None:
            self._recall_closed_sides(works)
        set_zones(works, zones, self._planner)
        if await self._unless_stopped(self._read(works)) is None:
            return []
        for work in works:
            work.look_for_rescue()
            await self._planner.plan(work)
        await self._plan_in_zones_of_now(works)
        keep_names_back(works)
        if self._run is None:
            _recall_held_names(works)
        return works

    async def _plan_in_zones_of_now(self, works: Sequence[Work]) -> None:
        """Before anything is written: hours that moved with a service's zone are nobody's edit (M12)."""
        writing = [work for work in works if work.has_writes]
        if not writing or self._stop():
            return
        pairs = [work.pair for work in writing]
        zones = await self._reader.zones_for_writing(pairs, remember=self._run is not None)
        if zones is None:
            return
        before = [work.terms for work in writing]
        set_zones(writing, zones, self._planner)
        for work, terms in zip(writing, before, strict=True):
            if work.terms != terms:
                await self._planner.plan(work)

    def _recall_closed_sides(self, works: Sequence[Work]) -> None:
        """A dry run cannot find out whether a key may write: it believes what the last run found (W6)."""
        for hold in (hold for work in works for hold in work.memory.holds if hold.kind == "read-only"):
            if not is_about_names(hold):
                self._planner.frozen.setdefault("reservekit", hold.reason)

    async def _raise_alarm(self, works: Sequence[Work], alarm: str | None, pairs: int) -> None:
        for work in filter(would_delete, works):
            work.outage = alarm or (earlier_alarm(work) if pairs < JUDGED_FROM else None)
            if work.outage is not None:
                await self._planner.plan(work)

    async def _finish(self, works: Sequence[Work]) -> None:
        """Applies what the plans say and remembers it; a dry run only reports."""
        if self._writer is not None:
            await self._writer.apply(works)
        works = [work for work in works if not work.put_off]
        dry, at = self._writer is None, self._clock.now()
        settled = [(work, outcome_of(work, at, dry=dry, undoes=self._planner.undoes(work.name))) for work in works]
        for work, outcome in settled:
            self._reports[work.name] = report_of(work, outcome, dry=dry)
        if self._store is not None and self._run is not None:
            moved = self._store.remember(self._run, [outcome for _, outcome in settled])
            for hold in moved.began:
                log.warning("hold.began", pair=hold.pair, hold=hold.id, kind=hold.kind, reason=hold.reason)
            for hold in moved.ended:
                log.warning("hold.ended", pair=hold.pair, hold=hold.id, kind=hold.kind)
        for outcome in (outcome for _, outcome in settled if outcome.error is not None):
            log.error("pair.failed", pair=outcome.pair, error=outcome.error)


def chunks(pairs: Sequence[PairSettings]) -> Iterator[Sequence[PairSettings]]:
    """The pairs, so many at a time as one request reads."""
    for start in range(0, len(pairs), CHUNK):
        yield pairs[start : start + CHUNK]


def _recall_held_names(works: Sequence[Work]) -> None:
    """A dry run believes that a key which could not change services cannot do so now."""
    reason = closed_to_names(work.memory for work in works)
    if reason is None:
        return
    for work in works:
        if work.names is not None and work.renaming is not None and work.renaming.side == "reservekit":
            work.names.keep_back("read-only", reason)


async def read_zones(
    reader: Reader, pairs: Sequence[PairSettings], *, remember: bool, names: bool = False
) -> dict[int, str | None] | ApiError:
    """The zones of these pairs' services, or the error that concerns all of them. `names` wants their names as well."""
    try:
        return await reader.zones(pairs, remember=remember, names=names)
    except ApiError as error:
        return error


def set_zones(works: Sequence[Work], zones: dict[int, str | None] | ApiError, planner: Planner) -> None:
    """Fixes each work's terms for this run; one without a usable zone fails."""
    for work in works:
        try:
            if isinstance(zones, ApiError):
                if work.names is not None:
                    work.names.fail(zones)
                raise zones
            planner.set_zone(work, zone_of(work, zones))
        except SlotbridgeError as error:
            work.fail(error)


def would_delete(work: Work) -> bool:
    """Whether a pair's plan deletes anything, or would if it were not held."""
    plan = work.plan
    return (
        work.error is None
        and plan is not None
        and (plan.deletes or any(hold.kind == "deletions" for hold in plan.holds))
    )


def outage(deleting: int, pairs: int) -> str | None:
    """Why all deletions of a run wait: they come in more than half of at least four pairs (G5)."""
    if pairs < JUDGED_FROM or deleting * 2 <= pairs:
        return None
    return f"{deleting} of {pairs} pairs would delete windows in one run, which looks like an outage or a wrong key"


def earlier_alarm(work: Work) -> str | None:
    """Why a larger run held this pair's deletions (G5): one of a few pairs cannot tell that the cause is gone (G6)."""
    held = [hold for hold in work.memory.holds if hold.kind == "deletions"]
    return next((hold.reason for hold in held if any(item.get("guard") == "G5" for item in hold.items)), None)
