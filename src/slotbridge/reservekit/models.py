"""What ReserveKit sends, read tolerantly.

Only kinds are checked here (a number where a number belongs); what a value means is for the lens to judge.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

from pydantic import AliasChoices, AliasPath, BaseModel, Field, PlainValidator, StringConstraints

from slotbridge.lenses.items import Odd, TimeSlot
from slotbridge.reservekit.kinds import (
    MaybeId,
    MaybeText,
    Row,
    Text,
    TextOrEmpty,
    ValidationError,
    Whole,
    identity,
    problem,
    text_or_none,
)

CANCELLED: Final = "cancelled"


@dataclass(frozen=True, slots=True)
class Service:
    """A service. `timezone` and `description` are None where the server has none to tell (missing, null or empty)."""

    id: int
    name: str
    timezone: str | None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Customer:
    """Who booked; None for what the server does not tell. A person's data stay out of logs, hence out of the repr."""

    id: int | None = None
    name: str | None = field(default=None, repr=False)
    email: str | None = field(default=None, repr=False)
    phone: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Booking:
    """A booking: a time slot and a date, YYYY-MM-DD; it holds no time of its own.

    `time_slot_id` is None where it names no slot; `status` is as the server wrote it, "" when absent.
    """

    id: int
    time_slot_id: int | None
    date: str
    status: str
    customer: Customer | None = None
    cancel_reason: str | None = field(default=None, repr=False)
    message: str | None = field(default=None, repr=False)

    @property
    def is_cancelled(self) -> bool:
        """Whether it stands no longer. A status that is not known counts as active."""
        return self.status.lower() in (CANCELLED, "canceled")


def _customer(value: object) -> Customer | None:
    return read_customer(value) if isinstance(value, dict) else None


class WireTimeSlot(BaseModel):
    """A time slot whose fields have the right kinds."""

    id: Whole
    day_of_week: Whole
    start_time: Text
    end_time: Text
    max_bookings: Whole


class WireService(BaseModel):
    """A service; of its many documented fields only these matter, and none but the id is certain to be there."""

    id: Whole
    name: TextOrEmpty = ""
    timezone: MaybeText = None
    description: MaybeText = None


class WireBooking(BaseModel):
    """A booking. The API schema nests the time slot in it, the guide has its id only.

    The Go SDK has a whole time stamp for the date.
    """

    id: Whole
    time_slot_id: MaybeId = Field(
        default=0, validation_alias=AliasChoices("time_slot_id", AliasPath("time_slot", "id"))
    )
    date: Annotated[str, StringConstraints(strict=True, pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}")]
    status: TextOrEmpty = ""
    customer: Annotated[Customer | None, PlainValidator(_customer)] = None
    cancel_reason: MaybeText = None
    message: MaybeText = None


def read_time_slot(row: Row) -> TimeSlot | Odd:
    """The time slot, or an Odd that names the fields of the wrong kind."""
    try:
        wire = WireTimeSlot.model_validate(row)
    except ValidationError as error:
        return Odd(raw=json.dumps(row, ensure_ascii=False, sort_keys=True), problem=problem(error), id=identity(row))
    return TimeSlot(wire.id, wire.day_of_week, wire.start_time, wire.end_time, wire.max_bookings)


def read_service(row: Row) -> Service:
    """The service. It has a usable id, all else is optional."""
    wire = WireService.model_validate(row)
    return Service(wire.id, wire.name, wire.timezone, wire.description)


def read_booking(row: Row) -> Booking:
    """The booking. Raises ValidationError for an unreadable date or slot id: it must not be overlooked."""
    wire = WireBooking.model_validate(row)
    slot_id = wire.time_slot_id or None
    return Booking(wire.id, slot_id, wire.date[:10], wire.status, wire.customer, wire.cancel_reason, wire.message)


def read_customer(row: Mapping[str, Any]) -> Customer:
    """The customer, with whatever of it is there and readable."""
    name, email, phone = (text_or_none(row.get(each)) for each in ("name", "email", "phone"))
    return Customer(identity(row), name, email, phone)
