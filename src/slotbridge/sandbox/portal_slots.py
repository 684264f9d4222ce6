"""`booking.v1.resource.slots.*`, with the order of checks and the coercions of the portal's source."""

from __future__ import annotations

from slotbridge.lenses.items import Range
from slotbridge.sandbox import php
from slotbridge.sandbox.portal_binding import Params, Refusal, array, integer, listed, require, require_fields
from slotbridge.sandbox.portal_rows import StoredRange, StoredResource
from slotbridge.sandbox.portal_state import PortalState

_FIELDS = ("from", "to", "timezone", "weekDays", "slotSize")
_DAYS = frozenset({"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"})
_MAX_TIMEZONE = 50
_MAX_WEEK_DAYS = 8
_FEATURE_MISSING = "Feature is not available"


def slots_list(state: PortalState, params: Params) -> object:
    """All ranges of a resource; there are no pages."""
    require(params, "resourceId")
    rows = found(state, integer(params, "resourceId")).slots
    ordered = reversed(rows) if state.behaviour.slots_order == "reversed" else rows
    return {"slots": [_shown(row, as_null=state.behaviour.empty_as_null) for row in ordered]}


def slots_set(state: PortalState, params: Params) -> object:
    """Replaces all ranges, or none if one of them is bad."""
    require(params, "resourceId", "slots")
    resource_id = integer(params, "resourceId")
    given = [_fields(item) for item in php.values(array(params, "slots"))]
    for fields in given:
        require_fields(fields, *_FIELDS)
    _require_tool(state)
    found(state, resource_id)
    ranges = [_range(fields) for fields in given]
    if not all(_valid(item) for item in ranges):
        raise Refusal("422", "Invalid range fields")
    _require_feature(state)
    if not all(_storable(item) for item in ranges):
        raise Refusal("1007", "Fehler beim Speichern der Ressource")
    state.put_slots(resource_id, ranges)
    return True


def slots_unset(state: PortalState, params: Params) -> object:
    """Removes all ranges; it is no error if there are none."""
    require(params, "resourceId")
    resource_id = integer(params, "resourceId")
    _require_tool(state)
    found(state, resource_id)
    _require_feature(state)
    state.put_slots(resource_id, [])
    return True


def found(state: PortalState, resource_id: int) -> StoredResource:
    """The resource, or the refusal 1009."""
    resource = state.resources.get(resource_id)
    if resource is None:
        raise Refusal("1009", "Resource not found")
    return resource


def _require_tool(state: PortalState) -> None:
    if not state.behaviour.booking_tool:
        raise Refusal("0", "Tool is disabled")


def _require_feature(state: PortalState) -> None:
    if not state.behaviour.booking_feature:
        raise Refusal("0", _FEATURE_MISSING)


def _fields(item: object) -> dict[str, object]:
    if not php.is_array(item):
        raise Refusal("422", "Invalid range fields")
    return {_camel(key): value for key, value in php.items(item).items()}


def _camel(name: str) -> str:
    """weekDays, WeekDays and week_days are one name; WEEK_DAYS is another."""
    joined = "".join(part[:1].upper() + part[1:] for part in name.split("_"))
    return joined[:1].lower() + joined[1:]


def _range(fields: dict[str, object]) -> Range:
    return Range(
        start=php.to_int(fields["from"]),
        end=php.to_int(fields["to"]),
        timezone=php.to_text(fields["timezone"]),
        week_days=tuple(php.to_text(day) for day in listed(fields["weekDays"])),
        slot_size=php.to_int(fields["slotSize"]),
    )


def _valid(item: Range) -> bool:
    days_known = bool(item.week_days) and _DAYS.issuperset(item.week_days)
    return 0 <= item.start < item.end <= 1440 and item.slot_size >= 0 and days_known


def _storable(item: Range) -> bool:
    return 0 < len(item.timezone) <= _MAX_TIMEZONE and len(item.week_days) <= _MAX_WEEK_DAYS


def _shown(row: StoredRange, *, as_null: bool) -> dict[str, object]:
    empty = None if as_null else 0
    return {
        "from": row.range.start or empty,
        "id": row.id,
        "slotSize": row.range.slot_size or empty,
        "timezone": row.range.timezone,
        "to": row.range.end,
        "weekDays": list(row.range.week_days),
    }
