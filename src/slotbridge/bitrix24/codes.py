"""Bitrix24's error codes, and what each means to us.

The HTTP status says little: documentation, source and real answers disagree on it for most codes, and every
booking error is a 400. The description is localized. So the code alone decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from slotbridge.errors import (
    AccessRefused,
    ApiError,
    BadAnswer,
    LimitReached,
    NotFound,
    OutcomeUnknown,
    Rejected,
)

RATE = "QUERY_LIMIT_EXCEEDED"
OPERATING_TIME = "OPERATION_TIME_LIMIT"

_WEBHOOK = "the inbound webhook (Developer resources, Integrations)"
_NEW_WEBHOOK = f"Create {_WEBHOOK} anew in the portal, and put its address into bitrix24.webhook_url"
_REPORT = "This is an error in slotbridge; please report it"
_NEXT_RUN = "The next run reads the resource again and goes on from there"


@dataclass(frozen=True, slots=True)
class Meaning:
    """The error that a code becomes, what happened in words, and the remedy."""

    kind: type[ApiError]
    what: str
    hint: str


_REFUSED_CREDENTIALS = Meaning(AccessRefused, "the portal does not accept the webhook", _NEW_WEBHOOK)
_REFUSED_TOKEN = Meaning(
    AccessRefused,
    "the portal wants an application's token instead of a webhook, or the token is no longer valid",
    _NEW_WEBHOOK,
)
_UNPAID = Meaning(
    AccessRefused,
    "the portal's plan does not include REST, or the webhook's user may not use it",
    f"It takes a commercial plan; then check the user who created {_WEBHOOK}",
)
_WRONG_REQUEST = Meaning(Rejected, "the portal found the request wrong", _REPORT)
_FAILED = Meaning(OutcomeUnknown, "the portal failed while it worked on the request", _NEXT_RUN)

MEANINGS: Mapping[str, Meaning] = MappingProxyType(
    {
        RATE: Meaning(LimitReached, "too many requests", "Other programs on this address share the limit"),
        OPERATING_TIME: Meaning(
            LimitReached,
            "the operating time of this method is used up for some minutes",
            "It frees itself; fewer runs per hour, or a longer sync.interval, avoid it",
        ),
        "OVERLOAD_LIMIT": Meaning(
            AccessRefused,
            "the vendor has blocked this portal's REST",
            "Ask the support of Bitrix24 to lift the block",
        ),
        "NO_AUTH_FOUND": _REFUSED_CREDENTIALS,
        "INVALID_CREDENTIALS": _REFUSED_CREDENTIALS,
        "EXPIRED_TOKEN": _REFUSED_TOKEN,
        "INVALID_TOKEN": _REFUSED_TOKEN,
        "ERROR_OAUTH": _REFUSED_TOKEN,
        "APPLICATION_NOT_FOUND": _REFUSED_TOKEN,
        "WRONG_AUTH_TYPE": _REFUSED_TOKEN,
        "INSUFFICIENT_SCOPE": Meaning(
            AccessRefused,
            "the webhook lacks the permission `booking`",
            f"Open {_WEBHOOK} in the portal and add Online booking (booking) to its permissions",
        ),
        "USER_ACCESS_ERROR": Meaning(
            AccessRefused,
            "the user of the webhook may not use it",
            f"Let a user with access to online booking create {_WEBHOOK}",
        ),
        "ACCESS_DENIED": _UNPAID,
        "PAYMENT_REQUIRED": _UNPAID,
        "403": _UNPAID,
        "PORTAL_DELETED": Meaning(
            AccessRefused, "the portal no longer exists", "Check the host name in bitrix24.webhook_url"
        ),
        "INVALID_REQUEST": Meaning(
            AccessRefused, "the portal wants https", "Write bitrix24.webhook_url with https:// in front"
        ),
        "ERROR_METHOD_NOT_FOUND": Meaning(
            Rejected,
            "the portal does not know this method",
            "Its module Online booking is missing or too old: version 25.300 or later is needed",
        ),
        "1009": Meaning(
            NotFound,
            "this resource does not exist",
            "Check the pair's resource_id; `slotbridge discover` lists the resources there are",
        ),
        "0": Meaning(
            Rejected,
            "the portal refused the request",
            "Online booking may be switched off, or not be part of the portal's plan",
        ),
        "422": Meaning(
            Rejected,
            "the portal finds the hours invalid",
            "A range needs 0 ≤ from < to ≤ 1440, a time zone, weekdays and a slot size that is not negative",
        ),
        "1007": Meaning(
            Rejected,
            "the portal's database refused the hours",
            "Look for an overlong time zone or a range with too many weekdays",
        ),
        "100": _WRONG_REQUEST,
        "22002": _WRONG_REQUEST,
        "ERROR_ARGUMENT": _WRONG_REQUEST,
        "INVALID_HTTP_METHOD": _WRONG_REQUEST,
        "ERROR_BATCH_LENGTH_EXCEEDED": _WRONG_REQUEST,
        "ERROR_BATCH_METHOD_NOT_ALLOWED": _WRONG_REQUEST,
        "INTERNAL_SERVER_ERROR": _FAILED,
        "ERROR_UNEXPECTED_ANSWER": _FAILED,
        "ERROR_CORE": _FAILED,
        "WRONG_ENCODING": Meaning(BadAnswer, "the portal could not encode its own answer", _NEXT_RUN),
    }
)


def error_for(code: str, description: str, *, item: str, write: bool, status: int | None = None) -> ApiError:
    """The error that stands for a code. `description` is the server's text, already fit to be shown."""
    meaning = MEANINGS.get(code.upper()) or _unknown(code, status)
    kind = OutcomeUnknown if write and meaning.kind is BadAnswer else meaning.kind
    said = f"{code}: {description}" if description else code
    what = f"{meaning.what} ({said})" if said else meaning.what
    return kind(what, side="bitrix24", item=item, hint=meaning.hint, status=status, code=code)


def _unknown(code: str, status: int | None) -> Meaning:
    kind = OutcomeUnknown if status is not None and status >= 500 else ApiError
    return Meaning(kind, "the portal answered with an error that slotbridge does not know", _NEXT_RUN)
