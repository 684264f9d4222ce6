"""`booking.v1.resource.*`: what a resource is called. Its hours are in `slots`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from slotbridge.bitrix24.batching import counted, named, parts, require_access
from slotbridge.bitrix24.gateway import BATCH_SIZE, Command, Gateway
from slotbridge.bitrix24.models import Resource, read_resource, read_resources
from slotbridge.bitrix24.pages import list_all
from slotbridge.bitrix24.wire import same
from slotbridge.errors import ApiError


class Resources:
    """The resources of one portal."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def get(self, resource_id: int) -> Resource:
        """One resource. Raises NotFound if there is none with this id."""
        return _asked_for(resource_id, await self._gateway.call(get_command(resource_id)))

    async def get_many(self, resource_ids: Sequence[int]) -> dict[int, Resource | ApiError]:
        """Each resource, or the error that concerns it alone; fifty by one request.

        Raises ApiError for what concerns them all: no connection, no access, an answer that is none.
        """
        found: dict[int, Resource | ApiError] = {}
        for part in parts(dict.fromkeys(resource_ids), BATCH_SIZE):
            answers = await self._gateway.batch([get_command(each) for each in part], counted(part))
            require_access(answers, counted(part))
            for resource_id, answer in zip(part, answers, strict=True):
                found[resource_id] = resource_or_error(resource_id, answer)
        return found

    async def list_all(self) -> list[Resource]:
        """All resources by ascending id. Raises BadAnswer if a page cannot be read."""
        order = {"order": {"id": "asc"}}
        return await list_all(self._gateway, "booking.v1.resource.list", read_resources, "the list of resources", order)

    async def update(self, resource_id: int, fields: Mapping[str, str]) -> None:
        """Changes the fields given, and empties the resource's hours on the way: they have to be set again."""
        await self._gateway.call(update_command(resource_id, fields))


def update_command(resource_id: int, fields: Mapping[str, str]) -> Command:
    """The command for `resource.update`, which deletes every range of the resource, whatever the fields."""
    parameters = {"id": resource_id, "fields": dict(fields)}
    return Command("booking.v1.resource.update", parameters, named(resource_id), write=True)


def get_command(resource_id: int) -> Command:
    """The command for `resource.get`."""
    return Command("booking.v1.resource.get", {"id": resource_id}, named(resource_id))


def _asked_for(resource_id: int, answer: object) -> Resource:
    resource = read_resource(answer, named(resource_id))
    same(resource_id, resource.id, "resource", named(resource_id))
    return resource


def resource_or_error(resource_id: int, answer: object | ApiError) -> Resource | ApiError:
    """What the answer to `get_command` says, or the error that it is or stands for."""
    try:
        return answer if isinstance(answer, ApiError) else _asked_for(resource_id, answer)
    except ApiError as error:
        return error
