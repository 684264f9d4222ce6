"""How ReserveKit's answers are read: the envelope of a success, and the four shapes of an error body.

The guide has {"error": {"code", "message"}}, the API schema {"error": "text", "data": null}, the Go SDK
{"status": 404, "message", "code"}, the JavaScript SDK's tests {"status": "error", "error": "text"}. Proxies
answer with HTML, plain text or nothing at all.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pydantic_core import from_json

from slotbridge.errors import BadAnswer
from slotbridge.http.redact import excerpt
from slotbridge.http.retry import asked_wait
from slotbridge.http.transport import Response
from slotbridge.reservekit.codes import STATUS_OF
from slotbridge.secrecy import hide

QUOTE_LENGTH: Final = 160


@dataclass(frozen=True, slots=True)
class Complaint:
    """What an error body says; `text` and `details` are fit to be shown."""

    code: str | None = None
    text: str = ""
    details: str = ""
    retry_after: object = None


def parsed(body: bytes) -> object:
    """The JSON value; None if the body is not JSON."""
    try:
        return from_json(body, allow_inf_nan=False)
    except ValueError:
        return None


def envelope(response: Response, *, item: str, secret: str) -> dict[str, Any]:
    """The object of a successful answer: it has `data` and no error. Raises BadAnswer for any other body."""
    answer = parsed(response.body)
    if isinstance(answer, dict) and not answer.get("error") and answer.get("data") is not None:
        return answer
    if says_error(response):
        what = f"answered {response.status}, but with an error: {complaint(response.body, secret).text}"
    else:
        what = f"answered {response.status} with {appearance(response.body)}"
    raise bad_answer(what, item=item, status=response.status)


def says_error(response: Response) -> bool:
    """Whether the body is an object with an error, whatever the status; of one shape only its own status tells."""
    answer = parsed(response.body)
    if not isinstance(answer, dict):
        return False
    status = answer.get("status")
    failed = status >= 400 if isinstance(status, int) else status == "error"
    return bool(answer.get("error")) or answer.get("success") is False or failed


def bad_answer(what: str, *, item: str, status: int | None = None) -> BadAnswer:
    """An answer that proves nothing (G4). Without a `status`, `what` is to be in words of our own alone."""
    hint = "Nothing was concluded from it, and the next run reads again"
    error = BadAnswer(what, side="reservekit", item=item, hint=hint, status=status)
    error.own_words = what if status is None else None
    return error


def appearance(body: bytes) -> str:
    """What kind of thing a body is, in words."""
    start = body[:1000].strip().lower()
    if not start:
        return "an empty body"
    if start.startswith((b"<!doctype", b"<html")):
        return "an HTML page"
    return "text that is not JSON, or cut off" if parsed(body) is None else "JSON that has no data"


def complaint(body: bytes, secret: str) -> Complaint:
    """Reads an error body of any shape; `secret` is the key, which a server might echo."""
    answer = parsed(body)
    if not isinstance(answer, dict):
        return Complaint(text=_excerpt(body, secret))
    error = answer.get("error")
    inner: Mapping[str, Any] = error if isinstance(error, dict) else {}
    said = inner.get("message") or (error if isinstance(error, str) else None) or answer.get("message")
    return Complaint(
        code=_code(inner.get("code"), secret) or _code(answer.get("code"), secret) or _bare_code(error, secret),
        text=quote(said, secret) if isinstance(said, str) else _excerpt(body, secret),
        details=quote(_by_field(inner.get("details") or answer.get("details")), secret),
        retry_after=next((each["retry_after"] for each in (inner, answer) if "retry_after" in each), None),
    )


def summary(status: int, said: Complaint) -> str:
    """Status, code, text and details in one line; an error that came with a success is called one."""
    head = f"{status} with the error" if status < 300 else str(status)
    head = f"{head} {said.code}" if said.code else head
    told = f"{head}: {said.text}" if said.text else head
    return f"{told} ({said.details})" if said.details else told


def quote(text: str, secret: str) -> str:
    """A server's text, on one line, short, and without secrets."""
    return excerpt(hide(text, (secret,)), QUOTE_LENGTH)


def waiting_time(value: object, now: datetime) -> float | None:
    """The seconds that a Retry-After asks for: a number, digits or an HTTP date; else None. Less than none is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        seconds = float(value)
    except OverflowError:
        return None
    except ValueError:
        return asked_wait(str(value), now)
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def _code(value: object, secret: str) -> str | None:
    """Codes are words such as `service_not_found`; the Go SDK's shape may have a number.

    One that is known is what it is, even if a secret is a part of it.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str) or not re.fullmatch(r"[\w.-]{1,60}", value, re.ASCII):
        return None
    return value if value in STATUS_OF or quote(value, secret) == value else None


def _bare_code(error: object, secret: str) -> str | None:
    """A code in the place of the text."""
    return _code(error, secret) if isinstance(error, str) and re.fullmatch(r"[a-z]+(_[a-z]+)+", error) else None


def _excerpt(body: bytes, secret: str) -> str:
    if appearance(body) in ("an empty body", "an HTML page"):
        return appearance(body)
    return quote(body.decode(errors="replace"), secret)


def _by_field(details: object) -> str:
    """Details by field: an object of field and complaint, or a list of objects or texts."""
    if isinstance(details, dict):
        return "; ".join(f"{field}: {_by_field(said)}" for field, said in details.items())
    if isinstance(details, list):
        return "; ".join(_by_field(each) for each in details)
    return "" if details is None else str(details)
