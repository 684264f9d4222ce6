"""`booking.v1.waitlist.*`: people who wait for a free time, and who they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from slotbridge.bitrix24.gateway import Command, Gateway
from slotbridge.bitrix24.pages import list_all
from slotbridge.bitrix24.wire import Number, Text, TextOrEmpty, Wire, added_id, member, read, rows, same

_METHODS = "booking.v1.waitlist"
_LIST = "the wait list"


@dataclass(frozen=True, slots=True)
class WaitListItem:
    """One entry of the wait list. Who it is about is in its clients."""

    id: int
    note: str


@dataclass(frozen=True, slots=True)
class ClientType:
    """What a client of a booking or of the wait list can be."""

    code: str
    module: str


@dataclass(frozen=True, slots=True)
class ContactRef:
    """A client: the id of a contact, or of a COMPANY, in the portal's CRM."""

    id: int
    code: str = "CONTACT"
    module: str = "crm"


class ItemWire(Wire):
    id: Number
    note: TextOrEmpty = ""


class TypeWire(Wire):
    code: Text
    module: Text


class ClientWire(Wire):
    id: Number
    type: TypeWire


class WaitList:
    """The wait list of one portal."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def add(self, note: str) -> int:
        """A new entry; its id. Raises OutcomeUnknown if there may be one now: look for the note in the list."""
        command = Command(f"{_METHODS}.add", {"fields": {"note": note}}, _LIST, write=True)
        return added_id(await self._gateway.call(command), _LIST)

    async def get(self, item_id: int) -> WaitListItem:
        """One entry. Raises NotFound if there is none with this id."""
        item = _named(item_id)
        answer = await self._gateway.call(Command(f"{_METHODS}.get", {"id": item_id}, item))
        found = _read(member(answer, "waitList"), item)
        same(item_id, found.id, "wait list entry", item)
        return found

    async def list(self, created: tuple[date, date] | None = None) -> tuple[WaitListItem, ...]:
        """All entries by ascending id, or those created from the first day until before the second one.

        The portal reads days in its own date format and refuses others; DD.MM.YYYY is the documented one.
        """
        within = {"from": f"{created[0]:%d.%m.%Y}", "to": f"{created[1]:%d.%m.%Y}"} if created else {}
        parameters = {"filter": {"createdWithin": within}} if within else {}
        return tuple(await list_all(self._gateway, f"{_METHODS}.list", _page, _LIST, parameters))

    async def delete(self, item_id: int) -> None:
        """Removes one entry. Raises NotFound or Rejected if there is none with this id."""
        await self._gateway.call(Command(f"{_METHODS}.delete", {"id": item_id}, _named(item_id), write=True))

    async def clients(self, item_id: int) -> tuple[ContactRef, ...]:
        """Whom an entry is about. Raises NotFound if there is no such entry."""
        item = _named(item_id)
        answer = await self._gateway.call(Command(f"{_METHODS}.client.list", {"waitListId": item_id}, item))
        wires = [
            read(ClientWire, fields, "a client", item) for fields in rows(answer, "clients", item, "waitListClient")
        ]
        return tuple(ContactRef(wire.id, wire.type.code, wire.type.module) for wire in wires)

    async def set_clients(self, item_id: int, clients: Sequence[ContactRef]) -> None:
        """Replaces whom an entry is about. The portal does not check that the contacts exist."""
        if not clients:
            await self.unset_clients(item_id)
            return
        # The same client twice breaks a unique index of the portal's database.
        wanted = [_client(client) for client in dict.fromkeys(clients)]
        parameters = {"waitListId": item_id, "clients": wanted}
        await self._gateway.call(Command(f"{_METHODS}.client.set", parameters, _named(item_id), write=True))

    async def unset_clients(self, item_id: int) -> None:
        """Leaves an entry without anybody."""
        parameters = {"waitListId": item_id}
        await self._gateway.call(Command(f"{_METHODS}.client.unset", parameters, _named(item_id), write=True))

    async def client_types(self) -> tuple[ClientType, ...]:
        """What clients can be. A portal where nobody has added a client by hand yet may name none."""
        item = "the client types"
        answer = await self._gateway.call(Command("booking.v1.clienttype.list", {}, item))
        wires = [read(TypeWire, fields, "a client type", item) for fields in rows(answer, "types", item, "clientType")]
        return tuple(ClientType(wire.code, wire.module) for wire in wires)


def _page(result: object, item: str) -> tuple[WaitListItem, ...]:
    return tuple(_read(fields, item) for fields in rows(result, "entries", item, "waitList"))


def _read(fields: object, item: str) -> WaitListItem:
    wire = read(ItemWire, fields, "a wait list entry", item)
    return WaitListItem(wire.id, wire.note)


def _client(client: ContactRef) -> dict[str, object]:
    return {"id": client.id, "type": {"module": client.module, "code": client.code}}


def _named(item_id: int) -> str:
    return f"wait list entry {item_id}"
