"""Applying plans: ReserveKit slot by slot with a verifying read (W3), Bitrix24 by list, set, list in one batch (W2)."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta

from slotbridge.bitrix24 import Bitrix24Client, SlotsWritten
from slotbridge.clock import Clock
from slotbridge.errors import ApiError, OutcomeUnknown, Rejected, WriteRefused
from slotbridge.lenses import reservekit as slots
from slotbridge.lenses.items import Odd, TimeSlot
from slotbridge.lenses.terms import Wanted
from slotbridge.reconcile.model import Plan
from slotbridge.reconcile.plan import wanted_of
from slotbridge.reconcile.settle import Missing, settle
from slotbridge.reservekit import ReserveKitClient
from slotbridge.settings import ReserveKitSettings
from slotbridge.store import Intent, Store
from slotbridge.sync.customers import Usher
from slotbridge.sync.evidence import anew, executed, has_vanished, made_of, replaced, wished
from slotbridge.sync.explain import not_as_sent
from slotbridge.sync.keeping import ROUNDS, Keeper, changed_each_time
from slotbridge.sync.planning import Planner, digests
from slotbridge.sync.reading import AT_ONCE, FRESH, SETTLES, Reader
from slotbridge.sync.renaming import NameWriter
from slotbridge.sync.work import Stop, Work, keeping_to, never
from slotbridge.week import Window

LATE = timedelta(seconds=15)
"""How long a creation may still be executed by the server after its process died."""

LATE_AFTER_SILENCE = timedelta(seconds=30)
"""The same after an answer that did not come in time: the server is slow already."""


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
        self._reservekit = reservekit
        self._reader = reader
        self._planner = planner
        self._store = store
        self._clock = clock
        self._settings = settings
        self._run = run
        self._stop = stop
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._keeper = Keeper(bitrix24, planner, store, clock)
        self._usher = Usher(bitrix24, reservekit, planner, store, clock, stop)
        self._names = NameWriter(reservekit, reader.names, self._keeper, store, clock, run, patient=patient)

    async def apply(self, works: Sequence[Work]) -> None:
        """Sets again what a death in between has deleted, then writes the hours, then the names."""
        await self._keeper.restore(works)
        await self._write_hours(works)
        for work in works:
            self._usher.conclude(work)
        await self._names.follow([work for work in works if not self._is_put_off(work)])

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
            await asyncio.gather(*(self._write_reservekit(work) for work in pending if work.error is None))
            await self._write_bitrix24([work for work in pending if work.error is None])
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
        """A deletion is confirmed by a second reading of the side where the window vanished, unless one comes anyway.

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
        if not set(_created(work)) & {window for intent in work.memory.intents for window, _ in intent.windows}:
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
                    self._reservekit.require_room(self._cost(work))
                    work.begun = True
                    await self._send_reservekit(work)
        except WriteRefused as error:
            self._planner.frozen["reservekit"] = f"the ReserveKit key may read but not write: {error.what}"
        if work.error is None and self._planner.frozen and work.planned("reservekit"):
            await self._planner.plan(work)

    def _cost(self, work: Work) -> int:
        """How many requests it takes to write what is planned, and to read it back twice."""
        if work.plan is None:
            return 0
        deletions = sum(change.after is None for change in work.plan.reservekit.changes)
        return len(list(self._batches(_saved(work.plan), work.plan))) + deletions + 2

    async def _send_reservekit(self, work: Work) -> None:
        plan, before = work.plan, work.reservekit
        if plan is None:
            return
        try:
            failure = await self._sent(work, plan)
        except WriteRefused:
            work.note_applied(executed(plan, work.reservekit))
            raise
        missing = await self._verify(work, plan)
        if missing and (lost := replaced(before, plan, work.reservekit)):
            await self._put_back(work, plan, lost)
            return
        if not missing:
            work.note_applied(work.planned("reservekit"))
            return  # whatever the answer said or did not say, everything is there
        work.note_applied(executed(plan, work.reservekit))
        shown = [slots.view(items, plan.terms).windows for items in (before, work.reservekit)]
        error = failure or not_as_sent(missing, *shown)
        if failure is None or isinstance(failure, Rejected):
            # What the next run would send again, word for word, is what this one sent in vain.
            sent = [change.after for change in work.planned("reservekit")]
            await self._planner.plan(work)
            again = [change for change in work.planned("reservekit") if change.after in sent]
            work.refused = tuple(digests(again, self._settings, work.snapshot))
        raise error

    async def _sent(self, work: Work, plan: Plan) -> ApiError | None:
        """Sends creations and edits, then deletions; the error that stopped it, if its outcome has to be looked at."""
        changes, saves = plan.reservekit.changes, _saved(plan)
        if created := _new(plan):
            self._note(work, created, LATE)
        try:
            for batch in self._batches(saves, plan):
                await self._reservekit.save_time_slots(work.pair.service_id, batch)
            if saves:
                await self._usher.look_back(work)
            gone = (change.before.id for change in changes if change.after is None and change.before is not None)
            await self._delete(work, [slot_id for slot_id in gone if slot_id is not None], begun=bool(saves))
        except WriteRefused:
            raise
        except ApiError as error:
            if created and isinstance(error, OutcomeUnknown):
                self._note(work, created, LATE_AFTER_SILENCE)
            return error
        return None

    async def _delete(self, work: Work, slot_ids: Sequence[int], *, begun: bool) -> None:
        """Deletes one by one. Of a refusal, another listing tells what was executed of the `begun` writes before it.

        Whether a 404 that names no time slot means that this one is gone, or that the call is closed to the key, is
        told by nothing else (`reference/reservekit.md` 7.2). What becomes of one slot keeps no other from its deletion,
        unless the server is down: the first error is raised at the end.
        """
        failure: ApiError | None = None
        for slot_id in slot_ids:
            try:
                await self._reservekit.delete_time_slot(slot_id)
            except (Rejected, OutcomeUnknown) as error:
                if error.status is None or error.status >= 500:
                    raise
                failure = failure or error
            except WriteRefused as error:
                if begun or error.status == 404:
                    work.reservekit = await self._reader.time_slots(work)
                if error.status != 404 or slot_id in {item.id for item in work.reservekit}:
                    raise
            begun = True
        if failure is not None:
            raise failure

    def _batches(self, saves: Sequence[TimeSlot | Odd], plan: Plan) -> Iterator[Sequence[TimeSlot | Odd]]:
        if self._settings.patch == "full":
            # A server that replaces the list must be given all of it at once.
            yield plan.reservekit.items
            return
        for start in range(0, len(saves), self._settings.max_batch):
            yield saves[start : start + self._settings.max_batch]

    def _note(self, work: Work, created: Sequence[Wanted], late: timedelta) -> None:
        now = self._clock.now()
        known = tuple(item.id for item in work.reservekit if item.id is not None)
        windows = tuple((want.window, want.capacity) for want in created)
        self._store.note_intent(work.name, Intent(now, now + late, windows, known))

    async def _verify(self, work: Work, plan: Plan) -> list[Missing]:
        """Reads back, twice if the first reading looks like the state before, and tells what is not as it was meant."""
        for again in (False, True):
            if again:
                await self._clock.sleep(SETTLES)
            work.reservekit = await self._reader.time_slots(work)
            settled = settle(plan, work.snapshot._replace(bitrix24=plan.bitrix24.items))
            missing = [miss for miss in settled.missing if miss.side == "reservekit"]
            if not missing:
                break
        return missing

    async def _put_back(self, work: Work, plan: Plan, lost: int) -> None:
        """The server replaced the list: what vanished is sent again, together with all the rest (S8)."""
        made = made_of(plan, work.reservekit)
        there = {item.id for item in work.reservekit}
        complete = [
            item if item.id in there else made.pop(item).pop() if made.get(item) else anew(item)
            for item in plan.reservekit.items
        ]
        await self._reservekit.save_time_slots(work.pair.service_id, complete)
        missing = await self._verify(work, plan)
        work.note_applied(work.planned("reservekit"))
        work.heals = not missing
        what = f"the server replaced the whole list of time slots by the ones that were sent; {lost} were put back"
        hint = 'Set [reservekit] patch = "full", which always sends the complete list'
        work.fail(ApiError(f"{what}{', some are still missing' if missing else ''}", side="reservekit", hint=hint))

    async def _write_bitrix24(self, works: Sequence[Work]) -> None:
        due = [work for work in works if work.sets_bitrix24 and not self._is_put_off(work)]
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
            work.fail(written)
            return
        work.note_applied(work.planned("bitrix24"))
        expected = work.bitrix24 if work.actual is None else work.actual
        undisturbed = Counter(written.before) == Counter(expected)
        if undisturbed and Counter(written.after) == Counter(work.plan.bitrix24.items):
            work.bitrix24, work.actual, work.rescued = written.after, None, True
            return
        # Somebody edited it in between: what we wrote over comes first, then what is there now.
        if undisturbed:
            work.bitrix24, work.actual, work.rescued = written.after, None, True
        else:
            work.bitrix24 = wished(written, work.actual, work.plan.bitrix24.items)
            work.actual = written.after
        work.again = True
        await self._planner.plan(work)
        if work.actual is not None and not work.sets_bitrix24:
            work.bitrix24, work.actual, work.rescued = work.actual, None, True
        if work.actual is not None:  # should it not come to that, the next run puts it back
            due = work.plan.bitrix24.items if work.error is None else work.bitrix24
            self._keeper.note([(work, due, work.actual)])


def _created(work: Work) -> list[Window]:
    return [want.window for want in _new(work.plan)] if work.plan else []


def _saved(plan: Plan) -> list[TimeSlot | Odd]:
    return [change.after for change in plan.reservekit.changes if change.after is not None]


def _new(plan: Plan) -> list[Wanted]:
    wanted = wanted_of("reservekit", plan.verdicts)
    made = [change for change in plan.reservekit.changes if change.before is None]
    return [wanted[number] for change in made for number in change.gained]
