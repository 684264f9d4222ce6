from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from slotbridge.sandbox.world import World

from .conftest import ZONE, Bitrix24

RESOURCE = "booking.v1.resource"


async def listed(bitrix24: Bitrix24, **params: Any) -> list[int]:
    status, body = await bitrix24.call(f"{RESOURCE}.list", params)
    assert (status, body["total"], "next" in body) == (200, 0, False)
    return [row["id"] for row in body["result"]["resource"]]


async def test_get_shows_everything_but_the_slots(bitrix24: Bitrix24) -> None:
    resource = (await bitrix24.result(f"{RESOURCE}.get", {"id": "15"}))["resource"]
    assert (resource["name"], resource["typeId"], resource["isMain"]) == ("Dr. Weber", 1, "Y")
    assert (resource["description"], resource["infoNotificationDelay"]) == (None, None)
    assert list(resource) == sorted(resource)
    assert len(resource) == 24
    assert "slots" not in resource


async def test_get_of_an_unknown_resource_is_1009(bitrix24: Bitrix24) -> None:
    assert await bitrix24.error(f"{RESOURCE}.get", {"id": 99}) == (400, "1009")
    assert await bitrix24.error(f"{RESOURCE}.get", {}) == (400, "100")


@pytest.mark.parametrize(
    ("start", "first", "count"),
    [(0, 1, 50), (50, 51, 50), (75, 51, 50), (100, 101, 20), (150, 0, 0), (-1, 1, 50), ("x", 1, 50)],
)
async def test_pages_have_50_rows_and_start_is_rounded_down(
    world: World, bitrix24: Bitrix24, start: object, first: int, count: int
) -> None:
    world.portal.resources.clear()
    for _ in range(120):
        world.portal.add_resource("x")
    assert await listed(bitrix24, start=start, order={"id": "asc"}) == list(range(first, first + count))


async def test_filter_and_order(world: World, bitrix24: Bitrix24) -> None:
    world.portal.add_resource("anna", resource_id=16)
    world.portal.add_resource("Anna", resource_id=17)
    world.portal.resources[17].is_main = False
    assert await listed(bitrix24, filter={"name": "ANNA"}) == [16, 17]
    assert await listed(bitrix24, filter={"searchQuery": "web"}) == [15]
    assert await listed(bitrix24, filter={"searchQuery": "a__a"}) == [16, 17]
    assert await listed(bitrix24, filter={"isMain": "N"}) == [17]
    assert await listed(bitrix24, filter={"typeId": [1, 2]}) == [15, 16, 17]
    assert await listed(bitrix24, filter={"typeId": 2}) == []
    assert await listed(bitrix24, filter={"description": "x"}) == []
    assert await listed(bitrix24, order={"id": "DESC"}) == [17, 16, 15]
    assert await listed(bitrix24, order={"name": "desc", "id": "asc"}) == [15, 16, 17]


async def test_unknown_filters_and_upper_case_are_ignored(world: World, bitrix24: Bitrix24) -> None:
    world.portal.add_resource("second", resource_id=16)
    assert await listed(bitrix24, filter={">id": 15, "id": 16}) == [15, 16]
    assert await listed(bitrix24, FILTER={"name": "second"}, ORDER={"id": "desc"}) == [15, 16]


async def test_a_bad_direction_and_a_bad_filter_are_100(bitrix24: Bitrix24) -> None:
    status, body = await bitrix24.call(f"{RESOURCE}.list", {"order": {"id": "UP"}})
    assert (status, body["error"], body["error_description"]) == (400, "100", 'Invalid order "UP"')
    assert await bitrix24.error(f"{RESOURCE}.list", {"filter": "x"}) == (400, "100")


async def test_add_returns_a_number_or_an_object(world: World, bitrix24: Bitrix24) -> None:
    fields = {"name": "Room 2", "typeId": 1, "isMain": True, "description": "x", "isReminderNotificationOn": "N"}
    assert await bitrix24.result(f"{RESOURCE}.add", {"fields": fields}) == 16
    world.portal.behaviour = replace(world.portal.behaviour, added_id="object")
    assert await bitrix24.result(f"{RESOURCE}.add", {"fields": fields}) == {"id": 17}
    added = world.portal.resources[16]
    assert (added.name, added.is_main, added.settings["isReminderNotificationOn"]) == ("Room 2", True, "N")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, "0"),
        ({"name": "x"}, "1006"),
        ({"name": "x", "typeId": 9}, "1013"),
        ({"name": "", "typeId": 1}, "1006"),
        ({"name": "x" * 256, "typeId": 1}, "1006"),
    ],
)
async def test_add_refuses(world: World, bitrix24: Bitrix24, fields: object, code: str) -> None:
    assert await bitrix24.error(f"{RESOURCE}.add", {"fields": fields}) == (400, code)
    assert list(world.portal.resources) == [15]


async def test_update_wipes_the_slots_even_without_fields(world: World, bitrix24: Bitrix24) -> None:
    assert await bitrix24.result(f"{RESOURCE}.update", {"id": 15, "fields": []}) is True
    assert world.portal.slots(15) == ()


async def test_update_can_be_told_to_keep_the_slots(world: World, bitrix24: Bitrix24) -> None:
    world.portal.behaviour = replace(world.portal.behaviour, update_wipes_slots=False)
    await bitrix24.result(f"{RESOURCE}.update", {"id": 15, "fields": {"name": "New", "isMain": "N"}})
    assert (world.portal.resources[15].name, len(world.portal.slots(15))) == ("New", 1)
    assert not world.portal.resources[15].is_main


async def test_update_looks_at_the_fields_before_the_resource(bitrix24: Bitrix24) -> None:
    assert await bitrix24.error(f"{RESOURCE}.update", {"id": 99, "fields": {"typeId": 9}}) == (400, "1013")
    assert await bitrix24.error(f"{RESOURCE}.update", {"id": 99, "fields": {}}) == (400, "1007")


async def test_delete_takes_the_resource_out_of_every_list(bitrix24: Bitrix24) -> None:
    assert await bitrix24.result(f"{RESOURCE}.delete", {"id": 15}) is True
    assert await listed(bitrix24) == []
    assert await bitrix24.error(f"{RESOURCE}.delete", {"id": 15}) == (400, "1008")


async def test_a_resource_that_is_booked_for_later_is_not_deleted(world: World, bitrix24: Bitrix24) -> None:
    now = int(world.clock.now().timestamp())
    world.portal.add_booking([15], now - 7200, now - 3600, ZONE)
    later = world.portal.add_booking([15, 16], now + 3600, now + 7200, ZONE)
    assert await bitrix24.error(f"{RESOURCE}.delete", {"id": 15}) == (400, "1008")
    del world.portal.bookings[later]
    assert await bitrix24.result(f"{RESOURCE}.delete", {"id": 15}) is True


async def test_an_unknown_template_is_422(world: World, bitrix24: Bitrix24) -> None:
    fields = {"name": "x", "typeId": 1, "templateTypeInfo": "loud"}
    assert await bitrix24.error(f"{RESOURCE}.add", {"fields": fields}) == (400, "422")
    assert await bitrix24.error(f"{RESOURCE}.update", {"id": 15, "fields": fields}) == (400, "422")
    assert (len(world.portal.slots(15)), list(world.portal.resources)) == (1, [15])
