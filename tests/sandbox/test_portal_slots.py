"""`slots.list`, `slots.set` and `slots.unset`, with the quirks of the portal's source."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from slotbridge.lenses.items import Range
from slotbridge.sandbox.world import World

from .conftest import MONDAY, ZONE, Bitrix24

LIST = "booking.v1.resource.slots.list"
SET = "booking.v1.resource.slots.set"
UNSET = "booking.v1.resource.slots.unset"


def wire(**changes: object) -> dict[str, object]:
    plain = {"from": 600, "to": 720, "timezone": ZONE, "weekDays": ["Tue", "Wed"], "slotSize": 20}
    return plain | changes


async def save(bitrix24: Bitrix24, *slots: object) -> Any:
    return await bitrix24.call(SET, {"resourceId": 15, "slots": list(slots)})


async def test_list_shows_the_ranges_with_total_zero_and_no_next(bitrix24: Bitrix24) -> None:
    _, body = await bitrix24.call(LIST, {"resourceId": 15})
    [slot] = body["result"]["slots"]
    assert slot.pop("id") > 0
    assert slot == {"from": 540, "to": 1080, "timezone": ZONE, "weekDays": ["Mon"], "slotSize": 30}
    assert (body["total"], "next" in body, "time" in body) == (0, False, True)


async def test_no_ranges_are_an_empty_list(world: World, bitrix24: Bitrix24) -> None:
    world.portal.put_slots(15, [])
    assert await bitrix24.slots() == []


async def test_midnight_and_no_slot_size_come_back_as_null(world: World, bitrix24: Bitrix24) -> None:
    world.portal.put_slots(15, [Range(0, 1440, ZONE, ("Sun",), 0)])
    [slot] = await bitrix24.slots()
    assert (slot["from"], slot["to"], slot["slotSize"]) == (None, 1440, None)
    world.portal.behaviour = replace(world.portal.behaviour, empty_as_null=False)
    [slot] = await bitrix24.slots()
    assert (slot["from"], slot["slotSize"]) == (0, 0)


async def test_list_has_no_promised_order(world: World, bitrix24: Bitrix24) -> None:
    world.portal.put_slots(15, [MONDAY, replace(MONDAY, week_days=("Tue",))])
    world.portal.behaviour = replace(world.portal.behaviour, slots_order="reversed")
    assert [slot["weekDays"] for slot in await bitrix24.slots()] == [["Tue"], ["Mon"]]


async def test_set_replaces_everything_with_new_ids_even_if_nothing_changes(world: World, bitrix24: Bitrix24) -> None:
    before = world.portal.slot_ids(15)
    for slots in ([wire(), wire()], await bitrix24.slots()):
        status, body = await save(bitrix24, *slots)
        assert (status, body["result"], "total" in body) == (200, True, False)
    assert not set(before) & set(world.portal.slot_ids(15))


async def test_order_duplicates_and_overlaps_are_stored_as_sent(world: World, bitrix24: Bitrix24) -> None:
    slots = [wire(), wire(), wire(weekDays=["Wed", "Tue", "Wed"], to=700)]
    await save(bitrix24, *slots)
    twice = Range(600, 720, ZONE, ("Tue", "Wed"), 20)
    assert world.portal.slots(15) == (twice, twice, Range(600, 700, ZONE, ("Wed", "Tue", "Wed"), 20))


async def test_an_empty_list_clears(world: World, bitrix24: Bitrix24) -> None:
    await save(bitrix24)
    assert world.portal.slots(15) == ()


@pytest.mark.parametrize("resource_id", [15, "15", " 15", 15.0])
async def test_unset_clears_and_is_no_error_twice(world: World, bitrix24: Bitrix24, resource_id: object) -> None:
    for _ in range(2):
        assert await bitrix24.result(UNSET, {"resourceId": resource_id}) is True
    assert world.portal.slots(15) == ()


BAD: list[tuple[dict[str, object], str, str]] = [
    ({}, "100", "resourceId"),
    ({"resourceId": 15}, "100", "slots"),
    ({"resourceID": 15, "slots": []}, "100", "resourceId"),
    ({"resourceId": 15, "slots": None}, "100", "slots"),
    ({"resourceId": "x", "slots": []}, "100", "resourceId"),
    ({"resourceId": True, "slots": []}, "100", "resourceId"),
    ({"resourceId": 15, "slots": ""}, "100", "array"),
    ({"resourceId": 15, "slots": [1]}, "422", ""),
    ({"resourceId": 15, "slots": [{}]}, "0", "from, to, timezone, weekDays, slotSize"),
    ({"resourceId": 15, "slots": [wire(to=None)]}, "0", "Required fields: to"),
    ({"resourceId": 15, "slots": [{"FROM": 1} | wire(WEEK_DAYS=["Mon"], weekDays=None)]}, "0", "weekDays"),
    ({"resourceId": 99, "slots": [wire(to=None)]}, "0", "to"),
    ({"resourceId": 99, "slots": [wire(to=1)]}, "1009", ""),
    ({"resourceId": 15, "slots": [wire(to=600)]}, "422", ""),
    ({"resourceId": 15, "slots": [wire(to=1441)]}, "422", ""),
    ({"resourceId": 15, "slots": [wire(**{"from": -1})]}, "422", ""),
    ({"resourceId": 15, "slots": [wire(slotSize=-1)]}, "422", ""),
    ({"resourceId": 15, "slots": [wire(weekDays=[])]}, "422", ""),
    ({"resourceId": 15, "slots": [wire(weekDays=["mon"])]}, "422", ""),
    ({"resourceId": 15, "slots": [wire(), wire(to="abc")]}, "422", ""),
    ({"resourceId": 15, "slots": [wire(timezone="")]}, "1007", ""),
    ({"resourceId": 15, "slots": [wire(timezone="x" * 51)]}, "1007", ""),
    ({"resourceId": 15, "slots": [wire(weekDays=["Mon"] * 9)]}, "1007", ""),
]


@pytest.mark.parametrize(("params", "code", "text"), BAD)
async def test_set_checks_in_order_and_changes_nothing(
    world: World, bitrix24: Bitrix24, params: dict[str, object], code: str, text: str
) -> None:
    ids = world.portal.slot_ids(15)
    status, body = await bitrix24.call(SET, params)
    assert (status, body["error"]) == (400, code)
    assert text in body["error_description"]
    assert world.portal.slot_ids(15) == ids


async def test_tool_comes_before_the_resource_and_the_feature_after_the_ranges(
    world: World, bitrix24: Bitrix24
) -> None:
    world.portal.behaviour = replace(world.portal.behaviour, booking_tool=False)
    assert await bitrix24.error(SET, {"resourceId": 99, "slots": []}) == (400, "0")
    world.portal.behaviour = replace(world.portal.behaviour, booking_tool=True, booking_feature=False)
    assert await bitrix24.error(SET, {"resourceId": 99, "slots": []}) == (400, "1009")
    assert await bitrix24.error(SET, {"resourceId": 15, "slots": [wire(to=1)]}) == (400, "422")
    assert await bitrix24.error(SET, {"resourceId": 15, "slots": [wire(timezone="")]}) == (400, "0")
    assert await bitrix24.error(UNSET, {"resourceId": 15}) == (400, "0")


async def test_numbers_are_cast_silently(world: World, bitrix24: Bitrix24) -> None:
    await save(bitrix24, wire(**{"from": "abc", "to": "720.9", "slotSize": ""}))
    assert world.portal.slots(15) == (Range(0, 720, ZONE, ("Tue", "Wed"), 0),)


async def test_week_days_may_be_bare_text_and_an_unknown_zone_is_stored(world: World, bitrix24: Bitrix24) -> None:
    await save(bitrix24, wire(weekDays="Sun", timezone="Mars/Olympus"))
    assert world.portal.slots(15) == (Range(600, 720, "Mars/Olympus", ("Sun",), 20),)


@pytest.mark.parametrize("name", ["weekDays", "WeekDays", "week_days"])
async def test_three_spellings_inside_a_range(world: World, bitrix24: Bitrix24, name: str) -> None:
    slot = wire(unknown=1)
    slot[name] = slot.pop("weekDays")
    status, _ = await save(bitrix24, slot)
    assert (status, world.portal.slots(15)[0].week_days) == (200, ("Tue", "Wed"))


async def test_slots_may_come_as_an_object(world: World, bitrix24: Bitrix24) -> None:
    slot = wire(weekDays={"0": "Fri"})
    assert await bitrix24.result(SET, {"resourceId": 15, "slots": {"7": slot}}) is True
    assert world.portal.slots(15)[0].week_days == ("Fri",)


@pytest.mark.parametrize("method", [LIST, UNSET])
async def test_an_unknown_resource_is_1009(bitrix24: Bitrix24, method: str) -> None:
    assert await bitrix24.error(method, {"resourceId": 99}) == (400, "1009")
