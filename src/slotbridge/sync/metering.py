"""Counting requests as they are sent, and stopping where the month is used up."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from slotbridge.clock import Clock
from slotbridge.errors import SIDE_NAMES, BudgetSpent, Side
from slotbridge.http.limiter import Limiter
from slotbridge.http.meter import Unmetered
from slotbridge.store.usage import SideRecord, Usage, month_of

PROBED_EVERY = timedelta(hours=6)
"""How often a side that said its month was used up is asked whether it still is."""


class StoreMeter:
    """Counts one side's requests in the store as they leave, so that neither a crash nor a restart forgets any.

    `cap` is the number of requests in a calendar month (UTC) beyond which none is sent; None leaves it to the server.
    """

    def __init__(self, side: Side, usage: Usage, limiter: Limiter, clock: Clock, *, key: str, cap: int | None) -> None:
        self._side: Side = side
        self._usage = usage
        self._limiter = limiter
        self._clock = clock
        self._key = key
        self._cap = cap
        known = usage.side(side, key)
        self._spent_at = known.spent_at
        self.absence = known.absence(clock.now())
        self._sent_at = clock.now()

    def admit(self, requests: int = 1) -> None:
        """Raises BudgetSpent while the month has no room for them: by our count, or because the server said so."""
        now = self._clock.now()
        if self._spent_at is not None and is_used_up(self._spent_at, now):
            if now - self._spent_at < PROBED_EVERY:
                raise refusal(self._side, used_up(self._spent_at))
            self.spent()  # the one that is admitted now is the probe
        if self._cap is not None and self._usage.in_month(now)[self._side] + requests > self._cap:
            what = f"would be asked more than the {self._cap} times that the plan has for a month"
            raise refusal(self._side, what, "Nothing more is sent before the month turns (UTC).")

    def sent(self) -> None:
        """Counts one request, and notes how full the bucket is."""
        self._sent_at = now = self._clock.now()
        self._usage.count(self._side, 1, now, now + timedelta(seconds=self._limiter.backlog))

    def unsent(self) -> None:
        """Takes the last one back, from the month in which it was counted."""
        self._usage.count(self._side, -1, self._sent_at, None)

    def passed(self) -> None:
        """Forgets that the month was used up, if it was."""
        if self._spent_at is not None:
            self._spent_at = None
            self._usage.note(self._side, self._key, spent_at=None)

    def spent(self) -> None:
        """Notes that the month is used up."""
        self._spent_at = self._clock.now()
        self._usage.note(self._side, self._key, spent_at=self._spent_at)

    def left_alone(self, seconds: float) -> None:
        """Notes for how long, for the next process."""
        now = self._clock.now()
        until = now + timedelta(seconds=seconds)
        self._usage.note(self._side, self._key, left_alone_since=now, left_alone_until=until)


class SpentMeter(Unmetered):
    """For those who may not write: counts nothing, and asks no side that has just said that its month is used up."""

    def __init__(self, side: Side, known: SideRecord, clock: Clock) -> None:
        self._side: Side = side
        self._spent_at = known.spent_at
        self._clock = clock
        self.absence = known.absence(clock.now())

    def admit(self, requests: int = 1) -> None:
        """Raises BudgetSpent as a StoreMeter does."""
        now = self._clock.now()
        if self._spent_at is not None and is_used_up(self._spent_at, now) and now - self._spent_at < PROBED_EVERY:
            raise refusal(self._side, used_up(self._spent_at))


def is_used_up(spent_at: datetime | None, now: datetime) -> bool:
    """Whether it is this month (UTC) that a side said was used up."""
    return spent_at is not None and month_of(spent_at) == month_of(now)


def used_up(spent_at: datetime) -> str:
    """When a side said so, in words that go on after its name."""
    return f"said on {spent_at:%-d %B at %H:%M} UTC that the month's requests are used up"


PROBED: Final = "It is asked again when the month turns (UTC), and until then once in six hours."


def refusal(side: Side, what: str, until: str = PROBED) -> BudgetSpent:
    """Why a request is not sent, and `until` when."""
    hint = f"{until} A larger plan belongs into [{side}] plan or requests_per_month"
    return BudgetSpent(f"{SIDE_NAMES[side]} {what}", side=side, hint=hint)


def digest_of(*parts: object) -> str:
    """A short name for a key and what its answers depend on, from which neither can be told."""
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:16]


def content_digest(items: Iterable[object]) -> str:
    """A short name for what a side holds, in whatever order it is told."""
    return digest_of(*sorted(map(repr, items)))
