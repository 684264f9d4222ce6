"""People at work on either side: edits as plain numbers, so that every one of them does something or nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from slotbridge.lenses.items import Odd, Range, Ranges, TimeSlot
from slotbridge.lenses.reservekit import view as view_slots
from slotbridge.week import DAY, DAY_NAMES, read_time
from tests.reconcile.world import BERLIN, TERMS, World, stored

Edit = tuple[int, int, int, int]
"""The kind of an edit, which item it is about, and two numbers more."""

TIMES = (480, 540, 600, 660, 720, 780, 900, 1320)
DAYS = DAY_NAMES[:3]
SIZES = (30, 60, 20, 0, 90)
ZONES = (BERLIN, BERLIN, BERLIN, "Europe/Paris", "America/New_York")


def _hours(a: int, b: int) -> tuple[int, int]:
    start = TIMES[a % (len(TIMES) - 1)]
    later = [time for time in (*TIMES, DAY) if time > start]
    return start, later[b % min(3, len(later))]


def new_range(which: int, a: int, b: int) -> Range:
    """Some range; every third one has two days."""
    start, end = _hours(a, b)
    names = (DAYS[which % 3],) if b % 3 else (DAYS[which % 3], DAYS[(which + 1) % 3])
    return Range(start, end, ZONES[which % len(ZONES)], names, SIZES[a % len(SIZES)])


def new_slot(world: World, which: int, a: int, b: int) -> TimeSlot:
    """Some time slot; every ninth one runs past midnight."""
    start, end = _hours(a, b)
    if b % 9 == 8:
        start, end = 1320, DAY + 120
    world.next_id += 1
    return stored(world.next_id - 1, which % 3, start, end, 1 + a % 3)


def _with_range(items: Ranges, which: int, change: Callable[[Range], Sequence[Range]]) -> Ranges:
    if not items:
        return items
    place = which % len(items)
    item = items[place]
    return items if isinstance(item, Odd) else (*items[:place], *change(item), *items[place + 1 :])


def _toggled(item: Range, a: int) -> list[Range]:
    name = DAYS[a % 3]
    names = tuple(n for n in item.week_days if n != name) if name in item.week_days else (*item.week_days, name)
    return [replace(item, week_days=names)] if names else []


def _shifted(item: Range, by: int) -> Range:
    return replace(item, start=item.start + by, end=item.end + by) if item.end + by <= DAY else item


def edit_ranges(items: Ranges, edit: Edit) -> Ranges:
    """What somebody does in Bitrix24."""
    kind, which, a, b = edit
    if kind == 0:
        return (*items, new_range(which, a, b))
    if kind == 1:
        return _with_range(items, which, lambda item: [])
    if kind == 2:
        return _with_range(items, which, lambda item: _toggled(item, a))
    if kind == 3:
        return _with_range(items, which, lambda item: [replace(item, end=_hours(a, b)[1], start=_hours(a, b)[0])])
    if kind == 4:
        return _with_range(items, which, lambda item: [replace(item, slot_size=SIZES[a % len(SIZES)])])
    if kind == 5:
        return _with_range(items, which, lambda item: [item, item])
    if kind == 6:
        return _with_range(items, which, lambda item: [replace(item, week_days=(n,)) for n in item.week_days])
    if kind == 7:
        return items[::-1]
    if kind == 8 and a % 3 == 0:
        return ()
    if kind == 9:
        return tuple(item if isinstance(item, Odd) else _shifted(item, 60) for item in items)
    return items


KINDS = 10


def edit_slots(world: World, edit: Edit) -> None:
    """What somebody does in ReserveKit."""
    kind, which, a, b = edit
    items = list(world.reservekit)
    if kind == 0:
        items.append(new_slot(world, which, a, b))
    elif kind == 8 and a % 3 == 0:
        items = []
    elif kind == 9:
        items = [_moved(item, 60) for item in items]
    elif items:
        place = which % len(items)
        items[place : place + 1] = _edited_slot(world, items[place], edit)
    world.reservekit = tuple(items)


def _edited_slot(world: World, item: TimeSlot | Odd, edit: Edit) -> list[TimeSlot | Odd]:
    kind, _, a, b = edit
    if isinstance(item, Odd):
        return [item]
    if kind == 1:
        return []
    if kind == 2:
        return [replace(new_slot(world, a, a, b), id=item.id)]
    if kind == 3:
        return [replace(new_slot(world, item.day_of_week, a, b), id=item.id, max_bookings=item.max_bookings)]
    if kind == 4:
        return [replace(item, max_bookings=1 + a % 4)]
    if kind == 5:
        return [item, replace(item, id=new_slot(world, 0, 0, 0).id)]
    if kind == 6:
        return [replace(item, id=new_slot(world, 0, 0, 0).id)]
    return [item]


def _moved(item: TimeSlot | Odd, by: int) -> TimeSlot | Odd:
    if isinstance(item, Odd):
        return item
    read = view_slots([item], TERMS).windows
    start = read_time(item.start_time)
    if start is None or not read or start.minute + by >= DAY:
        return item
    length = sum(seen.window.length for seen in read)
    return stored(item.id, item.day_of_week, start.minute + by, start.minute + by + length, item.max_bookings)


def edit_both(world: World, edits: Sequence[tuple[int, Edit]]) -> None:
    """A list of edits, each on side 0 (Bitrix24), side 1 (ReserveKit), or alike on both (2)."""
    for side, edit in edits:
        if side in (0, 2):
            world.bitrix24 = edit_ranges(world.bitrix24, edit)
        if side in (1, 2):
            edit_slots(world, edit)
