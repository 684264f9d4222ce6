"""`booking.v1.resource.*` and what little of `booking.v1.resourceType.*` it takes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeVar

from slotbridge.sandbox import php
from slotbridge.sandbox.portal_binding import Params, Refusal, array, integer, optional_array, require
from slotbridge.sandbox.portal_slots import found
from slotbridge.sandbox.portal_state import DEFAULT_SETTINGS, PortalState, StoredResource

T = TypeVar("T")

PAGE = 50
_MAX_NAME = 255
_TYPE_NOT_FOUND = "Resource type not found"


def resource_get(state: PortalState, params: Params) -> object:
    """One resource; its slots are not part of it."""
    require(params, "id")
    resource = found(state, integer(params, "id"))
    return {"resource": _shown(resource, as_null=state.behaviour.empty_as_null)}


def resource_list(state: PortalState, params: Params) -> object:
    """One page. `total` is always 0 and `next` never comes, so only a short page tells the end."""
    fits = _filter(optional_array(params, "filter"))
    rows = [resource for resource in state.resources.values() if fits(resource)]
    rows = _page(_ordered(rows, optional_array(params, "order")), params)
    return {"resource": [_shown(row, as_null=state.behaviour.empty_as_null) for row in rows]}


def resource_add(state: PortalState, params: Params) -> object:
    """A new resource without slots."""
    require(params, "fields")
    fields = php.items(array(params, "fields"))
    if fields.get("name") is None:
        raise Refusal("0", "Required fields: name")
    if fields.get("typeId") is None:
        raise Refusal("1006", "Resource type is not specified")
    _check_type(state, fields)
    if not 0 < len(php.to_text(fields["name"])) <= _MAX_NAME:
        raise Refusal("1006", "Resource could not be created")
    new = state.add_resource("")
    _apply(state.resources[new], fields)
    return {"id": new} if state.behaviour.added_id == "object" else new


def resource_update(state: PortalState, params: Params) -> object:
    """Changes the visible fields, and wipes every slot setting on the way."""
    require(params, "id", "fields")
    resource_id, fields = integer(params, "id"), php.items(array(params, "fields"))
    _check_type(state, fields)
    resource = state.resources.get(resource_id)
    if resource is None:
        raise Refusal("1007", "Resource not found")
    _apply(resource, fields)
    if state.behaviour.update_wipes_slots:
        resource.slots = []
    return True


def resource_delete(state: PortalState, params: Params) -> object:
    """Removes a resource from every list."""
    require(params, "id")
    if state.resources.pop(integer(params, "id"), None) is None:
        raise Refusal("1008", "Resource not found")
    return True


def type_list(state: PortalState, params: Params) -> object:
    """The resource types; the documentation's examples show another key."""
    rows = _page(sorted(state.types), params)
    return {"resourceType": [_shown_type(state, type_id) for type_id in rows]}


def type_get(state: PortalState, params: Params) -> object:
    """One resource type."""
    require(params, "id")
    type_id = integer(params, "id")
    if type_id not in state.types:
        raise Refusal("1013", _TYPE_NOT_FOUND)
    return {"resourceType": _shown_type(state, type_id)}


def _shown_type(state: PortalState, type_id: int) -> dict[str, object]:
    return {"code": None, "id": type_id, "name": state.types[type_id]}


def _check_type(state: PortalState, fields: Mapping[str, object]) -> None:
    if fields.get("typeId") is not None and php.to_int(fields["typeId"]) not in state.types:
        raise Refusal("1013", _TYPE_NOT_FOUND)


def _apply(resource: StoredResource, fields: Mapping[str, object]) -> None:
    resource.name = php.to_text(fields.get("name", resource.name))
    resource.type_id = php.to_int(fields.get("typeId", resource.type_id))
    resource.description = php.to_text(fields.get("description", resource.description))
    if fields.get("isMain") in ("Y", "N"):
        resource.is_main = fields["isMain"] == "Y"
    for name in DEFAULT_SETTINGS.keys() & fields.keys():
        if not name.startswith("is") or fields[name] in ("Y", "N"):
            resource.settings[name] = fields[name]


def _shown(resource: StoredResource, *, as_null: bool) -> dict[str, object]:
    members: dict[str, object] = {
        **resource.settings,
        "id": resource.id,
        "typeId": resource.type_id,
        "name": resource.name,
        "description": resource.description,
        "isMain": "Y" if resource.is_main else "N",
    }
    return {name: (members[name] or None) if as_null else members[name] for name in sorted(members)}


def _page(rows: list[T], params: Params) -> list[T]:
    start = php.to_int(params["start"]) if php.is_numeric(params.get("start")) else 0
    first = max(0, start) // PAGE * PAGE
    return rows[first : first + PAGE]


def _ordered(rows: list[StoredResource], order: Mapping[str, object]) -> list[StoredResource]:
    rows = sorted(rows, key=lambda row: row.name.casefold())
    for key in [key for key in reversed(list(order)) if key in ("id", "name")]:
        direction = php.to_text(order[key])
        if direction.lower() not in ("asc", "desc"):
            raise Refusal("100", f'Invalid order "{direction}"')
        rows.sort(key=_id if key == "id" else _name, reverse=direction.lower() == "desc")
    return rows if order else sorted(rows, key=_id)


def _id(row: StoredResource) -> int:
    return row.id


def _name(row: StoredResource) -> str:
    return row.name.casefold()


def _filter(conditions: Mapping[str, object]) -> Callable[[StoredResource], bool]:
    """The test that the known conditions make; unknown ones, such as `>id`, are dropped without an error."""
    tests = [_TESTS[name](value) for name, value in conditions.items() if name in _TESTS]
    return lambda row: all(test(row) for test in tests)


def _by_type(value: object) -> Callable[[StoredResource], bool]:
    wanted = {php.to_int(item) for item in (php.values(value) if php.is_array(value) else [value])}
    return lambda row: row.type_id in wanted


def _by_search(value: object) -> Callable[[StoredResource], bool]:
    like = re.escape(php.to_text(value)).replace("%", ".*").replace("_", ".")
    return lambda row: re.search(like, row.name, re.IGNORECASE) is not None


_TESTS: Mapping[str, Callable[[object], Callable[[StoredResource], bool]]] = {
    "isMain": lambda value: lambda row: row.is_main == (value == "Y"),
    "typeId": _by_type,
    "name": lambda value: lambda row: row.name.casefold() == php.to_text(value).casefold(),
    "description": lambda value: lambda row: row.description == php.to_text(value),
    "searchQuery": _by_search,
}
