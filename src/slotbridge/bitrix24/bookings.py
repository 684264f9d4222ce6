"""`booking.v1.booking.get` and `.list`: what is booked at the portal's own side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from pydantic import BeforeValidator, Field

from slotbridge.bitrix24.gateway import Command, Gateway
from slotbridge.bitrix24.pages import list_all
from slotbridge.bitrix24.wire import Number, Numbers, TextOrEmpty, Wire, integer, member, read, rows, same


@dataclass(frozen=True, slots=True)
class BookingEntry:
    """A booking of one or more resources, from `start` to `end` in UTC. `timezone` is the zone that it was made in."""

    id: int
    name: str
    description: str
    resource_ids: tuple[int, ...]
    start: datetime
    end: datetime
    timezone: str


def _instant(value: object) -> datetime:
    try:
        return datetime.fromtimestamp(integer(value), UTC)
    except (OverflowError, OSError):
        raise ValueError("is no instant that a calendar has") from None


class MomentWire(Wire):
    timestamp: Annotated[datetime, BeforeValidator(_instant)]
    timezone: TextOrEmpty = ""


class PeriodWire(Wire):
    start: MomentWire = Field(alias="from")
    end: MomentWire = Field(alias="to")


class BookingWire(Wire):
    id: Number
    name: TextOrEmpty = ""
    description: TextOrEmpty = ""
    resource_ids: Numbers = Field((), alias="resourceIds")
    period: PeriodWire = Field(alias="datePeriod")


class Bookings:
    """The bookings of one portal."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def get(self, booking_id: int) -> BookingEntry:
        """One booking. Raises NotFound if there is none with this id."""
        item = f"booking {booking_id}"
        answer = await self._gateway.call(Command("booking.v1.booking.get", {"id": booking_id}, item))
        found = _read(member(answer, "booking"), item)
        same(booking_id, found.id, "booking", item)
        return found

    async def list(
        self, within: tuple[datetime, datetime] | None = None, resource_ids: Sequence[int] = ()
    ) -> tuple[BookingEntry, ...]:
        """The bookings by ascending id, or those in a period, given as aware times, or of some resources."""
        chosen: dict[str, object] = {}
        if within is not None:
            start, end = (int(moment.timestamp()) for moment in within)
            chosen["within"] = {"dateFrom": start, "dateTo": end}
        if resource_ids:
            chosen["resourceId"] = list(resource_ids)
        parameters = {"order": {"id": "asc"}, **({"filter": chosen} if chosen else {})}
        found = await list_all(self._gateway, "booking.v1.booking.list", _page, "the list of bookings", parameters)
        # The portal drops conditions that it does not know, and the documentation does not name resourceId.
        wanted = set(resource_ids)
        return tuple(booking for booking in found if not wanted or wanted & set(booking.resource_ids))


def _page(result: object, item: str) -> tuple[BookingEntry, ...]:
    return tuple(_read(fields, item) for fields in rows(result, "bookings", item, "booking"))


def _read(fields: object, item: str) -> BookingEntry:
    wire = read(BookingWire, fields, "a booking", item)
    start, end = wire.period.start, wire.period.end
    times = (start.timestamp, end.timestamp, start.timezone)
    return BookingEntry(wire.id, wire.name, wire.description, wire.resource_ids, *times)
