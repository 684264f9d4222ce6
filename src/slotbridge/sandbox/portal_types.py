"""`booking.v1.resourceType.*`, with the traps of its `update`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from slotbridge.sandbox import php
from slotbridge.sandbox.portal_binding import Params, Refusal, array, integer, optional_array, require, require_fields
from slotbridge.sandbox.portal_lists import Key, Test, filtered, is_like, ordered, page
from slotbridge.sandbox.portal_rows import StoredType
from slotbridge.sandbox.portal_settings import apply_settings, check_templates
from slotbridge.sandbox.portal_state import PortalState

_KEYS: Mapping[str, Key[StoredType]] = {
    "id": lambda row: row.id,
    "name": lambda row: row.name.casefold(),
    "code": lambda row: row.code.casefold(),
}
_TESTS: Mapping[str, Callable[[object], Test[StoredType]]] = {
    "moduleId": lambda value: lambda _row: value == "booking",
    "code": lambda value: lambda row: row.code.casefold() == php.to_text(value).casefold(),
    "name": lambda value: lambda row: row.name.casefold() == php.to_text(value).casefold(),
    "searchQuery": lambda value: lambda row: is_like(row.name, php.to_text(value)),
}


def type_list(state: PortalState, params: Params) -> object:
    """The resource types; the documentation's examples show another key."""
    rows = filtered(sorted(state.types.values(), key=_KEYS["id"]), optional_array(params, "filter"), _TESTS)
    some = page(ordered(rows, optional_array(params, "order"), _KEYS), params)
    return {"resourceType": [_shown(row, as_null=state.behaviour.empty_as_null) for row in some]}


def type_get(state: PortalState, params: Params) -> object:
    """One resource type."""
    require(params, "id")
    row = state.types.get(integer(params, "id"))
    if row is None:
        raise Refusal("1013", "Resource type not found")
    return {"resourceType": _shown(row, as_null=state.behaviour.empty_as_null)}


def type_add(state: PortalState, params: Params) -> object:
    """A new type; its code must be new as well."""
    require(params, "fields")
    fields = php.items(array(params, "fields"))
    require_fields(fields, "name", "code")
    check_templates(fields)
    name, code = php.to_text(fields["name"]), php.to_text(fields["code"])
    if _is_taken(state, code):
        raise Refusal("1010", "Resource type with this code already exists")
    new = state.add_type(name, code)
    apply_settings(state.types[new].settings, fields)
    return {"id": new} if state.behaviour.added_id == "object" else new


def type_update(state: PortalState, params: Params) -> object:
    """Changes what is given. The code must be given, and be one that no type has: not even this one."""
    require(params, "id", "fields")
    type_id, fields = integer(params, "id"), php.items(array(params, "fields"))
    if fields.get("code") is None:
        raise Refusal("0", "Argument #1 ($code) must be of type string, null given")
    check_templates(fields)
    code, row = php.to_text(fields["code"]), state.types.get(type_id)
    if row is None:
        raise Refusal("1007", "Resource type not found")
    if _is_taken(state, code):
        raise Refusal("1011", "Resource type with this code already exists")
    row.name, row.code = php.to_text(fields.get("name", row.name)), code
    apply_settings(row.settings, fields)
    state.notify("ONBOOKINGRESOURCETYPEUPDATE", type_id)
    return True


def type_delete(state: PortalState, params: Params) -> object:
    """Removes a type that no resource has."""
    require(params, "id")
    type_id = integer(params, "id")
    in_use = any(resource.type_id == type_id for resource in state.resources.values())
    if in_use or type_id not in state.types:
        raise Refusal("1012", "Resource type cannot be deleted")
    del state.types[type_id]
    state.notify("ONBOOKINGRESOURCETYPEDELETE", type_id)
    return True


def _is_taken(state: PortalState, code: str) -> bool:
    return any(row.code.casefold() == code.casefold() for row in state.types.values())


def _shown(row: StoredType, *, as_null: bool) -> dict[str, object]:
    members: dict[str, object] = {**row.settings, "id": row.id, "code": row.code, "name": row.name}
    return {name: (members[name] or None) if as_null else members[name] for name in sorted(members)}
