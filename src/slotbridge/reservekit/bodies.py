"""What is sent to ReserveKit, written strictly: documented fields, within the documented bounds, and nothing else.

What would be refused is refused here, with the name of the field, and costs no request. The bounds are those of the
API schema: a name of at most 72 characters, a description of at most 255, a valid e-mail address, a phone number as
E.164 has it.
"""

from __future__ import annotations

import json
import re
from datetime import date
from typing import Final

from slotbridge.errors import Rejected
from slotbridge.lenses.items import Odd, TimeSlot
from slotbridge.reservekit.kinds import Row
from slotbridge.reservekit.models import CANCELLED, Customer
from slotbridge.week import find_zone

SLOT_FIELDS: Final = ("id", "day_of_week", "start_time", "end_time", "max_bookings")
"""All that is ever sent back: a Go decoder may be set to reject any other field."""

NAME_LENGTH: Final = 72
DESCRIPTION_LENGTH: Final = 255
STATUSES: Final = ("pending", "confirmed", CANCELLED)

_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def time_slot(slot: TimeSlot | Odd) -> Row:
    """The JSON object to send: exactly the documented fields, without the id in a slot that is to be created.

    An odd slot goes as the server wrote it, with those of these fields that it has.
    """
    if isinstance(slot, Odd):
        stored: Row = json.loads(slot.raw)
        return {name: stored[name] for name in SLOT_FIELDS if name in stored}
    return _given({name: getattr(slot, name) for name in SLOT_FIELDS})


def new_service(name: str, timezone: str, description: str | None, *, item: str) -> Row:
    """A service to be created. Raises Rejected."""
    if find_zone(timezone) is None:
        raise _refused(f"the time zone {timezone[:50]!r} is unknown", item, "Use a name of the IANA list")
    return {**service_changes(name, description, item=item), "timezone": timezone}


def service_changes(name: str | None, description: str | None, *, item: str) -> Row:
    """What shall be different in a service, without what is None. Raises Rejected.

    The time zone is never among it: whether the times of its slots would move with it is not documented.
    """
    _filled("name", name, item)
    _at_most(NAME_LENGTH, "name", name, item)
    _at_most(DESCRIPTION_LENGTH, "description", description, item)
    return _given({"name": name, "description": description})


def new_booking(slot_id: int, day: str, customer: Customer, message: str | None, *, item: str) -> Row:
    """A booking to be made; the id of the customer does not count. Raises Rejected."""
    about = {f"customer_{name}": value for name, value in customer_changes(customer, item=item).items()}
    return _given({"date": _day(day, item), "time_slot_id": slot_id, **about, "message": message})


def booking_changes(
    status: str | None, day: str | None, cancel_reason: str | None, message: str | None, *, item: str
) -> Row:
    """What shall be different in a booking, without what is None. Raises Rejected."""
    if status is not None and status not in STATUSES:
        raise _refused(f"there is no status {status[:50]!r}", item, f"It is one of {', '.join(STATUSES)}")
    if status == CANCELLED and cancel_reason is None:
        raise _refused("a cancellation has no reason", item, "ReserveKit wants one, and customers read it")
    _filled("reason", cancel_reason, item)
    when = None if day is None else _day(day, item)
    return _given({"status": status, "date": when, "cancel_reason": cancel_reason, "message": message})


def customer_changes(customer: Customer, *, item: str) -> Row:
    """What is known of a customer, without the id. Raises Rejected, with nothing of it in the message."""
    _filled("name of the customer", customer.name, item)
    if customer.email is not None and not _EMAIL.fullmatch(customer.email):
        raise _refused("the e-mail address is none", item, "Correct it, or leave it out")
    if customer.phone is not None and not _E164.fullmatch(customer.phone):
        raise _refused("the phone number is not written as E.164 has it", item, "Write it like +4930123456")
    return _given({"name": customer.name, "email": customer.email, "phone": customer.phone})


def _day(text: str, item: str) -> str:
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text).isoformat()
    except ValueError:
        pass
    raise _refused(f"the date {text[:50]!r} is none", item, "Write it like 2025-03-31")


def _filled(what: str, text: str | None, item: str) -> None:
    if text is not None and not text.strip():
        raise _refused(f"the {what} is empty", item, "ReserveKit cannot tell an empty text from one that is left out")


def _at_most(length: int, what: str, text: str | None, item: str) -> None:
    if text is not None and len(text) > length:
        raise _refused(f"the {what} has {len(text)} characters, {length} are allowed", item, f"Shorten the {what}")


def _given(fields: Row) -> Row:
    return {name: value for name, value in fields.items() if value is not None}


def _refused(what: str, item: str, hint: str) -> Rejected:
    return Rejected(f"{what}; nothing was sent", side="reservekit", item=item, hint=hint)
