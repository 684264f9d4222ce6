from __future__ import annotations

from typing import Any

import httpx
import pytest

from slotbridge.lenses.items import Range
from slotbridge.sandbox.reservations_state import DashboardSlot
from slotbridge.sandbox.traffic import Fault
from slotbridge.sandbox.world import World

from .conftest import ZONE

SLOTS = "/_sandbox/reservekit/services/123/time-slots"
RANGE = {"from": 0, "to": 1440, "timezone": ZONE, "weekDays": ["Sat", "Sun"], "slotSize": 0}


async def test_the_front_page_shows_both_weeks_in_words(world: World, http: httpx.AsyncClient) -> None:
    world.portal.add_resource("Empty")
    world.portal.put_slots(15, [Range(0, 1440, ZONE, ("Sat", "Sun"), 0), Range(540, 600, ZONE, ("Mon",), 30)])
    slot_id = world.reservations.add_slot(123, 6, 540, 1440, 4)
    text = (await http.get("/_sandbox")).text
    for line in (
        "http://sandbox/rest/1/sandbox/",
        "Sat, Sun 00:00–24:00, one step (Europe/Berlin)",
        "Mon 09:00–10:00, every 30 min (Europe/Berlin)",
        "Empty (resource 16)\n    no hours",
        f"Sun 09:00–24:00, up to 4 (time slot {slot_id})",
    ):
        assert line in text


async def test_the_state(world: World, http: httpx.AsyncClient) -> None:
    slot_id = world.reservations.add_slot(123, 6, 540, 1440, 4)
    world.reservations.add_booking(slot_id, "2026-03-08")
    state = (await http.get("/_sandbox/state")).json()
    [resource] = state["bitrix24"]["resources"]
    assert (resource["id"], resource["slots"][0]["weekDays"]) == (15, ["Mon"])
    [service] = state["reservekit"]["services"]
    slot = {"id": slot_id, "day": 6, "start": 540, "end": 1440, "max_bookings": 4}
    assert (service["timezone"], service["time_slots"]) == (ZONE, [slot])
    booking = {"id": 1, "time_slot_id": slot_id, "date": "2026-03-08", "status": "confirmed"}
    assert state["reservekit"]["bookings"] == [booking]


async def test_a_person_saves_ranges(world: World, http: httpx.AsyncClient) -> None:
    path = "/_sandbox/bitrix24/resources/15/slots"
    answer = await http.put(path, json=[RANGE])
    assert answer.json()["slots"][0] == RANGE | {"id": world.portal.slot_ids(15)[0]}
    assert world.portal.slots(15) == (Range(0, 1440, ZONE, ("Sat", "Sun"), 0),)
    again = await http.put(path, json=answer.json()["slots"])
    assert again.status_code == 200


async def test_a_person_edits_time_slots(world: World, http: httpx.AsyncClient) -> None:
    made = await http.post(SLOTS, json={"day": 1, "start": 540, "end": 720, "max_bookings": 2})
    slot_id = made.json()["id"]
    assert (made.status_code, world.reservations.slots(123)) == (201, (DashboardSlot(slot_id, 1, 540, 720, 2),))
    await http.patch(f"{SLOTS}/{slot_id}", json={"end": 780})
    assert world.reservations.slots(123)[0].end == 780
    await http.delete(f"{SLOTS}/{slot_id}")
    assert world.reservations.slots(123) == ()


async def test_control_costs_no_quota_and_is_not_logged(world: World, http: httpx.AsyncClient) -> None:
    for _ in range(60):
        await http.get("/_sandbox/state")
    assert world.log == []
    await http.get("/v1/services")
    logged = {"api": "reservekit", "method": "GET", "path": "/v1/services", "write": False}
    assert (await http.get("/_sandbox/requests")).json() == [logged]


async def test_faults(world: World, http: httpx.AsyncClient) -> None:
    answer = await http.post("/_sandbox/faults", json={"match": "services", "kind": "bad-gateway"})
    assert (answer.status_code, world.faults) == (201, [Fault("services", "bad-gateway")])
    assert (await http.get("/v1/services")).status_code == 502
    await http.post("/_sandbox/faults", json={"kind": "html"})
    await http.delete("/_sandbox/faults")
    assert world.faults == []


async def test_behaviour(world: World, http: httpx.AsyncClient) -> None:
    body = {"bitrix24": {"limiter": False}, "reservekit": {"patch": "replace", "max_batch": 5}}
    answer = await http.patch("/_sandbox/behaviour", json=body)
    assert answer.json()["reservekit"]["patch"] == "replace"
    assert not world.portal.behaviour.limiter
    assert world.reservations.behaviour.max_batch == 5
    assert (await http.patch("/_sandbox/behaviour", json={})).status_code == 200


BAD: list[tuple[str, str, Any, int, str]] = [
    ("PATCH", "/_sandbox/behaviour", {"reservekit": {"path": 1}}, 400, "unknown: path"),
    ("PATCH", "/_sandbox/behaviour", {"reservekit": {"patch": "both"}}, 400, "patch"),
    ("PATCH", "/_sandbox/behaviour", {"other": {}}, 400, "unknown: other"),
    ("PATCH", "/_sandbox/behaviour", [], 400, "JSON object"),
    ("POST", "/_sandbox/faults", {"kind": "flood"}, 400, "kind"),
    ("POST", "/_sandbox/faults", {"match": "x"}, 400, "kind"),
    ("POST", "/_sandbox/faults", {"kinds": "x"}, 400, "unknown: kinds"),
    ("PUT", "/_sandbox/bitrix24/resources/15/slots", {}, 400, "list"),
    ("PUT", "/_sandbox/bitrix24/resources/15/slots", [{"from": 1}], 400, "0.to"),
    ("PUT", "/_sandbox/bitrix24/resources/99/slots", [], 404, "no such resource"),
    ("POST", SLOTS, {"day": 1}, 400, "wanted"),
    ("POST", SLOTS, {"day": 1, "start": "x", "end": 1}, 400, "start"),
    ("POST", SLOTS.replace("123", "9"), {"day": 1, "start": 0, "end": 1}, 404, "no such service"),
    ("PATCH", f"{SLOTS}/99", {}, 404, "no such time slot"),
    ("DELETE", f"{SLOTS}/99", None, 404, "no such time slot"),
]


@pytest.mark.parametrize(("method", "path", "body", "status", "text"), BAD)
async def test_mistakes_are_explained(
    http: httpx.AsyncClient, method: str, path: str, body: Any, status: int, text: str
) -> None:
    answer = await http.request(method, path, json=body)
    assert answer.status_code == status
    assert text in answer.text


async def test_a_body_that_is_no_json(http: httpx.AsyncClient) -> None:
    answer = await http.post("/_sandbox/faults", content=b"{")
    assert (answer.status_code, answer.text) == (400, "The body is not valid JSON")
