"""What one pair's plan has for ReserveKit, sent slot by slot and verified by reading (W3, S8)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import NoReturn

from slotbridge.clock import Clock
from slotbridge.errors import ApiError, NotFound, NotKept, OutcomeUnknown, Rejected, WriteRefused
from slotbridge.lenses import reservekit as slots
from slotbridge.lenses.items import Odd, TimeSlot
from slotbridge.lenses.terms import Wanted
from slotbridge.reconcile.model import FirstSync, Plan
from slotbridge.reconcile.plan import wanted_of
from slotbridge.reconcile.settle import Missing, settle
from slotbridge.reservekit import ReserveKitClient
from slotbridge.settings import ReserveKitSettings
from slotbridge.store import Intent, Store
from slotbridge.sync.customers import Usher
from slotbridge.sync.evidence import anew, astray, executed, is_as_before, made_of, replaced
from slotbridge.sync.explain import not_as_sent
from slotbridge.sync.planning import Planner
from slotbridge.sync.reading import SETTLES, Reader
from slotbridge.sync.refusals import as_not_kept, as_refused
from slotbridge.sync.work import Stop, Work, never

LATE = timedelta(seconds=15)
"""How long a creation may still be executed by the server after its process died."""

LATE_AFTER_SILENCE = timedelta(seconds=30)
"""The same after an answer that did not come in time: the server is slow already."""

IN_VAIN = 2
"""How many times in a row requests are made smaller although nothing of them was taken: then it is not one slot."""

Batch = Sequence[TimeSlot | Odd]


@dataclass
class Sent:
    """The requests that were, or may have been, taken. `silent`: the answer to one of them says nothing.

    `doubted` were answered with an error that came with a success: what is read back tells what became of them.
    """

    batches: list[Batch] = field(default_factory=list)
    silent: bool = False
    doubted: list[Batch] = field(default_factory=list)

    def replaced(self, before: Batch, plan: Plan, after: Batch) -> int:
        """How many slots vanished because the server replaces the list, whichever of these requests it took last."""
        orders = [self.batches, *([*self.batches, batch] for batch in self.doubted)]
        return max(replaced(before, order, plan, after) for order in orders)


class Sender:
    """Sends creations and edits, then deletions, and reads back."""

    def __init__(
        self,
        reservekit: ReserveKitClient,
        reader: Reader,
        planner: Planner,
        store: Store,
        clock: Clock,
        settings: ReserveKitSettings,
        usher: Usher,
        stop: Stop = never,
    ) -> None:
        self._reservekit = reservekit
        self._reader = reader
        self._planner = planner
        self._store = store
        self._clock = clock
        self._settings = settings
        self._usher = usher
        self._stop = stop

    async def send(self, work: Work) -> None:
        """Brings ReserveKit to what is planned. Raises ApiError if it is not there then, WriteRefused for a closed key.

        What the server finds wrong is sent again in smaller requests, until only the slots are left out that it
        refuses by themselves.
        """
        self._reservekit.require_room(self._cost(work))
        work.begun = True
        size, in_vain = self._settings.max_batch, 0
        while work.error is None and work.plan is not None and work.planned("reservekit"):
            plan, before, sent = work.plan, work.reservekit, Sent()
            failure = await self._attempt(work, plan, size, sent)
            if failure is None:
                return
            in_vain = 0 if sent.batches else in_vain + 1
            together = min(size, len(_saved(plan)))
            whole = together < 2 or self._settings.patch == "full" or work.late
            underway = plan.first if is_as_before(plan, before, work.reservekit) else None
            if whole or in_vain > IN_VAIN or not isinstance(failure, Rejected):
                await self._give_up(work, failure, plan, underway)
            size = together // 2
            await self._planner.plan(work, underway=underway)
            if not work.belongs_together:  # somebody edited what a first sync has made, and is asked: both are told
                raise failure

    async def _attempt(self, work: Work, plan: Plan, size: int, sent: Sent) -> ApiError | None:
        """Sends all that is planned; what is still missing then, as an error."""
        before = work.reservekit
        try:
            failure = await self._sent(work, plan, size, sent)
        except WriteRefused:
            work.note_applied(executed(plan, work.reservekit))
            raise
        missing = await self._verify(work, plan)
        if missing and work.late:
            await self._let_land()
            missing = await self._verify(work, plan)
        work.late = work.late and bool(missing) and self._stop()
        if missing and (lost := sent.replaced(before, plan, work.reservekit)):
            await self._put_back(work, plan, lost)
            return None
        if not missing:
            work.note_applied(work.planned("reservekit"))
            return None  # whatever the answer said or did not say, everything is there
        work.note_applied(executed(plan, work.reservekit))
        if failure is None and sent.silent and is_as_before(plan, before, work.reservekit):
            return _unanswered(work)
        strays = astray(plan, before, work.reservekit)
        own = [miss for miss in missing if miss.value in strays]
        if own and isinstance(failure, Rejected):  # to be sent in smaller requests, it would be there twice
            missing, failure = own, None
        if isinstance(failure, OutcomeUnknown) and is_as_before(plan, before, work.reservekit):
            failure = failure.refusal or failure
        shown = [slots.view(items, plan.terms) for items in (before, work.reservekit)]
        return failure or not_as_sent(plan, missing, *shown, settings=self._settings)

    async def _give_up(self, work: Work, failure: ApiError, plan: Plan, underway: FirstSync | None) -> NoReturn:
        """Raises the failure, once it is noted what is not to be sent again."""
        if isinstance(failure, Rejected | NotKept):
            # What the next run would send again, word for word, is what this one sent in vain.
            await self._planner.plan(work, underway=underway)
            sent = [change.after for change in plan.changes if change.side == "reservekit"]
            again = [change for change in work.planned("reservekit") if change.after in sent]
            if isinstance(failure, NotKept):
                done = list(executed(plan, work.reservekit))
                created = [each for each in plan.changes if (each.side, each.op) == ("reservekit", "create")]
                lost = [change for change in created if change not in done]
                digests = as_not_kept(work, again or lost, self._settings)
            else:
                digests = as_refused(work, again, self._settings, self._clock.now())
            work.refused |= dict.fromkeys(digests, failure.words)
            work.goes_on = isinstance(failure, Rejected)
        raise failure

    def _cost(self, work: Work) -> int:
        """How many requests it takes to write what is planned, and to read it back twice."""
        if work.plan is None:
            return 0
        deletions = sum(change.after is None for change in work.plan.reservekit.changes)
        batches = self._batches(_saved(work.plan), work.plan, self._settings.max_batch)
        return len(list(batches)) + deletions + 2

    async def _sent(self, work: Work, plan: Plan, size: int, sent: Sent) -> ApiError | None:
        """Sends creations and edits, then deletions; the first error, if its outcome has to be looked at.

        One that was found wrong keeps nothing else back.
        """
        changes, saves = plan.reservekit.changes, _saved(plan)
        failure: ApiError | None = None
        saving = True
        if created := new_in(plan):
            self._note(work, created, LATE)
        try:
            for batch in self._batches(saves, plan, size):
                try:
                    said = await self._save(work, batch, sent)
                    failure = failure or said
                except NotFound as error:
                    sent.batches.pop()
                    return failure or error
                except WriteRefused as error:
                    if error.status != 404 or not await self._lacks_one(work, batch):
                        raise
                    return _gone(error)
            saving = False
            if saves:
                await self._usher.look_back(work)
            gone = (change.before.id for change in changes if change.after is None and change.before is not None)
            await self._delete(work, [slot_id for slot_id in gone if slot_id is not None], sent, begun=bool(saves))
        except WriteRefused:
            raise
        except ApiError as error:
            if saving and created and isinstance(error, OutcomeUnknown):
                self._note(work, created, LATE_AFTER_SILENCE)
                return error  # it may be executed yet: of what was refused, nothing is sent again before that is over
            return failure or error
        return failure

    async def _save(self, work: Work, batch: Batch, sent: Sent) -> ApiError | None:
        """Sends one request. What the server has against it is returned, for certain or not."""
        sent.batches.append(batch)
        try:
            sent.silent |= not await self._reservekit.save_time_slots(work.pair.service_id, batch)
            return None
        except Rejected as error:
            sent.batches.pop()
            return error
        except OutcomeUnknown as error:
            if error.refusal is None:
                raise
            sent.doubted.append(sent.batches.pop())
            work.late = work.late or any(item.id is None for item in batch)
            return error

    async def _let_land(self) -> None:
        """Gives what may be created yet its time to appear (W4), unless the run is told to stop."""
        until = self._clock.monotonic() + LATE.total_seconds()
        while (left := until - self._clock.monotonic()) > 0 and not self._stop():
            await self._clock.sleep(min(left, 1.0))

    async def _lacks_one(self, work: Work, batch: Batch) -> bool:
        """Whether a slot of the request is not there any more: a 404 that names nothing may also be a closed key's."""
        work.reservekit = await self._reader.time_slots(work)
        return not {item.id for item in batch if item.id is not None} <= {item.id for item in work.reservekit}

    async def _delete(self, work: Work, slot_ids: Sequence[int], sent: Sent, *, begun: bool) -> None:
        """Deletes one by one. Of a refusal, another listing tells what was executed of the `begun` writes before it.

        Whether a 404 that names no time slot means that this one is gone, or that the call is closed to the key, is
        told by nothing else (`reference/reservekit.md` 7.2). What becomes of one slot keeps no other from its deletion,
        unless the server is down: the first error is raised at the end.
        """
        failure: ApiError | None = None
        for slot_id in slot_ids:
            try:
                sent.silent |= not await self._reservekit.delete_time_slot(slot_id)
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

    def _batches(self, saves: Batch, plan: Plan, size: int) -> Iterator[Batch]:
        if self._settings.patch == "full":
            # A server that replaces the list must be given all of it at once.
            yield plan.reservekit.items
            return
        for start in range(0, len(saves), size):
            yield saves[start : start + size]

    def _note(self, work: Work, created: Sequence[Wanted], late: timedelta) -> None:
        now = self._clock.now()
        known = tuple(item.id for item in work.reservekit if item.id is not None)
        windows = tuple((want.window, want.capacity) for want in created)
        intent = Intent(now, now + late, windows, known)
        self._store.note_intent(work.name, intent)
        work.noted.append(intent)

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
            item if item.id in there else made[item].pop() if made.get(item) else anew(item)
            for item in plan.reservekit.items
        ]
        await self._reservekit.save_time_slots(work.pair.service_id, complete)
        missing = await self._verify(work, plan)
        work.note_applied(work.planned("reservekit"))
        work.heals = not missing
        what = f"the server replaced the whole list of time slots by the ones that were sent; {lost} were put back"
        hint = 'Set [reservekit] patch = "full", which always sends the complete list'
        work.fail(ApiError(f"{what}{', some are still missing' if missing else ''}", side="reservekit", hint=hint))


def new_in(plan: Plan) -> list[Wanted]:
    """The windows that the plan creates in ReserveKit."""
    wanted = wanted_of("reservekit", plan.verdicts)
    made = [change for change in plan.reservekit.changes if change.before is None]
    return [wanted[number] for change in made for number in change.gained]


def _saved(plan: Plan) -> list[TimeSlot | Odd]:
    return [change.after for change in plan.reservekit.changes if change.after is not None]


def _unanswered(work: Work) -> OutcomeUnknown:
    what, hint = "a write was answered with an empty body, and is not executed", "It is sent again by the next run"
    return OutcomeUnknown(what, side="reservekit", item=f"time slots of service {work.pair.service_id}", hint=hint)


def _gone(error: WriteRefused) -> NotFound:
    what, hint = "one of the slots that were sent is not there any more", "The next run makes a new plan"
    return NotFound(what, side="reservekit", item=error.item, hint=hint, status=error.status)
