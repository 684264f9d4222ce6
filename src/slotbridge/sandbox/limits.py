"""The servers' rate limits, as they themselves count."""

from __future__ import annotations

import math

from slotbridge.clock import Clock


class LeakyBucket:
    """Fills by one with each request, drains steadily, refuses what would make it overflow.

    Whether a refused request fills it, too, is not documented; the cautious reading is that it does.
    """

    def __init__(self, rate: float, size: int, clock: Clock, *, refused_count: bool = True) -> None:
        self.rate = rate
        self.size = size
        self._clock = clock
        self._refused_count = refused_count
        self._level = 0.0
        self._seen = clock.monotonic()

    def admit(self) -> bool:
        """Counts one request; False if it is one too many."""
        now = self._clock.monotonic()
        self._level = max(0.0, self._level - (now - self._seen) * self.rate)
        self._seen = now
        fits = self._level + 1 <= self.size
        if fits or self._refused_count:
            self._level = min(self._level + 1, float(self.size))
        return fits


class TokenBucket:
    """Holds up to `burst` tokens, gains `rate` of them per second; a request takes one."""

    def __init__(self, rate: float, burst: int, clock: Clock) -> None:
        self.rate = rate
        self.burst = burst
        self._clock = clock
        self._tokens = float(burst)
        self._seen = clock.monotonic()

    def take(self) -> float:
        """Takes a token. Returns 0, or the seconds until there will be one."""
        now = self._clock.monotonic()
        self._tokens = min(self.burst, self._tokens + (now - self._seen) * self.rate)
        self._seen = now
        if self._tokens >= 1:
            self._tokens -= 1
            return 0.0
        return (1 - self._tokens) / self.rate

    @property
    def left(self) -> int:
        return math.floor(self._tokens)


class MonthCount:
    """Counts requests per calendar month in UTC."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._month = (0, 0)
        self.count = 0

    def add(self) -> int:
        """Counts one request and returns how many this month has had, this one included."""
        now = self._clock.now()
        if self._month != (now.year, now.month):
            self._month = (now.year, now.month)
            self.count = 0
        self.count += 1
        return self.count
