"""`event.*`: where the portal announces changes. Only an OAuth application may ask for that, a webhook may not."""

from __future__ import annotations

from dataclasses import dataclass

from slotbridge.bitrix24.gateway import Command, Gateway
from slotbridge.bitrix24.wire import Text, TextOrEmpty, Wire, YesNo, listed, member, or_zero, read
from slotbridge.errors import BadAnswer, OutcomeUnknown, Rejected

# Documented for `resource.update` and edits by hand only; the portal's source raises them for hours, too.
RESOURCE_EVENTS = ("ONBOOKINGRESOURCEADD", "ONBOOKINGRESOURCEUPDATE", "ONBOOKINGRESOURCEDELETE")

_ITEM = "the event handlers"


@dataclass(frozen=True, slots=True)
class EventHandler:
    """An address that the portal calls after an event; none for an offline event, which waits to be fetched."""

    event: str
    handler: str
    offline: bool


class HandlerWire(Wire):
    event: Text
    handler: TextOrEmpty = ""
    offline: YesNo = False


class Events:
    """The event handlers of one application at one portal."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def get(self) -> tuple[EventHandler, ...]:
        """The handlers that are bound, event names in upper case."""
        answer = await self._gateway.call(Command("event.get", {}, _ITEM))
        found = listed(answer, "event handlers", _ITEM)
        return tuple(handler for fields in found if (handler := _handler(fields)) is not None)

    async def bind(self, event: str, handler: str) -> None:
        """Asks for calls of an address. The portal refuses what is bound already; `get` tells."""
        await self._gateway.call(Command("event.bind", _bound(event, handler), _ITEM, write=True))

    async def unbind(self, event: str, handler: str) -> int:
        """Asks for no more calls; how many handlers that removed."""
        answer = await self._gateway.call(Command("event.unbind", _bound(event, handler), _ITEM, write=True))
        try:
            return or_zero(member(answer, "count"))
        except ValueError as error:
            what = f"the portal answered, but the count of handlers {error}"
        raise OutcomeUnknown(what, side="bitrix24", item=_ITEM, hint="Look at what is bound now")


def _handler(fields: object) -> EventHandler | None:
    """None for one in a form that we do not know, if its event does not concern us."""
    try:
        wire = read(HandlerWire, fields, "an event handler", _ITEM)
    except BadAnswer:
        event = member(fields, "event")
        if isinstance(event, str) and event.upper() not in RESOURCE_EVENTS:
            return None
        raise
    return EventHandler(wire.event.upper(), wire.handler, wire.offline)


def _bound(event: str, handler: str) -> dict[str, object]:
    # The documentation: event.unbind without a handler removes those of everybody else, too.
    if not event or not handler:
        hint = "Name the event and the whole address"
        raise Rejected("an event handler is an event and an address", side="bitrix24", item=_ITEM, hint=hint)
    return {"event": event, "handler": handler}
