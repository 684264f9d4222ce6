from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from slotbridge.sandbox.world import World

from .conftest import Bitrix24

TYPE = "booking.v1.resourceType"


@pytest.fixture
def doctor(world: World) -> int:
    return world.portal.add_type("Doctor", "Doctor_1")


async def listed(bitrix24: Bitrix24, **params: Any) -> list[int]:
    return [row["id"] for row in (await bitrix24.result(f"{TYPE}.list", params))["resourceType"]]


async def test_a_type_has_the_notification_fields_but_two(bitrix24: Bitrix24) -> None:
    row = (await bitrix24.result(f"{TYPE}.get", {"id": 1}))["resourceType"]
    assert (row["code"], row["name"], row["isReminderNotificationOn"]) == ("resources", "Resources", "Y")
    assert row["confirmationNotificationRepetitions"] is None
    assert "isInfoNotificationOn" not in row
    assert "templateTypeInfo" not in row
    assert (await bitrix24.result(f"{TYPE}.list"))["resourceType"] == [row]
    assert await bitrix24.error(f"{TYPE}.get", {"id": 2}) == (400, "1013")


async def test_filter_order_and_pages(world: World, bitrix24: Bitrix24, doctor: int) -> None:
    assert await listed(bitrix24, filter={"code": "DOCTOR_1"}) == [doctor]
    assert await listed(bitrix24, filter={"searchQuery": "our"}) == [1]
    assert await listed(bitrix24, filter={"moduleId": "crm"}) == []
    assert await listed(bitrix24, order={"code": "asc"}) == [doctor, 1]
    assert await listed(bitrix24, filter={">id": 1}) == [1, doctor]
    for number in range(49):
        world.portal.add_type("x", f"x{number}")
    assert (len(await listed(bitrix24)), await listed(bitrix24, start=50)) == (50, [51])


async def test_add(world: World, bitrix24: Bitrix24) -> None:
    fields = {"name": "Room", "code": "room", "isFeedbackNotificationOn": "N", "delayedCounterDelay": "60"}
    assert await bitrix24.result(f"{TYPE}.add", {"fields": fields}) == 2
    added = world.portal.types[2]
    assert (added.name, added.settings["isFeedbackNotificationOn"]) == ("Room", "N")
    assert added.settings["delayedCounterDelay"] == 60
    assert await bitrix24.error(f"{TYPE}.add", {"fields": {**fields, "code": "ROOM"}}) == (400, "1010")
    assert await bitrix24.error(f"{TYPE}.add", {"fields": {"name": "x"}}) == (400, "0")
    assert await bitrix24.error(f"{TYPE}.add", {"fields": {**fields, "templateTypeDelayed": "x"}}) == (400, "422")
    world.portal.behaviour = replace(world.portal.behaviour, added_id="object")
    assert await bitrix24.result(f"{TYPE}.add", {"fields": {"name": "x", "code": "y"}}) == {"id": 3}


async def test_update_with_a_new_code_changes_what_is_given(world: World, bitrix24: Bitrix24, doctor: int) -> None:
    fields = {"code": "doctor_2", "isDelayedNotificationOn": "N", "isFeedbackNotificationOn": False}
    assert await bitrix24.result(f"{TYPE}.update", {"id": doctor, "fields": fields}) is True
    row = world.portal.types[doctor]
    assert (row.name, row.code) == ("Doctor", "doctor_2")
    settings = (row.settings["isDelayedNotificationOn"], row.settings["isFeedbackNotificationOn"])
    assert settings == ("N", "Y")


@pytest.mark.parametrize("fields", [{"infoDelay": 5}, {"infoNotificationDelay": 5}, {"isInfoNotificationOn": "N"}])
async def test_update_ignores_documented_names_that_do_not_exist(
    world: World, bitrix24: Bitrix24, doctor: int, fields: dict[str, object]
) -> None:
    before = dict(world.portal.types[doctor].settings)
    await bitrix24.result(f"{TYPE}.update", {"id": doctor, "fields": {"code": "new", **fields}})
    settings = world.portal.types[doctor].settings
    expected = before | ({"infoNotificationDelay": 5} if "infoNotificationDelay" in fields else {})
    assert settings == expected


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, "0"),
        ({"name": "x"}, "0"),
        ({"code": "Doctor_1"}, "1011"),
        ({"code": "DOCTOR_1", "name": "x"}, "1011"),
        ({"code": "resources"}, "1011"),
        ({"code": "new", "templateTypeReminder": "loud"}, "422"),
    ],
)
async def test_update_refuses_even_the_types_own_code(
    world: World, bitrix24: Bitrix24, doctor: int, fields: object, code: str
) -> None:
    assert await bitrix24.error(f"{TYPE}.update", {"id": doctor, "fields": fields}) == (400, code)
    assert (world.portal.types[doctor].name, world.portal.types[doctor].code) == ("Doctor", "Doctor_1")


async def test_update_of_a_type_that_does_not_exist_is_1007(bitrix24: Bitrix24) -> None:
    assert await bitrix24.error(f"{TYPE}.update", {"id": 9, "fields": {"code": "x"}}) == (400, "1007")


async def test_delete_of_a_type_in_use_or_unknown_is_1012(world: World, bitrix24: Bitrix24, doctor: int) -> None:
    assert await bitrix24.error(f"{TYPE}.delete", {"id": 1}) == (400, "1012")
    assert await bitrix24.error(f"{TYPE}.delete", {"id": 9}) == (400, "1012")
    assert await bitrix24.result(f"{TYPE}.delete", {"id": doctor}) is True
    assert list(world.portal.types) == [1]
