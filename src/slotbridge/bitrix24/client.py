"""The few things that slotbridge asks of Bitrix24."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from itertools import islice
from random import Random
from typing import TypeVar

from slotbridge.bitrix24.gateway import BATCH_SIZE, Command, Gateway
from slotbridge.bitrix24.models import (
    Resource,
    SlotsWritten,
    read_resource,
    read_resources,
    read_slots,
    slot_fields,
)
from slotbridge.clock import Clock
from slotbridge.errors import ApiError, BadAnswer, OutcomeUnknown
from slotbridge.http.transport import Transport
from slotbridge.lenses.items import Odd, Range

T = TypeVar("T")

PAGE_SIZE = 50
WRITES_PER_BATCH = BATCH_SIZE // 3
# PHP reads 1000 variables of a command and drops the rest in silence; a range may take eleven of them.
RANGES_PER_COMMAND = 80


class Bitrix24Client:
    """One portal. Every error is an ApiError with the resource as its `item`; none shows the webhook."""

    def __init__(self, webhook_url: str, transport: Transport, *, clock: Clock, random: Random) -> None:
        self._gateway = Gateway(webhook_url, transport, clock=clock, random=random)

    @property
    def requests(self) -> int:
        """How many requests were sent so far, repetitions included."""
        return self._gateway.requests

    async def list_slots(self, resource_ids: Sequence[int]) -> dict[int, tuple[Range | Odd, ...] | ApiError]:
        """The ranges of each resource as stored, or the error that concerns this resource alone.

        Raises ApiError for what concerns them all: no connection, no access, an answer that is none.
        """
        found: dict[int, tuple[Range | Odd, ...] | ApiError] = {}
        for part in _parts(dict.fromkeys(resource_ids), BATCH_SIZE):
            commands = [_list(resource_id) for resource_id in part]
            answers = await self._gateway.batch(commands, f"the slots of {_counted(part)}")
            for resource_id, answer in zip(part, answers, strict=True):
                found[resource_id] = _slots_or_error(answer, resource_id)
        return found

    async def set_slots(self, wanted: Mapping[int, Sequence[Range | Odd]]) -> dict[int, SlotsWritten | ApiError]:
        """Replaces each resource's whole list; tells what was there right before and right after.

        Raises nothing of the server's: a failure is the value of every resource that it concerns.
        OutcomeUnknown means that the ranges may or may not be set; it is never repeated here.
        """
        packed = [resource_id for resource_id, ranges in wanted.items() if _fits_batch(ranges)]
        outcome: dict[int, SlotsWritten | ApiError] = {}
        for part in _parts(packed, WRITES_PER_BATCH):
            outcome |= await self._set_together({resource_id: wanted[resource_id] for resource_id in part})
        for resource_id, ranges in wanted.items():
            if resource_id not in outcome:
                outcome[resource_id] = await self._set_alone(resource_id, ranges)
        return {resource_id: outcome[resource_id] for resource_id in wanted}

    async def get_resource(self, resource_id: int) -> Resource:
        """One resource. Raises NotFound if there is none with this id."""
        item = _named(resource_id)
        command = Command("booking.v1.resource.get", {"id": resource_id}, item)
        resource = read_resource(await self._gateway.call(command), item)
        if resource.id != resource_id:
            what = f"the answer is about resource {resource.id} instead"
            raise BadAnswer(what, side="bitrix24", item=item, hint="The next run asks again")
        return resource

    async def list_resources(self) -> list[Resource]:
        """All resources by ascending id. Raises BadAnswer if a page cannot be read."""
        # The API names no total and no next page; a page that is not full is the last one.
        item = "the list of resources"
        found: dict[int, Resource] = {}
        while True:
            parameters = {"order": {"id": "asc"}, "start": len(found)}
            answer = await self._gateway.call(Command("booking.v1.resource.list", parameters, item))
            page = read_resources(answer, item)
            fresh = {resource.id: resource for resource in page if resource.id not in found}
            found |= fresh
            if len(page) < PAGE_SIZE or len(fresh) < len(page):
                return sorted(found.values(), key=lambda resource: resource.id)

    async def _set_together(self, wanted: Mapping[int, Sequence[Range | Odd]]) -> dict[int, SlotsWritten | ApiError]:
        commands = [command for each in wanted.items() for command in _list_set_list(*each)]
        try:
            answers = iter(await self._gateway.batch(commands, f"the slots of {_counted(wanted)}"))
        except ApiError as error:
            return {resource_id: _about(error, resource_id) for resource_id in wanted}
        return {resource_id: _written(resource_id, *islice(answers, 3)) for resource_id in wanted}

    async def _set_alone(self, resource_id: int, ranges: Sequence[Range | Odd]) -> SlotsWritten | ApiError:
        answers: list[object | ApiError] = []
        for command in _list_set_list(resource_id, ranges):
            try:
                answers.append(await self._gateway.call(command))
            except ApiError as error:  # what follows is not sent; its answer is this error, too
                answers += [error] * (3 - len(answers))
                break
        return _written(resource_id, *answers)


def _list(resource_id: int) -> Command:
    return Command("booking.v1.resource.slots.list", {"resourceId": resource_id}, _named(resource_id))


def _list_set_list(resource_id: int, ranges: Sequence[Range | Odd]) -> tuple[Command, Command, Command]:
    return _list(resource_id), _set(resource_id, ranges), _list(resource_id)


def _set(resource_id: int, ranges: Sequence[Range | Odd]) -> Command:
    """`unset` for no ranges: a batch cannot express an empty list, and both do the same."""
    item = _named(resource_id)
    if not ranges:
        return Command("booking.v1.resource.slots.unset", {"resourceId": resource_id}, item, write=True)
    parameters = {"resourceId": resource_id, "slots": slot_fields(ranges)}
    return Command("booking.v1.resource.slots.set", parameters, item, write=True)


def _fits_batch(ranges: Sequence[Range | Odd]) -> bool:
    return len(ranges) <= RANGES_PER_COMMAND and all(isinstance(item, Range) and _plain(item) for item in ranges)


def _plain(item: Range) -> bool:
    """Whether a batch leaves it as it is. There an empty list is lost, and `$result[…]` is a reference."""
    names = item.timezone + "".join(item.week_days)
    return bool(item.week_days) and names.isascii() and "$" not in names


def _written(
    resource_id: int, before: object | ApiError, done: object | ApiError, after: object | ApiError
) -> SlotsWritten | ApiError:
    if isinstance(done, ApiError):
        return done
    try:
        return SlotsWritten(_slots(before, resource_id), _slots(after, resource_id))
    except ApiError as error:
        what = f"the slots were set, but could not be read around it: {error.what}"
        hint = "The next run reads the resource again"
        return OutcomeUnknown(what, side="bitrix24", item=_named(resource_id), hint=hint, code=error.code)


def _slots_or_error(answer: object | ApiError, resource_id: int) -> tuple[Range | Odd, ...] | ApiError:
    try:
        return _slots(answer, resource_id)
    except ApiError as error:
        return error


def _slots(answer: object | ApiError, resource_id: int) -> tuple[Range | Odd, ...]:
    if isinstance(answer, ApiError):
        raise answer
    return read_slots(answer, _named(resource_id))


def _about(error: ApiError, resource_id: int) -> ApiError:
    twin = copy(error)
    twin.item = _named(resource_id)
    return twin


def _named(resource_id: int) -> str:
    return f"resource {resource_id}"


def _counted(resource_ids: Iterable[int]) -> str:
    named = list(resource_ids)
    return _named(named[0]) if len(named) == 1 else f"{len(named)} resources"


def _parts(items: Iterable[T], size: int) -> Iterator[list[T]]:
    rest = iter(items)
    while part := list(islice(rest, size)):
        yield part
