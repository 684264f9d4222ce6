"""The methods the sandbox portal knows, and the checks that stand before each call, in the source's order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from slotbridge.sandbox import portal_resources as resources
from slotbridge.sandbox import portal_slots as slots
from slotbridge.sandbox.portal_binding import Params, Refusal
from slotbridge.sandbox.portal_state import PortalState

Method = Callable[[PortalState, Params], object]

_CONTROLLERS = ("booking.v1.resource.slots.", "booking.v1.resource.", "booking.v1.resourcetype.")
_METHODS: Mapping[str, Method] = {
    "booking.v1.resource.slots.list": slots.slots_list,
    "booking.v1.resource.slots.set": slots.slots_set,
    "booking.v1.resource.slots.unset": slots.slots_unset,
    "booking.v1.resource.get": resources.resource_get,
    "booking.v1.resource.list": resources.resource_list,
    "booking.v1.resource.add": resources.resource_add,
    "booking.v1.resource.update": resources.resource_update,
    "booking.v1.resource.delete": resources.resource_delete,
    "booking.v1.resourcetype.list": resources.type_list,
    "booking.v1.resourcetype.get": resources.type_get,
}


@dataclass(frozen=True, slots=True)
class Result:
    """What a method returned. Lists have a `total`, which is always 0."""

    value: object
    total: int | None = None


def exists(state: PortalState, name: str) -> bool:
    """Whether the portal has the method, or at least its controller. Names are compared in lower case."""
    return state.behaviour.booking_module and name.lower().startswith(_CONTROLLERS)


def perform(state: PortalState, name: str, params: Params) -> Result:
    """Runs one method. Raises Refusal, in this order: unknown, scope, operating time, the method's own."""
    if not exists(state, name):
        raise Refusal("ERROR_METHOD_NOT_FOUND", "Method not found!", 404)
    if not state.behaviour.booking_scope:
        text = "The request requires higher privileges than provided by the webhook token"
        raise Refusal("insufficient_scope", text, 401)
    key = name.lower()
    if key in {exhausted.lower() for exhausted in state.behaviour.exhausted}:
        raise Refusal("OPERATION_TIME_LIMIT", "Method is blocked due to operation time limit.", 429)
    method = _METHODS.get(key)
    if method is None:
        raise Refusal("22002", f"Unknown action in {name}")
    value = method(state, params)
    return Result(value, 0 if key.endswith(".list") else None)
