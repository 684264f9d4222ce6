from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from slotbridge.sandbox.portal_rows import Client
from slotbridge.sandbox.world import World

from .conftest import Bitrix24, FakeClock

WAITLIST = "booking.v1.waitlist"
ADA = {"id": 7, "type": {"module": "crm", "code": "CONTACT"}}
FIRM = {"id": 7, "type": {"module": "crm", "code": "COMPANY"}}


@pytest.fixture
def item(world: World) -> int:
    return world.portal.add_wait_item("before noon")


async def listed(bitrix24: Bitrix24, **params: Any) -> list[int]:
    return [row["id"] for row in (await bitrix24.result(f"{WAITLIST}.list", params))["waitList"]]


async def test_add_get_update_delete(world: World, bitrix24: Bitrix24) -> None:
    assert await bitrix24.result(f"{WAITLIST}.add", {"fields": {"note": "soon"}}) == 1
    assert await bitrix24.result(f"{WAITLIST}.get", {"id": 1}) == {"waitList": {"id": 1, "note": "soon"}}
    assert await bitrix24.result(f"{WAITLIST}.update", {"id": 1, "fields": {"note": "later"}}) is True
    assert world.portal.waitlist[1].note == "later"
    assert await bitrix24.result(f"{WAITLIST}.delete", {"id": 1}) is True
    assert await listed(bitrix24) == []


async def test_a_note_may_be_missing_and_comes_back_as_null(world: World, bitrix24: Bitrix24) -> None:
    world.portal.behaviour = replace(world.portal.behaviour, added_id="object")
    assert await bitrix24.result(f"{WAITLIST}.add", {"fields": []}) == {"id": 1}
    assert await bitrix24.result(f"{WAITLIST}.get", {"id": 1}) == {"waitList": {"id": 1, "note": None}}


async def test_the_plan_may_lack_the_wait_list(world: World, bitrix24: Bitrix24) -> None:
    world.portal.behaviour = replace(world.portal.behaviour, waitlist_feature=False)
    assert await bitrix24.error(f"{WAITLIST}.add", {"fields": {}}) == (400, "0")
    assert world.portal.waitlist == {}


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("get", {"id": 9}, "1040"),
        ("update", {"id": 9, "fields": {}}, "1040"),
        ("delete", {"id": 9}, "1036"),
        ("client.list", {"waitListId": 9}, "1040"),
        ("client.set", {"waitListId": 9, "clients": []}, "1040"),
        ("client.unset", {"waitListId": 9}, "1040"),
        ("client.set", {"waitListId": 9}, "100"),
        ("add", {}, "100"),
    ],
)
async def test_not_found_has_several_codes(bitrix24: Bitrix24, method: str, params: object, code: str) -> None:
    assert await bitrix24.error(f"{WAITLIST}.{method}", params) == (400, code)


async def test_list_by_day_of_creation_in_the_portals_format(
    world: World, bitrix24: Bitrix24, clock: FakeClock, item: int
) -> None:
    clock.elapsed += 86400
    tomorrow = world.portal.add_wait_item()
    assert await listed(bitrix24) == [item, tomorrow]
    within = {"from": "02.03.2026", "to": "03.03.2026"}
    assert await listed(bitrix24, filter={"createdWithin": within}) == [item]
    iso = {"createdWithin": {"from": "2026-03-02", "to": "2026-03-03"}}
    assert await bitrix24.error(f"{WAITLIST}.list", {"filter": iso}) == (400, "422")
    half = {"createdWithin": {"from": "02.03.2026"}}
    assert await bitrix24.error(f"{WAITLIST}.list", {"filter": half}) == (400, "0")


async def test_pages_of_the_wait_list(world: World, bitrix24: Bitrix24) -> None:
    for _ in range(51):
        world.portal.add_wait_item()
    _, body = await bitrix24.call(f"{WAITLIST}.list")
    assert (len(body["result"]["waitList"]), body["total"], "next" in body) == (50, 0, False)
    assert await listed(bitrix24, start=50) == [51]


async def test_clients_are_replaced_as_a_whole(world: World, bitrix24: Bitrix24, item: int) -> None:
    assert await bitrix24.result(f"{WAITLIST}.client.set", {"waitListId": item, "clients": [ADA, FIRM]}) is True
    shown = (await bitrix24.result(f"{WAITLIST}.client.list", {"waitListId": item}))["waitListClient"]
    assert shown == [ADA, FIRM]
    await bitrix24.result(f"{WAITLIST}.client.set", {"waitListId": item, "clients": [FIRM]})
    assert world.portal.waitlist[item].clients == (Client(7, "crm", "COMPANY"),)
    assert await bitrix24.result(f"{WAITLIST}.client.unset", {"waitListId": item}) is True
    assert world.portal.waitlist[item].clients == ()


@pytest.mark.parametrize(
    ("clients", "code", "text"),
    [
        ([{"id": 1}], "0", "Required fields: type"),
        ([{"type": ADA["type"]}], "0", "Required fields: id"),
        ([{"id": 1, "type": {"code": "CONTACT"}}], "0", "Required fields: module"),
        ([{"id": 1, "type": {"module": "crm", "code": "LEAD"}}], "1025", "Client type not found"),
        ([ADA, ADA], "1035", "Duplicate entry"),
    ],
)
async def test_a_bad_client_leaves_the_old_ones(
    world: World, bitrix24: Bitrix24, item: int, clients: object, code: str, text: str
) -> None:
    await bitrix24.result(f"{WAITLIST}.client.set", {"waitListId": item, "clients": [FIRM]})
    status, body = await bitrix24.call(f"{WAITLIST}.client.set", {"waitListId": item, "clients": clients})
    assert (status, body["error"]) == (400, code)
    assert text in body["error_description"]
    assert world.portal.waitlist[item].clients == (Client(7, "crm", "COMPANY"),)


async def test_a_fresh_portal_knows_no_client_types(world: World, bitrix24: Bitrix24, item: int) -> None:
    known = await bitrix24.result("booking.v1.clienttype.list")
    assert {"code": "CONTACT", "module": "crm"} in known["clientType"]
    world.portal.behaviour = replace(world.portal.behaviour, client_types=False)
    assert await bitrix24.result("booking.v1.clienttype.list") == {"clientType": []}
    error = await bitrix24.error(f"{WAITLIST}.client.set", {"waitListId": item, "clients": [ADA]})
    assert error == (400, "1025")


async def test_clients_in_a_batch(world: World, bitrix24: Bitrix24, item: int) -> None:
    command = f"waitListId={item}&clients[0][id]=7&clients[0][type][module]=crm&clients[0][type][code]=CONTACT"
    batch = await bitrix24.batch({"a": f"{WAITLIST}.client.set?{command}"})
    assert (batch["result"], world.portal.waitlist[item].clients) == ({"a": True}, (Client(7, "crm", "CONTACT"),))
