"""Handlers, and the events that go to them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

import pytest

from slotbridge.sandbox.deliveries import FORM
from slotbridge.sandbox.portal_events import APPLICATION_TOKEN, MEMBER_ID
from slotbridge.sandbox.world import World

from .conftest import MONDAY, Application, Bitrix24, FakeClock

HANDLER = "http://127.0.0.1:9/hooks/bitrix24"
UPDATE = "ONBOOKINGRESOURCEUPDATE"
RESOURCE = "booking.v1.resource"


@pytest.fixture
async def bound(world: World, application: Application) -> World:
    world.portal.behaviour = replace(world.portal.behaviour, event_delay=0)
    for event in ("onBookingResourceAdd", "onBookingResourceUpdate", "onBookingResourceDelete"):
        assert await application.result("event.bind", {"event": event, "handler": HANDLER}) is True
    return world


def forms(world: World) -> list[dict[str, str]]:
    return [dict(parse_qsl(delivery.body)) for delivery in world.deliver_events()]


def told(world: World) -> list[tuple[str, str]]:
    return [(form["event"], form["data[ID]"]) for form in forms(world)]


async def test_a_handler_is_bound_listed_and_unbound(application: Application) -> None:
    await application.result("event.bind", {"EVENT": UPDATE.lower(), "HANDLER": HANDLER})
    await application.result("event.bind", {"event": UPDATE, "handler": f"{HANDLER}/2"})
    shown = {"event": UPDATE, "handler": HANDLER, "auth_type": "0", "offline": 0}
    assert (await application.result("event.get"))[0] == shown
    params = {"event": UPDATE, "handler": HANDLER}
    assert await application.result("event.unbind", params) == {"count": 1}
    assert await application.result("event.unbind", params) == {"count": 0}
    assert await application.result("event.unbind", {"event": UPDATE}) == {"count": 1}
    assert await application.result("event.get") == []


@pytest.mark.parametrize("method", ["event.bind", "event.unbind", "event.get"])
async def test_a_webhook_may_not(bitrix24: Bitrix24, method: str) -> None:
    assert await bitrix24.error(method, {"event": UPDATE, "handler": HANDLER}) == (403, "WRONG_AUTH_TYPE")


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"event": ""}, 400, "ERROR_ARGUMENT"),
        ({"handler": None}, 400, "ERROR_ARGUMENT"),
        ({"event": "ONLUNCH"}, 400, "ERROR_EVENT_NOT_FOUND"),
        ({"handler": "ftp://127.0.0.1/x"}, 400, "ERROR_UNSUPPORTED_PROTOCOL"),
        ({"handler": "http://localhost/x"}, 400, "ERROR_WRONG_HANDLER_URL"),
        ({"handler": "http://[bad"}, 400, "ERROR_WRONG_HANDLER_URL"),
        ({"event_type": "offline"}, 403, "ACCESS_DENIED"),
    ],
)
async def test_handlers_that_cannot_be_bound(
    application: Application, changes: dict[str, Any], status: int, code: str
) -> None:
    error = await application.error("event.bind", {"event": UPDATE, "handler": HANDLER} | changes)
    assert (error, await application.result("event.get")) == ((status, code), [])


async def test_a_missing_argument_is_named(application: Application) -> None:
    _, body = await application.call("event.bind", {"event": UPDATE})
    assert body["argument"] == "HANDLER"


async def test_the_same_handler_twice_is_an_error(application: Application) -> None:
    params = {"event": UPDATE, "handler": HANDLER}
    await application.result("event.bind", params)
    status, body = await application.call("event.bind", params)
    assert (status, body["error"]) == (400, "ERROR_CORE")
    assert body["error_description"].startswith("Unable to set event handler: ")


@pytest.mark.parametrize("switch", ["booking_events", "booking_scope"])
async def test_a_portal_older_than_the_events_or_without_the_scope(
    world: World, application: Application, switch: str
) -> None:
    world.portal.behaviour = replace(world.portal.behaviour, **dict[str, Any]({switch: False}))
    error = await application.error("event.bind", {"event": UPDATE, "handler": HANDLER})
    assert error == (400, "ERROR_EVENT_NOT_FOUND")


async def test_the_form_names_the_resource_and_proves_its_origin(bound: World) -> None:
    bound.portal.put_slots(15, [MONDAY])
    [delivery] = bound.deliver_events()
    assert (delivery.url, delivery.content_type) == (HANDLER, FORM)
    form = dict(parse_qsl(delivery.body))
    now = str(int(bound.clock.now().timestamp()))
    assert (form["event"], form["event_handler_id"], form["data[ID]"], form["ts"]) == (UPDATE, "2", "15", now)
    assert (form["auth[application_token]"], form["auth[member_id]"]) == (APPLICATION_TOKEN, MEMBER_ID)
    assert (form["auth[domain]"], form["auth[client_endpoint]"]) == ("sandbox", "https://sandbox/rest/")
    assert "auth[access_token]" not in form


async def test_calls_raise_events_even_when_nothing_changes(bound: World, bitrix24: Bitrix24) -> None:
    slots = await bitrix24.slots()
    await bitrix24.result(f"{RESOURCE}.slots.set", {"resourceId": 15, "slots": slots})
    await bitrix24.result(f"{RESOURCE}.slots.unset", {"resourceId": 15})
    await bitrix24.result(f"{RESOURCE}.update", {"id": 15, "fields": {}})
    new = await bitrix24.result(f"{RESOURCE}.add", {"fields": {"name": "x", "typeId": 1}})
    await bitrix24.result(f"{RESOURCE}.delete", {"id": new})
    added, deleted = UPDATE.replace("UPDATE", "ADD"), UPDATE.replace("UPDATE", "DELETE")
    assert told(bound) == [*[(UPDATE, "15")] * 3, (added, str(new)), (deleted, str(new))]
    assert told(bound) == []


async def test_refused_calls_and_reads_raise_none(bound: World, bitrix24: Bitrix24) -> None:
    await bitrix24.slots()
    await bitrix24.error(f"{RESOURCE}.slots.set", {"resourceId": 15, "slots": [{}]})
    await bitrix24.error(f"{RESOURCE}.update", {"id": 99, "fields": {}})
    assert told(bound) == []


async def test_edits_by_a_person_raise_events_and_a_new_name_leaves_the_slots(bound: World) -> None:
    bound.portal.edit_resource(15, name="Dr. Berg")
    bound.portal.edit_resource(15, description="first floor")
    assert (told(bound), len(bound.portal.slots(15))) == ([(UPDATE, "15")] * 2, 1)
    assert (bound.portal.resources[15].name, bound.portal.resources[15].description) == ("Dr. Berg", "first floor")


async def test_events_come_later_and_each_once(bound: World, clock: FakeClock) -> None:
    bound.portal.behaviour = replace(bound.portal.behaviour, event_delay=30)
    bound.portal.put_slots(15, [])
    clock.elapsed += 29
    assert told(bound) == []
    clock.elapsed += 1
    assert (told(bound), told(bound)) == ([(UPDATE, "15")], [])


@pytest.mark.parametrize("copies", [0, 1, 3])
async def test_events_may_be_lost_or_doubled(bound: World, copies: int) -> None:
    bound.portal.behaviour = replace(bound.portal.behaviour, event_copies=copies)
    bound.portal.put_slots(15, [])
    assert told(bound) == [(UPDATE, "15")] * copies


async def test_what_nobody_listens_to_is_not_kept(world: World, application: Application) -> None:
    world.portal.behaviour = replace(world.portal.behaviour, event_delay=0)
    world.portal.put_slots(15, [])
    await application.result("event.bind", {"event": UPDATE, "handler": HANDLER})
    assert told(world) == []


async def test_an_outgoing_webhook_hears_everything_with_a_token_of_its_own(world: World) -> None:
    world.portal.behaviour = replace(world.portal.behaviour, event_delay=0)
    events = world.portal.events
    events.outgoing = events.listen(HANDLER, "own-token")
    world.portal.put_slots(15, [])
    world.portal.add_wait_item()
    world.portal.add_type("x", "x")
    world.portal.add_booking([15], 1, 2, "UTC")
    sent = forms(world)
    assert [form["event"].removeprefix("ONBOOKING") for form in sent] == [
        "RESOURCEUPDATE",
        "WAITLISTITEMADD",
        "RESOURCETYPEADD",
        "ADD",
    ]
    assert {form["auth[application_token]"] for form in sent} == {"own-token"}


async def test_types_and_wait_list_raise_events_too(world: World, bitrix24: Bitrix24) -> None:
    world.portal.behaviour = replace(world.portal.behaviour, event_delay=0)
    kind, item = world.portal.add_type("x", "x"), world.portal.add_wait_item()
    world.portal.events.outgoing = world.portal.events.listen(HANDLER, "t")
    await bitrix24.result("booking.v1.resourceType.update", {"id": kind, "fields": {"code": "y"}})
    await bitrix24.result("booking.v1.resourceType.delete", {"id": kind})
    await bitrix24.result("booking.v1.waitlist.client.unset", {"waitListId": item})
    await bitrix24.result("booking.v1.waitlist.delete", {"id": item})
    assert [name.removeprefix("ONBOOKING") for name, _ in told(world)] == [
        "RESOURCETYPEUPDATE",
        "RESOURCETYPEDELETE",
        "WAITLISTITEMUPDATE",
        "WAITLISTITEMDELETE",
    ]
