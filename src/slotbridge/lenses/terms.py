"""What both lenses share: the terms a pair is read on, and the shapes of views and rewrites."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Generic, Literal, NamedTuple, TypeVar

from slotbridge.week import Window

Slots = Literal["window", "split"]
DayZero = Literal["monday", "sunday"]
TimeBasis = Literal["auto", "wall", "utc"]
EndOfDay = Literal["next-day", "23:59:59"]
TimeFormat = Literal["naive", "rfc3339"]

Key = tuple[int, ...]
"""Where in a side's items a window stands; each lens says what its numbers mean."""

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Terms:
    """How a pair's items are to be read and written. `zone` is the service's, `today` the date there.

    `time_form` is how the server wrote times when it last showed any, as in `reservekit.time_form`; None if unknown.
    """

    zone: str
    today: date
    slots: Slots = "window"
    day_zero: DayZero = "monday"
    time_basis: TimeBasis = "auto"
    end_of_day: EndOfDay = "next-day"
    time_format: TimeFormat = "naive"
    time_form: str | None = None


class Seen(NamedTuple):
    """One window as a side shows it.

    `capacity` is that side's own: slotSize in minutes for Bitrix24, max_bookings for ReserveKit. `key` says where in
    the side's items the window stands.
    """

    window: Window
    capacity: int
    key: Key


class Wanted(NamedTuple):
    """One window as a side should show it. `at` is the key of the window it replaces or keeps, None for a new one."""

    window: Window
    capacity: int
    at: Key | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """An item that cannot be represented (V7), and the weekdays that it may stand for (S5)."""

    item: str
    reason: str
    weekdays: frozenset[int]
    slot_id: int | None = None


@dataclass(frozen=True, slots=True)
class View:
    """A side's items read as windows."""

    windows: tuple[Seen, ...]
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class ItemChange(Generic[Item]):
    """One item to be created (`before` None), deleted (`after` None) or updated.

    `left` are the keys of the windows that go from `before`; `gained` the places, in the wanted sequence, of those that
    come into `after`.
    """

    before: Item | None
    after: Item | None
    left: tuple[Key, ...] = ()
    gained: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Rewrite(Generic[Item]):
    """A side's items as they should become, in full, and what changes on the way there."""

    items: tuple[Item, ...]
    changes: tuple[ItemChange[Item], ...]


def adopt(seen: Sequence[Seen], wanted: Sequence[Wanted], *, same: Callable[[Seen, Wanted], bool]) -> list[Wanted]:
    """Gives each wanted window without a place the place of an equal one that nobody has claimed."""
    claimed = {want.at for want in wanted if want.at is not None}
    free: dict[Window, list[Seen]] = {}
    for window in seen:
        if window.key not in claimed:
            free.setdefault(window.window, []).append(window)
    adopted = []
    for want in wanted:
        place = next((s for s in free.get(want.window, ()) if same(s, want)), None) if want.at is None else None
        if place is not None:
            free[want.window].remove(place)
            want = want._replace(at=place.key)
        adopted.append(want)
    return adopted
