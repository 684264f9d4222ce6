"""What slotbridge asks of Bitrix24, by one way in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random

from slotbridge.bitrix24.access import Access
from slotbridge.bitrix24.bookings import Bookings
from slotbridge.bitrix24.contacts import Contacts
from slotbridge.bitrix24.events import Events
from slotbridge.bitrix24.gateway import Command, Gateway
from slotbridge.bitrix24.models import Resource, SlotsWritten
from slotbridge.bitrix24.resource_types import ResourceTypes
from slotbridge.bitrix24.resources import Resources
from slotbridge.bitrix24.slots import Slots
from slotbridge.bitrix24.waitlist import WaitList
from slotbridge.bitrix24.wire import names, unreadable
from slotbridge.clock import Clock
from slotbridge.errors import ApiError, Rejected
from slotbridge.http.transport import Transport
from slotbridge.lenses.items import Odd, Range, Ranges

SCOPES = "the list of permissions"

_NOT_LET = ("INSUFFICIENT_SCOPE", "WRONG_AUTH_TYPE")
"""Refusals that are about the method, and say nothing of the others."""


class Bitrix24Client:
    """One portal. Every error is an ApiError with the resource as its `item`; none shows a secret."""

    def __init__(self, access: Access, transport: Transport, *, clock: Clock, random: Random) -> None:
        self._gateway = Gateway(access, transport, clock=clock, random=random)
        self._slots = Slots(self._gateway)
        self.resources = Resources(self._gateway)
        self.resource_types = ResourceTypes(self._gateway)
        self.waitlist = WaitList(self._gateway)
        self.bookings = Bookings(self._gateway)
        self.contacts = Contacts(self._gateway)
        self.events = Events(self._gateway)

    @property
    def requests(self) -> int:
        """How many requests were sent so far, repetitions included."""
        return self._gateway.requests

    async def list_slots(self, resource_ids: Sequence[int]) -> dict[int, Ranges | ApiError]:
        """The ranges of each resource as stored, or the error that concerns this resource alone.

        Raises ApiError for what concerns them all: no connection, no access, an answer that is none.
        """
        return await self._slots.read(resource_ids)

    async def set_slots(
        self,
        wanted: Mapping[int, Sequence[Range | Odd]],
        profiles: Mapping[int, Mapping[str, str]] | None = None,
    ) -> dict[int, SlotsWritten | ApiError]:
        """Replaces each resource's whole list; tells what was there right before and right after.

        `profiles` has fields for `resource.update`, such as name and description, of some of these resources.
        They go ahead of the ranges in the same request, because an update deletes every range of the resource.

        Raises nothing of the server's: a failure is the value of every resource that it concerns.
        OutcomeUnknown means that the ranges may or may not be set; it is never repeated here.
        """
        return await self._slots.write(wanted, profiles or {})

    async def get_resource(self, resource_id: int) -> Resource:
        """One resource. Raises NotFound if there is none with this id."""
        return await self.resources.get(resource_id)

    async def get_resources(self, resource_ids: Sequence[int]) -> dict[int, Resource | ApiError]:
        """Each resource, or the error that concerns it alone. Raises ApiError for what concerns them all."""
        return await self.resources.get_many(resource_ids)

    async def list_resources(self) -> list[Resource]:
        """All resources by ascending id. Raises BadAnswer if a page cannot be read."""
        return await self.resources.list_all()

    async def scopes(self) -> frozenset[str] | None:
        """What the webhook or the application may use, in lower case; None where the portal does not let us ask.

        Needs no permission itself. Raises ApiError for what any other call would fail with, too.
        """
        try:
            answer = await self._gateway.call(Command("scope", {}, SCOPES))
        except ApiError as error:
            if isinstance(error, Rejected) or (error.code or "").upper() in _NOT_LET:
                return None
            raise
        try:
            return frozenset(name.lower() for name in names(answer))
        except ValueError as error:
            raise unreadable(f"the answer {error}", SCOPES) from None
