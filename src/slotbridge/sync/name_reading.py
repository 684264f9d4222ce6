"""Reading names: one listing for all services, resources 50 to a request."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from slotbridge.bitrix24 import Bitrix24Client, Resource
from slotbridge.clock import Clock
from slotbridge.errors import ApiError, NotFound
from slotbridge.reconcile.model import Side
from slotbridge.reconcile.names import Names, Profile
from slotbridge.reservekit import ReserveKitClient, Service
from slotbridge.settings import PairSettings
from slotbridge.sync.work import Work


class NameReader:
    """What both sides call their pairs. A failed read keeps names from following, and nothing else."""

    def __init__(self, bitrix24: Bitrix24Client, reservekit: ReserveKitClient, clock: Clock) -> None:
        self._bitrix24 = bitrix24
        self._reservekit = reservekit
        self._clock = clock
        self._services: dict[int, Service] | ApiError = {}
        self._listed_at = 0.0

    async def list_services(self) -> Collection[Service]:
        """All services, kept for the names. Raises ApiError."""
        try:
            services = {service.id: service for service in await self._reservekit.list_services()}
        except ApiError as error:
            self._services = error
            raise
        self._services, self._listed_at = services, self._clock.monotonic()
        return services.values()

    async def read(self, works: Sequence[Work], *, anew: bool = False) -> None:
        """Both names of those pairs whose names follow; with `anew` the services are listed once more."""
        wanted = [(work.pair, work.names) for work in works if work.names is not None and work.known]
        if not wanted:
            return
        try:
            if anew:
                await self.list_services()
            if isinstance(self._services, ApiError):
                raise self._services
            found = await self._bitrix24.get_resources([pair.resource_id for pair, _ in wanted])
        except ApiError as error:
            for _, names in wanted:
                names.fail(error)
            return
        for pair, names in wanted:
            service, resource = self._services.get(pair.service_id), found[pair.resource_id]
            if service is None:
                names.fail(no_service(pair.service_id))
            elif isinstance(resource, ApiError):
                names.fail(resource)
            else:
                names.show(Names(profile_of(resource), profile_of(service)), self._listed_at, self._clock.now())

    async def called(self, side: Side, pairs: Sequence[PairSettings]) -> dict[str, Profile | ApiError]:
        """What one side calls these pairs right now, by their names, or why that is not known.

        It is read in the same way as it was for the plan: what only another way shows would be written run after run.
        """
        try:
            found = await self._resources(pairs) if side == "bitrix24" else await self._listed(pairs)
        except ApiError as error:
            return {pair.name: error for pair in pairs}
        return {name: item if isinstance(item, ApiError) else profile_of(item) for name, item in found.items()}

    async def _resources(self, pairs: Sequence[PairSettings]) -> dict[str, Resource | Service | ApiError]:
        found = await self._bitrix24.get_resources([pair.resource_id for pair in pairs])
        return {pair.name: found[pair.resource_id] for pair in pairs}

    async def _listed(self, pairs: Sequence[PairSettings]) -> dict[str, Resource | Service | ApiError]:
        found = {service.id: service for service in await self.list_services()}
        return {pair.name: found.get(pair.service_id) or no_service(pair.service_id) for pair in pairs}


def profile_of(item: Resource | Service) -> Profile:
    """What it is called."""
    return Profile.of(item.name, item.description)


def no_service(service_id: int) -> NotFound:
    """The error of a pair whose service is not listed."""
    hint = "Check service_id of the pair, and that the key belongs to the account that has this service"
    return NotFound("the service does not exist", side="reservekit", item=f"service {service_id}", hint=hint)
