"""Where base and both sides disagree, named one by one; nothing is planned and nothing changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from slotbridge.lenses import bitrix24 as ranges
from slotbridge.lenses import reservekit as slots
from slotbridge.lenses.items import Odd, Range
from slotbridge.lenses.terms import Terms
from slotbridge.reconcile.align import align
from slotbridge.reconcile.merge import converted
from slotbridge.reconcile.model import NAMES, SIDES, Link, Options, Row, Side, Snapshot
from slotbridge.reconcile.names import MOST_SHOWN, Names, Renaming, cut
from slotbridge.week import Window

Kind = Literal["one-sided", "hours", "capacity", "base", "unsupported", "name", "broken-off"]


class Disagreement(NamedTuple):
    """One point on which base, Bitrix24 and ReserveKit do not agree.

    `between_sides` tells hours and names that differ, which a customer can meet, from what concerns the memory or
    capacities that each side holds in its own terms. A `silent` one was edited by nobody: both sides are as the base
    has them, and yet differ.
    """

    kind: Kind
    what: str
    between_sides: bool
    silent: bool = False


def disagreements(
    base: Sequence[Link] | None, snapshot: Snapshot, terms: Terms, options: Options
) -> tuple[Disagreement, ...]:
    """Every disagreement of one pair, unsupported items last."""
    one, two = ranges.view(snapshot.bitrix24, terms), slots.view(snapshot.reservekit, terms)
    rows = align(base or (), one.windows, two.windows)
    found = [point for row in rows for point in _of_row(row, options)]
    odd = [Disagreement("unsupported", f"{p.item}: {p.reason}", False) for p in one.problems + two.problems]
    return tuple(found + odd)


def taken_away(wished: Sequence[Range | Odd], there: Sequence[Range | Odd], terms: Terms) -> tuple[Disagreement, ...]:
    """What Bitrix24 has otherwise than anybody wished, since a write of ours was broken off."""
    views = [ranges.view(items, terms).windows for items in (wished, there)]
    wanted, found = (Counter((seen.window, seen.capacity) for seen in view) for view in views)
    missing = [f"{_with_size(one)} is missing in Bitrix24" for one in sorted((wanted - found).elements())]
    extra = [f"{_with_size(one)} is still in Bitrix24" for one in sorted((found - wanted).elements())]
    why = "a write of ours was broken off, and the next sync puts it right"
    return tuple(Disagreement("broken-off", f"{what}; {why}", True) for what in missing + extra)


def names_apart(renaming: Renaming, shown: Names) -> tuple[Disagreement, ...]:
    """What both sides call the pair, field by field, where the side that follows should be called otherwise."""
    has = [(field, *(cut(getattr(shown.of(side), field), MOST_SHOWN) for side in SIDES)) for field in renaming.fields]
    words = [f'the {field} is "{one}" in Bitrix24, "{two}" in ReserveKit; {renaming.why}' for field, one, two in has]
    return tuple(Disagreement("name", what, True) for what in words)


def _with_size(shown: tuple[Window, int]) -> str:
    return f"{shown[0]}, slotSize {shown[1]},"


def _of_row(row: Row, options: Options) -> Iterator[Disagreement]:
    one, two, link = row.bitrix24, row.reservekit, row.link
    if one is None and two is None:
        yield Disagreement("base", f"{link.window if link else 'a window'} is remembered and on neither side", False)
    elif one is None or two is None:
        yield _one_sided(row, "bitrix24" if two is None else "reservekit")
    elif one.window != two.window:
        who = " and ".join(NAMES[side] for side in SIDES if _edited(row, side))
        what = (
            f"Bitrix24 has {one.window}, ReserveKit {two.window}; {f'edited in {who}' if link else 'never agreed on'}"
        )
        yield Disagreement("hours", what, True)
    else:
        if options.capacity_travels and not _corresponding(row):
            silent = link is not None and not any(_edited(row, side) for side in SIDES)
            said = f"{one.window}: slotSize {one.capacity} in Bitrix24, max_bookings {two.capacity} in ReserveKit"
            # No fault of anybody's: hours edited in ReserveKit leave both capacities as they were (C2, S2).
            yield Disagreement("capacity", f"{said}, which do not convert into each other", False, silent)
        if link is None or link.window != one.window:
            yield Disagreement("base", f"{one.window} is on both sides and not remembered yet", False)


def _one_sided(row: Row, side: Side) -> Disagreement:
    seen = row.seen(side)
    other = "ReserveKit" if side == "bitrix24" else "Bitrix24"
    how = f"gone from {other}" if row.link else f"new, not in {other}"
    return Disagreement("one-sided", f"{seen.window if seen else 'a window'} is in {NAMES[side]}: {how}", True)


def _edited(row: Row, side: Side) -> bool:
    seen, link = row.seen(side), row.link
    return link is None or seen is None or (seen.window, seen.capacity) != (link.window, link.capacity(side))


def _corresponding(row: Row) -> bool:
    one, two = row.bitrix24, row.reservekit
    if one is None or two is None:
        return False
    there, back = converted(one.window, one.capacity), converted(one.window, two.capacity)
    return there == two.capacity or back == one.capacity
