"""`event.bind`, `event.unbind` and `event.get`: for applications only, parameter names in any case."""

from __future__ import annotations

from urllib.parse import urlsplit

from slotbridge.sandbox import php
from slotbridge.sandbox.portal_binding import Params, Refusal, lowered
from slotbridge.sandbox.portal_events import APPLICATION_TOKEN, EVENTS
from slotbridge.sandbox.portal_state import PortalState


def event_bind(state: PortalState, params: Params) -> object:
    """Binds a handler to an event. The same one twice is an error."""
    given = lowered(params)
    event, url = _text(given, "event").upper(), _text(given, "handler")
    if php.to_text(given.get("event_type")) == "offline":
        raise Refusal("ACCESS_DENIED", "Offline events are not available", 403)
    if not state.behaviour.booking_events or not state.behaviour.booking_scope or event not in EVENTS:
        raise Refusal("ERROR_EVENT_NOT_FOUND", "Event not found")
    _check_address(url)
    events = state.events
    if any((each.event, each.url) == (event, url) for each in events.handlers):
        raise Refusal("ERROR_CORE", "Unable to set event handler: Handler already binded")
    events.handlers.append(events.listen(url, APPLICATION_TOKEN, event))
    return True


def event_unbind(state: PortalState, params: Params) -> object:
    """Removes a handler, or all of an event's when none is named."""
    given = lowered(params)
    event, url = _text(given, "event").upper(), php.to_text(given.get("handler"))
    events = state.events
    kept = [each for each in events.handlers if each.event != event or url not in ("", each.url)]
    count, events.handlers = len(events.handlers) - len(kept), kept
    return {"count": count}


def event_get(state: PortalState, _params: Params) -> object:
    """The handlers of the application."""
    return [
        {"event": each.event, "handler": each.url, "auth_type": "0", "offline": 0} for each in state.events.handlers
    ]


def _text(given: Params, name: str) -> str:
    text = php.to_text(given.get(name))
    if not text:
        raise Refusal("ERROR_ARGUMENT", f"Argument '{name.upper()}' is null or empty", argument=name.upper())
    return text


def _check_address(url: str) -> None:
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise Refusal("ERROR_WRONG_HANDLER_URL", "Wrong handler URL") from error
    if parts.scheme not in ("http", "https"):
        raise Refusal("ERROR_UNSUPPORTED_PROTOCOL", "Unsupported handler protocol")
    if "." not in (parts.hostname or ""):
        raise Refusal("ERROR_WRONG_HANDLER_URL", "Wrong handler URL")
