"""The rows of a Bitrix24 portal's tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from slotbridge.lenses.items import Range

# The portal's source: `add` does not inherit these from the type, whatever the documentation says.
DEFAULT_SETTINGS: Mapping[str, object] = {
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
# The portal's source: types lack these two, although they are documented.
TYPE_SETTINGS: Mapping[str, object] = {
    name: value for name, value in DEFAULT_SETTINGS.items() if name not in ("isInfoNotificationOn", "templateTypeInfo")
}

CommunicationKind = Literal["PHONE", "EMAIL"]


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


@dataclass(slots=True)
class StoredType:
    """One resource type. Codes are compared without regard to case."""

    id: int
    name: str
    code: str
    settings: dict[str, object] = field(default_factory=lambda: dict(TYPE_SETTINGS))


@dataclass(frozen=True, slots=True)
class Client:
    """A client of a wait-list item; whether the contact or company exists, nobody checks."""

    id: int
    module: str
    code: str


@dataclass(slots=True)
class StoredWaitItem:
    """One item of the wait list."""

    id: int
    note: str
    created_at: datetime
    clients: tuple[Client, ...] = ()


@dataclass(slots=True)
class StoredBooking:
    """One booking: a real period of time, start and end in seconds since the epoch."""

    id: int
    resource_ids: tuple[int, ...]
    start: int
    end: int
    timezone: str
    name: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Communication:
    """A telephone number or an e-mail address, as it was typed."""

    id: int
    kind: CommunicationKind
    value: str
    value_type: str = "WORK"


@dataclass(slots=True)
class StoredContact:
    """One contact of the CRM."""

    id: int
    name: str
    last_name: str
    created_at: datetime
    communications: tuple[Communication, ...] = ()

    def values(self, kind: CommunicationKind) -> list[Communication]:
        """The numbers, or the addresses."""
        return [item for item in self.communications if item.kind == kind]


def next_id(rows: Iterable[int]) -> int:
    """The id after the highest one."""
    return max([0, *rows]) + 1
