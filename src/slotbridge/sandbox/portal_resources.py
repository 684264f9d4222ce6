"""`booking.v1.resource.*`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from slotbridge.sandbox import php
from slotbridge.sandbox.portal_binding import (
    Params,
    Refusal,
    array,
    integer,
    listed,
    optional_array,
    require,
    require_fields,
)
from slotbridge.sandbox.portal_events import RESOURCE_UPDATED
from slotbridge.sandbox.portal_lists import Key, Test, filtered, is_like, ordered, page
from slotbridge.sandbox.portal_rows import StoredResource
from slotbridge.sandbox.portal_settings import apply_settings, check_templates
from slotbridge.sandbox.portal_slots import found
from slotbridge.sandbox.portal_state import PortalState

_MAX_NAME = 255


def resource_get(state: PortalState, params: Params) -> object:
    """One resource; its slots are not part of it."""
    require(params, "id")
    resource = found(state, integer(params, "id"))
    return {"resource": _shown(resource, as_null=state.behaviour.empty_as_null)}


def resource_list(state: PortalState, params: Params) -> object:
    """One page. `total` is always 0 and `next` never comes, so only a short page tells the end."""
    rows = filtered(list(state.resources.values()), optional_array(params, "filter"), _TESTS)
    some = page(_ordered(rows, optional_array(params, "order")), params)
    return {"resource": [_shown(row, as_null=state.behaviour.empty_as_null) for row in some]}


def resource_add(state: PortalState, params: Params) -> object:
    """A new resource without slots."""
    require(params, "fields")
    fields = php.items(array(params, "fields"))
    require_fields(fields, "name")
    if fields.get("typeId") is None:
        raise Refusal("1006", "Resource type is not specified")
    _check_type(state, fields)
    check_templates(fields)
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
    check_templates(fields)
    resource = state.resources.get(resource_id)
    if resource is None:
        raise Refusal("1007", "Resource not found")
    _apply(resource, fields)
    if state.behaviour.update_wipes_slots:
        resource.slots = []
    state.notify(RESOURCE_UPDATED, resource_id)
    return True


def resource_delete(state: PortalState, params: Params) -> object:
    """Removes a resource from every list, unless it is booked for later."""
    require(params, "id")
    resource_id, now = integer(params, "id"), state.clock.now().timestamp()
    if resource_id not in state.resources:
        raise Refusal("1008", "Resource not found")
    if any(resource_id in booking.resource_ids and booking.end > now for booking in state.bookings.values()):
        raise Refusal("1008", "Resource has future bookings")
    state.remove_resource(resource_id)
    return True


def _check_type(state: PortalState, fields: Mapping[str, object]) -> None:
    if fields.get("typeId") is not None and php.to_int(fields["typeId"]) not in state.types:
        raise Refusal("1013", "Resource type not found")


def _apply(resource: StoredResource, fields: Mapping[str, object]) -> None:
    resource.name = php.to_text(fields.get("name", resource.name))
    resource.type_id = php.to_int(fields.get("typeId", resource.type_id))
    resource.description = php.to_text(fields.get("description", resource.description))
    if fields.get("isMain") in ("Y", "N"):
        resource.is_main = fields["isMain"] == "Y"
    apply_settings(resource.settings, fields)


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


def _ordered(rows: Sequence[StoredResource], order: Mapping[str, object]) -> list[StoredResource]:
    if not order:
        return sorted(rows, key=_KEYS["id"])
    return ordered(sorted(rows, key=_KEYS["name"]), order, _KEYS)


def _by_type(value: object) -> Test[StoredResource]:
    wanted = {php.to_int(item) for item in listed(value)}
    return lambda row: row.type_id in wanted


_KEYS: Mapping[str, Key[StoredResource]] = {"id": lambda row: row.id, "name": lambda row: row.name.casefold()}
_TESTS: Mapping[str, Callable[[object], Test[StoredResource]]] = {
    "isMain": lambda value: lambda row: row.is_main == (value == "Y"),
    "typeId": _by_type,
    "name": lambda value: lambda row: row.name.casefold() == php.to_text(value).casefold(),
    "description": lambda value: lambda row: row.description == php.to_text(value),
    "searchQuery": lambda value: lambda row: is_like(row.name, php.to_text(value)),
}
