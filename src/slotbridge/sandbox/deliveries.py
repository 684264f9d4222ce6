"""What both servers send to those who listen: Bitrix24's events and ReserveKit's booking webhooks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from slotbridge.sandbox.addresses import stays_here
from slotbridge.sandbox.portal_events import Event
from slotbridge.sandbox.reservations_bookings import get_booking
from slotbridge.sandbox.reservations_state import ReservationsState
from slotbridge.sandbox.reservations_wire import Refusal

FORM = "application/x-www-form-urlencoded"
_PATIENCE = 5.0  # seconds; ReserveKit's guide wants an answer within about five


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request to a listener, to be sent by POST."""

    url: str
    body: str
    content_type: str


@dataclass(frozen=True, slots=True)
class Delivered:
    """One attempt. `status` is None if nobody answered, or the address is not on this machine."""

    url: str
    body: str
    status: int | None


@dataclass(frozen=True, slots=True)
class BookingHook:
    """Where ReserveKit sends its bookings. `form`: the guide's envelope, or the bare booking of an older page."""

    url: str
    form: Literal["envelope", "bare"] = "envelope"


class BookingWatch:
    """Finds out what has become of ReserveKit's bookings since it last looked."""

    def __init__(self, state: ReservationsState) -> None:
        self._state = state
        self._hook: BookingHook | None = None
        self._seen: dict[int, object] = {}

    def watch(self, hook: BookingHook | None) -> None:
        """Reports to this address what changes from now on."""
        self._hook, self._seen = hook, self._shown()

    def deliveries(self) -> Iterator[Delivery]:
        """One request for each booking that was made, changed or removed."""
        if self._hook is None:
            return
        before, self._seen = self._seen, self._shown()
        for booking_id in sorted(before.keys() | self._seen.keys()):
            old, new = before.get(booking_id), self._seen.get(booking_id)
            if old is None:
                yield self._delivery(self._hook, "bookings.create", new)
            elif new is None:
                yield self._delivery(self._hook, "bookings.delete", old)
            elif old != new:
                yield self._delivery(self._hook, "bookings.update", new)

    def _shown(self) -> dict[int, object]:
        shown: dict[int, object] = {}
        for booking_id in tuple(self._state.bookings):
            with suppress(Refusal):  # a person may remove it just now, from another thread
                shown[booking_id] = get_booking(self._state, booking_id).data
        return shown

    def _delivery(self, hook: BookingHook, event: str, booking: object) -> Delivery:
        stamp = self._state.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        envelope = {"event_type": event, "bookings": [booking], "timestamp": stamp}
        return Delivery(hook.url, json.dumps(booking if hook.form == "bare" else envelope), "application/json")


def event_delivery(event: Event, host: str, endpoint: str) -> Delivery:
    """An event of the portal as a request."""
    return Delivery(event.listener.url, event.form(host, endpoint), FORM)


async def send(delivery: Delivery) -> Delivered:
    """Tries once to deliver, on this machine only."""
    status = None
    if stays_here(delivery.url):
        try:
            async with asyncio.timeout(_PATIENCE):
                status = await _post(delivery)
        except (OSError, TimeoutError, ValueError):
            status = None
    return Delivered(delivery.url, delivery.body, status)


async def _post(delivery: Delivery) -> int:
    """The status of the answer. Raises OSError or ValueError if there is none."""
    parts = urlsplit(delivery.url)
    body = delivery.body.encode()
    target = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
    head = [
        f"POST {target} HTTP/1.1",
        f"Host: {parts.netloc}",
        f"Content-Type: {delivery.content_type}",
        f"Content-Length: {len(body)}",
        "Connection: close",
    ]
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 80)
    try:
        writer.write("\r\n".join([*head, "", ""]).encode() + body)
        await writer.drain()
        _version, status, *_reason = (await reader.readline()).split()
        return int(status)
    finally:
        writer.close()
