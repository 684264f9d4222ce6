"""Applying plans: to ReserveKit what `sending` does, to Bitrix24 list, set, list in one batch (W2)."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from slotbridge.bitrix24 import Bitrix24Client, SlotsWritten
from slotbridge.clock import Clock
from slotbridge.errors import ApiError, WriteRefused
from slotbridge.reconcile.rebase import rebased
from slotbridge.reservekit import ReserveKitClient
from slotbridge.settings import ReserveKitSettings
from slotbridge.store import Store
from slotbridge.sync.between import wish_of
from slotbridge.sync.customers import Usher
from slotbridge.sync.evidence import has_vanished, set_beside
from slotbridge.sync.keeping import ROUNDS, Keeper, changed_each_time
from slotbridge.sync.planning import Planner
from slotbridge.sync.reading import AT_ONCE, FRESH, SETTLES, Reader
from slotbridge.sync.refusals import note_refused_ranges, withholds_ranges
from slotbridge.sync.renaming import NameWriter
from slotbridge.sync.sending import LATE_AFTER_SILENCE, Sender, new_in
from slotbridge.sync.work import Stop, Work, keeping_to, never
from slotbridge.together import together


class Writer:
    """Applies the plans of a chunk of pairs. A failure stays with its pair (W7).

    A `patient` one asks a key that may not change services only once an hour whether it may by now. Once `stop` says
    so, what was begun is brought to its end, and the other pairs are put off.
    """

    def __init__(
        self,
        bitrix24: Bitrix24Client,
        reservekit: ReserveKitClient,
        reader: Reader,
        planner: Planner,
        store: Store,
        clock: Clock,
        settings: ReserveKitSettings,
        run: int,
        *,
        patient: bool = False,
        stop: Stop = never,
    ) -> None:
        self._bitrix24 = bitrix24
        self._reader = reader
        self._planner = planner
        self._store = store
        self._clock = clock
        self._run = run
        self._stop = stop
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._keeper = Keeper(bitrix24, planner, store, clock)
        self._usher = Usher(bitrix24, reservekit, planner, store, clock, stop)
        self._sender = Sender(reservekit, reader, planner, store, clock, settings, self._usher, stop)
        self._names = NameWriter(reservekit, reader.names, self._keeper, store, clock, run, patient=patient)

    async def apply(self, works: Sequence[Work]) -> None:
        """Sets again what a death in between has deleted, then writes the hours, then the names."""
        await self._keeper.restore(works)
        await self._write_hours(works)
        for work in works:
            self._usher.conclude(work)
        await self._names.follow([work for work in works if not self._is_put_off(work)])
        for work in works:
            work.tell_unheeded()

    def _is_put_off(self, work: Work) -> bool:
        """Whether the pair is left for another day: the run was told to stop before anything was written for it."""
        work.put_off = work.put_off or (self._stop() and not work.begun and work.error is None)
        return work.put_off

    async def _write_hours(self, works: Sequence[Work]) -> None:
        """Writes what the plans say, and once more what came in between, until nothing is left to write."""
        pending = await self._confirmed([work for work in works if work.has_writes])
        for _ in range(ROUNDS):
            if not pending:
                return
            for work in pending:
                work.again = False
                self._tell_overruled(work)
            # An edit that we wrote over comes back before anything else can go wrong.
            await self._write_bitrix24([work for work in pending if work.actual is not None])
            await together(self._write_reservekit(work) for work in pending if work.error is None)
            await self._write_bitrix24([work for work in pending if work.error is None or work.goes_on])
            pending = [work for work in pending if work.again and not work.put_off]
            for work in pending:  # of the plan that came of it, ReserveKit may have its part by now
                self._tell_overruled(work)
                await self._planner.plan(work)
            pending = [work for work in pending if work.has_writes]
        for work in pending:
            work.fail(changed_each_time())

    def _tell_overruled(self, work: Work) -> None:
        """An edit that is about to be written over goes into the history first: the process may die over it (M3)."""
        lost = [one for one in (work.plan.overruled if work.plan else ()) if one not in work.told]
        if lost:
            self._store.note_overruled(self._run, work.name, lost)
            work.told.extend(lost)

    async def _confirmed(self, works: Sequence[Work]) -> list[Work]:
        """That a window vanished is confirmed by a second reading of that side, unless one comes anyway.

        A creation that an earlier run sent without an answer is given the time to appear, and looked for twice (W4).
        """
        vanished = [work for work in works if has_vanished(work.plan, "bitrix24") and not work.planned("bitrix24")]
        if vanished:
            before = {work.name: work.bitrix24 for work in vanished}
            await self._reader.read_bitrix24(vanished)
            for work in vanished:
                if work.bitrix24 != before[work.name]:
                    await self._planner.plan(work)
        for work in works:
            if work.error is None and has_vanished(work.plan, "reservekit"):
                await self._read_again(work)
            if work.error is None:
                await self._await_late_creations(work)
        return [work for work in works if work.has_writes and not work.put_off]

    async def _await_late_creations(self, work: Work) -> None:
        created = {want.window for want in new_in(work.plan)} if work.plan else set()
        if not created & {window for intent in work.memory.intents for window, _ in intent.windows}:
            return
        wait = (max(intent.wait_until for intent in work.memory.intents) - self._clock.now()).total_seconds()
        wait = min(wait, LATE_AFTER_SILENCE.total_seconds())  # a wall clock that was set back makes it no longer
        wait = max(wait, SETTLES)  # the first reading may have come from a copy that lags behind
        until = self._clock.monotonic() + wait
        while (left := until - self._clock.monotonic()) > 0:
            if self._is_put_off(work):
                return
            await self._clock.sleep(min(left, 1.0))  # a stop is heeded within a second
        await self._read_again(work)

    async def _read_again(self, work: Work) -> None:
        before = work.reservekit
        await self._reader.read_reservekit(work)
        if work.error is None and work.reservekit != before:
            await self._planner.plan(work)

    async def _write_reservekit(self, work: Work) -> None:
        async with self._at_once:
            if not self._is_put_off(work):
                await self._bring_to_reservekit(work)

    async def _freshen(self, work: Work) -> None:
        if work.planned("reservekit") and self._clock.monotonic() - work.read_at > FRESH:
            await self._read_again(work)

    async def _bring_to_reservekit(self, work: Work) -> None:
        try:
            with keeping_to(work):
                await self._freshen(work)
                await self._usher.see_off(work)
                await self._freshen(work)
                if work.error is None and work.planned("reservekit") and not self._planner.frozen:
                    await self._sender.send(work)
        except WriteRefused as error:
            work.closed = True
            self._planner.frozen["reservekit"] = f"the ReserveKit key may read but not write: {error.what}"
        if work.error is None and self._planner.frozen and work.planned("reservekit"):
            await self._planner.plan(work)

    async def _write_bitrix24(self, works: Sequence[Work]) -> None:
        now = self._clock.now()
        due = [work for work in works if work.sets_bitrix24 and not self._is_put_off(work)]
        due = [work for work in due if work.actual is not None or not _withholds(work, now)]
        writes = {work.pair.resource_id: work.plan.bitrix24.items for work in due if work.plan}
        if not writes:
            return
        for work in due:
            work.begun = True
        written = await self._bitrix24.set_slots(writes)
        for work in due:
            if (outcome := written.get(work.pair.resource_id)) is not None:
                with keeping_to(work):
                    await self._after_set(work, outcome)

    async def _after_set(self, work: Work, written: SlotsWritten | ApiError) -> None:
        """Compares what was there before our set, and after it, with what was expected; plans anew what differs."""
        if work.plan is None:
            return
        if isinstance(written, ApiError):
            work.known = False
            note_refused_ranges(work, work.plan.bitrix24.items, written, self._clock.now())
            work.fail(written)
            if work.actual is None:
                work.go_on()
            return
        work.note_applied(work.planned("bitrix24"))
        expected = work.bitrix24 if work.actual is None else work.actual
        undisturbed = Counter(written.before) == Counter(expected)
        if undisturbed and Counter(written.after) == Counter(work.plan.bitrix24.items):
            work.bitrix24, work.actual, work.rescued = written.after, None, True
            return
        # Somebody edited it in between: what we wrote over comes first, then what is there now.
        meant = work.plan.bitrix24.items
        if undisturbed and (theirs := set_beside(written, meant)) is not None:
            work.bitrix24, work.actual = rebased(theirs, written.before, meant), written.after
        elif undisturbed:
            work.bitrix24, work.actual, work.rescued = written.after, None, True
        else:
            work.bitrix24 = wish_of(self._planner, work, written, meant, seen=expected, left=work.actual)
            work.actual = written.after
        work.again = True
        await self._planner.plan(work)
        if work.actual is not None and not work.sets_bitrix24:
            work.bitrix24, work.actual, work.rescued = work.actual, None, True
        if work.actual is not None:  # should it not come to that, the next run puts it back
            due = work.plan.bitrix24.items if work.error is None else work.bitrix24
            self._keeper.note([(work, due, work.actual)])


def _withholds(work: Work, now: datetime) -> bool:
    withheld = work.plan is not None and withholds_ranges(work, work.plan.bitrix24.items, now)
    if withheld:
        work.go_on()
    return withheld
