"""Resources and their ranges, as Bitrix24 sends and takes them: tolerant when reading, strict when writing."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from slotbridge.bitrix24.wire import (
    Number,
    PerhapsNumber,
    TextOrEmpty,
    Wire,
    member,
    names,
    or_zero,
    read,
    rows,
    shown,
    text,
    unreadable,
)
from slotbridge.errors import ApiError
from slotbridge.lenses.items import Odd, Range, Ranges


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

    `sound`: the set itself was answered by `true`, as documented; else the lists beside it are to be doubted, too.
    """

    before: Ranges
    after: Ranges
    profile: ApiError | None = None
    called: Resource | None = None
    sound: bool = True


# In the order of Range's fields. The API sends null for a stored 0: "from" of every range that starts at midnight.
_RANGE: Mapping[str, Callable[[object], Any]] = {
    "from": or_zero,
    "to": or_zero,
    "timezone": text,
    "weekDays": names,
    "slotSize": or_zero,
}


_HALF = re.compile("[\ud800-\udfff]")


class ResourceWire(Wire):
    id: Number
    name: TextOrEmpty = ""
    type_id: PerhapsNumber = Field(None, alias="typeId")
    description: TextOrEmpty = ""


def read_slots(result: object, item: str) -> Ranges:
    """The ranges in a result of `slots.list`. Raises BadAnswer if there is no list of objects in it.

    Nor is there one with half a surrogate pair in it: PHP never writes that, and neither a database nor a request of
    ours could take it.
    """
    ranges = tuple([_read_range(fields, item) for fields in rows(result, "slots", item, "slots")])
    if not all(map(_is_text, ranges)):
        raise unreadable("one of the slots has half a surrogate pair in it, which is no text", item)
    return ranges


def _is_text(item: Range | Odd) -> bool:
    texts = (item.raw,) if isinstance(item, Odd) else (item.timezone, *item.week_days)
    return all(map(str.isascii, texts)) or not any(map(_HALF.search, texts))


def _read_range(fields: object, item: str) -> Range | Odd:
    # Not by a pydantic model, which takes longer: ranges are most of what a run reads.
    if not isinstance(fields, dict):
        raise unreadable(f"one of the slots is {shown(fields)}, not an object", item)
    values = []
    for name, kind in _RANGE.items():
        try:
            values.append(kind(fields[name]))
        except KeyError:
            return _odd(fields, f"{name} is missing")
        except ValueError as error:
            return _odd(fields, f"{name} {error}")
    return Range(*values)


def _odd(fields: Mapping[str, object], problem: str) -> Odd:
    kept = {name: value for name, value in fields.items() if name != "id"}
    return Odd(raw=json.dumps(kept, sort_keys=True, ensure_ascii=False), problem=problem)


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
