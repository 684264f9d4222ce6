"""Bitrix24's error codes, and what each means to us.

The HTTP status says little: documentation, source and real answers disagree on it for most codes, and every
booking error is a 400. The description is localized. So the code alone decides, for some codes with the method.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType

from slotbridge.bitrix24.access import WEBHOOK_WORDS, Words
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
EXPIRED = "EXPIRED_TOKEN"
INVALID = "INVALID_TOKEN"
UNKNOWN_METHOD = "ERROR_METHOD_NOT_FOUND"

ONCE = frozenset({"ERROR_CORE"})
"""What a read is asked for again once, and not as often as after other failures: mostly an exception of the portal's
own code, which the next answer would have as well."""

REFRESH = "oauth.refresh"
EXCHANGE = "oauth.exchange"
"""Not methods of the portal, but what its token server is asked for."""

_REPORT = "This is an error in slotbridge; please report it"
_NEXT_RUN = "The next run reads the resource again and goes on from there"
_SWITCHED_OFF = "Online booking may be switched off, or not be part of the portal's plan"


@dataclass(frozen=True, slots=True)
class Meaning:
    """The error that a code becomes, what happened in words, and the remedy. The names in braces are those of Words."""

    kind: type[ApiError]
    what: str
    hint: str


_REFUSED_CREDENTIALS = Meaning(AccessRefused, "the portal does not accept {name}", "{anew}")
_WRONG_REQUEST = Meaning(Rejected, "the portal found the request wrong", _REPORT)
_FAILED = Meaning(OutcomeUnknown, "the portal failed while it worked on the request", _NEXT_RUN)
_UNPAID = Meaning(
    AccessRefused,
    "the portal's plan does not include REST, or the user behind {name} may not use it",
    "It takes a commercial plan; then check the user who created {name}, or let an administrator do it",
)
_NO_RESOURCE = Meaning(
    NotFound,
    "this resource does not exist",
    "Check the pair's resource_id; `slotbridge discover` lists the resources there are",
)
_NO_TYPE = Meaning(
    NotFound,
    "this resource type does not exist",
    "Check the id in [[resource_types]] against the resource types in the portal",
)
_NO_WAITLIST_ENTRY = Meaning(
    NotFound, "this entry of the wait list does not exist", "Somebody may have deleted it; there is nothing left to do"
)
_NO_BOOKING = Meaning(
    NotFound, "this booking does not exist", "Somebody may have deleted it; the next run reads what there is"
)
_BAD_HOURS = Meaning(
    Rejected,
    "the portal finds the hours invalid",
    "A range needs 0 ≤ from < to ≤ 1440, a time zone, weekdays and a slot size that is not negative",
)
_UNSTORED_HOURS = Meaning(
    Rejected,
    "the portal's database refused the hours",
    "Look for an overlong time zone or a range with too many weekdays",
)
_BAD_BOOKING = Meaning(Rejected, "the portal refused the booking", "Check its resources and its period in the portal")
_BAD_ENTRY = Meaning(
    Rejected,
    "the portal refused the entry of the wait list",
    "Look into the wait list in the portal before trying again",
)
_TOKEN_REQUEST = Meaning(AccessRefused, "the token server found the request wrong", "Check bitrix24.oauth.token_url")
_WRONG_CLIENT = Meaning(
    AccessRefused,
    "the token server does not know the application, or finds its secret wrong",
    "Copy client_id and client_secret anew from the application's page in the portal into [bitrix24.oauth]; "
    "portals in some countries have a token server of their own, to be named in bitrix24.oauth.token_url",
)

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
        EXPIRED: Meaning(AccessRefused, "the portal calls the token of {name} expired", "{anew}"),
        INVALID: Meaning(AccessRefused, "the portal calls the token of {name} invalid", "{anew}"),
        "ERROR_OAUTH": _REFUSED_CREDENTIALS,
        "APPLICATION_NOT_FOUND": Meaning(
            AccessRefused,
            "the application is not installed in the portal",
            "Install it there, or create it anew (Developer resources); then: {anew}",
        ),
        "WRONG_AUTH_TYPE": Meaning(AccessRefused, "the portal does not let {name} call this method", "{anew}"),
        "INSUFFICIENT_SCOPE": Meaning(
            AccessRefused, "{name} lacks the permission `{scope}`", "{permissions} {permission}"
        ),
        "USER_ACCESS_ERROR": Meaning(
            AccessRefused,
            "the user behind {name} may not use it",
            "Give this user access to online booking, or let one who has it do this: {anew}",
        ),
        "ACCESS_DENIED": _UNPAID,
        "PAYMENT_REQUIRED": _UNPAID,
        "403": _UNPAID,
        "PORTAL_DELETED": Meaning(AccessRefused, "the portal no longer exists", "Check the host name in {setting}"),
        "INVALID_REQUEST": Meaning(AccessRefused, "the portal wants https", "Write {setting} with https:// in front"),
        "INVALID_GRANT": Meaning(AccessRefused, "the stored tokens are no longer accepted", "{anew}"),
        "INVALID_CLIENT": _WRONG_CLIENT,
        "WRONG_CLIENT": _WRONG_CLIENT,
        UNKNOWN_METHOD: Meaning(
            Rejected,
            "the portal does not know this method",
            "Its module Online booking is missing or too old: version 25.300 or later is needed",
        ),
        "0": Meaning(Rejected, "the portal refused the request", _SWITCHED_OFF),
        "422": Meaning(Rejected, "the portal finds a value in the request invalid", _REPORT),
        "1006": Meaning(
            Rejected,
            "the portal could not create the resource",
            "It needs a type, and a name of at most 255 characters",
        ),
        "1007": Meaning(
            Rejected,
            "the portal could not update this, or no longer has it",
            "`slotbridge discover` shows whether it still exists; a name takes at most 255 characters",
        ),
        "1008": Meaning(
            Rejected,
            "the portal did not delete the resource: it has upcoming bookings, or is gone already",
            "Move or cancel its bookings in the portal first",
        ),
        "1009": _NO_RESOURCE,
        "1010": Meaning(
            Rejected, "a resource type with this code exists, or its data were refused", "Choose another code"
        ),
        "1011": Meaning(
            Rejected,
            "the portal refuses this code: a resource type has it, be it the very one that is updated",
            "The portal takes an update only along with a new code: write one that no type has into [[resource_types]]",
        ),
        "1012": Meaning(
            Rejected,
            "the portal did not delete the resource type: resources have it, or it is gone already",
            "Give these resources another type first",
        ),
        "1013": _NO_TYPE,
        "1017": _UNSTORED_HOURS,
        "1018": _BAD_BOOKING,
        "1019": _BAD_BOOKING,
        "1020": _NO_BOOKING,
        "1021": _NO_BOOKING,
        "1024": Meaning(Rejected, "the booking could not be confirmed", "Confirm it in the portal"),
        "1025": Meaning(
            Rejected,
            "the portal does not know this kind of client yet",
            "It learns it when a contact is added for the first time: add one by hand to any booking in the portal",
        ),
        "1026": Meaning(Rejected, "another booking is in the way", "Look into the portal's calendar at that time"),
        "1034": _BAD_ENTRY,
        "1035": Meaning(
            Rejected,
            "the portal refused the clients of this entry of the wait list",
            "One of them may stand there twice; look into the wait list in the portal",
        ),
        "1036": _NO_WAITLIST_ENTRY,
        "1037": _BAD_ENTRY,
        "1038": _BAD_BOOKING,
        "1040": _NO_WAITLIST_ENTRY,
        "100": _WRONG_REQUEST,
        "22002": _WRONG_REQUEST,
        "ERROR_ARGUMENT": _WRONG_REQUEST,
        "INVALID_HTTP_METHOD": _WRONG_REQUEST,
        "ERROR_BATCH_LENGTH_EXCEEDED": _WRONG_REQUEST,
        "ERROR_BATCH_METHOD_NOT_ALLOWED": _WRONG_REQUEST,
        "ERROR_EVENT_NOT_FOUND": Meaning(
            Rejected,
            "the portal does not know this event",
            "Online booking has to be 25.600 or later. If it is: {permissions} {permission}",
        ),
        "ERROR_UNSUPPORTED_PROTOCOL": Meaning(
            Rejected, "the portal does not call addresses of this kind", "daemon.public_url has to begin with https://"
        ),
        "ERROR_WRONG_HANDLER_URL": Meaning(
            Rejected,
            "the portal refuses this address",
            "Write the host name that the portal can reach into daemon.public_url",
        ),
        "INTERNAL_SERVER_ERROR": _FAILED,
        "ERROR_UNEXPECTED_ANSWER": _FAILED,
        "ERROR_CORE": _FAILED,
        "WRONG_ENCODING": Meaning(BadAnswer, "the portal could not encode its own answer", _NEXT_RUN),
    }
)

# What a code means to some methods only. A name stands for itself and all that it begins.
PARTICULAR: Mapping[tuple[str, str], Meaning] = MappingProxyType(
    {
        ("0", "booking.v1.waitlist"): Meaning(
            Rejected, "the portal refused the request", "The wait list may be switched off, or not be part of the plan"
        ),
        ("0", "booking.v1.resourcetype.update"): Meaning(
            Rejected, "the portal refused the resource type", "It takes an update only along with a new code"
        ),
        ("422", "booking.v1.resource.slots"): _BAD_HOURS,
        ("422", "booking.v1.resource"): Meaning(
            Rejected,
            "the portal finds a field of the resource or its type invalid",
            "Check the names of templates in [[resource_types]]",
        ),
        ("422", "booking.v1.booking"): _BAD_BOOKING,
        ("422", "booking.v1.waitlist"): Meaning(
            Rejected, "the portal could not read a date", "Dates go by the format that is set in the portal"
        ),
        ("1007", "booking.v1.resource.slots"): _UNSTORED_HOURS,
        ("1007", "booking.v1.resourcetype"): _NO_TYPE,
        ("1013", "booking.v1.resource."): Meaning(
            NotFound, "the resource's type does not exist", "Give the resource a type in the portal"
        ),
        ("ERROR_CORE", "event.bind"): Meaning(
            Rejected, "the portal refuses this notification", "It may be set up already: then there is nothing to do"
        ),
        ("WRONG_AUTH_TYPE", "event."): Meaning(
            AccessRefused,
            "the portal notifies applications only, and slotbridge got in as {name}",
            "Set up [bitrix24.oauth] and run `slotbridge auth`, or create an outbound webhook in the portal",
        ),
        ("INVALID_GRANT", EXCHANGE): Meaning(
            AccessRefused,
            "the code is too old, was used before, or belongs to another application",
            "A code is good for 30 seconds and once: open the address again, and paste what comes at once",
        ),
        ("INVALID_REQUEST", "oauth."): _TOKEN_REQUEST,
    }
)

_PERMISSIONS: Mapping[str, str] = MappingProxyType({"booking": "Online booking (booking)", "crm": "CRM (crm)"})


def error_for(
    code: str,
    description: str,
    *,
    item: str,
    write: bool,
    status: int | None = None,
    method: str = "",
    words: Words = WEBHOOK_WORDS,
) -> ApiError:
    """The error that stands for a code. It and `description`, the server's text, are fit to be shown already."""
    meaning = _meaning(code.upper(), method.lower()) or _unknown(status)
    kind = OutcomeUnknown if write and meaning.kind is BadAnswer else meaning.kind
    scope = scope_of(method)
    told = {**asdict(words), "scope": scope, "permission": _PERMISSIONS[scope]}
    said = f"{code}: {description}" if description else code
    what = meaning.what.format(**told)
    shown = f"{what} ({said})" if said else what
    error = kind(shown, side="bitrix24", item=item, hint=meaning.hint.format(**told), status=status, code=code)
    error.own_words = what
    if isinstance(error, OutcomeUnknown):
        error.once = code.upper() in ONCE
    return error


def is_known(code: str, method: str = "") -> bool:
    """Whether the code is one of ours: then it may be shown, even if some secret is a part of it."""
    return _meaning(code.upper(), method.lower()) is not None


def scope_of(method: str) -> str:
    """The permission that a method needs."""
    return "crm" if method.lower().startswith("crm.") else "booking"


def _meaning(code: str, method: str) -> Meaning | None:
    for name in _beginnings(method):
        if (code, name) in PARTICULAR:
            return PARTICULAR[code, name]
    return MEANINGS.get(code)


def _beginnings(method: str) -> Iterator[str]:
    """The method, and every beginning of it, the longest first."""
    return (method[:length] for length in range(len(method), 0, -1))


def _unknown(status: int | None) -> Meaning:
    kind = OutcomeUnknown if status is not None and status >= 500 else ApiError
    return Meaning(kind, "the portal answered with an error that slotbridge does not know", _NEXT_RUN)
