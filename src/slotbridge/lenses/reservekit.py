"""The ReserveKit lens: time slots as windows, and windows back into time slots, ids kept (M5).

The key of a window is (slot id, part); part 1 is what a slot has after midnight (V3).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from slotbridge.lenses.items import Odd, TimeSlot
from slotbridge.lenses.terms import ItemChange, Problem, Rewrite, Seen, Terms, TimeBasis, View, Wanted, adopt
from slotbridge.week import DAY, ClockText, Window, offset_on, placeholder, read_time, shown_date, stretch

Items = Sequence[TimeSlot | Odd]

EVERY_DAY = frozenset(range(7))


def view(items: Items, terms: Terms) -> View:
    """Reads every time slot; what cannot be represented becomes a problem (V3–V7)."""
    windows: list[Seen] = []
    problems: list[Problem] = []
    for item in items:
        if isinstance(item, Odd):
            problems.append(Problem(_name(item), item.problem, EVERY_DAY, item.id))
            continue
        read = _read(item, terms)
        if isinstance(read, Problem):
            problems.append(read)
        else:
            for part, window in enumerate(read):
                windows.append(Seen(window, item.max_bookings, (item.id or 0, part)))
    return View(tuple(windows), tuple(problems))


def _read(item: TimeSlot, terms: Terms) -> tuple[Window, ...] | Problem:
    if not 0 <= item.day_of_week <= 6:
        return Problem(_name(item), f"day_of_week {item.day_of_week} is not one of 0–6", EVERY_DAY, item.id)
    weekday = item.day_of_week if terms.day_zero == "monday" else (item.day_of_week - 1) % 7
    windows, fault = _hours(weekday, item.start_time, item.end_time, terms.zone, terms.time_basis)
    if fault is None and item.max_bookings < 1:
        fault = f"max_bookings {item.max_bookings} is below 1"
    if fault is None:
        return windows
    return Problem(_name(item), fault, frozenset(window.weekday for window in windows), item.id)


@lru_cache(maxsize=8192)
def _hours(
    weekday: int, start_time: str, end_time: str, zone: str, basis: TimeBasis
) -> tuple[tuple[Window, ...], str | None]:
    """The windows between two times; if something is wrong with these, what, and windows on the days they may mean."""
    start, end = read_time(start_time), read_time(end_time)
    if start is None or end is None:
        bad = start_time if start is None else end_time
        return stretch(weekday, 0, 2 * DAY), f"time {bad[:40]!r} cannot be read"
    first = _local_minute(start, zone, basis)
    last_second = end.seconds == 59 and (_local_minute(end, zone, basis) + 1) % DAY == 0
    windows = stretch(weekday, first, first + _duration(start, end, end.minute + last_second))
    whole = not start.seconds and (not end.seconds or last_second)
    return windows, None if whole else f"{start_time} to {end_time} is not in whole minutes"


def _name(slot: TimeSlot | Odd) -> str:
    return f"time slot {slot.id}"


def _local_minute(text: ClockText, zone: str, basis: TimeBasis) -> int:
    """The minute of the day on the service's clock, 0–1439."""
    if basis == "wall" or (basis == "auto" and text.zone is None):
        return text.minute % DAY
    return (text.minute - (text.zone or 0) + offset_on(zone, shown_date(text))) % DAY


def _duration(start: ClockText, end: ClockText, end_minute: int) -> int:
    """Minutes from start to end. An end that is not later belongs to the next day, since servers drop the date."""
    next_day = start.day is not None and end.day is not None and end.day - start.day == 1
    minutes = end_minute - (end.zone or 0) - start.minute + (start.zone or 0) + (DAY if next_day else 0)
    return minutes if minutes > 0 else minutes % DAY or DAY


def time_form(items: Items, terms: Terms, known: str | None = None) -> str | None:
    """How the server writes times: with a zone ("zoned"), without ("naive"), or both ("mixed"); None without any.

    `known` is the form so far. A time that reads the same by either clock, as those do that we write with an offset,
    tells nothing new, since it cannot be misread. Where the clock is configured the form does not say which it is, so
    that some times in another one are no change.
    """
    telling = frozenset(form for text in _texts(items) if (form := _telling_form(text, terms.zone)))
    if known is not None and (not telling or (terms.time_basis != "auto" and known in telling)):
        return known
    forms = telling or time_forms(items)
    return "mixed" if len(forms) > 1 else next(iter(forms), None)


def time_forms(items: Items) -> frozenset[str]:
    """The forms in which times are written: "naive", "zoned", both, or none where no time can be read."""
    read = (read_time(text) for text in _texts(items))
    return frozenset("naive" if text.zone is None else "zoned" for text in read if text is not None)


def _texts(items: Items) -> Iterator[str]:
    for item in items:
        if isinstance(item, TimeSlot):
            yield item.start_time
            yield item.end_time


