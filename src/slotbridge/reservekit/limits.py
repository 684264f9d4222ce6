"""What ReserveKit says about its limits: which of the two was met, and for how long to keep away.

The guide has two kinds of 429: `rate_limit_exceeded`, too fast, and `api_limit_exceeded`, the month is used up. Older
shapes of an error have no code, only words. Taking the month for the rate sends requests that count against it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from slotbridge.errors import BudgetSpent, LimitReached
from slotbridge.http.retry import LONGEST_WAIT_ASKED_FOR
from slotbridge.http.transport import Response
from slotbridge.reservekit.answers import Complaint, summary, waiting_time

SLOWEST_BUCKET: Final = 3600.0
"""No bucket of 5 requests a second takes an hour to drain: who asks for more means the month."""

_MONTH: Final = re.compile(r"\bmonth|\b(?:usage|api) limit|\bquota", re.I)
_RATE: Final = re.compile(r"\brate\b|\btoo (?:many|fast)\b|\bslow down\b|\bper (?:second|minute)\b|\bthrottl", re.I)
_NUMBER: Final = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?")

_BUDGET: Final = (
    "ReserveKit answers no more this month. Set a longer [sync] interval, or get a larger plan and name it "
    "in [reservekit] plan"
)
_SPEED: Final = "If this goes on, compare [reservekit] plan with your plan, or set requests_per_second lower"
_UNCLEAR: Final = (
    "It does not say whether the rate or the month is meant, so it is left alone for an hour. Look at the usage in "
    "the ReserveKit dashboard, and compare [reservekit] plan with your plan"
)


def limit_reached(response: Response, said: Complaint, *, item: str, now: datetime) -> LimitReached:
    """The error that a 429 stands for, with the seconds to wait: the header's, else the body's.

    None where the rate was meant and no wait is named; an hour where it is unclear what was meant.
    """
    asked = waiting_time(response.headers.get("retry-after"), now)
    wait = waiting_time(said.retry_after, now) if asked is None else asked
    kind, hint = (BudgetSpent, _BUDGET) if _is_month(said, wait) else (LimitReached, _SPEED)
    if kind is LimitReached and wait is None and not _is_rate(said):
        wait, hint = SLOWEST_BUCKET, _UNCLEAR
    error = kind(
        f"answered {summary(response.status, said)}",
        side="reservekit",
        item=item,
        hint=hint,
        status=429,
        code=said.code,
    )
    error.retry_after = wait
    return error


def bucket_wait(headers: Mapping[str, str], now: datetime) -> float:
    """The seconds until the bucket has room again, when the headers say that this answer took the last of it.

    The documentation has `X-RateLimit-Reset` as Unix time. 0 for headers that are missing, make no sense, or mean
    something else than a bucket: a month, milliseconds, seconds from now. `now` is the server's.
    """
    limit, left, reset = (_number(headers.get(f"x-ratelimit-{name}")) for name in ("limit", "remaining", "reset"))
    if left != 0 or reset is None or limit == 0:
        return 0.0
    wait = reset - now.timestamp()
    return wait if 0 < wait <= LONGEST_WAIT_ASKED_FOR else 0.0


def _is_month(said: Complaint, wait: float | None) -> bool:
    if said.code == "rate_limit_exceeded":
        return False
    return _MONTH.search(_words(said)) is not None or (wait or 0.0) > SLOWEST_BUCKET


def _is_rate(said: Complaint) -> bool:
    return _RATE.search(_words(said)) is not None


def _words(said: Complaint) -> str:
    return f"{said.code or ''} {said.text}".replace("_", " ")


def _number(text: str | None) -> float | None:
    found = _NUMBER.fullmatch((text or "").strip())
    return float(found[0]) if found else None
