"""`booking.v1.resource.slots.*`: the ranges of resources, read by fifties, and replaced as a whole."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from itertools import islice

from slotbridge.bitrix24.batching import counted, named, parts, require_access, survives_batch
from slotbridge.bitrix24.gateway import BATCH_SIZE, Command, Gateway
from slotbridge.bitrix24.models import SlotsWritten, read_slots, slot_fields
from slotbridge.bitrix24.resources import get_command, resource_or_error, update_command
from slotbridge.errors import AccessRefused, ApiError, LimitReached, NotFound, NotSent, OutcomeUnknown, is_final
from slotbridge.lenses.items import Odd, Range, Ranges
from slotbridge.together import together

# Half of what the smaller plans let through at once: as much is left if somebody else has used the bucket, too.
READS_AT_ONCE = 25
# PHP reads 1000 variables of a command and drops the rest in silence; a range may take eleven of them.
RANGES_PER_COMMAND = 80


class Slots:
    """The hours of all resources of one portal."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def read(self, resource_ids: Sequence[int]) -> dict[int, Ranges | ApiError]:
        """The ranges of each resource as stored, or the error that concerns this resource alone."""
        found: dict[int, Ranges | ApiError] = {}
        failures: list[ApiError] = []
        at_once, turn = asyncio.Semaphore(READS_AT_ONCE), asyncio.Lock()

        async def read(part: Sequence[int]) -> None:
            async with at_once:
                async with turn:  # so that the first are on their way while the next are put together
                    await asyncio.sleep(0)
                if failures:  # what concerns them all is asked no more
                    return
                item = f"the slots of {counted(part)}"
                try:
                    answers = await self._gateway.batch([_list(each) for each in part], item)
                    require_access(answers, item)
                except ApiError as error:
                    failures.append(error)
                    return
            found.update({each: _slots_or_error(answer, each) for each, answer in zip(part, answers, strict=True)})

        await together(read(part) for part in parts(dict.fromkeys(resource_ids), BATCH_SIZE))
        if failures:
            raise failures[0]
        return found

    async def write(
        self, wanted: Mapping[int, Sequence[Range | Odd]], profiles: Mapping[int, Mapping[str, str]]
    ) -> dict[int, SlotsWritten | ApiError]:
        """Replaces each resource's whole list, after updating its profile if there is one."""
        writes = [Write(each, ranges, profiles.get(each) or None) for each, ranges in wanted.items()]
        outcome: dict[int, SlotsWritten | ApiError] = {}
        for batch in _packed(write for write in writes if write.fits_batch):
            outcome |= await self._write_together(batch)
        for write in writes:
            if not write.fits_batch:
                outcome[write.resource_id] = await self._write_alone(write)
        return {resource_id: outcome[resource_id] for resource_id in wanted}

    async def _write_together(self, writes: Sequence[Write]) -> dict[int, SlotsWritten | ApiError]:
        commands = [command for write in writes for command in write.commands]
        item = f"the slots of {counted(write.resource_id for write in writes)}"
        try:
            answers = iter(await self._gateway.batch(commands, item))
        except ApiError as error:
            return {write.resource_id: _about(error, write.resource_id) for write in writes}
        return {write.resource_id: write.outcome(list(islice(answers, write.size))) for write in writes}

    async def _write_alone(self, write: Write) -> SlotsWritten | ApiError:
        """Several requests take their time: what somebody sets between them is the latest edit."""
        listing = _list(write.resource_id)
        try:
            self._gateway.require_room(write.commands)  # an update deletes the ranges: it is not begun without the set
            called = [await self._gateway.call(command) for command in write.update[:1]]
            before = await self._gateway.call(listing)
            updated = [await self._updated(command) for command in write.update[1:]]
        except ApiError as error:
            return error
        if updated:
            before = write.latest(before, await self._answer(listing))
        done = await self._answer(_set(write.resource_id, write.ranges))
        after = done if isinstance(done, ApiError) else await self._answer(listing)
        return write.outcome([before, *called, *updated, done, after])

    async def _updated(self, command: Command) -> object | ApiError:
        """The answer to an update; raises the error by which it certainly was not executed."""
        answer = await self._answer(command)
        if isinstance(answer, ApiError) and not _may_have_emptied(answer):
            raise answer
        return answer

    async def _answer(self, command: Command) -> object | ApiError:
        try:
            return await self._gateway.call(command)
        except ApiError as error:
            return error


