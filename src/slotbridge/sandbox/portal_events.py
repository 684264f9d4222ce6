"""The portal's events: who listens, what has happened, and the forms that go out.

The portal's source: a background job turns a journal into events some time after the answer. Each handler
gets one attempt, and several edits may arrive as several events that look the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

from slotbridge.clock import Clock

MEMBER_ID = "a223c6b3710f85df22e9377d6c4f7553"
APPLICATION_TOKEN = "sandboxapplicationtoken"  # noqa: S105 - the sandbox's, known to everybody
RESOURCE_ADDED = "ONBOOKINGRESOURCEADD"
RESOURCE_UPDATED = "ONBOOKINGRESOURCEUPDATE"
RESOURCE_DELETED = "ONBOOKINGRESOURCEDELETE"
EVENTS = frozenset(
    f"ONBOOKING{thing}{what}"
    for thing in ("", "RESOURCE", "RESOURCETYPE", "WAITLISTITEM")
    for what in ("ADD", "UPDATE", "DELETE")
)


@dataclass(frozen=True, slots=True)
class Listener:
    """An address that wants one event, or all of them: an application's handler or an outgoing webhook."""

    id: int
    url: str
    token: str
    event: str | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to the item with this id, for one listener. `due`: when it is sent, since the epoch."""

    listener: Listener
    name: str
    item_id: int
    due: float

    def form(self, host: str, endpoint: str) -> str:
        """The body of the request, form-urlencoded. It says what was changed, not how."""
        fields = {
            "event": self.name,
            "event_handler_id": self.listener.id,
            "data[ID]": self.item_id,
            "ts": int(self.due),
            "auth[domain]": host,
            "auth[client_endpoint]": endpoint,
            "auth[server_endpoint]": endpoint,
            "auth[member_id]": MEMBER_ID,
            "auth[application_token]": self.listener.token,
        }
        return urlencode(fields)


class Events:
    """The listeners, and what is still on its way to them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.handlers: list[Listener] = []
        self.outgoing: Listener | None = None
        self._queue: list[Event] = []
        self._last_id = 0

    def listen(self, url: str, token: str, event: str | None = None) -> Listener:
        """A new listener, which nobody calls until it is a handler or the outgoing webhook."""
        self._last_id += 1
        return Listener(self._last_id, url, token, event)

    def add(self, name: str, item_id: int, delay: float) -> None:
        """Queues an event for everybody who listens to it now, to be sent `delay` seconds later."""
        due = self._clock.now().timestamp() + delay
        listeners = [*self.handlers, *([self.outgoing] if self.outgoing else [])]
        self._queue += [Event(each, name, item_id, due) for each in listeners if each.event in (None, name)]

    def take_due(self) -> Iterator[Event]:
        """The events that are due; each is handed out once."""
        now = self._clock.now().timestamp()
        for event in tuple(self._queue):
            if event.due <= now:
                self._queue.remove(event)
                yield event
