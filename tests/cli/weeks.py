"""Small weeks to be rendered: real plans, made from items without any network."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from slotbridge.cli.render.decisions import Counsel
from slotbridge.cli.render.week import week_lines
from slotbridge.lenses.items import Odd, Range, TimeSlot
from slotbridge.lenses.terms import Terms
from slotbridge.reconcile.model import Hold, Link, Options, Snapshot
from slotbridge.reconcile.plan import plan
from slotbridge.settings import PairSettings
from slotbridge.sync.bridge import Look
from slotbridge.week import Window

ZONE = "Europe/Berlin"
MONDAY = Window(0, 540, 720)


def hours(start: int, end: int, *days: str, size: int = 30, zone: str = ZONE) -> Range:
    return Range(start, end, zone, days or ("Mon",), size)


def slot(number: int, day: int, start: str, end: str, bookings: int = 6) -> TimeSlot:
    return TimeSlot(number, day, f"2024-01-01 {start}:00", f"2024-01-01 {end}:00", bookings)


def link(window: Window = MONDAY, size: int = 30, number: int = 1, bookings: int = 6) -> Link:
    return Link(window, size, number, 0, bookings)


def look(
    ranges: Sequence[Range | Odd],
    slots: Sequence[TimeSlot | Odd],
    base: Sequence[Link] | None = None,
    **options: Any,
) -> Look:
    snapshot = Snapshot(tuple(ranges), tuple(slots))
    made = plan(base, snapshot, Terms(ZONE, date(2026, 3, 2)), Options(pair="dental", **options))
    return Look(PairSettings(name="dental", resource_id=15, service_id=123), snapshot, made)


def text(shown: Look, *, picture: bool = False) -> list[str]:
    return [line.plain for line in week_lines(shown, Counsel(), picture=picture)]


def hold(kind: Any, *items: dict[str, Any], pair: str = "dental") -> Hold:
    return Hold(kind, "for a reason", "print", pair, items)
