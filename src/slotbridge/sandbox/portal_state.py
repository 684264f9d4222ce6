"""What a Bitrix24 portal stores, and what people do to it through its interface."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

from slotbridge.clock import Clock
from slotbridge.lenses.items import Range
from slotbridge.sandbox.addresses import origin
from slotbridge.sandbox.behaviour import PortalBehaviour
from slotbridge.sandbox.limits import LeakyBucket, OperatingTime
from slotbridge.sandbox.portal_application import Application
from slotbridge.sandbox.portal_events import RESOURCE_ADDED, RESOURCE_DELETED, RESOURCE_UPDATED, Events
from slotbridge.sandbox.portal_rows import (
    Communication,
    CommunicationKind,
    StoredBooking,
    StoredContact,
    StoredRange,
    StoredResource,
    StoredType,
    StoredWaitItem,
    next_id,
)
from slotbridge.sandbox.traffic import Traffic


class PortalState:
    """The portal's database. Its methods are what a person does in the interface: no quota, no checks.

    `host` is the portal's own address without a scheme, as the last request named it.
    """

    def __init__(self, clock: Clock, traffic: Traffic | None = None, code: str = "sandbox") -> None:
        self.clock = clock
        self.traffic = traffic or Traffic()
        self.code = code
        self.behaviour = PortalBehaviour()
        self.bucket = LeakyBucket(self.behaviour.rate, self.behaviour.burst, clock)
        self.operating = OperatingTime(clock)
        self.application = Application(clock)
        self.events = Events(clock)
        self.host = "127.0.0.1"
        self.resources: dict[int, StoredResource] = {}
        self.types: dict[int, StoredType] = {1: StoredType(1, "Resources", "resources")}
        self.waitlist: dict[int, StoredWaitItem] = {}
        self.bookings: dict[int, StoredBooking] = {}
        self.contacts: dict[int, StoredContact] = {}
        self.communication_ids = itertools.count(215)
        self._slot_ids = itertools.count(171)

    @property
    def endpoint(self) -> str:
        """The address that method names are appended to by an application."""
        return f"{origin(self.behaviour.renamed_to or self.host)}/rest/"

    def sized_bucket(self) -> LeakyBucket:
        """The bucket with the rate and size that the switches say."""
        self.bucket.rate, self.bucket.size = self.behaviour.rate, self.behaviour.burst
        return self.bucket

    def notify(self, event: str, item_id: int) -> None:
        """Lets everybody who listens know, as late and as often as the switches say."""
        for _ in range(self.behaviour.event_copies if self.behaviour.booking_events else 0):
            self.events.add(event, item_id, self.behaviour.event_delay)

    def add_resource(self, name: str, *, resource_id: int | None = None) -> int:
        """Creates a resource without slots and returns its id."""
        new = next_id(self.resources) if resource_id is None else resource_id
        self.resources[new] = StoredResource(new, name)
        self.notify(RESOURCE_ADDED, new)
        return new

    def edit_resource(self, resource_id: int, *, name: str | None = None, description: str | None = None) -> None:
        """Changes what is given; unlike `resource.update` the form leaves the slots alone."""
        resource = self.resources[resource_id]
        resource.name = resource.name if name is None else name
        resource.description = resource.description if description is None else description
        self.notify(RESOURCE_UPDATED, resource_id)

    def remove_resource(self, resource_id: int) -> None:
        del self.resources[resource_id]
        self.notify(RESOURCE_DELETED, resource_id)

    def put_slots(self, resource_id: int, ranges: Iterable[Range]) -> None:
        """Saves the resource's form with these ranges: all rows are new, whether or not anything changed."""
        self.resources[resource_id].slots = [StoredRange(next(self._slot_ids), item) for item in ranges]
        self.notify(RESOURCE_UPDATED, resource_id)

    def slots(self, resource_id: int) -> tuple[Range, ...]:
        """The ranges of a resource, in their order."""
        return tuple(row.range for row in self.resources[resource_id].slots)

    def slot_ids(self, resource_id: int) -> tuple[int, ...]:
        """The ids of this save of the ranges."""
        return tuple(row.id for row in self.resources[resource_id].slots)

    def add_type(self, name: str, code: str) -> int:
        """Creates a resource type and returns its id."""
        new = next_id(self.types)
        self.types[new] = StoredType(new, name, code)
        self.notify("ONBOOKINGRESOURCETYPEADD", new)
        return new

    def add_wait_item(self, note: str = "") -> int:
        """Creates an item of the wait list without clients and returns its id."""
        new = next_id(self.waitlist)
        self.waitlist[new] = StoredWaitItem(new, note, self.clock.now())
        self.notify("ONBOOKINGWAITLISTITEMADD", new)
        return new

    def add_booking(self, resource_ids: Iterable[int], start: int, end: int, timezone: str, name: str = "") -> int:
        """Books resources from `start` to `end`, in seconds since the epoch, and returns the booking's id."""
        new = next_id(self.bookings)
        self.bookings[new] = StoredBooking(new, tuple(resource_ids), start, end, timezone, name)
        self.notify("ONBOOKINGADD", new)
        return new

    def add_contact(self, name: str, last_name: str = "", *, phone: str | None = None, email: str | None = None) -> int:
        """Creates a contact and returns its id."""
        new = next_id(self.contacts)
        given: list[tuple[CommunicationKind, str | None]] = [("PHONE", phone), ("EMAIL", email)]
        items = tuple(
            Communication(next(self.communication_ids), kind, value) for kind, value in given if value is not None
        )
        self.contacts[new] = StoredContact(new, name, last_name, self.clock.now(), items)
        return new
