"""When a failed request is sent again, and after how long."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from random import Random
from typing import TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt

from slotbridge.clock import Clock
from slotbridge.errors import BudgetSpent, LimitReached, NotSent, OutcomeUnknown

T = TypeVar("T")

LONGEST_BACK_OFF = 60.0
LONGEST_WAIT_ASKED_FOR = 120.0
LONGEST_ABSENCE = 6 * 3600.0
"""Seconds. A server that asks for more is asked again then: it may mean milliseconds, an instant, the month."""

PATIENCE = 25.0
"""Seconds after which an answer that does not come is left to the next run: others wait for this one's end."""


async def retried(
    call: Callable[[], Awaitable[T]], *, clock: Clock, repeatable: bool, attempts: int = 4, random: Random
) -> T:
    """The result of `call`, which is made up to `attempts` times; the last error is raised as it is.

    `repeatable` says that the call may be made again although it may have been executed: true for reads. After a
    second error that is worth only one more attempt there is none.
    """

    begun, asked_anew = clock.monotonic(), False

    def decide(error: BaseException) -> bool:
        nonlocal asked_anew
        if isinstance(error, OutcomeUnknown):
            if clock.monotonic() - begun >= PATIENCE or (error.once and asked_anew):
                return False
            asked_anew = asked_anew or error.once
        return may_repeat(error, repeatable=repeatable)

    def wait(state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        return pause(error, state.attempt_number, random.random())

    retrying = AsyncRetrying(
        sleep=clock.sleep,
        retry=retry_if_exception(decide),
        wait=wait,
        stop=stop_after_attempt(attempts),
        reraise=True,
    )
    return await retrying(call)


def may_repeat(error: BaseException, *, repeatable: bool) -> bool:
    """Whether a call that failed with this error is worth another attempt, and harmless."""
    match error:
        case BudgetSpent():
            return False
        case LimitReached():
            return (error.retry_after or 0) <= LONGEST_WAIT_ASKED_FOR
        case NotSent():
            return True
        case OutcomeUnknown():
            return repeatable
        case _:
            return False


def pause(error: BaseException | None, attempt: int, jitter: float) -> float:
    """Seconds to wait after the `attempt`-th attempt (from 1): what the server asked for, or 1, 2–3, 4–7, 8–15 …

    Whoever was told to come back, and did so in vain, waits for the longer of both: a server may ask for 0 seconds.
    `jitter`, from 0 to 1, picks the place in that span, so that many clients do not return again and again all at once.
    """
    shortest = 2.0 ** (attempt - 1)
    own = min(LONGEST_BACK_OFF, shortest + jitter * (shortest - 1))
    if isinstance(error, LimitReached) and error.retry_after is not None:
        return max(error.retry_after, own if attempt > 1 else 0.0)
    return own


def asked_wait(header: str, now: datetime) -> float | None:
    """The seconds that a Retry-After asks for, as digits or as an HTTP date; None if it is neither."""
    if header.strip().isdecimal():
        seconds = float(header)
        return seconds if math.isfinite(seconds) else None
    try:
        moment = parsedate_to_datetime(header)
        return max(0.0, ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now).total_seconds())
    except (ValueError, OverflowError):
        return None
