"""What a Bitrix24 portal stores, and what people do to it through its interface."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field

from slotbridge.clock import Clock
from slotbridge.lenses.items import Range
from slotbridge.sandbox.behaviour import PortalBehaviour
from slotbridge.sandbox.limits import LeakyBucket
from slotbridge.sandbox.traffic import Traffic

# The portal's source: `add` does not inherit these from the type, whatever the documentation says.
DEFAULT_SETTINGS: dict[str, object] = {
    "isInfoNotificationOn": "Y",
    "templateTypeInfo": "inanimate",
    "infoNotificationDelay": 0,
    "isConfirmationNotificationOn": "Y",
    "templateTypeConfirmation": "inanimate",
    "confirmationNotificationDelay": 86400,
    "confirmationNotificationRepetitions": 0,
    "confirmationNotificationRepetitionsInterval": 10800,
    "confirmationCounterDelay": 10800,
    "isReminderNotificationOn": "Y",
    "templateTypeReminder": "base",
    "reminderNotificationDelay": -1,
    "isFeedbackNotificationOn": "Y",
    "templateTypeFeedback": "inanimate",
    "isDelayedNotificationOn": "Y",
    "templateTypeDelayed": "inanimate",
    "delayedNotificationDelay": 300,
    "delayedCounterDelay": 10800,
    "senderCode": "bitrix24",
}


@dataclass(slots=True)
class StoredRange:
    """One slot setting with the id of this save of it."""

    id: int
    range: Range


@dataclass(slots=True)
class StoredResource:
    """One resource. Its slot settings do not show in `resource.get`."""

    id: int
    name: str
    type_id: int = 1
    is_main: bool = True
    description: str = ""
    settings: dict[str, object] = field(default_factory=lambda: dict(DEFAULT_SETTINGS))
    slots: list[StoredRange] = field(default_factory=list)


class PortalState:
    """The portal's database. Its methods are what a person does in the interface: no quota, no checks."""

    def __init__(self, clock: Clock, traffic: Traffic | None = None, code: str = "sandbox") -> None:
        self.clock = clock
        self.traffic = traffic or Traffic()
        self.code = code
        self.behaviour = PortalBehaviour()
        self.bucket = LeakyBucket(self.behaviour.rate, self.behaviour.burst, clock)
        self.resources: dict[int, StoredResource] = {}
        self.types: dict[int, str] = {1: "Resources"}
        self._slot_ids = itertools.count(171)

    def add_resource(self, name: str, *, resource_id: int | None = None) -> int:
        """Creates a resource without slots and returns its id."""
        new = max([0, *self.resources]) + 1 if resource_id is None else resource_id
        self.resources[new] = StoredResource(new, name)
        return new

    def remove_resource(self, resource_id: int) -> None:
        del self.resources[resource_id]

    def put_slots(self, resource_id: int, ranges: Iterable[Range]) -> None:
        """Saves the resource's form with these ranges: all rows are new, whether or not anything changed."""
        self.resources[resource_id].slots = [StoredRange(next(self._slot_ids), item) for item in ranges]

    def slots(self, resource_id: int) -> tuple[Range, ...]:
        """The ranges of a resource, in their order."""
        return tuple(row.range for row in self.resources[resource_id].slots)

    def slot_ids(self, resource_id: int) -> tuple[int, ...]:
        """The ids of this save of the ranges."""
        return tuple(row.id for row in self.resources[resource_id].slots)
