"""Ranges that are to stay as they are: set again where an update of ours deletes them, or has deleted them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from slotbridge.bitrix24 import Bitrix24Client, Resource
from slotbridge.clock import Clock
from slotbridge.errors import ApiError
from slotbridge.lenses.items import Ranges
from slotbridge.store import Rescue, Store
from slotbridge.sync.between import wish_of
from slotbridge.sync.planning import Planner
from slotbridge.sync.refusals import note_refused_ranges, withholds_ranges
from slotbridge.sync.work import Work, keeping_to

Kept = Ranges | ApiError
"""What a resource holds in the end, or why that is not known."""

ROUNDS = 4
"""How often an edit that comes in between is put back before the next run has to look at it."""


class Updated(NamedTuple):
    """What went wrong with some resources, and what those that were seen were called right before, by resource."""

    failed: dict[int, ApiError]
    called: dict[int, Resource]


class Keeper:
    """Sets what was there before. Of what it overwrites it takes no notice but to put it back."""

    def __init__(self, bitrix24: Bitrix24Client, planner: Planner, store: Store, clock: Clock) -> None:
        self._bitrix24 = bitrix24
        self._planner = planner
        self._store = store
        self._clock = clock

    async def restore(self, works: Sequence[Work]) -> None:
        """Sets again what a write that was broken off has taken away, whatever else becomes of these pairs."""
        lost = {work.pair.resource_id: work for work in works if work.instead is not None and not self._waits(work)}
        if not lost:
            return
        wanted = {number: (work.bitrix24, work.instead or ()) for number, work in lost.items()}
        found, *_ = await self._kept(lost, wanted, {})
        for number, work in lost.items():
            with keeping_to(work):
                await self._after_restoring(work, found[number])

    def _waits(self, work: Work) -> bool:
        """Whether the portal would refuse once more what is to be set again. Of a resource that has nothing left, and
        so cannot be booked at all, it is asked in every run.
        """
        if not work.instead:
            return False
        withheld = withholds_ranges(work, work.bitrix24, self._clock.now())
        work.known = work.known and not withheld
        return withheld

    async def _after_restoring(self, work: Work, kept: Kept) -> None:
        if isinstance(kept, ApiError):
            work.known = False
            note_refused_ranges(work, work.bitrix24, kept, self._clock.now())
            raise kept
        work.note_applied(work.restored)
        work.instead, work.rescued = None, True
        if Counter(kept) != Counter(work.bitrix24):
            work.bitrix24 = kept
            await self._planner.plan(work)

    async def update(self, works: Mapping[int, Work], profiles: Mapping[int, Mapping[str, str]]) -> Updated:
        """Updates resources without losing their hours.

        Their ranges are noted first, durably: a process that dies in between leaves them to the next run.
        """
        there = {number: work.in_bitrix24 for number, work in works.items()}
        self.note((work, work.in_bitrix24, ()) for work in works.values())
        wanted = {number: (ranges, ranges) for number, ranges in there.items()}
        kept, refused, called = await self._kept(works, wanted, profiles)
        failed = {number: answer for number, answer in kept.items() if isinstance(answer, ApiError)}
        for number in kept.keys() - failed.keys():
            works[number].rescued = True
        for number, error in (await self._set_again(works, {number: there[number] for number in failed})).items():
            works[number].known = False
            note_refused_ranges(works[number], there[number], error, self._clock.now())
            works[number].fail(error)  # the name may have arrived: without its hours that is no success
        return Updated(refused | failed, called)

    def note(self, losses: Iterable[tuple[Work, Ranges, Ranges]]) -> None:
        """Notes, durably, the first of the two ranges, which our write leaves the second in place of."""
        now, rescues = self._clock.now(), {}
        for work, ranges, left in losses:
            work.rescued = False
            if Counter(ranges) != Counter(left):
                rescues[work.name] = Rescue(work.pair.resource_id, ranges, now, left)
        if rescues:
            self._store.profiles.note_rescues(rescues)

    async def _set_again(self, works: Mapping[int, Work], there: Mapping[int, Ranges]) -> dict[int, ApiError]:
        """What got lost on the way is not left to the next run if it can be helped. The note on it stays.

        Why it may still be missing, for each resource of which nobody knows that it is not.
        """
        if not there:
            return {}
        try:
            found = await self._bitrix24.list_slots(list(there))
        except ApiError as error:
            return dict.fromkeys(there, error)
        wanted = {number: (there[number], ()) for number, ranges in found.items() if ranges == () and there[number]}
        kept, *_ = await self._kept(works, wanted, {})
        return {number: answer for number, answer in {**found, **kept}.items() if isinstance(answer, ApiError)}

    async def _kept(
        self,
        works: Mapping[int, Work],
        wanted: Mapping[int, tuple[Ranges, Ranges]],
        profiles: Mapping[int, Mapping[str, str]],
    ) -> tuple[dict[int, Kept], dict[int, ApiError], dict[int, Resource]]:
        """Sets, for each resource, the first of the two ranges in place of the second; what came in comes on top.

        What they hold in the end, why some of the profiles were not taken, and what they replaced.
        """
        kept: dict[int, Kept] = {}
        refused: dict[int, ApiError] = {}
        called: dict[int, Resource] = {}
        for _ in range(ROUNDS):
            written = await self._bitrix24.set_slots({number: new for number, (new, _) in wanted.items()}, profiles)
            again: dict[int, tuple[Ranges, Ranges]] = {}
            for number, (new, expected) in wanted.items():
                answer = written[number]
                if isinstance(answer, ApiError):
                    kept[number] = answer
                    continue
                kept[number] = answer.after
                if answer.profile is not None:
                    refused[number] = answer.profile
                if answer.called is not None:
                    called[number] = answer.called
                if Counter(answer.before) != Counter(expected):
                    wish = wish_of(self._planner, works[number], answer, new, seen=expected, left=expected)
                    if Counter(wish) != Counter(answer.after):
                        again[number] = wish, answer.after
            self.note((works[number], *ranges) for number, ranges in again.items())
            wanted, profiles = again, {}
            if not wanted:
                break
        return kept | {number: changed_each_time() for number in wanted}, refused, called


def changed_each_time() -> ApiError:
    """The error of a resource that somebody edits faster than we write."""
    hint = "The next run tries again; look whether another program writes to the same resource"
    return ApiError("it was changed each time it was written", side="bitrix24", hint=hint)
