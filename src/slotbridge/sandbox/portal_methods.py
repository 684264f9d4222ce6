"""The methods the sandbox portal knows, and the checks that stand before each call, in the source's order."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from slotbridge.sandbox import portal_bookings as bookings
from slotbridge.sandbox import portal_contacts as contacts
from slotbridge.sandbox import portal_handlers as handlers
from slotbridge.sandbox import portal_resources as resources
from slotbridge.sandbox import portal_slots as slots
from slotbridge.sandbox import portal_types as types
from slotbridge.sandbox import portal_waitlist as waitlist
from slotbridge.sandbox.portal_binding import Caller, Params, Refusal, Result
from slotbridge.sandbox.portal_oauth import scopes
from slotbridge.sandbox.portal_state import PortalState

Method = Callable[[PortalState, Params], object]

_CONTROLLERS = tuple(
    f"booking.v1.{name}."
    for name in (
        "resource.slots",
        "resource",
        "resourcetype",
        "waitlist.client",
        "waitlist",
        "booking",
        "clienttype",
    )
)
_METHODS: Mapping[str, Method] = {
    "booking.v1.resource.slots.list": slots.slots_list,
    "booking.v1.resource.slots.set": slots.slots_set,
    "booking.v1.resource.slots.unset": slots.slots_unset,
    "booking.v1.resource.get": resources.resource_get,
    "booking.v1.resource.list": resources.resource_list,
    "booking.v1.resource.add": resources.resource_add,
    "booking.v1.resource.update": resources.resource_update,
    "booking.v1.resource.delete": resources.resource_delete,
    "booking.v1.resourcetype.list": types.type_list,
    "booking.v1.resourcetype.get": types.type_get,
    "booking.v1.resourcetype.add": types.type_add,
    "booking.v1.resourcetype.update": types.type_update,
    "booking.v1.resourcetype.delete": types.type_delete,
    "booking.v1.waitlist.add": waitlist.waitlist_add,
    "booking.v1.waitlist.get": waitlist.waitlist_get,
    "booking.v1.waitlist.list": waitlist.waitlist_list,
    "booking.v1.waitlist.update": waitlist.waitlist_update,
    "booking.v1.waitlist.delete": waitlist.waitlist_delete,
    "booking.v1.waitlist.client.list": waitlist.client_list,
    "booking.v1.waitlist.client.set": waitlist.client_set,
    "booking.v1.waitlist.client.unset": waitlist.client_unset,
    "booking.v1.clienttype.list": waitlist.client_type_list,
    "booking.v1.booking.get": bookings.booking_get,
    "booking.v1.booking.list": bookings.booking_list,
    "crm.contact.add": contacts.contact_add,
    "crm.contact.get": contacts.contact_get,
    "crm.contact.list": contacts.contact_list,
    "crm.duplicate.findbycomm": contacts.find_by_communication,
    "scope": lambda state, _params: scopes(state),
    "event.bind": handlers.event_bind,
    "event.unbind": handlers.event_unbind,
    "event.get": handlers.event_get,
}
_REFUSED_SCOPE = {
    "webhook": "The request requires higher privileges than provided by the webhook token",
    "application": "The request requires higher privileges than provided by the access token",
}


def exists(state: PortalState, name: str) -> bool:
    """Whether the portal has the method, or at least its controller. Names are compared in lower case."""
    key = name.lower()
    if key.startswith("booking."):
        return state.behaviour.booking_module and key.startswith(_CONTROLLERS)
    return key in _METHODS


def perform(state: PortalState, name: str, params: Params, caller: Caller) -> Result:
    """Runs one method. Raises Refusal, in this order: unknown, scope, operating time, the method's own."""
    if not exists(state, name):
        raise Refusal("ERROR_METHOD_NOT_FOUND", "Method not found!", 404)
    key = name.lower()
    scope = key.partition(".")[0]
    if scope in ("booking", "crm") and scope not in scopes(state):
        raise Refusal("insufficient_scope", _REFUSED_SCOPE[caller], 401)
    _require_time(state, key, caller)
    method = _METHODS.get(key)
    if method is None:
        raise Refusal("22002", f"Unknown action in {name}")
    if scope == "event" and caller != "application":
        raise Refusal("WRONG_AUTH_TYPE", "Current authorization type is denied for this method", 403)
    value = method(state, params)
    state.operating.charge((caller, key), state.behaviour.operating_cost)
    if isinstance(value, Result):
        return value
    return Result(value, 0 if key.endswith(".list") else None)


def _require_time(state: PortalState, key: str, caller: Caller) -> None:
    """The check comes before the call: the one that crosses the line still goes through."""
    limit = state.behaviour.operating_limit
    spent = limit is not None and state.operating.spent((caller, key)) >= limit
    if spent or key in {exhausted.lower() for exhausted in state.behaviour.exhausted}:
        raise Refusal("OPERATION_TIME_LIMIT", "Method is blocked due to operation time limit.", 429)
