"""Both sides together, with what passes between them and their clients."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from slotbridge.clock import Clock, SystemClock
from slotbridge.errors import Side
from slotbridge.sandbox import portal_application
from slotbridge.sandbox.deliveries import BookingHook, BookingWatch, Delivered, Delivery, event_delivery
from slotbridge.sandbox.portal import Portal
from slotbridge.sandbox.reservations import Reservations
from slotbridge.sandbox.traffic import Fault, Logged, Traffic
from slotbridge.sandbox.wire import Answer, Call

AUTHORIZE_PATH = "/oauth/authorize/"
TOKEN_PATH = "/oauth/token/"  # noqa: S105 - an address
REST_PATH = "/rest/"
WEBHOOK_PATH = "/rest/1/sandbox/"
CLIENT_ID = portal_application.CLIENT_ID
CLIENT_SECRET = portal_application.CLIENT_SECRET
RESERVEKIT_PATH = "/v1"
RESERVEKIT_KEY = "sk_rsv_sandbox"

Hook = Callable[["World", Side, str, str], None]


class World:
    """A Bitrix24 portal and a ReserveKit account.

    `on_request`: hooks, called with the world, the side, the method and the path before each request is executed,
    so that an edit by a person can slip in between any two requests. `faults`: what shall go wrong. `log`: every
    request so far. `delivered`: every attempt to send an event to somebody who listens.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or SystemClock()
        self.traffic = Traffic()
        self.portal = Portal(self.clock, self.traffic)
        self.reservations = Reservations(self.clock, self.traffic, RESERVEKIT_KEY)
        self.delivered: list[Delivered] = []
        self.on_request: list[Hook] = []
        self._bookings = BookingWatch(self.reservations)
        self.traffic.before.append(self._run_hooks)

    @property
    def faults(self) -> list[Fault]:
        return self.traffic.faults

    @property
    def log(self) -> list[Logged]:
        return self.traffic.log

    def answer(self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Answers a request to either side, told apart by the path."""
        side = self.portal if path.startswith(("/rest/", "/oauth/")) else self.reservations
        return side.answer(method, path, query, headers, body)

    def watch_bookings(self, hook: BookingHook | None) -> None:
        """Sends ReserveKit's bookings to this address from now on, or no longer."""
        self._bookings.watch(hook)

    def deliver_events(self) -> list[Delivery]:
        """What is due to be sent to those who listen; each is handed out once, whether or not it arrives."""
        portal = self.portal
        events = [event_delivery(event, portal.host, portal.endpoint) for event in portal.events.take_due()]
        return [*events, *self._bookings.deliveries()]

    def _run_hooks(self, call: Call) -> None:
        for hook in tuple(self.on_request):
            hook(self, call.api, call.method, call.path)
