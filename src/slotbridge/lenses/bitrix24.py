"""The Bitrix24 lens: ranges as windows, and windows back into ranges with as little disturbed as possible (M8).

A cell is one weekday of one range. The key of a window is (range number, weekday there, step, part): steps exist in
split mode (C4), part 1 is what a zone shift pushed over midnight (V2).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from typing import Any

from slotbridge.lenses.items import Odd, Range
from slotbridge.lenses.steps import Piece, join_steps
from slotbridge.lenses.terms import ItemChange, Key, Problem, Rewrite, Seen, Terms, View, Wanted, adopt
from slotbridge.week import DAY, DAY_NAMES, WEEK, Window, find_zone, same_zone, stretch, zone_shift

Items = Sequence[Range | Odd]

EVERY_DAY = frozenset(range(7))
_DAY_NUMBERS = {name: number for number, name in enumerate(DAY_NAMES)}


def view(items: Items, terms: Terms) -> View:
    """Reads every range; what cannot be represented becomes a problem (V1, V2, V7)."""
    windows: list[Seen] = []
    problems: list[Problem] = []
    for number, item in enumerate(items):
        if (problem := _problem(number, item)) is not None:
            problems.append(problem)
        elif isinstance(item, Range):
            for window, capacity, key in _ranges_windows(item, terms.zone, terms.today, terms.slots):
                windows.append(Seen(window, capacity, (number, *key)))
    return View(tuple(windows), tuple(problems))


def refused(items: Items) -> str | None:
    """Why Bitrix24 would refuse to take these items back as they are, or None (S5).

    The portal checks a range's numbers and day names, and how many there are; it checks no zone names.
    """
    for number, item in enumerate(items):
        if isinstance(item, Odd):
            return f"range {number + 1}: {item.problem}"
        fault = _fault(item)
        if fault is None and not 1 <= len(item.timezone) <= 50:
            fault = "the name of its time zone is empty or too long"
        if fault is None and len(item.week_days) > 8:
            fault = "it names more than eight weekdays"
        if fault is not None:
            return f"range {number + 1}: {fault}"
    return None


def own_terms(item: Range | Odd) -> dict[str, Any]:
    """A range as Bitrix24 writes it, for people and for `--json`."""
    if isinstance(item, Odd):
        return {"odd": item.raw}
    return {
        "from": item.start,
        "to": item.end,
        "timezone": item.timezone,
        "weekDays": list(item.week_days),
        "slotSize": item.slot_size,
    }


def _problem(number: int, item: Range | Odd) -> Problem | None:
    if isinstance(item, Odd):
        return Problem(f"range {number + 1}", item.problem, EVERY_DAY)
    fault = _fault(item)
    if fault is None and find_zone(item.timezone) is not None:
        return None
    reason = fault or f"its time zone {item.timezone[:40]!r} is unknown"
    return Problem(f"range {number + 1} ({', '.join(item.week_days)})", reason, _possible_days(item))


def _possible_days(item: Range) -> frozenset[int]:
    """The days that an unsupported range may stand for: its hours may belong to a neighbouring day in another zone."""
    days = [_DAY_NUMBERS.get(name) for name in item.week_days]
    if None in days or not days:
        return EVERY_DAY
    return frozenset((day + step) % 7 for day in days if day is not None for step in (-1, 0, 1))


def _fault(item: Range) -> str | None:
    if not 0 <= item.start < item.end <= DAY:
        return f"from {item.start} to {item.end} is no stretch of 0 to {DAY} minutes"
    if item.slot_size < 0:
        return f"slotSize {item.slot_size} is below 0"
    if not item.week_days:
        return "it has no weekday"
    strange = next((name for name in item.week_days if name not in _DAY_NUMBERS), None)
    return None if strange is None else f"weekday {strange[:20]!r} is unknown"


def _weekdays(item: Range) -> list[int]:
    """The weekdays of a supported range in its own order; a day named twice is one (S6)."""
    return list(dict.fromkeys(_DAY_NUMBERS[name] for name in item.week_days))


@lru_cache(maxsize=8192)
def _ranges_windows(item: Range, zone: str, today: date, slots: str) -> tuple[tuple[Window, int, Key], ...]:
    """The windows of a supported range, each with its capacity and its key within the range."""
    return tuple(
        (window, item.slot_size if slots == "window" else window.length, (weekday, step, part))
        for weekday in _weekdays(item)
        for step, (start, end) in enumerate(_steps(item, slots))
        for part, window in enumerate(
            stretch(
                weekday,
                start + zone_shift(item.timezone, zone, weekday, today),
                end + zone_shift(item.timezone, zone, weekday, today),
            )
        )
    )


def _steps(item: Range, slots: str) -> list[tuple[int, int]]:
    """The stretches of a range that are windows: the whole of it, or in split mode each whole step (V1, C4)."""
    if slots == "window" or item.slot_size == 0:
        return [(item.start, item.end)]
    last = item.end - item.slot_size
    return [(start, start + item.slot_size) for start in range(item.start, last + 1, item.slot_size)]


def put(items: Items, wanted: Sequence[Wanted], terms: Terms) -> Rewrite[Range | Odd]:
    """The ranges that show exactly `wanted`, besides items that cannot be represented, which are carried along."""
    return _Put(items, wanted, terms).rewrite()


@dataclass(slots=True)
class _Entry:
    """One range of the result while it is being put together; `origin` is the place of the range it continues."""

    item: Range | Odd
    origin: int | None
    days: list[str] = field(default_factory=list)
    gained: list[int] = field(default_factory=list)


class _Put:
    """One rewriting of a side's ranges. Cells that change are taken out of their ranges and written anew."""

    def __init__(self, items: Items, wanted: Sequence[Wanted], terms: Terms) -> None:
        self.items = items
        self.terms = terms
        seen = view(items, terms).windows
        split = terms.slots == "split"
        self.wanted = adopt(seen, wanted, same=lambda s, w: split or s.capacity == w.capacity)
        self.cells: dict[tuple[int, int], list[Seen]] = {}
        for window in seen:
            self.cells.setdefault((window.key[0], window.key[1]), []).append(window)
        self.place_of = {want.at: number for number, want in enumerate(self.wanted) if want.at is not None}
        self.touched = {cell for cell, parts in self.cells.items() if not self._stays(parts)}

    def rewrite(self) -> Rewrite[Range | Odd]:
        pieces = self._pieces()
        entries = self._remnants()
        for piece in pieces:
            self._settle(piece, entries)
        emptied = {cell[0] for cell in self.touched}
        entries = [entry for entry in entries if entry.days or entry.origin not in emptied]
        return Rewrite(tuple(self._item(entry) for entry in entries), tuple(self._changes(entries)))

    def _stays(self, parts: Sequence[Seen]) -> bool:
        for part in parts:
            number = self.place_of.get(part.key)
            if number is None or self.wanted[number].window != part.window:
                return False
            if self.terms.slots == "window" and self.wanted[number].capacity != part.capacity:
                return False
        return True

    def _pieces(self) -> list[Piece]:
        pieces = [piece for cell in self.cells if cell in self.touched for piece in self._cell_pieces(cell)]
        pieces += [self._new_piece(number) for number, want in enumerate(self.wanted) if want.at is None]
        if self.terms.slots == "window":
            return pieces
        return join_steps(pieces, self._absorb)

    def _cell_pieces(self, cell: tuple[int, int]) -> Iterator[Piece]:
        """What a touched cell becomes: in the range's own zone where that can be said, else in the service's."""
        steps: dict[int, list[int]] = {}
        for part in self.cells[cell]:
            number = self.place_of.get(part.key)
            if number is not None:
                steps.setdefault(part.key[2], []).append(number)
        for numbers in steps.values():
            whole = self._in_own_zone(cell, numbers)
            if whole is not None:
                yield whole
                continue
            for number in numbers:
                yield self._in_own_zone(cell, [number]) or self._new_piece(number, origin=cell[0])

    def _in_own_zone(self, cell: tuple[int, int], numbers: Sequence[int]) -> Piece | None:
        index, weekday = cell
        item = self.items[index]
        if not isinstance(item, Range):
            return None
        wants = [self.wanted[number] for number in numbers]
        capacity = wants[0].capacity
        first = wants[0].window
        shift = zone_shift(item.timezone, self.terms.zone, weekday, self.terms.today)
        start = (first.weekday * DAY + first.start - shift - weekday * DAY + WEEK // 2) % WEEK - WEEK // 2
        end = start + sum(want.window.length for want in wants)
        shown = list(stretch(weekday, start + shift, end + shift)) if 0 <= start < end <= DAY else []
        split = self.terms.slots == "split"
        alike = split or all(want.capacity == capacity for want in wants)
        if not alike or shown != [want.window for want in wants]:
            return None
        size = end - start if split else capacity
        return Piece(weekday, start, end, item.timezone, size, index, tuple(numbers))

    def _new_piece(self, number: int, origin: int | None = None) -> Piece:
        window, capacity, _ = self.wanted[number]
        size = capacity if self.terms.slots == "window" else window.length
        return Piece(window.weekday, window.start, window.end, self.terms.zone, size, origin, (number,))

    def _absorb(self, piece: Piece) -> list[Piece]:
        """Takes the untouched cells that a step adjoins out of their ranges, as steps, to be joined (C4)."""
        taken: list[Piece] = []
        for cell, parts in self.cells.items():
            item = self.items[cell[0]]
            if cell in self.touched or not isinstance(item, Range) or cell[1] != piece.weekday:
                continue
            if self._adjoins(item, piece):
                self.touched.add(cell)
                starts = range(item.start, item.end, piece.size)
                for start, part in zip(starts, parts, strict=True):
                    place = (self.place_of[part.key],)
                    taken.append(Piece(cell[1], start, start + piece.size, item.timezone, piece.size, cell[0], place))
        return taken

    def _adjoins(self, item: Range, piece: Piece) -> bool:
        length = item.end - item.start
        step = item.slot_size if 0 < item.slot_size < length else length
        return (
            step == piece.size
            and length % step == 0
            and piece.timezone == item.timezone
            and (piece.start == item.end or piece.end == item.start)
            and zone_shift(item.timezone, self.terms.zone, piece.weekday, self.terms.today) == 0
        )

    def _remnants(self) -> list[_Entry]:
        """Every item with the days that stay."""
        entries = []
        for index, item in enumerate(self.items):
            entry = _Entry(item, index)
            if isinstance(item, Range):
                gone = {weekday for cell, weekday in self.touched if cell == index}
                entry.days = [name for name in item.week_days if _DAY_NUMBERS.get(name) not in gone]
            entries.append(entry)
        return entries

    def _settle(self, piece: Piece, entries: list[_Entry]) -> None:
        """Adds a piece to a range of the same hours that lacks its day, or makes a range of it (M8)."""
        name = DAY_NAMES[piece.weekday]
        for entry in entries:
            if self._takes(entry, piece) and name not in entry.days:
                entry.days = _with_day(entry.days, name)
                entry.gained.extend(piece.wanted)
                return
        made = _Entry(
            Range(piece.start, piece.end, piece.timezone, (name,), piece.size),
            None,
            [name],
            list(piece.wanted),
        )
        if piece.origin is None:
            entries.append(made)
            return
        spot = next(spot for spot, entry in enumerate(entries) if entry.origin == piece.origin)
        if entries[spot].days:
            entries.insert(spot + 1, made)
        else:
            entries[spot] = replace(made, origin=piece.origin)

    def _takes(self, entry: _Entry, piece: Piece) -> bool:
        item = entry.item
        return (
            isinstance(item, Range)
            and bool(entry.days)
            and (item.start, item.end, item.slot_size) == (piece.start, piece.end, piece.size)
            and (item.timezone == piece.timezone or same_zone(item.timezone, piece.timezone))
            and all(name in _DAY_NUMBERS for name in item.week_days)
        )

    def _item(self, entry: _Entry) -> Range | Odd:
        if isinstance(entry.item, Odd) or list(entry.item.week_days) == entry.days:
            return entry.item
        return replace(entry.item, week_days=tuple(entry.days))

    def _changes(self, entries: Sequence[_Entry]) -> Iterator[ItemChange[Range | Odd]]:
        left: dict[int, list[Key]] = {}
        for index, weekday in sorted(self.touched):
            left.setdefault(index, []).extend(part.key for part in self.cells[index, weekday])
        continued = {entry.origin: entry for entry in entries if entry.origin is not None}
        for index, item in enumerate(self.items):
            after = self._item(continued[index]) if index in continued else None
            if after != item:
                gained = tuple(continued[index].gained) if index in continued else ()
                yield ItemChange(item, after, tuple(left.get(index, ())), gained)
        for entry in entries:
            if entry.origin is None:
                yield ItemChange(None, self._item(entry), (), tuple(entry.gained))


def _with_day(days: Sequence[str], name: str) -> list[str]:
    """The day put among the others: in the order of the week if they are, else at the end."""
    grown = [*days, name]
    ordered = sorted(grown, key=DAY_NAMES.index)
    return ordered if [day for day in ordered if day != name] == list(days) else grown
