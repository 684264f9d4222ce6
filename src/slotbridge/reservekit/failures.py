"""From an answer that is not a success to the error that says what to do.

The HTTP status decides; the body only refines.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final, Literal
from urllib.parse import urlsplit

from slotbridge.errors import (
    AccessRefused,
    ApiError,
    BadAnswer,
    NotFound,
    OutcomeUnknown,
    Rejected,
    WriteRefused,
)
from slotbridge.http.transport import Response
from slotbridge.reservekit.answers import Complaint, complaint, says_error, summary
from slotbridge.reservekit.codes import BOOKING_NOT_FOUND, SERVICE_NOT_FOUND, SLOT_NOT_FOUND, STATUS_OF
from slotbridge.reservekit.limits import limit_reached

Surface = Literal["time slots", "services", "bookings"]
"""What a write is about: each was opened to API keys at another time, if at all."""


def _absent(noun: str) -> re.Pattern[str]:
    # A path such as /v1/time-slots/5 in the text of a missing route is no noun.
    not_found = rf"(?<![/\w-]){noun}\b[^/]{{0,40}}\bnot (?:be )?(?:found|exist)"
    return re.compile(rf"{not_found}|\bno such {noun}\b|\bno {noun}\b[^/]{{0,40}}\bfound\b", re.I)


# Bodies of the older shapes have no code, only words.
_MISSING: Final = (
    (SLOT_NOT_FOUND, _absent(r"(?:time[ _-]?)?slot")),
    (SERVICE_NOT_FOUND, _absent("service")),
    (BOOKING_NOT_FOUND, _absent("booking")),
)
# A plan also has a number of services, and of bookings in a month. What is answered beyond it is documented nowhere.
_PLAN_FULL: Final = re.compile(
    r"\b(?:services|bookings) (?:limit|per month)|\b(?:limit|maximum|number)\b.{0,20}\b(?:services|bookings)\b", re.I
)

# How large a batch may be, and whether a slot may end at 24:00, is documented nowhere, nor how a server says so.
_BATCH_FULL: Final = re.compile(
    r"\btoo many (?:items|elements|entries|(?:time[ _]?)?slots)\b|\bbatch\b.{0,30}\b(?:size|large|limit)\b"
    r"|\b(?:at most|no more than|up to|maximum(?: of)?) [0-9]+ (?:items|elements|entries|(?:time[ _]?)?slots)\b",
    re.I,
)
_END_REFUSED: Final = re.compile(
    r"\bend[ _]?time\b.{0,60}\b(?:after|later|greater|gtfield|same day)\b"
    r"|\bstart[ _]?time\b.{0,60}\b(?:before|earlier|less)\b",
    re.I,
)

# Go's decoder, and others, take times of one form alone (`parsing time "…" as "2006-01-02T15:04:05Z07:00"`).
_FORM_REFUSED: Final = re.compile(
    r"\bparsing time\b|\brfc[ -]?3339\b|\biso[ -]?8601\b|\b2006-01-02\b"
    r"|\b(?:start|end)[ _]?time\b.{0,60}\b(?:format|date-?time|timestamp|pars\w+)\b",
    re.I,
)

SAYS_ORIGIN: Final = re.compile(r"\borigin(?:\b|_)", re.I)
"""Of a refusal that is about the domain that a key is bound to: "Origin does not match API key domain"."""

_KEY = "Check [reservekit] api_key: it may be mistyped, or revoked or replaced in the ReserveKit dashboard"
_NO_ORIGIN = (
    "The key may be bound to a domain: write it into [reservekit] origin as the ReserveKit dashboard shows it with the "
    'key, such as "https://www.example.com", or make a key without a domain there'
)
_OTHER_ORIGIN = (
    "The key may be bound to a domain that is not [reservekit] origin: write it there as the ReserveKit dashboard "
    "shows it with the key, scheme included, or make a key without a domain there"
)
_NOT_OPEN = (
    "If reads work, the key may read but not write, or ReserveKit has not opened this call to keys: "
    "use another key, or "
)
_READ_ONLY: Final[dict[Surface, str]] = {
    "time slots": f'{_NOT_OPEN}set direction = "to-bitrix24"',
    "services": f"{_NOT_OPEN}change the service in the ReserveKit dashboard",
    "bookings": f"{_NOT_OPEN}change the booking in the ReserveKit dashboard",
}
_UNKNOWN_SERVICE = (
    "Check the pair's service_id with `slotbridge discover`; a key of another account does not see the service either"
)
_ADDRESS = "Check [reservekit] base_url, the pair's service_id, and that the key belongs to the service's account"
_GONE = "It was deleted in the meantime; the next run reads again and makes a new plan"
_WRITE_UNKNOWN = "The change may or may not have been made; it is not sent again before everything was read again"
_READ_UNKNOWN = "Nothing was concluded from it, and the next run reads again"
_VALUES: Final[dict[Surface, str]] = {
    "time slots": "Compare the values with `slotbridge show`, and change them in Bitrix24 to what ReserveKit takes",
    "services": "Change the name or the description to what ReserveKit takes",
    "bookings": "Look at the booking in the ReserveKit dashboard",
}
_CONFLICT = "Something there stands against it, perhaps bookings: look at the service in the ReserveKit dashboard"
_TOO_LARGE = "Set [reservekit] max_batch lower"
_MIDNIGHT = 'If a time slot lasts until midnight, set [reservekit] end_of_day = "23:59:59"'
_FORM = 'Set [reservekit] time_format = "rfc3339", or back to "naive": the server takes times of one form alone'
_OTHER_READ = "Check that [reservekit] base_url is the address of ReserveKit's API, version included"
_PLAN = "Your ReserveKit plan has no room for one more: remove some, wait for the next month, or get a larger plan"
_HINTS_BY_CODE: Final = {
    "time_slot_full": "Choose another date or time slot, or raise max_bookings of this one",
    "duplicate_booking": "The customer has this booking already: it is not made twice",
    "invalid_status_transition": "What is cancelled stays cancelled: make a new booking instead",
}


def failure(
    response: Response,
    *,
    item: str,
    now: datetime,
    secret: str,
    writes: Surface | None = None,
    origin: str | None = None,
) -> ApiError:
    """The error that an answer without success stands for. `secret` is the key, kept out of the message.

    `origin` is what was sent as the domain that the key is bound to, if one was.
    """
    said = complaint(response.body, secret)
    status = _meant(response.status, said)
    what = f"answered {summary(response.status, said)}"
    if writes in ("services", "bookings") and 400 <= status < 500 and _plan_is_full(said):
        return Rejected(what, side="reservekit", item=item, hint=_PLAN, status=status, code=said.code)
    if status == 429:
        return limit_reached(response, said, item=item, now=now)
    kind, hint = _kind(status, said, writes, _refused_hint(status, said, origin))
    if 300 <= status < 400:
        what = f"answered {status}, which leads to {_host(response)}"
    code = (missing(said) if status == 404 else _code(said)) or said.code
    error = kind(what, side="reservekit", item=item, hint=hint, status=status, code=code)
    if isinstance(error, OutcomeUnknown) and writes and status < 300:
        hint = _rejected_hint(400, said, writes)
        error.refusal = Rejected(what, side="reservekit", item=item, hint=hint, status=status, code=code)
    return error


def says_limit(response: Response, secret: str) -> bool:
    """Whether an answer, be it called a success, is about a limit that was met: the request was not executed."""
    if response.status != 429 and b"limit_exceeded" in response.body and says_error(response):
        return _meant(response.status, complaint(response.body, secret)) == 429
    return response.status == 429


def missing(said: Complaint) -> str | None:
    """Which row a 404 says is missing, as ReserveKit's code; None where it may as well be the route."""
    if said.code in (SLOT_NOT_FOUND, SERVICE_NOT_FOUND, BOOKING_NOT_FOUND):
        return said.code
    return next((code for code, words in _MISSING if words.search(said.text)), None)


