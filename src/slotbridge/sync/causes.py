"""What likely made of time slots what they are not meant to be: one cause that explains all of it, or none (W3, S8).

Every cause says of the slots that were sent what would have become of them. It is named if just that came.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from slotbridge.lenses.terms import Problem
from slotbridge.week import DAY, DAY_NAMES, WEEK, Window, clock, stretch

STEPS = (5, 10, 15, 20, 30, 60)
"""To how many minutes a server may round."""

QUARTER = 15
"""The clocks of the world are whole quarters of an hour apart: what moved by less was not read by another one."""

SHOWN = 3
"""How many slots a sentence lists."""


class Slot(NamedTuple):
    """The hours of one time slot in one piece. `id` is 0 where it is a new one."""

    id: int
    weekday: int
    start: int
    length: int
    capacity: int

    @property
    def end(self) -> int:
        """Beyond 1440 where it lies on the next day."""
        return self.start + self.length

    @property
    def windows(self) -> tuple[Window, ...]:
        """The hours, cut at midnight."""
        return stretch(self.weekday, self.start, self.end)

    def __str__(self) -> str:
        return f"{DAY_NAMES[self.weekday]} {clock(self.start)}–{clock((self.end - 1) % DAY + 1)}"


def less(some: Sequence[Slot], others: Sequence[Slot]) -> list[Slot]:
    """Those of the first that are not among the others, in their order."""
    return list((Counter(some) - Counter(others)).elements())


def likely_cause(
    sent: Sequence[Slot], came: Sequence[Slot], unread: Sequence[Problem] = (), *, divisible: bool = True
) -> str:
    """What to look at first, where something of what was sent did not come as it was sent.

    `came` are the slots that are new or different since, `unread` the items among them that cannot be read, with the
    `slot_id` of a new one left out. `divisible`: the settings allow for smaller requests.
    """
    lost, strange = less(sent, came), less(came, sent)
    first = lost[0]
    if not strange and not unread:
        return _nothing_came(len(sent), len(lost), divisible=divisible)
    if not strange and (cause := _unreadable(lost, unread)):
        return cause
    if shown := _rounded(lost, strange):
        return f"It came back as {shown}; the server seems to round times, or somebody edited it meanwhile"
    if shown := _became(_cut_short, lost, strange, first):
        return f"It came back as {shown}: cut before midnight. The likely setting is [reservekit] end_of_day"
    if shown := _moved(sent, came, first):
        if shown.start == first.start:
            return f"It came back as {shown}: a day off. The likely setting is [reservekit] day_zero"
        return f"It came back as {shown}: shifted. The likely setting is [reservekit] time_basis or time_format"
    if _became(_of_any_size, lost, [_of_any_size(slot) for slot in strange], first):
        found = next(slot for slot in strange if _of_any_size(slot) == _of_any_size(first))
        return f"It came back with max_bookings {found.capacity}; the server, or somebody, changed it"
    own = [slot for slot in strange if slot.id == first.id != 0] or strange
    instead = [*map(str, own), *(problem.item for problem in unread)]
    more = f" and {len(instead) - SHOWN} more" if len(instead) > SHOWN else ""
    return f"ReserveKit shows {', '.join(instead[:SHOWN])}{more} instead; the server, or somebody, made that of it"


def _nothing_came(sent: int, lost: int, *, divisible: bool) -> str:
    """Of a server that keeps a part of each request, smaller requests are the only thing that may get all of it."""
    if lost == sent:
        return "Look whether the key may write, and whether another program changes this service"
    kept = f"The server stored only part of what was sent: {sent - lost} of {sent} time slots"
    if divisible:
        return f"{kept}. The likely setting is [reservekit] max_batch: with 1, each is sent by itself"
    return f"{kept}. Look whether another program changes this service"


def _unreadable(lost: Sequence[Slot], unread: Sequence[Problem]) -> str | None:
    """The cause if each slot that is missing may be one of these items."""
    own = [next((problem for problem in unread if _may_be(problem, slot)), None) for slot in lost]
    if own[0] is None or None in own or len(unread) < len(lost):
        return None
    what = f"It came back as {own[0].item}, which cannot be read: {own[0].reason}"
    at_midnight = all(slot.end % DAY == 0 for slot in lost)
    about_times = not any(field in own[0].reason for field in ("max_bookings", "day_of_week"))
    return f"{what}. The likely setting is [reservekit] end_of_day" if at_midnight and about_times else what


def _may_be(problem: Problem, slot: Slot) -> bool:
    return (problem.slot_id or 0) == slot.id and slot.weekday in problem.weekdays


def _rounded(lost: Sequence[Slot], strange: Sequence[Slot]) -> Slot | None:
    """What came of the first, if all of it may be rounded. That keeps the order, so that it tells which came of which.

    Times that are round stay as they are, whatever the way of rounding.
    """
    if len(lost) != len(strange):
        return None
    pairs = list(zip(sorted(lost), sorted(strange), strict=True))
    near = any(all(_is_near(slot, other, step) for slot, other in pairs) for step in STEPS)
    return dict(pairs)[lost[0]] if near else None


def _is_near(slot: Slot, other: Slot, step: int) -> bool:
    alike = (slot.id, slot.weekday, slot.capacity) == (other.id, other.weekday, other.capacity)
    times = ((slot.start, other.start), (slot.end, other.end))
    return alike and all(then % step == 0 and abs(then - minute) < step for minute, then in times)


def _became(change: Callable[[Slot], Slot], sent: Sequence[Slot], came: Sequence[Slot], first: Slot) -> Slot | None:
    """What came of the first, if `change` is what became of all that was sent. Others may have added to it."""
    return change(first) if Counter(map(change, sent)) <= Counter(came) else None


def _cut_short(slot: Slot) -> Slot:
    """A server without a last minute ends at 23:59 what ends at midnight."""
    return slot._replace(length=slot.length - 1) if slot.end % DAY == 0 else slot


def _of_any_size(slot: Slot) -> Slot:
    return slot._replace(capacity=0)


def _moved(sent: Sequence[Slot], came: Sequence[Slot], first: Slot) -> Slot | None:
    """What came of the first, if all that was sent came a day off, or later by the same time.

    A clock or a day that is counted otherwise spares no slot: where one came as it was sent, that is not the cause.
    """
    distances = {((other.weekday - first.weekday) * DAY + other.start - first.start) % WEEK for other in came}
    for by in sorted(distances, key=lambda by: min(by, WEEK - by)):
        if by % QUARTER == 0 and (by % DAY or by in (DAY, WEEK - DAY)):
            for change in (partial(_later, by), partial(_turned, by)):
                if shown := _became(change, sent, came, first):
                    return shown
    return None


def _later(by: int, slot: Slot) -> Slot:
    """The weekday goes along with the time."""
    weekday, start = divmod((slot.weekday * DAY + slot.start + by) % WEEK, DAY)
    return slot._replace(weekday=weekday, start=start)


def _turned(by: int, slot: Slot) -> Slot:
    """The weekday is a field of its own, which no clock touches (`reference/reservekit.md` 4.3)."""
    return slot._replace(start=(slot.start + by) % DAY)
