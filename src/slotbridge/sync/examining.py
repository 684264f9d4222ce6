"""Asks both sides what `doctor` wants to know. Reads, and one deletion of what cannot exist: nothing is changed."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Literal, TypeVar

from slotbridge.bitrix24 import Bitrix24Client, Resource
from slotbridge.clock import Clock
from slotbridge.errors import AccessRefused, ApiError, LimitReached, NotSent, Side, SlotbridgeError, StoreError
from slotbridge.reservekit import ReserveKitClient, Service
from slotbridge.reservekit.probes import Probe
from slotbridge.settings import PairSettings, Settings
from slotbridge.store import inspection
from slotbridge.store.holder import holder_of
from slotbridge.store.location import database_file, is_made
from slotbridge.store.tokens import Tokens
from slotbridge.sync.connection import Connection
from slotbridge.sync.examination import DatabaseFacts, Finding, State, clocks, configuration, database
from slotbridge.sync.examination_bitrix24 import PortalFacts, needed_scopes, portal
from slotbridge.sync.examination_reservekit import ApiFacts, PageFacts, Slots, api, zone_or_error
from slotbridge.sync.examination_weeks import Week, first_day, unsupported
from slotbridge.sync.terms import terms_of
from slotbridge.together import both

T = TypeVar("T")

_DOWN = (AccessRefused, NotSent, LimitReached)
"""What a server answers to everything: after one of these it is not asked for the next service."""

EXAMPLES = 3
"""How many services are looked at before there are pairs."""


@dataclass(frozen=True, slots=True)
class Examination:
    """Everything that was found, room by room, the weeks to be compared, and what it cost in requests."""

    findings: tuple[Finding, ...]
    weeks: tuple[Week, ...]
    requests: Mapping[Side, int]

    def count(self, state: State) -> int:
        """How many findings are like that."""
        return sum(finding.state == state for finding in self.findings)


def examine_files(settings: Settings) -> Iterator[Finding]:
    """The configuration and the database, without asking anybody. Creates nothing, and takes no lock."""
    yield from configuration(settings)
    file = database_file(settings.store.url)
    if file is not None:
        holder = holder_of(settings.store.url)
        yield from database(DatabaseFacts(file, _looked_at(file), _folder(file.parent), holder))


async def examine(settings: Settings, connection: Connection, *, clock: Clock) -> Examination:
    """Both sides at once; neither waits for the other, nor fails with it."""
    transports = connection.transports
    ours, theirs = await both(
        _portal(settings, connection.bitrix24, clock), _api(settings.pairs, connection.reservekit, connection.probe)
    )
    weeks = tuple(_weeks(settings, ours, theirs, clock))
    found = chain(
        portal(ours, settings, connection.access.words),
        clocks("bitrix24", transports["bitrix24"].clock_ahead),
        api(theirs, settings),
        clocks("reservekit", transports["reservekit"].clock_ahead),
        first_day(weeks, settings.reservekit.day_zero),
        unsupported(weeks),
    )
    return Examination(tuple(found), weeks, connection.requests)


def _looked_at(file: Path) -> Sequence[inspection.Finding] | SlotbridgeError | None:
    try:
        # An empty file is a database that is yet to be made.
        return inspection.findings(file) if is_made(file) else None
    except StoreError as error:
        return error
    except OSError as error:
        hint = "Check the owner and the permissions of the folders that it is in"
        return StoreError(f"it cannot be reached ({error.strerror})", item=str(file), hint=hint)


def _folder(folder: Path) -> Literal["writable", "closed", "missing"]:
    if os.access(folder, os.W_OK | os.X_OK):
        return "writable"
    return "closed" if os.access(folder, os.F_OK) else "missing"


async def _answer(question: Awaitable[T]) -> T | SlotbridgeError:
    """The answer, or why there is none: what one question fails with keeps nobody from asking the next."""
    try:
        return await question
    except SlotbridgeError as error:
        return error


async def _portal(settings: Settings, client: Bitrix24Client, clock: Clock) -> PortalFacts:
    scopes = await _answer(client.scopes())
    if isinstance(scopes, SlotbridgeError) or (scopes is not None and "booking" not in scopes):
        return PortalFacts(scopes)
    ids = [pair.resource_id for pair in settings.pairs]
    waitlist = "crm" in needed_scopes(settings.pairs)
    return PortalFacts(
        scopes,
        resources=await _answer(_resources(client, ids)),
        ranges=await _answer(client.list_slots(ids)) if ids else None,
        types=await _answer(client.resource_types.list()) if settings.resource_types else None,
        client_types=await _answer(client.waitlist.client_types()) if waitlist else None,
        handlers=await _answer(client.events.get()) if settings.bitrix24.oauth else None,
        expires_at=await _answer(_expiry(settings, clock)),
    )


async def _resources(client: Bitrix24Client, ids: Sequence[int]) -> Mapping[int, Resource | ApiError]:
    """Those of the pairs; all there are, where no pairs are configured yet."""
    return await client.get_resources(ids) if ids else {each.id: each for each in await client.list_resources()}


async def _expiry(settings: Settings, clock: Clock) -> datetime | None:
    """When the token ends that the application has now; asking the portal may have renewed it."""
    if settings.bitrix24.oauth is None:
        return None
    pair = Tokens(settings.store.url, clock).load(settings.bitrix24.oauth.client_id.get_secret_value())
    return pair.expires_at if pair else None


async def _api(pairs: Sequence[PairSettings], client: ReserveKitClient, probe: Probe) -> ApiFacts:
    access = await _answer(probe.services())
    if isinstance(access, SlotbridgeError):
        return ApiFacts(access)
    services = await _answer(client.list_services())
    known = [] if isinstance(services, SlotbridgeError) else services
    slots = await (_slots(client, [pair.service_id for pair in pairs], known) if pairs else _examples(client, known))
    return ApiFacts(access, services, slots, await _pages(probe, slots), await _answer(_try_writing(client)))


async def _slots(
    client: ReserveKitClient, wanted: Sequence[int], known: Sequence[Service]
) -> dict[int, Slots | SlotbridgeError]:
    there = {service.id for service in known}
    found: dict[int, Slots | SlotbridgeError] = {}
    for service in (each for each in wanted if each in there):
        found[service] = answer = await _answer(client.list_time_slots(service))
        if isinstance(answer, _DOWN):
            break
    return found


async def _examples(client: ReserveKitClient, known: Sequence[Service]) -> dict[int, Slots | SlotbridgeError]:
    """Where there are no pairs yet: the first service with enough time slots to learn from, if a few have any."""
    found: dict[int, Slots | SlotbridgeError] = {}
    for service in known[:EXAMPLES]:
        found[service.id] = answer = await _answer(client.list_time_slots(service.id))
        if isinstance(answer, SlotbridgeError) or len(answer) > 1:
            break
    return found


async def _pages(probe: Probe, slots: Mapping[int, Slots | SlotbridgeError]) -> PageFacts | SlotbridgeError | None:
    """Asked of the service with the most time slots; with fewer than two there is nothing to be learnt."""
    lists = [(len(found), service) for service, found in slots.items() if not isinstance(found, SlotbridgeError)]
    listed, service = max(lists, default=(0, 0))
    return await _answer(_samples(probe, service, listed)) if listed > 1 else None


async def _samples(probe: Probe, service: int, listed: int) -> PageFacts:
    return PageFacts(listed, await probe.time_slots(service), await probe.time_slots(service, whole=True))


async def _try_writing(client: ReserveKitClient) -> Literal["taken"]:
    """Deletes time slot 0. ReserveKit's ids start above zero, so that nothing can be lost."""
    await client.delete_time_slot(0)
    return "taken"


def _weeks(settings: Settings, ours: PortalFacts, theirs: ApiFacts, clock: Clock) -> Iterator[Week]:
    """The week of every pair whose time slots were read, and whose zone is known."""
    services = theirs.services if not isinstance(theirs.services, SlotbridgeError) else None
    ranges = ours.ranges if not isinstance(ours.ranges, SlotbridgeError) else None
    for pair in settings.pairs:
        zone, slots = zone_or_error(pair, services or ()), theirs.slots.get(pair.service_id)
        if isinstance(zone, ApiError) or slots is None or isinstance(slots, SlotbridgeError):
            continue
        held = (ranges or {}).get(pair.resource_id)
        terms = terms_of(pair, settings.reservekit, zone, clock.now())
        yield Week(pair, terms, slots, None if isinstance(held, ApiError) else held)