def refused_write(error: ApiError, surface: Surface) -> WriteRefused:
    """The same answer, understood as: this key may not write."""
    return WriteRefused(
        error.what, side=error.side, item=error.item, hint=_READ_ONLY[surface], status=error.status, code=error.code
    )


def _meant(status: int, said: Complaint) -> int:
    """The status that fits what was said, of a success that says an error."""
    return status if status >= 300 else STATUS_OF.get(_code(said) or missing(said) or "", status)


def _refused_hint(status: int, said: Complaint, origin: str | None) -> str | None:
    """What to do about a key that is refused; None where the status tells of something else."""
    if status == 403 or (status == 401 and SAYS_ORIGIN.search(f"{said.code or ''} {said.text}")):
        return _OTHER_ORIGIN if origin else _NO_ORIGIN
    return _KEY if status == 401 else None


def _kind(status: int, said: Complaint, writes: Surface | None, refused: str | None) -> tuple[type[ApiError], str]:
    if status >= 500 or status == 408 or status < 300:
        return OutcomeUnknown, _WRITE_UNKNOWN if writes else _READ_UNKNOWN
    if status == 404 and (row := missing(said)):
        return NotFound, _UNKNOWN_SERVICE if row == SERVICE_NOT_FOUND else _GONE
    if writes and status in (401, 403, 404, 405):
        return WriteRefused, ". ".join(filter(None, (refused, _READ_ONLY[writes])))
    if refused:
        return AccessRefused, refused
    if status == 404:
        return NotFound, _ADDRESS
    if 400 <= status < 500:
        return Rejected, _rejected_hint(status, said, writes)
    return ApiError if 300 <= status < 400 else BadAnswer, _OTHER_READ


def _rejected_hint(status: int, said: Complaint, writes: Surface | None) -> str:
    if not writes:
        return _OTHER_READ
    by_status = {409: _CONFLICT, 413: _TOO_LARGE}.get(status, _VALUES[writes])
    if writes == "time slots" and status in (400, 422):
        words = f"{said.text} {said.details}"
        by_status = _TOO_LARGE if _BATCH_FULL.search(words) else by_status
        by_status = f"{_MIDNIGHT}. {by_status}" if _END_REFUSED.search(words) else by_status
        by_status = _FORM if _FORM_REFUSED.search(words) else by_status
    return _HINTS_BY_CODE.get(_code(said) or "", by_status)


def _code(said: Complaint) -> str | None:
    """The code; the API schema's samples have "time slot is full" and "duplicate booking" in its place."""
    worded = said.text.lower().rstrip(".").replace(" is ", " ").replace(" ", "_")
    return said.code or (worded if worded in _HINTS_BY_CODE else None)


def _plan_is_full(said: Complaint) -> bool:
    return _PLAN_FULL.search(f"{said.code or ''} {said.text}".replace("_", " ")) is not None


def _host(response: Response) -> str:
    """Where a redirect leads, as a host only: the rest of an address may hold a secret."""
    try:
        return urlsplit(response.headers.get("location", "")).hostname or "another address"
    except ValueError:
        return "another address"