@dataclass(frozen=True, slots=True)
class Write:
    """What one resource is to become. `profile` holds the fields of `resource.update`, None for no update."""

    resource_id: int
    ranges: Sequence[Range | Odd]
    profile: Mapping[str, str] | None

    @property
    def commands(self) -> list[Command]:
        """List, set, list. The update goes before the set, since it deletes every range of the resource."""
        listing = _list(self.resource_id)
        return [listing, *self.update, _set(self.resource_id, self.ranges), listing]

    @property
    def update(self) -> list[Command]:
        """What the resource is called until then, and the update."""
        if self.profile is None:
            return []
        return [get_command(self.resource_id), update_command(self.resource_id, self.profile)]

    @property
    def size(self) -> int:
        return 3 if self.profile is None else 5

    @property
    def fits_batch(self) -> bool:
        """Whether a batch carries it as it is."""
        short = len(self.ranges) <= RANGES_PER_COMMAND
        plain = all(isinstance(item, Range) and _plain(item) for item in self.ranges)
        return short and plain and all(map(survives_batch, (self.profile or {}).values()))

    def outcome(self, answers: Sequence[object | ApiError]) -> SlotsWritten | ApiError:
        """What the answers to the commands amount to."""
        before, *profile, done, after = answers
        if isinstance(done, ApiError):
            if not profile or not _may_have_emptied(profile[-1]):
                return done
            return self._emptied(done, profile[-1])
        written = _written(self.resource_id, before, after, sound=done is True)
        if not profile or isinstance(written, ApiError):
            return written
        called, updated = resource_or_error(self.resource_id, profile[0]), profile[-1]
        return replace(
            written,
            profile=updated if isinstance(updated, ApiError) else None,
            called=None if isinstance(called, ApiError) else called,
        )

    def latest(self, before: object, since: object | ApiError) -> object | Ranges:
        """What counts as there before: the list since the update, if somebody has set it anew since.

        Who fills a form that the update has emptied wishes away nothing that is not in it. A list much shorter than the
        one before is taken for that.
        """
        edited = _slots_or_error(since, self.resource_id)
        known = _slots_or_error(before, self.resource_id)
        if isinstance(edited, ApiError) or isinstance(known, ApiError) or edited in ((), known):
            return before
        if 2 * len(edited) >= len(known):
            return since
        return (*known, *(Counter(edited) - Counter(known)).elements())

    def _emptied(self, error: ApiError, update: object | ApiError) -> ApiError:
        if isinstance(error, (OutcomeUnknown, NotFound)):
            return error
        if isinstance(update, ApiError) and is_final(update) and is_final(error):
            return update  # both were refused; whether the ranges are still there is told by reading
        what = f"its name was updated, which empties the hours, and they could not be set again: {error.what}"
        hint = error.hint or "The next run sets them again"
        item = named(self.resource_id)
        return OutcomeUnknown(what, side="bitrix24", item=item, hint=hint, status=error.status, code=error.code)


def _packed(writes: Iterable[Write]) -> Iterator[list[Write]]:
    """The writes in batches of whole resources."""
    batch: list[Write] = []
    for write in writes:
        if sum(each.size for each in batch) + write.size > BATCH_SIZE:
            yield batch
            batch = []
        batch.append(write)
    if batch:
        yield batch


def _list(resource_id: int) -> Command:
    return Command("booking.v1.resource.slots.list", {"resourceId": resource_id}, named(resource_id))


def _set(resource_id: int, ranges: Sequence[Range | Odd]) -> Command:
    """`unset` for no ranges: a batch cannot express an empty list, and both do the same."""
    item = named(resource_id)
    if not ranges:
        return Command("booking.v1.resource.slots.unset", {"resourceId": resource_id}, item, write=True)
    parameters = {"resourceId": resource_id, "slots": slot_fields(ranges)}
    return Command("booking.v1.resource.slots.set", parameters, item, write=True)


def _plain(item: Range) -> bool:
    """Whether a batch leaves it as it is. There an empty list is lost, and `$result[…]` is a reference."""
    names = item.timezone + "".join(item.week_days)
    return bool(item.week_days) and names.isascii() and "$" not in names


def _may_have_emptied(update: object | ApiError) -> bool:
    """Whether an update with this answer may have deleted the ranges: only some errors say that it was not executed."""
    return not isinstance(update, (NotSent, LimitReached, AccessRefused))


def _written(
    resource_id: int, before: object | ApiError, after: object | ApiError, *, sound: bool
) -> SlotsWritten | ApiError:
    try:
        return SlotsWritten(_slots(before, resource_id), _slots(after, resource_id), sound=sound)
    except ApiError as error:
        what = f"the slots were set, but could not be read around it: {error.what}"
        hint = "The next run reads the resource again"
        return OutcomeUnknown(what, side="bitrix24", item=named(resource_id), hint=hint, code=error.code)


def _slots_or_error(answer: object | ApiError, resource_id: int) -> Ranges | ApiError:
    try:
        return _slots(answer, resource_id)
    except ApiError as error:
        return error


def _slots(answer: object | ApiError | Ranges, resource_id: int) -> Ranges:
    if isinstance(answer, ApiError):
        raise answer
    if isinstance(answer, tuple):
        return answer
    return read_slots(answer, named(resource_id))


def _about(error: ApiError, resource_id: int) -> ApiError:
    twin = copy(error)
    twin.item = named(resource_id)
    return twin
