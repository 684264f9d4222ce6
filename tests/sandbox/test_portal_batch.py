from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote

from slotbridge.lenses.items import Range
from slotbridge.sandbox.world import World

from .conftest import ZONE, Bitrix24

LIST = "booking.v1.resource.slots.list"
SET = "booking.v1.resource.slots.set"
GOOD, BAD = f"{LIST}?resourceId=15", f"{LIST}?resourceId=99"
MEMBERS = ("result", "result_error", "result_total", "result_next", "result_time")


def set_command(*days: str, count: int = 1) -> str:
    parts = ["resourceId=15"]
    for index in range(count):
        fields = {"from": "540", "to": "600", "timezone": quote(ZONE, safe=""), "slotSize": "15"}
        parts += [f"slots[{index}][{name}]={value}" for name, value in fields.items()]
        parts += [f"slots[{index}][weekDays][{place}]={day}" for place, day in enumerate(days)]
    return f"{SET}?{'&'.join(parts)}"


async def test_errors_hide_in_a_200(bitrix24: Bitrix24) -> None:
    batch = await bitrix24.batch({"a": GOOD, "b": BAD})
    assert set(batch) == set(MEMBERS)
    assert len(batch["result"]["a"]["slots"]) == 1
    assert batch["result_error"] == {"b": {"error": "1009", "error_description": "Resource not found"}}
    assert (batch["result_total"], batch["result_next"]) == ({"a": 0}, [])
    assert list(batch["result_time"]) == ["a"]


async def test_members_are_lists_or_objects_as_their_keys_fall(bitrix24: Bitrix24) -> None:
    both = await bitrix24.batch([GOOD, GOOD])
    assert (len(both["result"]), both["result_total"], both["result_error"]) == (2, [0, 0], [])
    second = await bitrix24.batch([GOOD, BAD])
    assert isinstance(second["result"], list)
    assert list(second["result_error"]) == ["1"]
    first = await bitrix24.batch([BAD, GOOD])
    assert list(first["result"]) == ["1"]
    assert isinstance(first["result_error"], list)


async def test_no_commands_succeed_with_five_empty_lists(bitrix24: Bitrix24) -> None:
    nothing: list[dict[str, object]] = [{}, {"cmd": ""}, {"cmd": {}}, {"cmd": 7}]
    for params in nothing:
        assert await bitrix24.result("batch", params) == {name: [] for name in MEMBERS}


async def test_a_set_in_a_batch_stores_what_json_would(world: World, bitrix24: Bitrix24) -> None:
    batch = await bitrix24.batch({"a": set_command("Mon", "Tue")})
    assert batch["result"] == {"a": True}
    assert world.portal.slots(15) == (Range(540, 600, ZONE, ("Mon", "Tue"), 15),)


async def test_an_empty_array_cannot_be_expressed(world: World, bitrix24: Bitrix24) -> None:
    batch = await bitrix24.batch({"a": f"{SET}?resourceId=15&slots="})
    assert batch["result_error"]["a"]["error"] == "100"
    assert len(world.portal.slots(15)) == 1


async def test_a_number_sign_cuts_the_rest_off(bitrix24: Bitrix24) -> None:
    batch = await bitrix24.batch({"a": f"{LIST}?x=1#&resourceId=15"})
    assert batch["result_error"]["a"]["error"] == "100"


async def test_the_tail_of_a_long_list_vanishes(world: World, bitrix24: Bitrix24) -> None:
    world.portal.behaviour = replace(world.portal.behaviour, max_input_vars=1 + 3 * 6)
    await bitrix24.batch({"a": set_command("Mon", "Tue", count=5)})
    assert len(world.portal.slots(15)) == 3
    world.portal.behaviour = replace(world.portal.behaviour, max_input_vars=1 + 4 * 6 - 1)
    await bitrix24.batch({"a": set_command("Mon", "Tue", count=5)})
    assert [item.week_days for item in world.portal.slots(15)][3] == ("Mon",)


async def test_what_is_no_command_vanishes_without_a_word(bitrix24: Bitrix24) -> None:
    batch = await bitrix24.batch({"a": {"method": LIST}, "b": "", "c": "?resourceId=15", "d": GOOD, "e": None})
    assert (list(batch["result"]), batch["result_error"]) == (["d"], [])


