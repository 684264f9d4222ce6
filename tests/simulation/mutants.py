"""Faults made by hand, each a mistake that somebody could make. The simulation has to notice them.

A mutant replaces functions of the product for as long as it is applied; no source is touched.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any
from unittest import mock

from slotbridge.errors import ApiError
from slotbridge.http.retry import retried
from slotbridge.reconcile import align, guards, merge, settle
from slotbridge.reconcile.model import Options, Plan, Verdict, as_side
from slotbridge.reservekit import calls as reservekit_calls
from slotbridge.store import Outcome, Store
from slotbridge.sync import evidence, outcome, planning, run, sending, writing
from slotbridge.sync.reading import Reader
from slotbridge.sync.work import Work
from tests.simulation.case import make_case
from tests.simulation.play import play

SEEDS = range(300)
"""The seeds that a mutant has to survive to count as unnoticed."""


@dataclass(frozen=True)
class Mutant:
    """A fault: what to replace by what. `deadly` are seeds that are known to notice it; they are played first."""

    name: str
    target: Any
    attribute: str
    fault: Any
    why: str
    deadly: tuple[int, ...] = ()

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The product with the fault in it."""
        with ExitStack() as stack:
            stack.enter_context(mock.patch.object(self.target, self.attribute, self.fault))
            yield


def kill(mutant: Mutant, seeds: Iterable[int]) -> int | None:
    """The first seed that notices the fault, None if none does."""
    for seed in (*mutant.deadly, *seeds):
        with mutant.applied():
            notices = fails(seed)
        if notices and not fails(seed):
            return seed
    return None


def fails(seed: int) -> bool:
    """Whether the product as it is now does not get through a case."""
    try:
        return play(make_case(seed)).broken is not None
    except Exception:  # a mutant may break anything
        return True


# The planner.


def _edits_are_not_seen(row: Any, link: Any, here: Any, seen: Any, options: Any, source: Any) -> Any:
    return _half_gone(row, link, here, seen._replace(window=link.window, capacity=link.capacity(here)), options, source)


def _new_ones_apart(ranges: Any, slots: Any) -> Any:
    return [*_new_rows(ranges, []), *_new_rows([], slots)]


def _swapped_side(word: str | None) -> Any:
    side = _as_side(word)
    return {"bitrix24": "reservekit", "reservekit": "bitrix24"}.get(side or "")


def _swapped_origin(bitrix24: bool, reservekit: bool, same: bool) -> Any:
    return _origin(reservekit, bitrix24, same)


