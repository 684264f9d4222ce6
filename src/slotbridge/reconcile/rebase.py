"""An edit that was made on one state of a resource, made on another one instead."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from slotbridge.lenses.items import Odd, Range

Ranges = tuple[Range | Odd, ...]
Day = str | None
"""A day by the name that it has in ranges; None for what is about no day."""

Days = Mapping[Day, Counter[Range | Odd]]


def rebased(edited: Ranges, seen: Ranges, onto: Ranges) -> Ranges:
    """What `onto` becomes by the edit that made `edited` of `seen`. Ranges stay as they are on days that it left alone.

    Where the edit took something away that `onto` does not have, the day becomes as the editor left it: two wishes
    about the same hours do not stand beside each other. Whoever fills a form that was empty wants what they put there.
    """
    if Counter(edited) == Counter(seen):
        return onto
    if not seen or Counter(onto) == Counter(seen):
        return edited
    before, after, found = by_day(seen), by_day(edited), by_day(onto)
    days = {day: _on_one_day(after[day], before[day], found[day]) for day in {*before, *after, *found}}
    return (*_taken(onto, days), *_taken(edited, days))


def distance(one: Ranges, other: Ranges) -> int:
    """In how many windows two states of a resource differ."""
    left, right = by_day(one), by_day(other)
    return sum(((left[day] - right[day]) + (right[day] - left[day])).total() for day in {*left, *right})


def by_day(ranges: Iterable[Range | Odd]) -> defaultdict[Day, Counter[Range | Odd]]:
    """The ranges of each day, without their days. What cannot be read, or is on no day, stands as it is under None."""
    found: defaultdict[Day, Counter[Range | Odd]] = defaultdict(Counter)
    for item in ranges:
        for day, cell in _cells(item):
            found[day][cell] += 1
    return found


def _cells(item: Range | Odd) -> Iterable[tuple[Day, Range | Odd]]:
    if isinstance(item, Odd) or not item.week_days:
        return [(None, item)]
    cell = replace(item, week_days=())
    return [(day, cell) for day in item.week_days]


def _on_one_day(
    edited: Counter[Range | Odd], seen: Counter[Range | Odd], onto: Counter[Range | Odd]
) -> Counter[Range | Odd]:
    gone, come = seen - edited, edited - seen
    if not gone <= onto:
        return edited
    return (onto - gone) | Counter({cell: edited[cell] for cell in come})


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