async def test_batches_methods_and_suffixes_that_are_not_allowed(bitrix24: Bitrix24) -> None:
    batch = await bitrix24.batch({"a": "batch?x=1", "b": "no.such", "c": f"{LIST}.json?resourceId=15"})
    codes = {key: entry["error"] for key, entry in batch["result_error"].items()}
    assert codes == {"a": "ERROR_BATCH_METHOD_NOT_ALLOWED", "b": "ERROR_METHOD_NOT_FOUND", "c": "22002"}


async def test_from_the_51st_on_commands_are_refused_and_50_are_executed(bitrix24: Bitrix24) -> None:
    batch = await bitrix24.batch({f"c{index}": GOOD for index in range(53)})
    assert len(batch["result"]) == 50
    codes = {key: entry["error"] for key, entry in batch["result_error"].items()}
    assert codes == dict.fromkeys(["c50", "c51", "c52"], "ERROR_BATCH_LENGTH_EXCEEDED")


async def test_halt_stops_after_the_first_failure_and_the_text_false_is_true(bitrix24: Bitrix24) -> None:
    commands = {"a": GOOD, "b": BAD, "c": GOOD}
    for halt, expected in ((0, ["a", "c"]), ("0", ["a", "c"]), (1, ["a"]), ("false", ["a"])):
        batch = await bitrix24.batch(commands, halt)
        assert list(batch["result"]) == expected


async def test_refusals_of_a_command_stay_inside(world: World, bitrix24: Bitrix24) -> None:
    world.portal.behaviour = replace(world.portal.behaviour, exhausted=(SET,))
    batch = await bitrix24.batch({"a": GOOD, "b": set_command("Mon")})
    assert batch["result_error"]["b"]["error"] == "OPERATION_TIME_LIMIT"
    world.portal.behaviour = replace(world.portal.behaviour, booking_scope=False)
    batch = await bitrix24.batch({"a": GOOD})
    assert batch["result_error"] == {"a": {"error": "insufficient_scope", "error_description": ""}}


async def test_a_batch_can_fail_from_the_middle_on_and_only_once(world: World, bitrix24: Bitrix24) -> None:
    behaviour = replace(world.portal.behaviour, batch_fails_from=2, batch_fails_with="OPERATION_TIME_LIMIT")
    world.portal.behaviour = behaviour
    short = await bitrix24.batch({"a": GOOD, "b": GOOD})
    assert short["result_error"] == []
    batch = await bitrix24.batch({"a": GOOD, "b": BAD, "c": set_command("Tue"), "d": GOOD})
    codes = {key: entry["error"] for key, entry in batch["result_error"].items()}
    assert codes == {"b": "1009", "c": "OPERATION_TIME_LIMIT", "d": "OPERATION_TIME_LIMIT"}
    assert (list(batch["result"]), world.portal.slots(15)[0].week_days) == (["a"], ("Mon",))
    again = await bitrix24.batch({"a": GOOD, "b": GOOD, "c": GOOD})
    assert again["result_error"] == []


async def test_commands_can_be_skipped_without_a_word_and_only_once(world: World, bitrix24: Bitrix24) -> None:
    world.portal.behaviour = replace(world.portal.behaviour, batch_skips=(1, 9))
    commands = {"a": GOOD, "b": set_command("Tue"), "c": BAD}
    batch = await bitrix24.batch(commands)
    assert (list(batch["result"]), list(batch["result_error"])) == (["a"], ["c"])
    assert world.portal.slots(15)[0].week_days == ("Mon",)
    assert list((await bitrix24.batch(commands))["result"]) == ["a", "b"]


async def test_real_totals_and_next_have_members_of_their_own(world: World, bitrix24: Bitrix24) -> None:
    for _ in range(51):
        world.portal.add_contact("x")
    batch = await bitrix24.batch({"a": "crm.contact.list", "b": GOOD})
    assert (batch["result_total"], batch["result_next"]) == ({"a": 51, "b": 0}, {"a": 50})
