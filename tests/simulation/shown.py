"""What both sides show, read without the product's own lenses: the simulation must not believe what it tests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from slotbridge.lenses.items import Range
from slotbridge.sandbox.reservations_state import DashboardSlot
from tests.simulation.people import DAY_NUMBERS

Span = tuple[int, int, int]
"""Weekday, start, end: hours on the service's clock."""


@dataclass(frozen=True)
class Shown:
    """One pair at one instant. `slots` has each time slot's hours and max_bookings by its id."""

    ranges: tuple[Range, ...]
    cells: tuple[tuple[Span, int], ...]
    slots: dict[int, tuple[tuple[Span, ...], int]] = field(hash=False)

    @cached_property
    def in_bitrix24(self) -> Counter[Span]:
        return Counter(span for span, _ in self.cells)

    @cached_property
    def in_reservekit(self) -> Counter[Span]:
        return Counter(span for spans, _ in self.slots.values() for span in spans)


def shown(ranges: Sequence[Range], slots: Iterable[DashboardSlot], zone: str, today: date, *, split: bool) -> Shown:
    """Both sides of a pair in the service's zone."""
    cells = tuple(cell for item in ranges for cell in _cells(item, zone, today, split))
    by_id = {slot.id: (tuple(_cut(slot.day, slot.start, slot.end)), slot.max_bookings) for slot in slots}
    return Shown(tuple(ranges), cells, by_id)


def _cells(item: Range, zone: str, today: date, split: bool) -> Iterator[tuple[Span, int]]:
    for name in dict.fromkeys(item.week_days):
        day = DAY_NUMBERS[name]
        shift = 0 if item.timezone == zone else _shift(item.timezone, zone, day, today)
        for start, end in _steps(item, split):
            for span in _cut(day, start + shift, end + shift):
                yield span, item.slot_size


def _steps(item: Range, split: bool) -> Iterator[tuple[int, int]]:
    length, size = item.end - item.start, item.slot_size
    if not split or size in (0, length):
        yield item.start, item.end
        return
    for start in range(item.start, item.end - size + 1, size):
        yield start, start + size


def _shift(source: str, target: str, day: int, today: date) -> int:
    noon = datetime.combine(today + timedelta(days=(day - today.weekday()) % 7), time(12))
    east = [noon.replace(tzinfo=ZoneInfo(name)).utcoffset() or timedelta() for name in (target, source)]
    return int((east[0] - east[1]).total_seconds() // 60)


def _cut(day: int, start: int, end: int) -> Iterator[Span]:
    """Hours that may lie beyond midnight, in parts."""
    for offset in (-1, 0, 1):
        low, high = max(start, offset * 1440), min(end, (offset + 1) * 1440)
        if low < high:
            yield (day + offset) % 7, low - offset * 1440, high - offset * 1440
