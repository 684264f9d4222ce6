"""`crm.*`, as far as a client of the wait list needs it. It takes the scope `crm`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import BeforeValidator, Field

from slotbridge.bitrix24.batching import survives_batch
from slotbridge.bitrix24.gateway import Command, Gateway
from slotbridge.bitrix24.php import as_list, as_map
from slotbridge.bitrix24.wire import Number, Numbers, TextOrEmpty, Wire, added_id, listed, read, same, shown
from slotbridge.errors import ApiError

SEARCH = "the search for a contact"
NO_METHOD = "ERROR_METHOD_NOT_FOUND"


@dataclass(frozen=True, slots=True)
class Contact:
    """A person in the portal's CRM."""

    id: int
    name: str
    last_name: str
    phones: tuple[str, ...]
    emails: tuple[str, ...]


class ValueWire(Wire):
    value: TextOrEmpty = Field("", alias="VALUE")


def _values(value: object) -> list[object]:
    # The documentation: phones and addresses are members of the answer only if there are any.
    found = [] if value is None else as_list(value)
    if found is None:
        raise ValueError(f"is {shown(value)}, not a list")
    return found


Values = Annotated[tuple[ValueWire, ...], BeforeValidator(_values)]


class ContactWire(Wire):
    id: Number = Field(alias="ID")
    name: TextOrEmpty = Field("", alias="NAME")
    last_name: TextOrEmpty = Field("", alias="LAST_NAME")
    phones: Values = Field((), alias="PHONE")
    emails: Values = Field((), alias="EMAIL")


class FoundWire(Wire):
    contacts: Numbers = Field((), alias="CONTACT")


class Contacts:
    """The contacts of one portal."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def find(self, *, phone: str = "", email: str = "") -> tuple[int, ...]:
        """The ids of contacts with this phone or e-mail address, those with both first, then the oldest.

        The portal names at most 20 contacts for each, and none that its user may not see.
        """
        # crm.contact.list compares phones letter by letter; findbycomm is the portal's own search for doubles.
        ways = _ways(phone, email)
        try:
            found = [_ids(answer) for answer in await self._answers(ways)]
        except ApiError as error:
            if (error.code or "").upper() != NO_METHOD:
                raise
            found = [await self._listed(kind, text) for kind, text in ways]
        hits = Counter(contact_id for ids in found for contact_id in ids)
        return tuple(sorted(hits, key=lambda contact_id: (-hits[contact_id], contact_id)))

    async def get(self, contact_id: int) -> Contact:
        """One contact. Raises ApiError if there is none with this id: the portal has no code for that."""
        item = f"contact {contact_id}"
        answer = await self._gateway.call(Command("crm.contact.get", {"id": contact_id}, item))
        wire = read(ContactWire, answer, "a contact", item)
        same(contact_id, wire.id, "contact", item)
        return Contact(wire.id, wire.name, wire.last_name, _texts(wire.phones), _texts(wire.emails))

    async def add(self, name: str, *, phone: str = "", email: str = "") -> int:
        """A new contact; its id. Raises OutcomeUnknown if there may be one now: look for it before adding again."""
        item = "a new contact"
        ways = {kind: [{"VALUE": text, "VALUE_TYPE": "WORK"}] for kind, text in _ways(phone, email)}
        command = Command("crm.contact.add", {"fields": {"NAME": name, **ways}}, item, write=True)
        return added_id(await self._gateway.call(command), item)

    async def _listed(self, kind: str, text: str) -> frozenset[int]:
        """The same on a portal without that search. Who does not show what was asked for was not asked for."""
        parameters = {"filter": {kind: text}, "select": ["ID", kind], "order": {"ID": "ASC"}}
        answer = await self._gateway.call(Command("crm.contact.list", parameters, SEARCH))
        wires = [read(ContactWire, row, "a contact", SEARCH) for row in listed(answer, "contacts", SEARCH)]
        values = {wire.id: wire.phones if kind == "PHONE" else wire.emails for wire in wires}
        return frozenset(each for each, has in values.items() if text.casefold() in map(str.casefold, _texts(has)))

    async def _answers(self, ways: Sequence[tuple[str, str]]) -> Sequence[object]:
        """The answers to the searches, by one request where a batch would not distort what is looked for."""
        commands = [_search(kind, text) for kind, text in ways]
        if len(commands) < 2 or not all(survives_batch(text) for _, text in ways):
            return [await self._gateway.call(command) for command in commands]
        answers = await self._gateway.batch(commands, SEARCH)
        for answer in answers:
            if isinstance(answer, ApiError):
                raise answer
        return answers


def _ways(phone: str, email: str) -> list[tuple[str, str]]:
    given = (("PHONE", phone.strip()), ("EMAIL", email.strip()))
    return [(kind, text) for kind, text in given if text]


def _search(kind: str, text: str) -> Command:
    parameters = {"type": kind, "values": [text], "entity_type": "CONTACT"}
    return Command("crm.duplicate.findbycomm", parameters, SEARCH)


def _ids(answer: object) -> frozenset[int]:
    listed(answer, "contacts", SEARCH)  # an empty PHP array where nobody was found
    return frozenset(read(FoundWire, as_map(answer), "the list of contacts", SEARCH).contacts)


def _texts(values: Sequence[ValueWire]) -> tuple[str, ...]:
    return tuple(each.value for each in values if each.value)
