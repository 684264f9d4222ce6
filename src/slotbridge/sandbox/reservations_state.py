"""What a ReserveKit account stores, and what people do to it in the dashboard and on the booking page."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from slotbridge.clock import Clock
from slotbridge.sandbox import times
from slotbridge.sandbox.behaviour import ReserveKitBehaviour
from slotbridge.sandbox.limits import MonthCount, TokenBucket
from slotbridge.sandbox.traffic import Traffic

_FIRST_CUSTOMER = 5000


@dataclass(slots=True)
class StoredService:
    """One service. `timezone` is what bookings go by, whether or not the API shows it."""

    id: int
    name: str
    timezone: str
    created_at: datetime
    updated_at: datetime
    description: str | None = None
    version: int = 1


@dataclass(slots=True)
class StoredSlot:
    """One time slot. `start` and `end` are digits on some date; `day` is the number that the API shows."""

    id: int
    service_id: int
    day: int
    start: datetime
    end: datetime
    max_bookings: int
    created_at: datetime
    updated_at: datetime


@dataclass(slots=True)
class StoredBooking:
    """One booking: a slot's id and a date, no time of its own."""

    id: int
    service_id: int
    time_slot_id: int
    date: str
    status: str
    customer: dict[str, object]
    created_at: datetime
    updated_at: datetime
    message: str | None = None
    cancel_reason: str | None = None


@dataclass(frozen=True, slots=True)
class DashboardSlot:
    """A time slot as people see it: Monday = 0, minutes since midnight on the service's clock."""

    id: int
    day: int
    start: int
    end: int
    max_bookings: int


class ReservationsState:
    """The account's database. Its methods are what people do in the dashboard: no quota, no checks.

    Days are counted from Monday = 0 whatever `day_base` is; times are minutes since midnight on the service's
    clock, an end of 1440 is midnight. No id is ever used twice.
    """

    def __init__(self, clock: Clock, traffic: Traffic | None = None, key: str = "sk_rsv_sandbox") -> None:
        self.clock = clock
        self.traffic = traffic or Traffic()
        self.key = key
        self.behaviour = ReserveKitBehaviour()
        self.bucket = TokenBucket(self.behaviour.rate, self.behaviour.burst, clock)
        self.month = MonthCount(clock)
        self.services: dict[int, StoredService] = {}
        self.time_slots: dict[int, StoredSlot] = {}
        self.bookings: dict[int, StoredBooking] = {}
        self.slot_ids = itertools.count(1001)
        self.booking_ids = itertools.count(1)
        self.newest_service = 0
        self.listings = 0

    def add_service(
        self, name: str, timezone: str, *, service_id: int | None = None, description: str | None = None
    ) -> int:
        """Creates a service without slots and returns its id."""
        new = self.newest_service + 1 if service_id is None else service_id
        self.newest_service = max(self.newest_service, new)
        now = self.clock.now()
        self.services[new] = StoredService(new, name, timezone, now, now, description)
        return new

    def remove_service(self, service_id: int) -> None:
        """Removes a service with everything that belongs to it."""
        for slot in self.rows(service_id):
            self.remove_slot(slot.id)
        del self.services[service_id]

    def add_slot(self, service_id: int, day: int, start: int, end: int, max_bookings: int = 1) -> int:
        """Creates a time slot and returns its id."""
        digits = times.from_wall(start, end, self.zone(service_id), self.behaviour)
        return self.insert(service_id, self._numbered(day), *digits, max_bookings).id

    def edit_slot(
        self,
        slot_id: int,
        *,
        day: int | None = None,
        start: int | None = None,
        end: int | None = None,
        max_bookings: int | None = None,
    ) -> None:
        """Changes what is given; the id and the bookings stay."""
        slot = self.time_slots[slot_id]
        old = self._dashboard(slot)
        if start is not None or end is not None:
            minutes = (old.start if start is None else start, old.end if end is None else end)
            slot.start, slot.end = times.from_wall(*minutes, self.zone(slot.service_id), self.behaviour)
        slot.day = slot.day if day is None else self._numbered(day)
        slot.max_bookings = slot.max_bookings if max_bookings is None else max_bookings
        self.touch(slot)

    def remove_slot(self, slot_id: int) -> None:
        """Removes a time slot; what becomes of its bookings is the switch `booked_slot`."""
        if self.behaviour.booked_slot != "dangle":
            kept = {key: row for key, row in self.bookings.items() if row.time_slot_id != slot_id}
            self.bookings = kept
        del self.time_slots[slot_id]

    def slots(self, service_id: int) -> tuple[DashboardSlot, ...]:
        """The time slots of a service in the order of their ids."""
        rows = sorted(self.rows(service_id), key=lambda slot: slot.id)
        return tuple(self._dashboard(slot) for slot in rows)

    def add_booking(
        self,
        slot_id: int,
        date: str,
        *,
        status: str = "confirmed",
        name: str | None = "A customer",
        email: str | None = None,
        phone: str | None = None,
    ) -> int:
        """Books a slot on a date, `YYYY-MM-DD`, for a new customer, and returns the booking's id."""
        new, now = next(self.booking_ids), self.clock.now()
        service_id = self.time_slots[slot_id].service_id
        customer: dict[str, object] = {"id": _FIRST_CUSTOMER + new, "name": name, "email": email, "phone": phone}
        self.bookings[new] = StoredBooking(new, service_id, slot_id, date, status, customer, now, now)
        return new

    def zone(self, service_id: int) -> ZoneInfo:
        return ZoneInfo(self.services[service_id].timezone)

    def rows(self, service_id: int) -> list[StoredSlot]:
        """The stored rows of a service, in the order of their last change."""
        return [slot for slot in self.time_slots.values() if slot.service_id == service_id]

    def insert(self, service_id: int, day: int, start: datetime, end: datetime, max_bookings: int) -> StoredSlot:
        """Stores a new row as it is."""
        now = self.clock.now()
        slot = StoredSlot(next(self.slot_ids), service_id, day, start, end, max_bookings, now, now)
        self.time_slots[slot.id] = slot
        return slot

    def touch(self, slot: StoredSlot) -> None:
        """Notes a change: the row moves to the end, as an updated row does in a database."""
        slot.updated_at = self.clock.now()
        self.time_slots[slot.id] = self.time_slots.pop(slot.id)

    def is_booked(self, slot_id: int) -> bool:
        return any(row.time_slot_id == slot_id and row.status != "cancelled" for row in self.bookings.values())

    def _numbered(self, day: int) -> int:
        return (day + 1) % 7 if self.behaviour.day_base == "sunday" else day

    def weekday(self, slot: StoredSlot) -> int:
        """The day of a stored slot, counted from Monday = 0."""
        return (slot.day - 1) % 7 if self.behaviour.day_base == "sunday" else slot.day

    def _dashboard(self, slot: StoredSlot) -> DashboardSlot:
        minutes = times.to_wall(slot.start, slot.end, self.zone(slot.service_id), self.behaviour)
        return DashboardSlot(slot.id, self.weekday(slot), *minutes, slot.max_bookings)
