"""Our own pace, kept so that the server's leaky bucket never runs over."""

from __future__ import annotations

import asyncio
import math

from slotbridge.clock import Clock


class Limiter:
    """Lets `burst` requests through at once and `rate` per second after that, first come first served.

    The generic cell rate algorithm: the state is one instant, `_empty_at`, at which a bucket that drains
    `rate` per second would be empty. A request may go when that bucket has room for one more.
    """

    def __init__(self, rate: float, burst: int, clock: Clock) -> None:
        self._interval = 1 / rate
        self._slack = self._interval * (burst - 1)
        self._clock = clock
        self._empty_at = clock.monotonic()
        self._shut_until = -math.inf
        self._queue = asyncio.Lock()

    async def acquire(self) -> None:
        """Waits until one more request may be sent. A caller cancelled while waiting uses up nothing."""
        async with self._queue:
            while (now := self._clock.monotonic()) < (turn := max(self._shut_until, self._empty_at - self._slack)):
                await self._clock.sleep(turn - now)
            self._empty_at = max(self._empty_at, now) + self._interval

    def penalize(self, seconds: float) -> None:
        """The server says that it is full: nothing for so many seconds, then one request per interval.

        Other programs fill the same bucket, so it can be full although this one kept its pace.
        """
        until = self._clock.monotonic() + seconds
        self._empty_at = max(self._empty_at, until + self._slack)

    def overflowed(self, seconds: float) -> None:
        """The server says that its bucket is full now: nothing for so many seconds, while it drains at our rate.

        Told so again before as much time has passed once more, it is fuller than we can know: then `penalize`.
        """
        now = self._clock.monotonic()
        if now < self._shut_until + seconds:
            self.penalize(seconds)
        else:
            self._empty_at = max(self._empty_at, now + self._slack + self._interval)
        self._shut_until = max(self._shut_until, now + seconds)

    @property
    def backlog(self) -> float:
        """The seconds until the bucket is empty, as far as our own requests fill it."""
        return max(0.0, self._empty_at - self._clock.monotonic())

    def restore(self, backlog: float) -> None:
        """Goes on from what an earlier process left in the bucket: it drains so many seconds from now."""
        fullest = self._slack + self._interval
        self._empty_at = max(self._empty_at, self._clock.monotonic() + min(max(0.0, backlog), fullest))