def _rounded_up(window: Any, capacity: int) -> int:
    return max(1, -(-window.length // capacity)) if capacity else 1


def _size_follows_hours(one: Any, two: Any, window: Any, hours: Any, capacity: Any) -> Any:
    wants = _wants(one, two, window, hours, capacity)
    if hours == "reservekit" and capacity is None:
        wants["bitrix24"] = wants["bitrix24"]._replace(capacity=_converted(window, two.capacity))
    return wants


def _any_approval(verdicts: Any, links: Any, views: Any, options: Options) -> Any:
    approved = "approve" in options.decisions.values()
    return (list(verdicts), []) if approved else _hold_deletions(verdicts, links, views, options)


def _no_row_for_the_held(verdict: Verdict, settled: Any) -> Any:
    return None


def _stale_link(window: Any, slot_size: int, slot: Any) -> Any:
    return _link(window, slot_size, slot)._replace(max_bookings=1)


_half_gone, _new_rows, _as_side, _origin = merge._decide_half_gone, align._new_rows, as_side, merge._origin
_wants, _converted, _hold_deletions, _link = merge._wants, merge.converted, guards.hold_deletions, settle._link
_settle, _old_link = settle.settle, settle._old_link


def _settled_with_stale_hours(made: Plan, read_back: Any) -> Any:
    """The base keeps what it had for a window whose hours came from the other side."""
    settled = _settle(made, read_back)
    was = {v.row.link.slot_id: v.row.link for v in made.verdicts if v.row.link and v.writes("reservekit")}
    links = tuple(was.get(link.slot_id, link) for link in settled.links)
    return settled._replace(links=links)


def _settled_without_deleting(made: Plan, read_back: Any) -> Any:
    settled = _settle(made, read_back)
    gone = tuple(v.row.link for v in made.verdicts if v.state == "delete" and v.row.link)
    return settled._replace(links=tuple(sorted(settled.links + gone)))


def _nothing_overruled(self: Plan) -> tuple[()]:
    return ()


def _everything_idle(link: Any, one: Any, two: Any, window: Any, options: Any) -> Any:
    return None


# The engine.


async def _read_failures_are_empty(self: Reader, work: Work) -> Any:
    try:
        return await _time_slots(self, work)
    except ApiError:
        return ()


_time_slots, _retried, _after_set = Reader.time_slots, retried, writing.Writer._after_set
_sent, _apply, _write_reservekit = sending.Sender._sent, writing.Writer.apply, writing.Writer._write_reservekit
_set_bitrix24, _zones, _finish = writing.Writer._write_bitrix24, Reader.zones, run.Pass._finish


async def _retried_blindly(call: Any, **how: Any) -> Any:
    return await _retried(call, **(how | {"repeatable": True}))


async def _first_page_only(fetch: Any, *, item: str) -> Any:
    return list((await fetch(1)).rows.values())


async def _no_confirmation(self: Any, works: Sequence[Work]) -> list[Work]:
    return list(works)


async def _blind_to_edits_in_between(self: Any, work: Work, written: Any) -> None:
    if not isinstance(written, ApiError) and work.plan is not None:
        written = replace(written, before=work.bitrix24)
    await _after_set(self, work, written)


async def _no_deletions_sent(self: Any, work: Work, made: Plan, *how: Any) -> Any:
    kept = tuple(change for change in made.reservekit.changes if change.after is not None)
    return await _sent(self, work, replace(made, reservekit=replace(made.reservekit, changes=kept)), *how)


async def _deletions_first(self: Any, work: Work, made: Plan, *how: Any) -> Any:
    changes = made.reservekit.changes
    for change in changes:
        if change.before is not None and change.before.id is not None and change.after is not None:
            await self._reservekit.delete_time_slot(change.before.id)
    renewed = tuple(
        replace(change, before=None, after=evidence.anew(change.after)) if change.after and change.before else change
        for change in changes
    )
    return await _sent(self, work, replace(made, reservekit=replace(made.reservekit, changes=renewed)), *how)


async def _remembered_first(self: Any, works: Sequence[Work]) -> None:
    """The base is stored as if all had been written, and only then it is."""
    if self._writer is not None and self._store is not None:
        for work in works:
            if work.plan is not None and work.agreement is not None and work.error is None:
                _believe(self, work)
    await _finish(self, works)


def _believe(self: Any, work: Work) -> None:
    assert work.plan is not None and work.agreement is not None
    items = work.snapshot._replace(bitrix24=work.plan.bitrix24.items, reservekit=work.plan.reservekit.items)
    believed = settle.settle(work.plan, items)
    outcome = Outcome(pair=work.name, at=self._clock.now(), status="changed", base=(work.agreement, believed.links))
    self._store.remember(self._run, [outcome])


def _always_again(self: Work) -> bool:
    return self.plan is not None and bool(self.bitrix24)


def _failure_for_all(self: Work, error: Any) -> None:
    raise error


async def _zones_always_stored(self: Reader, services: Any, *, remember: bool, names: bool = False) -> Any:
    return await _zones(self, services, remember=True, names=names)


async def _writes_when_dry(self: Any, works: Sequence[Work]) -> None:
    if self._writer is None:
        for work in works:
            for slot in work.reservekit[:1]:
                await self._reader._reservekit.save_time_slots(work.pair.service_id, [slot])
    await _finish(self, works)


async def _no_wait(self: Any, work: Work) -> None:
    await asyncio.sleep(0)


def _nothing(*_: Any, **__: Any) -> None:
    return None


def _nothing_kept(verdicts: Iterable[Verdict], *_: Any) -> Any:
    return list(verdicts), []


def _not_matched(*_: Any) -> list[Any]:
    return []


MUTANTS: Sequence[Mutant] = (
    Mutant("deletions are not guarded", guards, "_alarm", _nothing, "G1 and G2 off"),
    Mutant("booked slots are not guarded", guards, "hold_booked", _nothing_kept, "G3 off"),
    Mutant("any approval approves everything", guards, "hold_deletions", _any_approval, "G6: no fingerprint", (71,)),
    Mutant("conflicts are not held", guards, "hold_conflicts", _nothing_kept, "M3: what is there is linked"),
    Mutant("a deletion beats an edit", merge, "_decide_half_gone", _edits_are_not_seen, "M2"),
    Mutant("new equal windows are not linked", align, "_new_rows", _new_ones_apart, "equal-content check off"),
    Mutant("the policy is swapped", merge, "as_side", _swapped_side, "M3: the wrong side wins"),
    Mutant("hours come from the wrong side", merge, "_origin", _swapped_origin, "the update goes to the wrong side"),
    Mutant("capacities are rounded up", merge, "converted", _rounded_up, "C1"),
    Mutant("slotSize follows hours from ReserveKit", merge, "_wants", _size_follows_hours, "C2", (70,)),
    Mutant("capacities never travel", merge, "_capacity_origin", _everything_idle, "C2", (67,)),
    Mutant("edits are deletions and creations", align, "best_overlaps", _not_matched, "M4, M5: ids are lost"),
    Mutant("overruled edits are forgotten", Plan, "overruled", property(_nothing_overruled), "M3"),
    Mutant("the base keeps stale hours", outcome, "settle", _settled_with_stale_hours, "M10"),
    Mutant("the base keeps what was deleted", outcome, "settle", _settled_without_deleting, "M1"),
    Mutant(
        "the base forgets what is held", settle, "_old_link", _no_row_for_the_held, "M3: a held window is new", (60,)
    ),
    Mutant("the base holds what nobody stored", settle, "_link", _stale_link, "W4"),
    Mutant("a failed read is an empty side", Reader, "time_slots", _read_failures_are_empty, "G4"),
    Mutant("only the first page is read", reservekit_calls, "list_completely", _first_page_only, "G4: paging"),
    Mutant("writes are repeated blindly", reservekit_calls, "retried", _retried_blindly, "W5"),
    Mutant("creations are not noted", Store, "note_intent", _nothing, "W4", (201,)),
    Mutant("late creations are not awaited", writing.Writer, "_await_late_creations", _no_wait, "W4", (201,)),
    Mutant(
        "deletions are not confirmed", writing.Writer, "_confirmed", _no_confirmation, "a stale read deletes", (201,)
    ),
    Mutant("edits in between are lost", writing.Writer, "_after_set", _blind_to_edits_in_between, "W2", (90,)),
    Mutant("deletions are not sent", sending.Sender, "_sent", _no_deletions_sent, "deletions skipped on one side"),
    Mutant("edited slots are made anew", sending.Sender, "_sent", _deletions_first, "M5, W3: a gap, and new ids"),
    Mutant("remembered before written", run.Pass, "_finish", _remembered_first, "W4: commit before write"),
    Mutant("Bitrix24 is always written", Work, "sets_bitrix24", property(_always_again), "M8"),
    Mutant("one failure fails all", Work, "fail", _failure_for_all, "W7"),
    Mutant("a dry run remembers zones", Reader, "zones", _zones_always_stored, "W8"),
    Mutant("a dry run writes", run.Pass, "_finish", _writes_when_dry, "W8"),
    Mutant("an outage is not noticed", run, "outage", _nothing, "G5", (81,)),
    Mutant("refused writes are sent again", planning.Planner, "_refuse_repetition", _nothing, "W3"),
)

ELSEWHERE = frozenset({"refused writes are sent again"})
"""Mutants that only tests of their own notice; at most one in twenty. No server here goes on refusing."""
