"""Names on both sides, as people see and edit them, and a process that dies at a request."""

from __future__ import annotations

import asyncio
from random import Random

import httpx

from slotbridge.sync.bridge import Bridge
from slotbridge.sync.report import RunReport
from tests.sync.decided import opened
from tests.sync.rig import Network, Rig


class Death(BaseException):
    """The process is killed: nothing may catch this."""


class Doomed(Network):
    """Dies at the boundary of that number: before and after each request."""

    def __init__(self, rig: Rig, doom: int) -> None:
        super().__init__(rig.world)
        self._left = doom

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._cross()
        answer = await super().handle_async_request(request)
        self._cross()
        return answer

    def _cross(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise Death


class BrokenOff(Network):
    """A portal that dies in the middle of a batch, when it has renamed a resource and deleted its ranges."""

    def __init__(self, rig: Rig, pair: str = "pair1") -> None:
        super().__init__(rig.world)
        self._resource = rig.ids[pair][0]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if b"resource.update" in await request.aread():
            self.world.portal.edit_resource(self._resource, name="half renamed")
            self.world.portal.put_slots(self._resource, [])
            raise Death
        return await super().handle_async_request(request)


def killed(rig: Rig, network: Network) -> bool:
    """A run that may not survive; whether it was killed."""
    try:
        run(rig, network)
    except Death:
        return True
    return False


def run(rig: Rig, network: Network, *, unattended: bool = False) -> RunReport:
    async def once() -> RunReport:
        with opened(rig) as store:
            bridge = Bridge.connect(
                rig.settings, store, clock=rig.clock, random=Random(1), network=network, unattended=unattended
            )
            try:
                return await bridge.sync(rig.pairs)
            finally:
                await bridge.aclose()

    return asyncio.run(once())


def resource(rig: Rig, name: str | None = None, description: str | None = None, *, pair: str = "pair1") -> None:
    """Somebody edits the resource in Bitrix24."""
    rig.world.portal.edit_resource(rig.ids[pair][0], name=name, description=description)


def service(rig: Rig, name: str | None = None, description: str | None = None, *, pair: str = "pair1") -> None:
    """Somebody edits the service in ReserveKit."""
    stored = rig.world.reservations.services[rig.ids[pair][1]]
    stored.name = stored.name if name is None else name
    stored.description = stored.description if description is None else description


def called(rig: Rig, pair: str = "pair1") -> tuple[tuple[str, str | None], tuple[str, str | None]]:
    """Name and description in Bitrix24, then in ReserveKit."""
    one, two = rig.world.portal.resources[rig.ids[pair][0]], rig.world.reservations.services[rig.ids[pair][1]]
    return (one.name, one.description), (two.name, two.description)


def in_step(rig: Rig, *, days: str = "Mon Tue Wed") -> Rig:
    """Hours and names agreed on."""
    for pair in rig.ids:
        rig.ranges((days, 540, 1080, 30), pair=pair)
        resource(rig, f"Doctor {pair}", "", pair=pair)
        service(rig, f"Doctor {pair}", "", pair=pair)
    rig.sync(initial="bitrix24")
    return rig
