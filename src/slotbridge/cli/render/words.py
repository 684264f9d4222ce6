"""A side's own items and moments of time, in the words that a person reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from slotbridge.errors import Side
from slotbridge.week import DAY, DAY_NAMES, clock, read_time

DayZero = Literal["monday", "sunday"]

_CAPACITY: Mapping[Side, str] = {"bitrix24": "slotSize", "reservekit": "max_bookings"}
_CONTROLS = dict.fromkeys((*range(32), *range(127, 160)), "�")


def clean(text: str) -> str:
    """The text on one line, with nothing in it that a terminal would obey: names come from the servers."""
    return text.translate(_CONTROLS)


def plural(count: int, word: str) -> str:
    """`1 pair`, `2 pairs`."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def capacity_words(side: Side, capacity: int) -> str:
    """A capacity under the name that it has on its side."""
    return f"{_CAPACITY[side]} {capacity}"


def item_words(side: Side, item: Mapping[str, Any], day_zero: DayZero) -> str:
    """A range or time slot, given in its own terms, in one line; without the id of a time slot."""
    if "odd" in item:
        return clean(str(item["odd"]))[:80]
    return clean(_range(item) if side == "bitrix24" else _time_slot(item, day_zero))


def _range(item: Mapping[str, Any]) -> str:
    hours = f"{clock(item['from'])}–{clock(item['to'])}"
    return f"{day_words(item['weekDays'])} {hours}, slotSize {item['slotSize']}, {item['timezone']}"


def _time_slot(item: Mapping[str, Any], day_zero: DayZero) -> str:
    number = item["day_of_week"]
    day = DAY_NAMES[(number - (day_zero == "sunday")) % 7] if 0 <= number <= 6 else f"day {number}"
    hours = f"{_time(item['start_time'])}–{_time(item['end_time'], end=True)}"
    return f"{day} {hours}, max_bookings {item['max_bookings']}"


def _time(text: str, *, end: bool = False) -> str:
    """The time of day in a server's text: midnight as an end is 24:00, a zone is told."""
    read = read_time(text)
    if read is None:
        return text
    if end and (read.minute == 0 or (read.minute, read.seconds) == (DAY - 1, 59)):
        shown = clock(DAY)
    else:
        shown = clock(read.minute) + (f":{read.seconds:02d}" if read.seconds else "")
    return shown if read.zone is None else f"{shown} {_offset(read.zone)}"


def _offset(minutes: int) -> str:
    return f"UTC{'-' if minutes < 0 else '+'}{clock(abs(minutes))}" if minutes else "UTC"


def edit_words(before: str, after: str) -> str:
    """`before → after`, what both have at their ends said once."""
    old, new = before.split(", "), after.split(", ")
    shared: list[str] = []
    while len(old) > 1 and len(new) > 1 and old[-1] == new[-1]:
        shared.insert(0, old.pop())
        new.pop()
    return ", ".join([f"{', '.join(old)} → {', '.join(new)}", *shared])


def day_words(names: Sequence[str]) -> str:
    """Weekdays by name, in their order; three or more in a row as a span."""
    runs: list[list[str]] = []
    for name in names:
        if runs and _follows(runs[-1][-1], name):
            runs[-1].append(name)
        else:
            runs.append([name])
    return ", ".join(f"{run[0]}–{run[-1]}" if len(run) > 2 else ", ".join(run) for run in runs) or "no day"


def _follows(day: str, name: str) -> bool:
    return day in DAY_NAMES and name in DAY_NAMES and DAY_NAMES.index(name) == DAY_NAMES.index(day) + 1


def moment(instant: datetime | None, now: datetime) -> str:
    """An instant relative to now, and in full; "never" for None."""
    return "never" if instant is None else f"{_ago(now - instant)} ({instant:%Y-%m-%d %H:%M} UTC)"


def _ago(passed: timedelta) -> str:
    """In words; what is still to come was noted before the clock was set back."""
    minutes = int(abs(passed.total_seconds())) // 60
    if minutes < 1:
        return "just now"
    if minutes < 60:
        long = f"{minutes} min"
    else:
        long = f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // (24 * 60)} days"
    return f"{long} ago" if passed > timedelta(0) else f"{long} ahead of the clock"
