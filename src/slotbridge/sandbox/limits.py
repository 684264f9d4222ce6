"""The servers' rate limits, as they themselves count."""

from __future__ import annotations

import math
from collections.abc import Hashable

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

    @property
    def level(self) -> float:
        """The requests in it at this moment."""
        now = self._clock.monotonic()
        self._level = max(0.0, self._level - (now - self._seen) * self.rate)
        self._seen = now
        return self._level

    @level.setter
    def level(self, requests: float) -> None:
        self._level = min(max(0.0, requests), float(self.size))
        self._seen = self._clock.monotonic()

    def admit(self) -> bool:
        """Counts one request; False if it is one too many."""
        fits = self.level + 1 <= self.size
        if fits or self._refused_count:
            self._level = min(self._level + 1, float(self.size))
        return fits


class OperatingTime:
    """The seconds that each method took, kept in ten buckets of one minute."""

    _BUCKETS = 10
    _SECONDS = 60
    _SHORTEST = 0.1  # the portal's source: shorter calls are not charged

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._minutes: dict[Hashable, dict[int, float]] = {}

    def charge(self, key: Hashable, seconds: float) -> None:
        """Notes a call that has just ended."""
        if seconds >= self._SHORTEST:
            minutes = self._minutes.setdefault(key, {})
            minutes[self._minute()] = minutes.get(self._minute(), 0.0) + seconds

    def spent(self, key: Hashable) -> float:
        """The seconds of the last ten minutes."""
        return sum(self._recent(key).values())

    def reset_at(self, key: Hashable) -> int:
        """When the oldest bucket leaves, in seconds since the epoch; what is then left need not be zero."""
        oldest = min(self._recent(key), default=self._minute())
        return (oldest + self._BUCKETS) * self._SECONDS

    def _recent(self, key: Hashable) -> dict[int, float]:
        first = self._minute() - self._BUCKETS
        return {minute: spent for minute, spent in self._minutes.get(key, {}).items() if minute > first}

    def _minute(self) -> int:
        return int(self._clock.now().timestamp()) // self._SECONDS


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
