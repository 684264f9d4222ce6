"""After the writes: which windows both sides really have now, and so what the base becomes (W3, W4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from slotbridge.lenses import bitrix24 as ranges
from slotbridge.lenses import reservekit as slots
from slotbridge.lenses.terms import Seen
from slotbridge.reconcile.merge import converted
from slotbridge.reconcile.model import Link, Plan, Row, Side, Snapshot, Value, Verdict
from slotbridge.week import Window


class Missing(NamedTuple):
    """A window that was to be there after writing and is not, or (`value` None) is there although it was to go."""

    side: Side
    value: Value | None
    row: Row


class Settled(NamedTuple):
    """The base as it may be stored, and what was not found as it was meant to be."""

    links: tuple[Link, ...]
    missing: tuple[Missing, ...]


def settle(plan: Plan, read_back: Snapshot) -> Settled:
    """The base that `plan` leads to, made of what was read back and of nothing else.

    A window that is not there as wanted keeps its old row of the base, so that the next run sees what happened to it.
    """
    one = _Pool(ranges.view(read_back.bitrix24, plan.terms).windows, bare=plan.terms.slots == "split")
    two = _Pool(slots.view(read_back.reservekit, plan.terms).windows)
    links: list[Link] = []
    missing: list[Missing] = []
    for verdict in sorted(plan.verdicts, key=_known_first):
        settled = _settle_row(verdict, one, two)
        if isinstance(settled, Missing):
            missing.append(settled)
        link = settled if isinstance(settled, Link) else _old_link(verdict, settled)
        if link is not None:
            links.append(link)
    return Settled(tuple(sorted(links)), tuple(missing))


def _known_first(verdict: Verdict) -> int:
    """Windows that exist take their slots before new ones choose among what is left; what is to go comes last."""
    if verdict.state in ("delete", "forgotten"):
        return 2
    return 0 if verdict.row.reservekit is not None else 1


def _settle_row(verdict: Verdict, one: _Pool, two: _Pool) -> Link | Missing | None:
    row = verdict.row
    if verdict.state in ("held", "kept"):
        one.take(verdict.bitrix24, row.bitrix24)
        two.take(verdict.reservekit, row.reservekit)
        return None
    if verdict.bitrix24 is None or verdict.reservekit is None:
        if row.reservekit is not None and two.has(row.reservekit):
            return Missing("reservekit", None, row)
        if row.bitrix24 is not None and one.has(row.bitrix24):
            return Missing("bitrix24", None, row)
        return None
    ours = one.take(verdict.bitrix24, row.bitrix24)
    theirs = two.take(verdict.reservekit, row.reservekit)
    if ours is None:
        return Missing("bitrix24", verdict.bitrix24, row)
    if theirs is None:
        return Missing("reservekit", verdict.reservekit, row)
    return _link(verdict.bitrix24.window, ours.capacity, theirs)


def _old_link(verdict: Verdict, settled: Missing | None) -> Link | None:
    """The row of the base that stays: of a window that is held, kept or not as it was meant to be.

    A window that a first sync would delete or overwrite has none: what was to go counts as agreed on, or the next run
    would take it for new.
    """
    row = verdict.row
    if settled is None and verdict.state not in ("held", "kept"):
        return None
    if row.link is not None:
        return row.link
    if settled is not None:
        return _as_agreed(row, settled.side)
    if verdict.expected:
        return _as_agreed(row, "bitrix24" if row.reservekit is None else "reservekit")
    return None


def _as_agreed(row: Row, side: Side) -> Link | None:
    """A row of the base that has on both sides what this one shows; None if it shows nothing.

    What Bitrix24 shows is said of no slot that is there: the base says of a slot only what it has been.
    """
    seen = row.seen(side)
    if seen is None:
        return None
    if side == "reservekit":
        return _link(seen.window, converted(seen.window, seen.capacity), seen)
    if row.reservekit is not None:
        return None
    return Link(seen.window, seen.capacity, 0, 0, converted(seen.window, seen.capacity))


def _link(window: Window, slot_size: int, slot: Seen) -> Link:
    slot_id, part = slot.key
    return Link(window, slot_size, slot_id, part, slot.capacity)


class _Pool:
    """The windows of one side that nobody has claimed yet."""

    def __init__(self, windows: Sequence[Seen], *, bare: bool = False) -> None:
        self.bare = bare
        self.by_value: dict[tuple[Window, int], list[Seen]] = {}
        for seen in windows:
            self.by_value.setdefault(self._value(seen.window, seen.capacity), []).append(seen)

    def _value(self, window: Window, capacity: int) -> tuple[Window, int]:
        return window, 0 if self.bare else capacity

    def has(self, seen: Seen) -> bool:
        """Whether that very item still shows that window, and nobody has claimed it."""
        left = self.by_value.get(self._value(seen.window, seen.capacity), ())
        return any(one.key[0] == seen.key[0] for one in left)

    def take(self, want: Value | None, seen: Seen | None) -> Seen | None:
        """An unclaimed window of that value, from the item that showed it before if there is a choice."""
        if want is None:
            return None
        found = self.by_value.get(self._value(*want))
        if not found:
            return None
        same = next((one for one in found if seen is not None and one.key == seen.key), found[0])
        found.remove(same)
        return same
