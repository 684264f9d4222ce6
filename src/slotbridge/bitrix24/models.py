"""Resources and their ranges, as Bitrix24 sends and takes them: tolerant when reading, strict when writing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import Field, TypeAdapter, ValidationError

from slotbridge.bitrix24.wire import (
    Names,
    Number,
    NumberOrZero,
    PerhapsNumber,
    Text,
    TextOrEmpty,
    Wire,
    member,
    problem,
    read,
    rows,
    shown,
    unreadable,
)
from slotbridge.errors import ApiError
from slotbridge.lenses.items import Odd, Range


@dataclass(frozen=True, slots=True)
class Resource:
    """Something that can be booked: a person, a room. Names are no key, two resources may share one.

    `type_id` is None where the portal does not tell it.
    """

    id: int
    name: str
    type_id: int | None = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class SlotsWritten:
    """A resource's ranges right before and right after they were set, in the order received.

    `profile` is why the portal did not take the name and description that went with them; None if it took
    them, or if none were to be sent. `called` is the resource right before that, if it was to be seen.
    """

    before: tuple[Range | Odd, ...]
    after: tuple[Range | Odd, ...]
    profile: ApiError | None = None
    called: Resource | None = None


class RangeWire(Wire):
    # The API sends null for a stored 0: every range that starts at midnight has "from": null.
    start: NumberOrZero = Field(alias="from")
    end: NumberOrZero = Field(alias="to")
    timezone: Text
    week_days: Names = Field(alias="weekDays")
    slot_size: NumberOrZero = Field(alias="slotSize")


_RANGES = TypeAdapter(list[RangeWire])


class ResourceWire(Wire):
    id: Number
    name: TextOrEmpty = ""
    type_id: PerhapsNumber = Field(None, alias="typeId")
    description: TextOrEmpty = ""


def read_slots(result: object, item: str) -> tuple[Range | Odd, ...]:
    """The ranges in a result of `slots.list`. Raises BadAnswer if there is no list of objects in it."""
    found = rows(result, "slots", item, "slots")
    try:
        return tuple([_range(wire) for wire in _RANGES.validate_python(found)])
    except ValidationError:  # at least one is odd: each by itself, then
        return tuple([_read_range(fields, item) for fields in found])


def _read_range(fields: object, item: str) -> Range | Odd:
    if not isinstance(fields, dict):
        raise unreadable(f"one of the slots is {shown(fields)}, not an object", item)
    try:
        return _range(RangeWire.model_validate(fields))
    except ValidationError as error:
        kept = {name: value for name, value in fields.items() if name != "id"}
        return Odd(raw=json.dumps(kept, sort_keys=True, ensure_ascii=False), problem=problem(error))


def _range(wire: RangeWire) -> Range:
    return Range(wire.start, wire.end, wire.timezone, wire.week_days, wire.slot_size)


def read_resource(result: object, item: str) -> Resource:
    """The resource in a result of `resource.get`. Raises BadAnswer if there is none."""
    return _read_resource(member(result, "resource"), item)


def read_resources(result: object, item: str) -> list[Resource]:
    """The resources in a result of `resource.list`. Raises BadAnswer if any of them cannot be read."""
    return [_read_resource(fields, item) for fields in rows(result, "resources", item, "resource")]


def _read_resource(fields: object, item: str) -> Resource:
    wire = read(ResourceWire, fields, "a resource", item)
    return Resource(wire.id, wire.name, wire.type_id, wire.description)


def slot_fields(ranges: Sequence[Range | Odd]) -> list[dict[str, object]]:
    """The ranges as `slots.set` takes them; an odd one exactly as it was read."""
    return [json.loads(item.raw) if isinstance(item, Odd) else _range_fields(item) for item in ranges]


def _range_fields(item: Range) -> dict[str, object]:
    return {
        "from": item.start,
        "to": item.end,
        "timezone": item.timezone,
        "weekDays": list(item.week_days),
        "slotSize": item.slot_size,
    }
