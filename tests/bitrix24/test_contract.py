"""What the client relies on, against the sandbox, and against a real portal if its webhook is in the environment.

With SLOTBRIDGE_CONTRACT_BITRIX24_WEBHOOK set, a real portal is read, and a resource of its own is made there,
written, and deleted again. Nothing else is changed there.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random

import httpx
import pytest

from slotbridge.bitrix24 import Bitrix24Client, Resource, SlotsWritten
from slotbridge.bitrix24.access import WebhookAccess
from slotbridge.bitrix24.events import RESOURCE_EVENTS, EventHandler, Events
from slotbridge.bitrix24.gateway import Command, Gateway
from slotbridge.bitrix24.waitlist import ContactRef, WaitListItem
from slotbridge.clock import Clock, SystemClock
from slotbridge.errors import ApiError, NotFound, OutcomeUnknown
from slotbridge.http.limiter import Limiter
from slotbridge.http.transport import Transport
from slotbridge.lenses.items import Range
from slotbridge.sandbox.world import WEBHOOK_PATH, World
from tests.http.clock import FakeClock
from tests.sync.rig import Network

WEBHOOK = "SLOTBRIDGE_CONTRACT_BITRIX24_WEBHOOK"
SANDBOX = "http://127.0.0.1:1"
DOCUMENTED = {"added_id": "object", "error_code": "number", "time_start": "float", "empty_as_null": False}
NOBODY = 2**31 - 2

EARLY = Range(0, 480, "Europe/Berlin", ("Mon", "Tue"), 30)
LATE = Range(1200, 1440, "Europe/Berlin", ("Sun",), 0)
PHONE, EMAIL = "+49 30 0000 4711", "nobody-at-all@example.com"


@dataclass(frozen=True, slots=True)
class Party:
    """One portal, and the client for it. `world` is None for a real one."""

    client: Bitrix24Client
    gateway: Gateway
    transport: Transport
    world: World | None


def party(address: str, clock: Clock, network: httpx.AsyncBaseTransport | None, world: World | None) -> Party:
    transport = Transport("bitrix24", Limiter(2, 50, clock), clock, handler=network)
    client = Bitrix24Client(WebhookAccess(address), transport, clock=clock, random=Random(1))
    return Party(client, Gateway(WebhookAccess(address), transport, clock=clock, random=Random(1)), transport, world)


def sandbox(**switches: object) -> Party:
    clock = FakeClock()
    world = World(clock)
    world.portal.behaviour = replace(world.portal.behaviour, **switches)  # type: ignore[arg-type]
    return party(SANDBOX + WEBHOOK_PATH, clock, Network(world), world)


@pytest.fixture(params=["sandbox", "as documented", "real"])
async def any_portal(request: pytest.FixtureRequest) -> AsyncIterator[Party]:
    address = os.environ.get(WEBHOOK, "")
    if request.param == "real" and not address:
        pytest.skip(f"{WEBHOOK} is not set")
    switches = DOCUMENTED if request.param == "as documented" else {}
    found = party(address, SystemClock(), None, None) if request.param == "real" else sandbox(**switches)
    yield found
    await found.transport.aclose()


@pytest.fixture(params=["sandbox", "as documented"])
def own_portal(request: pytest.FixtureRequest) -> Party:
    return sandbox(**(DOCUMENTED if request.param == "as documented" else {}))


@pytest.fixture
async def resource(any_portal: Party) -> AsyncIterator[int]:
    """A resource of our own, deleted afterwards."""
    kinds = await any_portal.client.resource_types.list()
    fields = {"name": "slotbridge contract test", "typeId": kinds[0].id}
    item = "a resource of our own"
    add = Command("booking.v1.resource.add", {"fields": fields}, item, write=True)
    result = await any_portal.gateway.call(add)
    resource_id = result["id"] if isinstance(result, dict) else result
    assert isinstance(resource_id, int)
    yield resource_id
    await any_portal.gateway.call(Command("booking.v1.resource.delete", {"id": resource_id}, item, write=True))


async def granted(any_portal: Party, scope: str) -> None:
    if scope not in (await any_portal.client.scopes() or ()):
        pytest.skip(f"the webhook lacks the permission {scope}")


async def test_a_webhook_knows_its_permissions(any_portal: Party) -> None:
    assert "booking" in (await any_portal.client.scopes() or ())


async def test_a_resource_is_read_alone_together_and_in_the_list(any_portal: Party, resource: int) -> None:
    client = any_portal.client
    found = await client.get_resource(resource)
    assert found.name == "slotbridge contract test"
    assert await client.get_resources([resource]) == {resource: found}
    assert found in await client.list_resources()


async def test_an_unknown_resource_is_not_found(any_portal: Party) -> None:
    with pytest.raises(NotFound):
        await any_portal.client.get_resource(NOBODY)
    assert isinstance((await any_portal.client.get_resources([NOBODY]))[NOBODY], NotFound)
    assert isinstance((await any_portal.client.list_slots([NOBODY]))[NOBODY], NotFound)
    assert isinstance((await any_portal.client.set_slots({NOBODY: [EARLY]}))[NOBODY], NotFound)


async def test_hours_are_set_read_and_unset(any_portal: Party, resource: int) -> None:
    client = any_portal.client
    assert await client.list_slots([resource]) == {resource: ()}
    assert await client.set_slots({resource: [EARLY, LATE]}) == {resource: SlotsWritten((), (EARLY, LATE))}
    assert await client.list_slots([resource]) == {resource: (EARLY, LATE)}
    assert await client.set_slots({resource: []}) == {resource: SlotsWritten((EARLY, LATE), ())}


@pytest.mark.parametrize("name", ["Zürich & Söhne + #1", "$result[c0][slots] 😀"], ids=["batch", "alone"])
async def test_hours_are_there_after_an_update_of_the_name(any_portal: Party, resource: int, name: str) -> None:
    client = any_portal.client
    await client.set_slots({resource: [EARLY, LATE]})
    before = await client.get_resource(resource)
    written = await client.set_slots({resource: [EARLY]}, {resource: {"name": name, "description": "5 %"}})
    assert written == {resource: SlotsWritten((EARLY, LATE), (EARLY,), None, before)}
    found = await client.get_resource(resource)
    assert (found.name, found.description) == (name, "5 %")


async def test_resource_types_are_listed_and_read(any_portal: Party) -> None:
    kinds = await any_portal.client.resource_types.list()
    assert kinds
    assert await any_portal.client.resource_types.get(kinds[0].id) == kinds[0]
    with pytest.raises(NotFound):
        await any_portal.client.resource_types.get(NOBODY)


async def test_bookings_are_listed(any_portal: Party) -> None:
    now = datetime.now(UTC)
    assert await any_portal.client.bookings.list((now, now + timedelta(days=30)), [NOBODY]) == ()
    with pytest.raises(NotFound):
        await any_portal.client.bookings.get(NOBODY)


async def test_the_wait_list_is_listed(any_portal: Party) -> None:
    entries = await any_portal.client.waitlist.list()
    assert [each.id for each in entries] == sorted({each.id for each in entries})
    for entry in entries[:1]:
        assert await any_portal.client.waitlist.get(entry.id) == entry
    with pytest.raises(NotFound):
        await any_portal.client.waitlist.get(NOBODY)


async def test_client_types_are_listed(any_portal: Party) -> None:
    kinds = await any_portal.client.waitlist.client_types()
    assert all(kind.module for kind in kinds)


async def test_nobody_has_an_invented_address(any_portal: Party) -> None:
    await granted(any_portal, "crm")
    assert await any_portal.client.contacts.find(phone="+99 999 999 999 999", email=EMAIL) == ()
    assert await any_portal.client.contacts.find(email="$time@example.com") == ()
    with pytest.raises(ApiError):
        await any_portal.client.contacts.get(NOBODY)


async def test_a_webhook_cannot_ask_for_events(any_portal: Party) -> None:
    with pytest.raises(ApiError):
        await any_portal.client.events.get()


async def test_a_thousand_resources_by_two_requests(own_portal: Party) -> None:
    assert own_portal.world
    for number in range(1000):
        own_portal.world.portal.add_resource(f"R{number}")
    assert len(await own_portal.client.list_resources()) == 1000
    assert own_portal.client.requests == 2


async def test_the_way_of_an_entry_on_the_wait_list(own_portal: Party) -> None:
    waitlist, contacts = own_portal.client.waitlist, own_portal.client.contacts
    contact = await contacts.add("Ann", phone=PHONE, email=EMAIL)
    assert await contacts.find(phone="+4930-00004711", email=EMAIL.upper()) == (contact,)
    found = await contacts.get(contact)
    assert (found.name, found.phones, found.emails) == ("Ann", (PHONE,), (EMAIL,))
    entry = await waitlist.add("Ann, mornings")
    assert await waitlist.get(entry) == WaitListItem(entry, "Ann, mornings")
    assert await waitlist.list() == (WaitListItem(entry, "Ann, mornings"),)
    await waitlist.set_clients(entry, [ContactRef(contact), ContactRef(contact)])
    assert await waitlist.clients(entry) == (ContactRef(contact),)
    await waitlist.unset_clients(entry)
    assert await waitlist.clients(entry) == ()
    await waitlist.delete(entry)
    assert await waitlist.list() == ()


async def test_entries_are_chosen_by_day(own_portal: Party) -> None:
    assert own_portal.world
    entry = await own_portal.client.waitlist.add("")
    today = own_portal.world.clock.now().date()
    day = timedelta(days=1)
    assert await own_portal.client.waitlist.list((today, today + day)) == (WaitListItem(entry, ""),)
    assert await own_portal.client.waitlist.list((today - day, today)) == ()


async def test_a_resource_type_takes_settings_with_a_new_code_only(own_portal: Party) -> None:
    types = own_portal.client.resource_types
    (before,) = await types.list()
    await types.update(before.id, "new", {"isReminderNotificationOn": False, "reminderNotificationDelay": 300})
    after = await types.get(before.id)
    assert (after.code, after.name) == ("new", before.name)
    changed = {"isReminderNotificationOn": False, "reminderNotificationDelay": 300}
    assert dict(after.notifications) == {**before.notifications, **changed}
    with pytest.raises(ApiError) as caught:
        await types.update(before.id, "NEW", {"name": "B"})
    assert not isinstance(caught.value, OutcomeUnknown)
    assert await types.get(before.id) == after


async def test_a_plain_update_of_a_resource_empties_its_hours(own_portal: Party) -> None:
    assert own_portal.world
    resource = own_portal.world.portal.add_resource("A")
    own_portal.world.portal.put_slots(resource, [EARLY])
    await own_portal.client.resources.update(resource, {"name": "B"})
    assert await own_portal.client.get_resource(resource) == Resource(resource, "B", 1)
    assert await own_portal.client.list_slots([resource]) == {resource: ()}


class Application(WebhookAccess):
    """The way in of an application whose token is good."""

    def __init__(self, world: World) -> None:
        super().__init__(f"{SANDBOX}/rest/")
        self.token = world.portal.application.issue(3600).access
        self.secrets = (self.token,)

    async def parameters(self) -> Mapping[str, str]:
        return {"auth": self.token}


async def test_an_application_binds_a_handler_and_unbinds_it(own_portal: Party) -> None:
    world = own_portal.world
    assert world
    transport = Transport("bitrix24", Limiter(2, 50, world.clock), world.clock, handler=Network(world))
    events = Events(Gateway(Application(world), transport, clock=world.clock, random=Random(1)))
    handler = "https://bridge.example.com/hooks/bitrix24"
    for event in RESOURCE_EVENTS:
        await events.bind(event, handler)
    assert await events.get() == tuple(EventHandler(event, handler, False) for event in RESOURCE_EVENTS)
    with pytest.raises(ApiError):
        await events.bind(RESOURCE_EVENTS[0], handler)
    assert [await events.unbind(event, handler) for event in RESOURCE_EVENTS] == [1, 1, 1]
    assert await events.unbind(RESOURCE_EVENTS[0], handler) == 0
    assert await events.get() == ()
