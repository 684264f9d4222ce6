"""How often is right: what the month's requests allow, and what a pair's own story suggests. Pure."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

RESERVE: Final = 0.1
"""The share of a month's requests that polling leaves to writes, and to what events and people ask for."""

AHEAD: Final = 0.02
"""The share of a month's requests that may be sent ahead of the even pace, so that an edit is followed closely."""

MONTH: Final = 30 * 86400
"""The seconds of a month in estimates."""

SPENT: Final = "budget: what is left of the month's requests is kept for changes, which Bitrix24 is looked at for"
"""Why polling waits for the next month."""

USED_UP: Final = "budget: nothing is left of the month's requests"
"""Why everything does."""

SPARING: Final = 86400.0
"""The most seconds for which nothing of the reserve is spent on what has failed."""

GROWTH: Final = 1.25
EXACT: Final = 1e-9
"""The share by which sums of the same number may differ."""

ZONES_EVERY: Final = 3600.0
"""The services' zones are read once in so many seconds, by whichever run comes first after that."""


@dataclass(frozen=True, slots=True)
class Budget:
    """The requests of a calendar month (UTC): how many were sent, how many there are, and the seconds that are left.

    `cap` None is a plan without such a limit.
    """

    used: int
    cap: int | None
    seconds_left: float

    def spendable(self, reserve: float = RESERVE) -> float:
        """How many requests polling may still send."""
        return math.inf if self.cap is None else self.cap * (1 - reserve) - self.used


@dataclass(frozen=True, slots=True)
class Purse:
    """Requests that may be sent ahead of the even pace: saved while less is asked than the month has room for.

    `used` is how many the month had seen at the instant `at`, in seconds of the monotonic clock.
    """

    saved: float
    used: int
    at: float

    @classmethod
    def full(cls, budget: Budget, at: float) -> Purse:
        """What a daemon begins with."""
        return cls((budget.cap or 0) * AHEAD, budget.used, at)

    def after(self, budget: Budget, at: float) -> Purse:
        """The purse now: what the even pace had room for is added, what was sent is taken out."""
        if budget.cap is None or budget.seconds_left <= 0:
            return Purse(0.0, budget.used, at)
        earned = max(0.0, budget.spendable()) / budget.seconds_left * (at - self.at)
        sent = max(0, budget.used - self.used)
        return Purse(max(0.0, min(budget.cap * AHEAD, self.saved + earned) - sent), budget.used, at)

    def has_room(self, requests: float, budget: Budget) -> bool:
        """Whether so many may be sent ahead of the pace. A quarter stays in it: what trickles in is saved up first."""
        return self.saved > max(requests, (budget.cap or 0) * AHEAD / 4)


def needed_interval(
    budget: Budget, *, pairs: int, pages: float = 1.0, zone_pages: int = 1, reserve: float = RESERVE
) -> float:
    """The shortest interval in seconds at which all pairs can be polled until the month ends; infinite for not at all.

    A pair takes `pages` requests each time. Being asked again and again, it corrects what was estimated wrong.
    """
    spendable, work = budget.spendable(reserve), pairs * pages
    if math.isinf(spendable):
        return 0.0
    if spendable < work + zone_pages or budget.seconds_left <= 0:
        return math.inf
    rate = spendable / budget.seconds_left
    left = rate - zone_pages / ZONES_EVERY
    if left > 0 and work / left <= ZONES_EVERY:
        return work / left
    return (work + zone_pages) / rate


def next_interval(low: float, high: float, *, quiet: int = 0, failures: int = 0, needed: float = 0.0) -> float:
    """The seconds until a pair's next run.

    It is `low` after a change, grows with every `quiet` run after that, and doubles with every failure in a row but
    the first; neither beyond `high`. What the budget needs goes before both.
    """
    factor = 2.0 ** min(failures - 1, 32) if failures else GROWTH ** min(quiet, 64)
    return max(min(low * factor, max(low, high)), needed)


