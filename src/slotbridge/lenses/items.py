"""What each side stores, item by item, in that side's own terms. Facts only; judgement is in the lenses."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Range:
    """One Bitrix24 slot setting. `start` and `end` are minutes since midnight in `timezone`.

    `week_days` are the names as stored, in their order, known or not. `slot_size` is in minutes; 0 stands for the
    null that Bitrix24 sends for it. The id is left out on purpose: it does not survive a save by anybody.
    """

    start: int
    end: int
    timezone: str
    week_days: tuple[str, ...]
    slot_size: int


@dataclass(frozen=True, slots=True)
class TimeSlot:
    """One ReserveKit time slot. `day_of_week` and the two time texts are as the server wrote them.

    `id` is None in a slot that is to be created.
    """

    id: int | None
    day_of_week: int
    start_time: str
    end_time: str
    max_bookings: int


@dataclass(frozen=True, slots=True)
class Odd:
    """An item whose fields do not even have the right kinds: `raw` is its JSON text, `problem` says what is wrong.

    `id` is its id where it has one that lasts (time slots).
    """

    raw: str
    problem: str
    id: int | None = None


Ranges = tuple[Range | Odd, ...]
"""All that a resource holds, in its order."""
