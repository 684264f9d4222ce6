"""Reading both sides: zones once an hour, ranges 50 resources to a request, time slots one service to a request."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta

from slotbridge.bitrix24 import Bitrix24Client
from slotbridge.clock import Clock
from slotbridge.errors import ApiError
from slotbridge.lenses.items import Odd, TimeSlot
from slotbridge.reservekit import ReserveKitClient
from slotbridge.settings import PairSettings
from slotbridge.store import Store
from slotbridge.sync.name_reading import NameReader, no_service
from slotbridge.sync.work import Circuits, Work
from slotbridge.together import together
from slotbridge.week import find_zone

ZONES_GOOD_FOR = timedelta(hours=1)
ZONES_GOOD_FOR_WRITING = timedelta(minutes=1)
FRESH = 5.0
"""Seconds for which a reading of ReserveKit is good enough to write on (W3)."""

SETTLES = 1.0
"""Seconds after which a reading that shows an older state than was written is asked for once more."""

AT_ONCE = 4
"""How many services are read side by side: enough to keep a small plan's rate busy."""


class Reader:
    """Fills works with what both sides store. A failed or partial read is that pair's failure, never an empty side."""

    def __init__(
        self,
        bitrix24: Bitrix24Client,
        reservekit: ReserveKitClient,
        store: Store | None,
        clock: Clock,
        circuits: Circuits,
    ) -> None:
        self._bitrix24 = bitrix24
        self._reservekit = reservekit
        self._store = store
        self._clock = clock
        self._circuits = circuits
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self.names = NameReader(bitrix24, reservekit, clock)
        self._listed = False

    async def zones(
        self, pairs: Sequence[PairSettings], *, remember: bool, names: bool = False
    ) -> dict[int, str | None]:
        """The zone that each service names, None where it names none. A service that does not exist is left out.

        A pair that cannot go on with what is known is reason to ask again: somebody may have set the zone since. With
        `names` the services are listed in any case: the same listing has what they are called.
        """
        fresh = self._known_zones(ZONES_GOOD_FOR)
        all_fresh = all(_is_zoned(pair, fresh) for pair in pairs)
        if all_fresh and not names:
            return fresh
        try:
            return await self._listed_zones(remember=remember)
        except ApiError:
            if all_fresh:
                return fresh  # the hours can do without the listing; the names cannot, and say so
            raise

    async def zones_for_writing(self, pairs: Sequence[PairSettings], *, remember: bool) -> dict[int, str | None] | None:
        """The same before hours are written, which a zone of an hour ago could put elsewhere.

        None if they were listed in this run or a minute ago, or cannot be listed now.
        """
        if self._listed or all(_is_zoned(pair, self._known_zones(ZONES_GOOD_FOR_WRITING)) for pair in pairs):
            return None
        try:
            return await self._listed_zones(remember=remember)
        except ApiError:
            return None

    def _known_zones(self, good_for: timedelta) -> dict[int, str | None]:
        now, known = self._clock.now(), self._store.zones() if self._store else {}
        return {service: zone for service, (zone, at) in known.items() if now - at < good_for}

    async def _listed_zones(self, *, remember: bool) -> dict[int, str | None]:
        self._listed, now = True, self._clock.now()
        found = {service.id: service.timezone for service in await self.names.list_services()}
        if remember and self._store:
            self._store.store_zones(found, now)
        return found

    async def read(self, works: Sequence[Work]) -> None:
        """Reads every work without error; Bitrix24 first, since one request of it serves them all."""
        await self.read_bitrix24(works)
        wanted = [work for work in works if work.error is None]
        # The first one goes alone: a key that is refused, or a server that is down, is asked once and not four times.
        for work in wanted[:1]:
            await self.read_reservekit(work)
        await together(self.read_reservekit(work) for work in wanted[1:])

    async def read_bitrix24(self, works: Sequence[Work]) -> None:
        """The ranges of all these pairs' resources."""
        wanted = [work for work in works if work.needs_bitrix24]
        if not wanted:
            return
        try:
            self._circuits.check("bitrix24")
            found = await self._bitrix24.list_slots([work.pair.resource_id for work in wanted])
            self._circuits.passed("bitrix24")
        except ApiError as error:
            self._circuits.failed("bitrix24", error, at_large=True)
            for work in wanted:
                work.fail(error)
            return
        for work in wanted:
            ranges = found[work.pair.resource_id]
            if isinstance(ranges, ApiError):
                work.fail(ranges)
            else:
                work.bitrix24, work.known = ranges, True

    async def read_reservekit(self, work: Work) -> None:
        """The time slots of one pair's service."""
        try:
            work.reservekit = await self.time_slots(work)
        except ApiError as error:
            work.fail(error)

    async def time_slots(self, work: Work) -> tuple[TimeSlot | Odd, ...]:
        """The same, returned; raises ApiError."""
        async with self._at_once:
            self._circuits.check("reservekit")
            try:
                found = await self._reservekit.list_time_slots(work.pair.service_id, thorough=_misses_slots(work))
            except ApiError as error:
                self._circuits.failed("reservekit", error)
                raise
            self._circuits.passed("reservekit")
            work.read_at = self._clock.monotonic()
            return found


def _misses_slots(work: Work) -> bool:
    """Whether the reading before this one had some, and not all, of the base's time slots: what it left out may go."""
    shown = {item.id for item in work.reservekit}
    return bool(shown) and any(link.slot_id and link.slot_id not in shown for link in work.memory.links)


def _is_zoned(pair: PairSettings, zones: Mapping[int, str | None]) -> bool:
    return pair.service_id in zones and find_zone(zones[pair.service_id] or pair.timezone or "") is not None


def zone_of(work: Work, zones: dict[int, str | None]) -> str:
    """The pair's zone: the service's, else the pair's own option (S7). Raises ApiError that says what is missing."""
    item = f"service {work.pair.service_id}"
    if work.pair.service_id not in zones:
        raise no_service(work.pair.service_id)
    zone = zones[work.pair.service_id] or work.pair.timezone
    if zone is None:
        hint = 'Set it in ReserveKit, or timezone = "…" for this pair in the configuration'
        raise ApiError("the service has no time zone", side="reservekit", item=item, hint=hint)
    if find_zone(zone) is None:
        hint = "Set it to a name of the IANA list, such as Europe/Berlin"
        raise ApiError(f"the time zone {zone[:50]!r} is unknown", side="reservekit", item=item, hint=hint)
    return zone