def sparing_time(high: float, failures: int) -> float:
    """For how many seconds the reserve is not spent again on a pair that has failed so many times in a row."""
    return max(high, min(SPARING, high * 2.0 ** min(failures - 1, 32)))


@dataclass(frozen=True, slots=True)
class Turn:
    """A pair's next turn: in how many seconds, and why then."""

    interval: float
    why: str


def next_turn(low: float, high: float, *, quiet: int, failures: int, needed: float, news: str) -> Turn:
    """As `next_interval`, with the reason in words. `news` is what the last run saw happen."""
    own = next_interval(low, high, quiet=quiet, failures=failures)
    if needed > own:
        return Turn(needed, f"budget: every {math.ceil(needed / 60)} min fits" if math.isfinite(needed) else SPENT)
    if failures:
        return Turn(own, f"backing off after {failures} failure{'s' if failures > 1 else ''}")
    return Turn(own, f"quiet for {quiet} run{'s' if quiet > 1 else ''}" if quiet else news)


def stale_after(interval: float) -> float:
    """The seconds without a success after which a pair with this interval is stale."""
    return 3 * interval + 300


def seconds_left(now: datetime) -> float:
    """The seconds until the calendar month (UTC) of `now` ends."""
    return (month_end(now) - now).total_seconds()


def month_end(now: datetime) -> datetime:
    """The instant at which the calendar month (UTC) of `now` ends."""
    first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (first + timedelta(days=32)).replace(day=1)


@dataclass(frozen=True, slots=True)
class Advice:
    """What the configured intervals will cost in a month, and which interval in minutes the plan has room for.

    `minutes` is None where they fit as they are, and where none would.
    """

    text: str
    fits: bool
    minutes: int | None = None


def advice(
    intervals: Sequence[float],
    cap: int | None,
    plan: str,
    named: Collection[float] = (),
    *,
    pages: Sequence[int] = (),
    listing: int = 1,
) -> Advice | None:
    """Whether a plan has room for pairs with these intervals in seconds; None where there is nothing to tell.

    Counted are 30 days, the `pages` of each pair in every run, one where they are not given, and the `listing` of the
    services in every run of pairs with an interval of `named`, for their names. `plan` is the plan's name.
    """
    if cap is None or not intervals:
        return None
    listings, pages = set(named), pages or [1] * len(intervals)
    cost = sum(MONTH / interval * asked for interval, asked in zip(intervals, pages, strict=True))
    cost += sum(MONTH / interval * listing for interval in listings)
    every = f"every {lasting(intervals[0])}" if len(set(intervals)) == 1 else "at their intervals"
    pairs = "1 pair" if len(intervals) == 1 else f"{len(intervals)} pairs"
    said = f"{pairs} {every}{', with names,' if listings else ''} = {cost:,.0f} a month; {plan} has {cap:,}"
    zones = listing * MONTH / max(ZONES_EVERY, min(intervals))
    if cost + zones <= cap * (1 + EXACT):
        return Advice(said, fits=True)
    requests = sum(pages) + listing * len(listings)
    shortest = needed_interval(Budget(0, cap, MONTH), pairs=1, pages=requests, zone_pages=listing, reserve=0)
    if math.isinf(shortest):
        return Advice(f"{said}: too few for one run of all", fits=False)
    minutes = math.ceil(shortest / 60)
    return Advice(f"{said}: every {minutes} min fits", fits=False, minutes=minutes)


def lasting(seconds: float) -> str:
    """A time span in the unit that suits it: "45 s", "5 min", "2 h", "3 days"."""
    minutes = round(seconds / 60)
    if seconds < 120 and seconds % 60:
        return f"{seconds:.0f} s"
    if minutes < 120:
        return "1 h" if minutes == 60 else f"{minutes} min"
    return f"{seconds / 3600:.3g} h" if seconds < 48 * 3600 else f"{seconds / 86400:.3g} days"
