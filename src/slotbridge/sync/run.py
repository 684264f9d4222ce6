"""One pass over the pairs, in chunks: read, plan, apply, verify, remember (W1, W4, W7, W8)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

import structlog

from slotbridge.clock import Clock
from slotbridge.errors import ApiError, SlotbridgeError
from slotbridge.reconcile.agreement import Agreement
from slotbridge.reconcile.model import SIDES, Change, Link
from slotbridge.reconcile.oscillation import Streak, streaks
from slotbridge.reconcile.settle import settle
from slotbridge.settings import PairSettings
from slotbridge.store import Memory, Outcome, Store
from slotbridge.sync.metering import content_digest
from slotbridge.sync.planning import Planner
from slotbridge.sync.reading import Reader, zone_of
from slotbridge.sync.report import PairReport
from slotbridge.sync.terms import agreement_of
from slotbridge.sync.work import Work
from slotbridge.sync.writing import Writer

CHUNK = 50
"""Pairs read by one request to Bitrix24 (S14)."""

log = structlog.get_logger("slotbridge.sync")

Progress = Callable[[int, int], None]
Base = tuple[Agreement, tuple[Link, ...]]


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
    ) -> None:
        self._reader = reader
        self._planner = planner
        self._writer = writer
        self._store = store
        self._clock = clock
        self._run = run
        self._reports: dict[str, PairReport] = {}

    async def over(self, pairs: Sequence[PairSettings], progress: Progress) -> list[PairReport]:
        """All pairs, chunk by chunk. Those that would delete come last, when it is known how many they are (G5)."""
        zones = await read_zones(self._reader, pairs, remember=self._run is not None)
        deleting: list[PairSettings] = []
        for chunk in chunks(pairs):
            works = await self._planned(chunk, zones)
            waiting = [work for work in works if would_delete(work)] if len(pairs) > CHUNK else []
            if len(pairs) <= CHUNK:
                await self._raise_alarm(works, outage(sum(map(would_delete, works)), len(pairs)))
            await self._finish([work for work in works if work not in waiting])
            deleting += [work.pair for work in waiting]
            progress(len(self._reports), len(pairs))
        alarm = outage(len(deleting), len(pairs))
        for chunk in chunks(deleting):
            works = await self._planned(chunk, zones)
            await self._raise_alarm(works, alarm)
            await self._finish(works)
            progress(len(self._reports), len(pairs))
        return [self._reports[pair.name] for pair in pairs]

    async def _planned(self, pairs: Sequence[PairSettings], zones: dict[int, str | None] | ApiError) -> list[Work]:
        memories: Mapping[str, Memory] = self._store.recall([pair.name for pair in pairs]) if self._store else {}
        works = [Work(pair, memories.get(pair.name, Memory())) for pair in pairs]
        if self._run is None:
            self._recall_closed_sides(works)
        set_zones(works, zones, self._planner)
        await self._reader.read(works)
        for work in works:
            await self._planner.plan(work)
        return works

    def _recall_closed_sides(self, works: Sequence[Work]) -> None:
        """A dry run cannot find out whether a key may write: it believes what the last run found (W6)."""
        for hold in (hold for work in works for hold in work.memory.holds if hold.kind == "read-only"):
            self._planner.frozen.setdefault("reservekit", hold.reason)

    async def _raise_alarm(self, works: Sequence[Work], alarm: str | None) -> None:
        if alarm is None:
            return
        for work in filter(would_delete, works):
            work.outage = alarm
            await self._planner.plan(work)

    async def _finish(self, works: Sequence[Work]) -> None:
        """Applies what the plans say and remembers it; a dry run only reports."""
        if self._writer is not None:
            await self._writer.apply(works)
        settled = [(work, self._outcome(work)) for work in works]
        for work, outcome in settled:
            self._reports[work.name] = self._report(work, outcome)
        if self._store is not None and self._run is not None:
            moved = self._store.remember(self._run, [outcome for _, outcome in settled])
            for hold in moved.began:
                log.warning("hold.began", pair=hold.pair, hold=hold.id, kind=hold.kind, reason=hold.reason)
            for hold in moved.ended:
                log.warning("hold.ended", pair=hold.pair, hold=hold.id, kind=hold.kind)
        for work in works:
            if work.error is not None:
                log.error("pair.failed", pair=work.name, error=str(work.error))

    def _outcome(self, work: Work) -> Outcome:
        """What is to be remembered of a pair. Its base is what was read back, and nothing else (W4)."""
        at = self._clock.now()
        changes = tuple(sorted(work.applied, key=lambda change: SIDES.index(change.side)))
        base = None
        if work.plan is not None and work.agreement is not None and (work.error is None or work.heals):
            settled = settle(work.plan, work.snapshot) if self._writer is not None else None
            if settled is not None and settled.missing:
                first = settled.missing[0]
                hint = "The next run reads again what came of it"
                what = f"{first.value.window if first.value else 'a window'} is not there as it was meant to be"
                work.fail(ApiError(what, side=first.side, hint=hint))
            elif settled is not None and work.plan.agreed:
                # What was written may be the first that tells the server's form of times.
                base = agreement_of(work.pair, work.plan.terms, work.snapshot, work.memory), settled.links
        if work.error is not None:
            return self._failed(work, at, changes, base)
        plan = work.plan
        return Outcome(
            pair=work.name,
            at=at,
            status=PairReport(work.name, changes, plan.holds if plan else ()).status,
            base=base if base != (work.memory.agreement, work.memory.links) else None,
            changes=changes,
            overruled=tuple(lost for lost in plan.overruled if lost not in work.told) if plan else (),
            holds=plan.holds if plan and not self._planner.undoes(work) else None,
            refused=() if work.memory.refused else None,
            streaks=_streaks(work) if plan else None,
            past=_past(work),
            intents_done=bool(work.memory.intents or changes),
        )

    def _failed(self, work: Work, at: datetime, changes: tuple[Change, ...], base: Base | None) -> Outcome:
        refused, refusal = (work.refused, _told(work.error)) if work.refused else (None, None)
        return Outcome(
            pair=work.name,
            at=at,
            status="failed",
            error=str(work.error),
            base=base,
            changes=changes,
            refused=refused,
            refusal=refusal,
            past=_past(work),
        )

    def _report(self, work: Work, outcome: Outcome) -> PairReport:
        plan = work.plan
        dry = self._writer is None
        return PairReport(
            name=work.name,
            changes=plan.changes if dry and plan and work.error is None else outcome.changes,
            holds=plan.holds if plan and work.error is None else (),
            problems=plan.problems if plan else {},
            overruled=tuple(dict.fromkeys((*work.told, *plan.overruled))) if plan and work.error is None else (),
            error=work.error,
            linked=outcome.base is not None,
            bitrix24_digest=content_digest(work.bitrix24) if work.error is None else None,
        )


def chunks(pairs: Sequence[PairSettings]) -> Iterator[Sequence[PairSettings]]:
    """The pairs, so many at a time as one request reads."""
    for start in range(0, len(pairs), CHUNK):
        yield pairs[start : start + CHUNK]


async def read_zones(
    reader: Reader, pairs: Sequence[PairSettings], *, remember: bool
) -> dict[int, str | None] | ApiError:
    """The zones of these pairs' services, or the error that concerns all of them."""
    try:
        return await reader.zones([pair.service_id for pair in pairs], remember=remember)
    except ApiError as error:
        return error


def set_zones(works: Sequence[Work], zones: dict[int, str | None] | ApiError, planner: Planner) -> None:
    """Fixes each work's terms for this run; one without a usable zone fails."""
    for work in works:
        try:
            if isinstance(zones, ApiError):
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
    if pairs < 4 or deleting * 2 <= pairs:
        return None
    return f"{deleting} of {pairs} pairs would delete windows in one run, which looks like an outage or a wrong key"


def _past(work: Work) -> Base | None:
    """The base that this run may replace, kept so that the run can be undone."""
    return (work.memory.agreement, work.memory.links) if work.memory.agreement is not None else None


def _streaks(work: Work) -> dict[str, Streak] | None:
    """What G7 counts after this run; None where that stays as it is."""
    if work.plan is not None and any(hold.kind == "oscillation" for hold in work.plan.holds):
        return None  # nothing was written, and what was counted is why
    counted = streaks(work.plan, work.memory.streaks) if work.plan is not None and work.applied else {}
    return counted if counted or work.memory.streaks else None


def _told(error: SlotbridgeError | None) -> str | None:
    if error is None:
        return None
    return f"{error.what}. {error.hint}" if error.hint else error.what
