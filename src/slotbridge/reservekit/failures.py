"""From an answer that is not a success to the error that says what to do.

The HTTP status decides; the body only refines.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from slotbridge.errors import (
    AccessRefused,
    ApiError,
    BadAnswer,
    BudgetSpent,
    LimitReached,
    NotFound,
    OutcomeUnknown,
    Rejected,
    WriteRefused,
)
from slotbridge.http.transport import Response
from slotbridge.reservekit.answers import Complaint, complaint, waiting_time

SLOT_NOT_FOUND: Final = "time_slot_not_found"
SERVICE_NOT_FOUND: Final = "service_not_found"

# Bodies of the older shapes have no code, only words. A path such as /v1/time-slots in the text of a missing
# route is not the words "time slot".
_MISSING: Final = (
    (
        SLOT_NOT_FOUND,
        re.compile(r"\btime[ _]?slot\b[^/]{0,40}\bnot (be )?(found|exist)|\bno such time ?slot\b", re.I),
    ),
    (
        SERVICE_NOT_FOUND,
        re.compile(r"\bservice\b[^/]{0,40}\bnot (be )?(found|exist)|\bno such service\b", re.I),
    ),
)
_MONTH: Final = re.compile(r"\bmonth|\busage limit", re.I)

_KEY = "Check [reservekit] api_key: it may be mistyped, or revoked or replaced in the ReserveKit dashboard"
_ORIGIN = (
    "The key may be bound to a domain, and slotbridge sends no Origin header: in the ReserveKit dashboard, "
    "make a key without a domain"
)
_READ_ONLY = (
    "If reads work, the key may read but not write, or ReserveKit has not opened this call to keys: "
    'use another key, or set direction = "to-bitrix24"'
)
_UNKNOWN_SERVICE = (
    "Check the pair's service_id with `slotbridge discover`; a key of another account does not see the service either"
)
_ADDRESS = "Check [reservekit] base_url, the pair's service_id, and that the key belongs to the service's account"
_GONE = "It was deleted in the meantime; the next run reads again and makes a new plan"
_BUDGET = (
    "ReserveKit answers no more this month. Set a longer [sync] interval, or get a larger plan and name it "
    "in [reservekit] plan"
)
_LIMIT = "If this goes on, compare [reservekit] plan with your plan, or set requests_per_second lower"
_WRITE_UNKNOWN = "The change may or may not have been made; it is not sent again before everything was read again"
_READ_UNKNOWN = "Nothing was concluded from it, and the next run reads again"
_VALUES = "Compare the values with `slotbridge show`, and change them in Bitrix24 to what ReserveKit takes"
_CONFLICT = "Something there stands against it, perhaps bookings: look at the service in the ReserveKit dashboard"
_TOO_LARGE = "Set [reservekit] max_batch lower"
_OTHER_READ = "Check that [reservekit] base_url is the address of ReserveKit's API, version included"
_REFUSED_HINTS: Final = {401: _KEY, 403: _ORIGIN}


def failure(response: Response, *, item: str, writing: bool, now: datetime, secret: str) -> ApiError:
    """The error that an answer without success stands for. `secret` is the key, kept out of the message."""
    status, said = response.status, complaint(response.body, secret)
    if status == 429:
        return _limit(response, said, item, now)
    kind, hint = _kind(status, said, writing)
    what = f"answered {_summary(status, said)}"
    if 300 <= status < 400:
        what = f"answered {status}, which leads to {_host(response)}"
    code = missing(said) if status == 404 else said.code
    return kind(what, side="reservekit", item=item, hint=hint, status=status, code=code or said.code)


def missing(said: Complaint) -> str | None:
    """Which row a 404 says is missing, as ReserveKit's code; None where it may as well be the route."""
    if said.code in (SLOT_NOT_FOUND, SERVICE_NOT_FOUND):
        return said.code
    return next((code for code, words in _MISSING if words.search(said.text)), None)


def refused_write(error: ApiError) -> WriteRefused:
    """The same answer, understood as: this key may not write."""
    return WriteRefused(
        error.what, side=error.side, item=error.item, hint=_READ_ONLY, status=error.status, code=error.code
    )


def _kind(status: int, said: Complaint, writing: bool) -> tuple[type[ApiError], str]:
    if status >= 500 or status == 408:
        return OutcomeUnknown, _WRITE_UNKNOWN if writing else _READ_UNKNOWN
    if status == 404 and (row := missing(said)):
        return NotFound, _GONE if row == SLOT_NOT_FOUND else _UNKNOWN_SERVICE
    if writing and status in (401, 403, 404, 405):
        return WriteRefused, ". ".join(filter(None, (_REFUSED_HINTS.get(status), _READ_ONLY)))
    if status in (401, 403):
        return AccessRefused, _REFUSED_HINTS[status]
    if status == 404:
        return NotFound, _ADDRESS
    if 400 <= status < 500:
        return Rejected, _rejected_hint(status, writing)
    return ApiError if 300 <= status < 400 else BadAnswer, _OTHER_READ


def _rejected_hint(status: int, writing: bool) -> str:
    if not writing:
        return _OTHER_READ
    return {409: _CONFLICT, 413: _TOO_LARGE}.get(status, _VALUES)


def _limit(response: Response, said: Complaint, item: str, now: datetime) -> LimitReached:
    spent = said.code == "api_limit_exceeded" or (
        said.code != "rate_limit_exceeded" and _MONTH.search(said.text) is not None
    )
    kind, hint = (BudgetSpent, _BUDGET) if spent else (LimitReached, _LIMIT)
    what = f"answered {_summary(429, said)}"
    error = kind(what, side="reservekit", item=item, hint=hint, status=429, code=said.code)
    asked = waiting_time(response.headers.get("retry-after"), now)
    error.retry_after = waiting_time(said.retry_after, now) if asked is None else asked
    return error


def _summary(status: int, said: Complaint) -> str:
    head = f"{status} {said.code}" if said.code else str(status)
    told = f"{head}: {said.text}" if said.text else head
    return f"{told} ({said.details})" if said.details else told


def _host(response: Response) -> str:
    """Where a redirect leads, as a host only: the rest of an address may hold a secret."""
    try:
        return urlsplit(response.headers.get("location", "")).hostname or "another address"
    except ValueError:
        return "another address"
