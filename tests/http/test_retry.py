"""What is sent again, when, and how often."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slotbridge.errors import (
    AccessRefused,
    ApiError,
    BadAnswer,
    BudgetSpent,
    LimitReached,
    NotFound,
    NotSent,
    OutcomeUnknown,
    Rejected,
    WriteRefused,
)
from slotbridge.http.retry import asked_wait, may_repeat, pause, retried
from tests.http.clock import FakeClock


def limit(seconds: float | None) -> LimitReached:
    error = LimitReached("too fast")
    error.retry_after = seconds
    return error


@pytest.mark.parametrize("repeatable", [True, False])
@pytest.mark.parametrize("error", [limit(None), limit(0), limit(120), NotSent("no connection")])
def test_what_was_not_executed_is_always_repeated(error: ApiError, repeatable: bool) -> None:
    assert may_repeat(error, repeatable=repeatable)


def test_what_may_have_been_executed_is_repeated_only_if_that_is_harmless() -> None:
    assert may_repeat(OutcomeUnknown("lost"), repeatable=True)
    assert not may_repeat(OutcomeUnknown("lost"), repeatable=False)


@pytest.mark.parametrize(
    "error",
    [
        limit(120.5),
        BudgetSpent("spent"),
        BadAnswer("odd"),
        AccessRefused("no"),
        WriteRefused("no"),
        NotFound("gone"),
        Rejected("wrong"),
        ApiError("something"),
        ValueError("ours"),
        asyncio.CancelledError(),
    ],
)
def test_everything_else_is_not_repeated(error: BaseException) -> None:
    assert not may_repeat(error, repeatable=True)


def test_the_pause_is_the_one_the_server_asked_for() -> None:
    assert pause(limit(7.5), attempt=3, jitter=0.9) == 7.5
    assert pause(limit(-1), attempt=1, jitter=0.9) == 0


@pytest.mark.parametrize(("attempt", "shortest", "longest"), [(1, 1, 1), (2, 2, 3), (3, 4, 7), (9, 60, 60)])
def test_without_being_asked_the_pause_doubles_up_to_a_minute(attempt: int, shortest: float, longest: float) -> None:
    for error in (limit(None), NotSent("no connection"), OutcomeUnknown("lost"), None):
        assert pause(error, attempt, jitter=0.0) == shortest
        assert pause(error, attempt, jitter=1.0) == longest


class Calls:
    """Raises the given errors one after the other, then answers."""

    def __init__(self, *errors: BaseException) -> None:
        self.errors = list(errors)
        self.made = 0

    async def __call__(self) -> str:
        self.made += 1
        if self.errors:
            raise self.errors.pop(0)
        return "answer"


async def test_a_call_that_recovers_gives_its_answer() -> None:
    calls, clock = Calls(limit(3), NotSent("no connection")), FakeClock()
    assert await retried(calls, clock=clock, repeatable=False, random=Random(1)) == "answer"
    assert calls.made == 3
    assert clock.slept[0] == 3
    assert 2 <= clock.slept[1] <= 4


async def test_the_last_error_itself_is_raised_after_the_last_attempt() -> None:
    errors = [OutcomeUnknown(str(number)) for number in range(9)]
    calls, clock = Calls(*errors), FakeClock()
    with pytest.raises(OutcomeUnknown) as caught:
        await retried(calls, clock=clock, repeatable=True, attempts=4, random=Random(1))
    assert caught.value is errors[3]
    assert calls.made == 4
    assert len(clock.slept) == 3


async def test_an_answer_that_was_waited_for_in_vain_for_long_is_left_to_the_next_run() -> None:
    """A server that hangs would else hold up everybody who waits for the end of this run for two minutes."""
    clock = FakeClock()

    async def hangs() -> str:
        clock.time += 30
        raise OutcomeUnknown("no complete answer within 30 seconds")

    with pytest.raises(OutcomeUnknown):
        await retried(hangs, clock=clock, repeatable=True, random=Random(1))
    assert clock.time == 1030


async def test_a_write_with_unknown_outcome_is_made_once() -> None:
    calls, clock = Calls(OutcomeUnknown("lost")), FakeClock()
    with pytest.raises(OutcomeUnknown):
        await retried(calls, clock=clock, repeatable=False, random=Random(1))
    assert (calls.made, clock.slept) == (1, [])


async def test_cancellation_goes_through_at_once() -> None:
    calls, clock = Calls(asyncio.CancelledError()), FakeClock()
    with pytest.raises(asyncio.CancelledError):
        await retried(calls, clock=clock, repeatable=True, random=Random(1))
    assert (calls.made, clock.slept) == (1, [])


NOW = datetime(2026, 5, 14, 9, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7),
        (" 120 ", 120),
        ("0", 0),
        ("Thu, 14 May 2026 09:00:40 GMT", 40),
        ("Thu, 14 May 2026 11:00:40 +0200", 40),
        ("Thu, 14 May 2026 09:00:40 -0000", 40),
        ("Thu, 14 May 2026 08:00:00 GMT", 0),
    ],
)
def test_a_wait_is_asked_for_in_seconds_or_by_a_date(header: str, seconds: float) -> None:
    assert asked_wait(header, NOW) == seconds


@pytest.mark.parametrize(
    "header", ["", "soon", "-5", "1.5e3", "9" * 400, "Thu, 99 May 2026 09:00:40 GMT", ", , ,", "²"]
)
def test_what_is_neither_asks_for_nothing(header: str) -> None:
    assert asked_wait(header, NOW) is None


@settings(deadline=None)
@given(st.text(max_size=30) | st.text("0123456789 :,+-GMTMayThu", max_size=40))
def test_no_header_is_a_crash_or_a_wait_below_zero(header: str) -> None:
    assert (asked_wait(header, NOW) or 0) >= 0
