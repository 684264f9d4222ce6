"""The operating time of each method: how close it is to its limit, and when it frees itself.

The API documentation: the time that the portal works on a method is summed up over ten one-minute buckets, for each
application or webhook. Whoever uses up the limit is refused that method alone, until the oldest bucket leaves.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import structlog

from slotbridge.clock import Clock

log = structlog.get_logger("slotbridge.bitrix24")

WINDOW = 600.0
"""Seconds that the ten buckets span: after so long, every refused method is free again."""

BRAKE = 420.0 - 20
"""Seconds of operating time from which we begin no write: of one that is refused half-way nobody knows what it went
over. Reading goes on until the portal refuses it. The vendor sets the limit in the cloud, where its documentation
calculates with 480; on own servers it is 420 (the portal's source)."""


class Spent(NamedTuple):
    """What the portal last said of a method. `freed_at` is in the monotonic time of our clock."""

    seconds: float
    freed_at: float


class OperatingTime:
    """What is known of every method that was called so far."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._spent: dict[str, Spent] = {}

    def note_last(self, answers: Iterable[tuple[str, object]]) -> None:
        """Reads the `time` of the answers of a batch, the last first: it counts in those of its method before it."""
        noted: set[str] = set()
        for method, time in answers:
            if method not in noted and self.note(method, time):
                noted.add(method)

    def note(self, method: str, time: object) -> bool:
        """Reads the `time` of a successful answer; False where it tells nothing. Own servers leave it all out."""
        freed_at = _number(time.get("operating_reset_at")) if isinstance(time, dict) else None
        if not isinstance(time, dict) or freed_at is None:
            return False
        # Both instants by the portal's clock, so that it does not matter if ours is wrong.
        said_at = _number(time.get("finish")) or self._clock.now().timestamp()
        left = min(max(freed_at - said_at, 0.0), WINDOW)
        seconds = _number(time.get("operating")) or 0.0
        if seconds >= BRAKE and not self.brake(method, writing=True):
            log.warning("bitrix24.operating_time", method=method, seconds=round(seconds), held_back_for=round(left))
        self._spent[method.lower()] = Spent(seconds, self._clock.monotonic() + left)
        return True

    def brake(self, method: str, *, writing: bool) -> float:
        """Seconds to hold this method back: 0 unless the portal refuses it, or might soon and it is part of a write."""
        spent = self._spent.get(method.lower())
        return self._left(spent) if spent and spent.seconds >= (BRAKE if writing else math.inf) else 0.0

    def refused(self, method: str, asked: float | None) -> float:
        """Notes that the portal has just refused a method; the seconds until it is free, before which it is held back.

        They are those that the portal `asked` for, or those that it told if these are more, else the whole window.
        """
        left = max(asked or 0.0, self._left(self._spent.get(method.lower()))) or WINDOW
        self._spent[method.lower()] = Spent(math.inf, self._clock.monotonic() + left)
        return left

    def _left(self, spent: Spent | None) -> float:
        return max(0.0, spent.freed_at - self._clock.monotonic()) if spent else 0.0


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
