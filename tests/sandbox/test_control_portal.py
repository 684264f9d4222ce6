"""The control pages of both sides that came with events, contacts and the wait list."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx
import pytest

from slotbridge.sandbox.deliveries import Delivered
from slotbridge.sandbox.portal_rows import Client
from slotbridge.sandbox.world import World

from .conftest import Bitrix24, FakeClock

RESOURCES = "/_sandbox/bitrix24/resources"
BOOKINGS = "/_sandbox/reservekit/bookings"
BUCKET = "/_sandbox/bitrix24/bucket"
HOOK = "http://127.0.0.1:9/hook"


async def test_a_person_adds_renames_and_removes_a_resource(world: World, http: httpx.AsyncClient) -> None:
    made = await http.post(RESOURCES, json={"name": "Room"})
    assert (made.status_code, made.json()["id"], made.json()["slots"]) == (201, 16, [])
    await http.patch(f"{RESOURCES}/15", json={"name": "Dr. Berg"})
    changed = (await http.patch(f"{RESOURCES}/15", json={"description": "first floor"})).json()
    assert (changed["name"], changed["description"], len(changed["slots"])) == ("Dr. Berg", "first floor", 1)
    await http.delete(f"{RESOURCES}/16")
    assert list(world.portal.resources) == [15]


async def test_the_state_shows_wait_list_and_contacts(world: World, http: httpx.AsyncClient) -> None:
    item = world.portal.add_wait_item("soon")
    world.portal.waitlist[item].clients = (Client(1, "crm", "CONTACT"),)
    world.portal.add_contact("Ada", "Lind", phone="+49 30 1", email="a@b.example")
    state = (await http.get("/_sandbox/state")).json()["bitrix24"]
    client = {"id": 1, "module": "crm", "code": "CONTACT"}
    assert state["waitlist"] == [{"id": item, "note": "soon", "clients": [client]}]
    contact = {"id": 1, "name": "Ada", "last_name": "Lind", "phones": ["+49 30 1"], "emails": ["a@b.example"]}
    assert state["contacts"] == [contact]


async def test_a_test_may_start_with_a_full_bucket(
    clock: FakeClock, http: httpx.AsyncClient, bitrix24: Bitrix24
) -> None:
    assert (await http.put(BUCKET, json={"level": 50})).json() == {"level": 50, "size": 50, "rate": 2}
    assert await bitrix24.error("batch") == (503, "QUERY_LIMIT_EXCEEDED")
    clock.elapsed += 10
    assert (await http.get(BUCKET)).json()["level"] == 30
    assert "30 of 50 requests in the bucket" in (await http.get("/_sandbox")).text


async def test_the_bucket_of_an_enterprise_plan_is_larger(world: World, http: httpx.AsyncClient) -> None:
    world.portal.behaviour = replace(world.portal.behaviour, rate=5, burst=250)
    assert (await http.put(BUCKET, json={"level": 999})).json() == {"level": 250, "size": 250, "rate": 5}


async def test_an_outgoing_webhook_is_set_and_removed(world: World, http: httpx.AsyncClient) -> None:
    world.portal.behaviour = replace(world.portal.behaviour, event_delay=0)
    path = "/_sandbox/bitrix24/outgoing-webhook"
    made = await http.post(path, json={"url": HOOK, "token": "t0k"})
    assert (made.status_code, made.json()) == (201, {"url": HOOK, "token": "t0k"})
    await http.patch(f"{RESOURCES}/15", json={"name": "x"})
    [delivery] = world.deliver_events()
    assert (delivery.url, "t0k" in delivery.body) == (HOOK, True)
    await http.delete(path)
    await http.patch(f"{RESOURCES}/15", json={"name": "y"})
    assert world.deliver_events() == []


async def test_a_customer_books_moves_and_cancels(world: World, http: httpx.AsyncClient) -> None:
    slot = world.reservations.add_slot(123, 0, 540, 600)
    await http.post("/_sandbox/reservekit/webhook", json={"url": HOOK})
    given = {"time_slot_id": slot, "date": "2026-03-09", "name": "Ada", "email": "a@b.example"}
    made = await http.post(BOOKINGS, json=given)
    row = world.reservations.bookings[made.json()["id"]]
    assert (made.status_code, row.date, row.status) == (201, "2026-03-09", "confirmed")
    assert (row.customer["name"], row.customer["email"]) == ("Ada", "a@b.example")
    changes = {"status": "cancelled", "cancel_reason": "ill", "date": "2026-03-16"}
    assert (await http.patch(f"{BOOKINGS}/{row.id}", json=changes)).json()["status"] == "cancelled"
    assert (row.cancel_reason, row.date) == ("ill", "2026-03-16")
    assert len(world.deliver_events()) == 1
    await http.delete(f"{BOOKINGS}/{row.id}")
    await http.delete("/_sandbox/reservekit/webhook")
    assert (world.reservations.bookings, world.deliver_events()) == ({}, [])


async def test_attempts_to_deliver_are_listed(world: World, http: httpx.AsyncClient) -> None:
    world.delivered.append(Delivered(HOOK, "a=1", None))
    assert (await http.get("/_sandbox/deliveries")).json() == [{"url": HOOK, "body": "a=1", "status": None}]


async def test_new_switches_of_the_portal(world: World, http: httpx.AsyncClient) -> None:
    switches = {"operating_limit": 480, "batch_skips": [1], "token_seconds": 5, "old_tokens": "alive"}
    assert (await http.patch("/_sandbox/behaviour", json={"bitrix24": switches})).status_code == 200
    behaviour = world.portal.behaviour
    assert (behaviour.operating_limit, behaviour.batch_skips, behaviour.token_seconds) == (480, (1,), 5)


BAD: list[tuple[str, str, Any, int, str]] = [
    ("POST", RESOURCES, {}, 400, "name"),
    ("POST", RESOURCES, {"name": 7}, 400, "name"),
    ("PATCH", f"{RESOURCES}/15", {"nmae": "x"}, 400, "nmae"),
    ("PATCH", f"{RESOURCES}/99", {}, 404, "no such resource"),
    ("DELETE", f"{RESOURCES}/99", None, 404, "no such resource"),
    ("PUT", BUCKET, {"level": -1}, 400, "level"),
    ("POST", "/_sandbox/bitrix24/outgoing-webhook", {"url": "https://example.com/"}, 400, "this machine"),
    ("POST", "/_sandbox/reservekit/webhook", {"url": "http://192.0.2.1/"}, 400, "this machine"),
    ("POST", "/_sandbox/reservekit/webhook", {"url": HOOK, "form": "fax"}, 400, "form"),
    ("POST", BOOKINGS, {"time_slot_id": 9, "date": "2026-03-09"}, 404, "no such time slot"),
    ("POST", BOOKINGS, {"time_slot_id": 9, "date": "soon"}, 400, "date"),
    ("PATCH", f"{BOOKINGS}/9", {}, 404, "no such booking"),
    ("PATCH", f"{BOOKINGS}/9", {"status": "gone"}, 400, "status"),
    ("DELETE", f"{BOOKINGS}/9", None, 404, "no such booking"),
]


@pytest.mark.parametrize(("method", "path", "body", "status", "text"), BAD)
async def test_mistakes_are_explained(
    http: httpx.AsyncClient, method: str, path: str, body: Any, status: int, text: str
) -> None:
    answer = await http.request(method, path, json=body)
    assert (answer.status_code, text in answer.text) == (status, True), answer.text
