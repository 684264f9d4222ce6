"""`booking.v1.resourceType.*`: what kinds of resources there are, and how their clients are notified."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from slotbridge.bitrix24.gateway import Command, Gateway
from slotbridge.bitrix24.pages import list_all
from slotbridge.bitrix24.wire import Number, TextOrEmpty, Wire, member, or_empty, or_zero, read, rows, same, unreadable
from slotbridge.errors import Rejected

Setting = bool | int | str

# The documentation also has infoDelay, reminderDelay and the like, and isInfoNotificationOn with
# templateTypeInfo for types; the portal's source ignores all of these.
SWITCHES = frozenset(
    {
        "isConfirmationNotificationOn",
        "isReminderNotificationOn",
        "isFeedbackNotificationOn",
        "isDelayedNotificationOn",
    }
)
TEMPLATES = frozenset(
    {"templateTypeConfirmation", "templateTypeReminder", "templateTypeFeedback", "templateTypeDelayed"}
)
NUMBERS = frozenset(
    {
        "infoNotificationDelay",
        "confirmationNotificationDelay",
        "confirmationNotificationRepetitions",
        "confirmationNotificationRepetitionsInterval",
        "confirmationCounterDelay",
        "reminderNotificationDelay",
        "delayedNotificationDelay",
        "delayedCounterDelay",
    }
)


@dataclass(frozen=True, slots=True)
class ResourceType:
    """A kind of resources. Codes are unique without regard to case.

    `notifications` holds what the portal told of SWITCHES (bool), TEMPLATES (text) and NUMBERS (delays and
    intervals in seconds, counts); a reminder delay of -1 is the morning of the day.
    """

    id: int
    code: str
    name: str
    notifications: Mapping[str, Setting]


class ResourceTypeWire(Wire):
    id: Number
    code: TextOrEmpty = ""
    name: TextOrEmpty = ""


class ResourceTypes:
    """The resource types of one portal."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def get(self, type_id: int) -> ResourceType:
        """One type. Raises NotFound if there is none with this id."""
        item = f"resource type {type_id}"
        answer = await self._gateway.call(Command("booking.v1.resourceType.get", {"id": type_id}, item))
        found = _read(member(answer, "resourceType"), item)
        same(type_id, found.id, "resource type", item)
        return found

    async def list(self) -> tuple[ResourceType, ...]:
        """All types by ascending id. Raises BadAnswer if one cannot be read."""
        method, item = "booking.v1.resourceType.list", "the list of resource types"
        return tuple(await list_all(self._gateway, method, _page, item, {"order": {"id": "asc"}}))

    async def update(self, type_id: int, code: str, fields: Mapping[str, Setting]) -> None:
        """Changes the name and the notifications given; what is left out is kept.

        The portal refuses every code that exists, the type's own present one included: `code` has to be new.
        Raises Rejected, before anything is sent, for a field that the portal would ignore or misread.
        """
        item = f"resource type {type_id}"
        wire = {"code": code, **{name: _written(name, value, item) for name, value in fields.items()}}
        parameters = {"id": type_id, "fields": wire}
        await self._gateway.call(Command("booking.v1.resourceType.update", parameters, item, write=True))


def _page(result: object, item: str) -> tuple[ResourceType, ...]:
    # The documentation's examples have `resource`, the portal's source `resourceType`.
    return tuple(_read(fields, item) for fields in rows(result, "resource types", item, "resourceType", "resource"))


def _read(fields: object, item: str) -> ResourceType:
    wire = read(ResourceTypeWire, fields, "a resource type", item)
    told = fields if isinstance(fields, dict) else {}
    known = {name: told[name] for name in sorted(SWITCHES | TEMPLATES | NUMBERS) if name in told}
    try:
        settings = {name: _setting(name, value) for name, value in known.items()}
    except ValueError as error:
        raise unreadable(f"resource type {wire.id} has a setting that {error}", item) from None
    return ResourceType(wire.id, wire.code, wire.name, MappingProxyType(settings))


def _setting(name: str, value: object) -> Setting:
    if name in SWITCHES:
        return or_empty(value) == "Y"
    return or_empty(value) if name in TEMPLATES else or_zero(value)


def _written(name: str, value: Setting, item: str) -> int | str:
    match value:
        case bool() if name in SWITCHES:
            return "Y" if value else "N"
        case str() if name in TEMPLATES or name == "name":
            return value
        case int() if name in NUMBERS and not isinstance(value, bool):
            return value
    what = f"{name} = {value!r} is nothing that a resource type takes"
    hint = "Switches are true or false, delays and counts are numbers, templates and the name are texts"
    raise Rejected(what, side="bitrix24", item=item, hint=hint)