@lru_cache(maxsize=8192)
def _telling_form(text: str, zone: str) -> str | None:
    read = read_time(text)
    if read is None or _local_minute(read, zone, "wall") == _local_minute(read, zone, "utc"):
        return None
    return "naive" if read.zone is None else "zoned"


def own_terms(item: TimeSlot | Odd) -> dict[str, Any]:
    """A time slot as ReserveKit writes it, for people and for `--json`; without id where it has none yet."""
    if isinstance(item, Odd):
        return {"id": item.id, "odd": item.raw}
    shown = {
        "day_of_week": item.day_of_week,
        "start_time": item.start_time,
        "end_time": item.end_time,
        "max_bookings": item.max_bookings,
    }
    return shown if item.id is None else {"id": item.id, **shown}


class _Span(NamedTuple):
    """Hours to be written: minutes from midnight of `weekday`, `end` beyond 1440 when they run into the next day."""

    weekday: int
    start: int
    end: int
    capacity: int


def put(items: Items, wanted: Sequence[Wanted], terms: Terms) -> Rewrite[TimeSlot | Odd]:
    """The time slots that show exactly `wanted`, besides items that cannot be represented, which stay as they are."""
    seen = view(items, terms).windows
    wanted = adopt(seen, wanted, same=lambda s, w: s.capacity == w.capacity)
    places = {want.at: number for number, want in enumerate(wanted) if want.at is not None}
    shown: dict[int, list[Seen]] = {}
    for window in seen:
        shown.setdefault(window.key[0], []).append(window)
    kept: list[TimeSlot | Odd] = []
    changes: list[ItemChange[TimeSlot | Odd]] = []
    new = [number for number, want in enumerate(wanted) if want.at is None]
    basis = _writing_basis(items, terms)
    for item in items:
        parts = shown.get(item.id or 0, [])
        stays = [places[part.key] for part in parts if part.key in places]
        if not parts or (len(stays) == len(parts) and _untouched(parts, [wanted[n] for n in stays])):
            kept.append(item)
            continue
        spans = _spans([wanted[n] for n in stays])
        after = _written(item.id, spans[0], basis, terms) if spans else None
        own = stays if len(spans) == 1 else stays[:1]
        new.extend(stays[len(own) :])
        changes.append(ItemChange(item, after, tuple(part.key for part in parts), tuple(own)))
        if after is not None:
            kept.append(after)
    for number in new:
        slot = _written(None, _spans([wanted[number]])[0], basis, terms)
        kept.append(slot)
        changes.append(ItemChange(None, slot, (), (number,)))
    return Rewrite(tuple(kept), tuple(changes))


def _untouched(parts: Sequence[Seen], wants: Sequence[Wanted]) -> bool:
    return all(p.window == w.window and p.capacity == w.capacity for p, w in zip(parts, wants, strict=True))


def _spans(wants: Sequence[Wanted]) -> list[_Span]:
    """One span for each wanted part, or a single one where two parts still meet at midnight."""
    if len(wants) == 2:
        (one, two) = wants
        # Without its date, which servers drop, an end tells no more than a day.
        meet = one.window.end == DAY and two.window.start == 0 and one.window.length + two.window.length <= DAY
        if meet and two.window.weekday == (one.window.weekday + 1) % 7 and one.capacity == two.capacity:
            return [_Span(one.window.weekday, one.window.start, DAY + two.window.end, one.capacity)]
    return [_Span(*want.window, want.capacity) for want in wants]


def _writing_basis(items: Items, terms: Terms) -> str:
    """The meaning of the digits we write: the reader's own (S8). "offset" names both clocks, for a server unknown."""
    if terms.time_basis != "auto":
        return terms.time_basis
    forms = time_forms(items) or {terms.time_form}
    if forms == {"zoned"}:
        return "utc"
    return "offset" if terms.time_format == "rfc3339" else "wall"


def _written(slot_id: int | None, span: _Span, basis: str, terms: Terms) -> TimeSlot:
    """A time slot in the strict form of the API: four fields, placeholder dates, whole minutes (V4–V6)."""
    day_of_week = span.weekday if terms.day_zero == "monday" else (span.weekday + 1) % 7
    start = _text(span.weekday, span.start, basis, terms)
    end = _text(span.weekday, span.end, basis, terms)
    return TimeSlot(slot_id, day_of_week, start, end, span.capacity)


def _text(weekday: int, minute: int, basis: str, terms: Terms) -> str:
    local = placeholder(weekday, minute)
    if minute == DAY and terms.end_of_day == "23:59:59":
        local -= timedelta(seconds=1)
    offset = offset_on(terms.zone, local.date())
    if basis == "utc":
        local -= timedelta(minutes=offset)
    if terms.time_format == "naive":
        return local.strftime("%Y-%m-%d %H:%M:%S")
    suffix = "Z" if basis != "offset" or offset == 0 else f"{'-' if offset < 0 else '+'}{_hhmm(abs(offset))}"
    return local.strftime("%Y-%m-%dT%H:%M:%S") + suffix


def _hhmm(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
