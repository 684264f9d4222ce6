"""What Bitrix24 sends and takes: tolerant when reading, strict when writing."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from slotbridge.bitrix24.php import as_list, as_map
from slotbridge.errors import BadAnswer
from slotbridge.http.redact import excerpt
from slotbridge.lenses.items import Odd, Range

DIGITS = re.compile(r"-?[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Resource:
    """Something that can be booked: a person, a room. Names are no key, two resources may share one."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class SlotsWritten:
    """A resource's ranges right before and right after they were set, in the order received."""

    before: tuple[Range | Odd, ...]
    after: tuple[Range | Odd, ...]


def _shown(value: object) -> str:
    return excerpt(json.dumps(value, ensure_ascii=False), 40)


def _integer(value: object) -> int:
    match value:
        case bool():
            pass
        case int():
            return value
        case float() if value.is_integer():
            return int(value)
        case str() if DIGITS.fullmatch(value):
            return int(value)
    raise ValueError(f"is {_shown(value)}, not a number")


def _minutes(value: object) -> int:
    # The API sends null for a stored 0: every range that starts at midnight has "from": null.
    return 0 if value is None else _integer(value)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"is {_shown(value)}, not a text")
    return value


def _name(value: object) -> str:
    return "" if value is None else _text(value)


def _names(value: object) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else as_list(value)
    if names is None or not all(isinstance(name, str) for name in names):
        raise ValueError(f"is {_shown(value)}, not a list of names")
    return tuple(str(name) for name in names)


Minutes = Annotated[int, BeforeValidator(_minutes)]


class Wire(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class RangeWire(Wire):
    start: Minutes = Field(alias="from")
    end: Minutes = Field(alias="to")
    timezone: Annotated[str, BeforeValidator(_text)]
    week_days: Annotated[tuple[str, ...], BeforeValidator(_names)] = Field(alias="weekDays")
    slot_size: Minutes = Field(alias="slotSize")


class ResourceWire(Wire):
    id: Annotated[int, BeforeValidator(_integer)]
    name: Annotated[str, BeforeValidator(_name)] = ""


def read_slots(result: object, item: str) -> tuple[Range | Odd, ...]:
    """The ranges in a result of `slots.list`. Raises BadAnswer if there is no list of objects in it."""
    ranges = as_list((as_map(result) or {}).get("slots"))
    if ranges is None:
        raise _unreadable("the answer has no list of slots", item)
    return tuple(_read_range(fields, item) for fields in ranges)


def _read_range(fields: object, item: str) -> Range | Odd:
    if not isinstance(fields, dict):
        raise _unreadable(f"one of the slots is {_shown(fields)}, not an object", item)
    try:
        wire = RangeWire.model_validate(fields)
    except ValidationError as error:
        kept = {name: value for name, value in fields.items() if name != "id"}
        return Odd(raw=json.dumps(kept, sort_keys=True, ensure_ascii=False), problem=_problem(error))
    return Range(wire.start, wire.end, wire.timezone, wire.week_days, wire.slot_size)


def read_resource(result: object, item: str) -> Resource:
    """The resource in a result of `resource.get`. Raises BadAnswer if there is none."""
    return _read_resource((as_map(result) or {}).get("resource"), item)


def read_resources(result: object, item: str) -> list[Resource]:
    """The resources in a result of `resource.list`. Raises BadAnswer if any of them cannot be read."""
    page = as_list((as_map(result) or {}).get("resource"))
    if page is None:
        raise _unreadable("the answer has no list of resources", item)
    return [_read_resource(fields, item) for fields in page]


def _read_resource(fields: object, item: str) -> Resource:
    try:
        wire = ResourceWire.model_validate(fields)
    except ValidationError as error:
        raise _unreadable(f"a resource cannot be read: {_problem(error)}", item) from None
    return Resource(wire.id, wire.name)


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


def _problem(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    name = ".".join(str(part) for part in first["loc"])
    if first["type"] == "missing":
        return f"{name} is missing"
    reason = first.get("ctx", {}).get("error", first["msg"])
    return f"{name} {reason}".strip()


def _unreadable(what: str, item: str) -> BadAnswer:
    hint = "Nothing was concluded from it; the next run asks again"
    return BadAnswer(what, side="bitrix24", item=item, hint=hint)
