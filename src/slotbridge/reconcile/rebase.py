"""An edit that was made on one state of a resource, made on another one instead."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from slotbridge.lenses.items import Odd, Range, Ranges
from slotbridge.reconcile.matching import best_overlaps
from slotbridge.week import Window

Day = str | None
"""A day by the name that it has in ranges; None for what is about no day."""

Cells = Counter[Range | Odd]
"""What is on one day, without its days."""

Days = Mapping[Day, Cells]


def rebased(edited: Ranges, seen: Ranges, onto: Ranges) -> Ranges:
    """What `onto` becomes by the edit that made `edited` of `seen`. Ranges stay as they are on days that it left alone.

    A window that both are edits of (M4) is merged as any other (M2), and the edit is the later one: two wishes about
    one window do not stand beside each other. Whoever fills a form that was empty wants what they put there.
    """
    if Counter(edited) == Counter(seen):
        return onto
    if not seen or Counter(onto) == Counter(seen):
        return edited
    before, after, found = by_day(seen), by_day(edited), by_day(onto)
    days = {day: _on_one_day(after[day], before[day], found[day]) for day in dict.fromkeys((*before, *after, *found))}
    return (*_taken(onto, days), *_taken(edited, days), *_merged(days))


def with_all_of(seen: Ranges, edited: Ranges) -> Ranges:
    """What the edit that made `edited` of `seen` comes to if it takes no window away. One that it moved has moved."""
    before, after = by_day(seen), by_day(edited)
    lost = {day: _lost(cells, after[day]) for day, cells in before.items()}
    return (*edited, *_taken(seen, lost)) if any(lost.values()) else edited


def _lost(seen: Cells, edited: Cells) -> Cells:
    gone = seen - edited
    return gone - Counter({cell: len(became) for cell, became in _became(gone, edited - seen).items()})


def distance(one: Ranges, other: Ranges) -> int:
    """In how many windows two states of a resource differ."""
    left, right = by_day(one), by_day(other)
    return sum(((left[day] - right[day]) + (right[day] - left[day])).total() for day in {*left, *right})


def by_day(ranges: Iterable[Range | Odd]) -> defaultdict[Day, Cells]:
    """The ranges of each day, without their days. What cannot be read, or is on no day, stands as it is under None."""
    found: defaultdict[Day, Cells] = defaultdict(Counter)
    for item in ranges:
        for day, cell in _cells(item):
            found[day][cell] += 1
    return found


def _cells(item: Range | Odd) -> Iterable[tuple[Day, Range | Odd]]:
    if isinstance(item, Odd) or not item.week_days:
        return [(None, item)]
    cell = replace(item, week_days=())
    return [(day, cell) for day in item.week_days]


def _on_one_day(edited: Cells, seen: Cells, onto: Cells) -> Cells:
    gone, come = seen - edited, edited - seen
    kept, wanted = onto - gone, Counter({cell: edited[cell] for cell in come})
    edits, earlier = _became(gone, come), _became(seen - onto, onto - seen)
    for old in _readable(gone - onto):
        if earlier[old]:
            became = earlier[old].pop()
            kept -= Counter([became])
            if edits[old]:
                edit = edits[old].pop()
                wanted = wanted - Counter([edit]) + Counter([_both(old, edit, became)])
    return kept | wanted


def _became(gone: Cells, come: Cells) -> defaultdict[Range, list[Range]]:
    """What the windows that are gone are now, as far as they were edited (M4)."""
    before, after = _readable(gone), _readable(come)
    found: defaultdict[Range, list[Range]] = defaultdict(list)
    for left, right in best_overlaps([_hours(cell) for cell in before], [_hours(cell) for cell in after]):
        found[before[left]].append(after[right])
    return found


def _readable(cells: Cells) -> list[Range]:
    return [cell for cell in cells.elements() if isinstance(cell, Range)]


def _hours(cell: Range) -> Window:
    return Window(0, cell.start, cell.end)


def _both(old: Range, later: Range, earlier: Range) -> Range:
    """Both edits of one window: the later one's fields where it changed them (M2)."""
    hours = later if _hours(later) != _hours(old) or later.timezone != old.timezone else earlier
    return replace(hours, slot_size=later.slot_size if later.slot_size != old.slot_size else earlier.slot_size)


def _taken(ranges: Ranges, days: Days) -> Iterable[Range | Odd]:
    """Those of the ranges that are wanted, on the days on which they are; takes them out of `days`."""
    for item in ranges:
        left = []
        for day, cell in _cells(item):
            if days[day][cell] > 0:
                days[day][cell] -= 1
                left.append(day)
        if left and (isinstance(item, Odd) or not item.week_days):
            yield item
        elif left and isinstance(item, Range):
            yield replace(item, week_days=tuple(day for day in left if day is not None))


def _merged(days: Days) -> Iterable[Range]:
    """What is left: windows with something of both edits. Equal ones are one range."""
    on: defaultdict[tuple[Range, int], list[Day]] = defaultdict(list)
    for day, cells in days.items():
        for cell in dict.fromkeys(_readable(cells)):
            for nth in range(cells[cell]):
                on[cell, nth].append(day)
    return [replace(cell, week_days=tuple(day for day in names if day)) for (cell, _), names in on.items()]
