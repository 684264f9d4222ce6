"""The limiter against an exact model of the server's leaky bucket."""

from __future__ import annotations

import asyncio
from fractions import Fraction
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slotbridge.http.limiter import Limiter
from tests.http.clock import FakeClock


class Bucket:
    """What the server does: drains `rate` per second, refuses what would bring it above `burst`."""

    def __init__(self, rate: Fraction, burst: int, now: Fraction) -> None:
        self.rate, self.burst, self.level, self.at = rate, burst, Fraction(0), now

    def takes(self, now: Fraction) -> bool:
        level = max(Fraction(0), self.level - (now - self.at) * self.rate) + 1
        if level > self.burst:
            return False
        self.level, self.at = level, now
        return True


class ExactClock(FakeClock):
    """Counts in fractions, so that no rounding blurs an edge."""

    def __init__(self) -> None:
        super().__init__(cast(float, Fraction(0)))

    @property
    def exactly(self) -> Fraction:
        return cast(Fraction, self.time)

    def pass_by(self, seconds: Fraction) -> None:
        self.time = cast(float, self.exactly + seconds)


fractions = st.fractions(min_value=Fraction(1, 20), max_value=20, max_denominator=20)
gaps = st.lists(st.one_of(st.just(Fraction(0)), st.fractions(0, 30, max_denominator=50)), max_size=60)
floats = st.floats(min_value=0.01, max_value=1000, allow_nan=False)


@given(rate=fractions, burst=st.integers(1, 12), gaps=gaps)
@settings(max_examples=150, deadline=None)
def test_never_refused_and_never_later_than_needed(rate: Fraction, burst: int, gaps: list[Fraction]) -> None:
    async def scenario() -> None:
        clock = ExactClock()
        limiter = Limiter(cast(float, rate), burst, clock)
        bucket = Bucket(rate, burst, clock.exactly)
        for gap in gaps:
            clock.pass_by(gap)
            asked_at = clock.exactly
            await limiter.acquire()
            went_at = clock.exactly
            if went_at > asked_at:
                assert not bucket.takes(went_at - Fraction(1, 10**9))
            assert bucket.takes(went_at)

    asyncio.run(scenario())


@given(rate=floats, burst=st.integers(1, 300), start=st.floats(0, 1e9), number=st.integers(1, 60))
@settings(max_examples=100, deadline=None)
def test_floating_point_neither_hangs_nor_drifts(rate: float, burst: int, start: float, number: int) -> None:
    async def scenario() -> float:
        clock = FakeClock(start)
        limiter = Limiter(rate, burst, clock)
        for _ in range(number):
            await limiter.acquire()
        return clock.time - start

    needed = max(0, number - burst) / rate
    assert asyncio.run(scenario()) == pytest.approx(needed, rel=1e-6, abs=1e-4)


@pytest.mark.parametrize(("call", "after"), [(50, 0.0), (51, 0.5), (52, 1.0), (56, 3.0)])
async def test_the_documented_bucket_of_two_per_second_and_fifty(call: int, after: float) -> None:
    clock = FakeClock()
    limiter = Limiter(2, 50, clock)
    for _ in range(call):
        await limiter.acquire()
    assert clock.time == 1000 + after


async def test_waiting_callers_go_in_the_order_in_which_they_came() -> None:
    clock = FakeClock()
    limiter = Limiter(1, 1, clock)
    went: list[tuple[int, float]] = []

    async def caller(number: int) -> None:
        await limiter.acquire()
        went.append((number, clock.time))

    await asyncio.gather(*(caller(number) for number in range(4)))
    assert went == [(0, 1000), (1, 1001), (2, 1002), (3, 1003)]


async def test_penalize_stops_everything_then_lets_one_through_per_interval() -> None:
    clock = FakeClock()
    limiter = Limiter(2, 50, clock)
    limiter.penalize(10)
    assert await went_at(limiter, clock, 3) == [1010, 1010.5, 1011]


async def test_penalize_reaches_a_caller_who_already_waits() -> None:
    class Interrupted(FakeClock):
        async def sleep(self, seconds: float) -> None:
            if not self.slept:
                limiter.penalize(10)
            await super().sleep(seconds)

    clock = Interrupted()
    limiter = Limiter(1, 1, clock)
    await limiter.acquire()
    await limiter.acquire()
    assert clock.time == 1010


async def test_a_shorter_penalty_does_not_shorten_a_longer_one() -> None:
    clock = FakeClock()
    limiter = Limiter(1, 5, clock)
    limiter.penalize(20)
    limiter.penalize(1)
    await limiter.acquire()
    assert clock.time == 1020


async def went_at(limiter: Limiter, clock: FakeClock, number: int) -> list[float]:
    times = []
    for _ in range(number):
        await limiter.acquire()
        times.append(clock.time)
    return times


async def test_a_bucket_that_was_full_has_drained_while_nothing_was_sent() -> None:
    clock = FakeClock()
    limiter = Limiter(2, 50, clock)
    limiter.overflowed(1)
    assert await went_at(limiter, clock, 4) == [1001, 1001, 1001.5, 1002]


async def test_a_bucket_that_is_full_again_and_again_gets_one_request_per_interval_after_each_wait() -> None:
    clock = FakeClock()
    limiter = Limiter(2, 50, clock)
    for _ in range(3):  # as many were under way when it was full
        limiter.overflowed(1)
    assert await went_at(limiter, clock, 2) == [1001, 1001.5]
    limiter.overflowed(1)
    assert await went_at(limiter, clock, 2) == [1002.5, 1003]


async def test_a_bucket_that_counts_refused_requests_drains_nevertheless() -> None:
    """The reference page does not know whether they count, and assumes it."""
    clock = FakeClock()
    limiter = Limiter(2, 49, clock)
    level, at, taken, sent = 75.0, clock.time, 0, 0
    while taken < 20 and sent < 200:
        await limiter.acquire()
        level, at, sent = max(0.0, level - 2 * (clock.time - at)) + 1, clock.time, sent + 1
        if level > 50:
            limiter.overflowed(1)
        else:
            taken += 1
    assert (taken, sent) == (20, 46)


async def test_an_overflow_does_not_forget_how_full_our_own_requests_made_the_bucket() -> None:
    clock = FakeClock()
    limiter = Limiter(1, 2, clock)
    limiter.penalize(20)
    limiter.overflowed(1)
    assert await went_at(limiter, clock, 2) == [1020, 1021]


async def test_a_cancelled_caller_uses_up_nothing() -> None:
    class Endless(FakeClock):
        async def sleep(self, seconds: float) -> None:
            await asyncio.Event().wait()

    clock = Endless()
    limiter = Limiter(1, 1, clock)
    await limiter.acquire()
    waiting = asyncio.create_task(limiter.acquire())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    clock.time += 1
    await asyncio.wait_for(limiter.acquire(), 1)
