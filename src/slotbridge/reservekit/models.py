"""What ReserveKit sends, read tolerantly, and what is sent to it, written strictly.

Only kinds are checked here (a number where a number belongs); what a value means is for the lens to judge.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import (
    AliasChoices,
    AliasPath,
    BaseModel,
    BeforeValidator,
    Field,
    PlainValidator,
    StringConstraints,
)
from pydantic import ValidationError as ValidationError

from slotbridge.lenses.items import Odd, TimeSlot

Row = dict[str, Any]
"""One element of a listing, as the JSON had it."""

INT64: Final = 2**63
"""The server is written in Go: its integers have 64 bits."""

SLOT_FIELDS: Final = ("id", "day_of_week", "start_time", "end_time", "max_bookings")
"""All that is ever sent back: a Go decoder may be set to reject any other field."""


@dataclass(frozen=True, slots=True)
class Service:
    """A service. `timezone` is None where the server has none to tell (missing, null or empty)."""

    id: int
    name: str
    timezone: str | None


@dataclass(frozen=True, slots=True)
class Booking:
    """A booking: a time slot and a date, YYYY-MM-DD; it holds no time of its own.

    `time_slot_id` is None where it names no slot; `status` is as the server wrote it, "" when absent.
    """

    id: int
    time_slot_id: int | None
    date: str
    status: str


def whole(value: object) -> int:
    """A whole number of 64 bits, written as a number or as digits. Raises ValueError for anything else.

    The documentation has integers; early demo types of the vendor have ids as strings.
    """
    if type(value) is int:
        number = value
    elif (isinstance(value, float) and value.is_integer()) or (
        isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,19}", value)
    ):
        number = int(value)
    else:
        raise ValueError("not a whole number")
    if not -INT64 <= number < INT64:
        raise ValueError("not a number of 64 bits")
    return number


def identity(row: Mapping[str, object]) -> int | None:
    """The id of an object, None if it has no usable one. Ids start above zero; 0 is how Go writes "none"."""
    try:
        number = whole(row.get("id"))
    except ValueError:
        return None
    return number if number > 0 else None


def _text_or_empty(value: object) -> str:
    return value if isinstance(value, str) else ""


def _zero_for_nothing(value: object) -> object:
    return 0 if value is None or value == "" else value


Whole = Annotated[int, PlainValidator(whole)]
MaybeId = Annotated[int, PlainValidator(whole), BeforeValidator(_zero_for_nothing)]
Text = Annotated[str, StringConstraints(strict=True)]
TextOrEmpty = Annotated[str, PlainValidator(_text_or_empty)]


class WireTimeSlot(BaseModel):
    """A time slot whose fields have the right kinds."""

    id: Whole
    day_of_week: Whole
    start_time: Text
    end_time: Text
    max_bookings: Whole


class WireService(BaseModel):
    """A service; of its many documented fields only these two matter, and neither is certain to be there."""

    id: Whole
    name: TextOrEmpty = ""
    timezone: TextOrEmpty = ""


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
    return Service(wire.id, wire.name, wire.timezone or None)


def read_booking(row: Row) -> Booking:
    """The booking. Raises ValidationError for an unreadable date or slot id: it must not be overlooked."""
    wire = WireBooking.model_validate(row)
    return Booking(wire.id, wire.time_slot_id or None, wire.date[:10], wire.status)


def write_time_slot(slot: TimeSlot | Odd) -> Row:
    """The JSON object to send: exactly the documented fields, without the id in a slot that is to be created.

    An odd slot goes as the server wrote it, with those of these fields that it has.
    """
    if isinstance(slot, Odd):
        stored: Row = json.loads(slot.raw)
        return {name: stored[name] for name in SLOT_FIELDS if name in stored}
    fields = {name: getattr(slot, name) for name in SLOT_FIELDS}
    return {name: value for name, value in fields.items() if value is not None}


_PROBLEMS: Final = {
    "missing": "is missing",
    "string_type": "is not text",
    "string_pattern_mismatch": "does not start with YYYY-MM-DD",
}


def problem(error: ValidationError) -> str:
    """What is wrong, field by field, without the values."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return ", ".join(f"{each['loc'][0]} {_PROBLEMS.get(each['type'], 'is not a whole number')}" for each in found)
