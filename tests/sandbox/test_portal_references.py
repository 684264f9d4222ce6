"""`$result[...]` in a batch."""

from __future__ import annotations

import pytest

from slotbridge.sandbox.portal_references import resolved
from slotbridge.sandbox.world import World

from .conftest import Bitrix24

ROOTS: dict[str, object] = {
    "result": {"a": {"id": 15, "tags": ["x", "y"], "on": True, "none": None}, "n": 7},
    "error": {"bad": {"error": "1009"}},
    "total": {"a": 3},
    "next": {},
    "time": {"a": {"duration": 0.5}},
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$result[a][id]", "15"),
        ("$result[n]", "7"),
        ("id $result[a][id] and $total[a]", "id 15 and 3"),
        ("x$result[a][id]y", "x15"),
        ("$result[a][id]y z", "15 z"),
        ("$result[a][tags][1]", "y"),
        ("$result[a][tags]", ["x", "y"]),
        ("all $result[a][tags]", "all $result[a][tags]"),
        ("$result[a][no][such]", ROOTS["result"]["a"]),  # type: ignore[index]
        ("$result[bad]", ROOTS["result"]),
        ("see $result[bad]", "see $result[bad]"),
        ("$error[bad][error]", "1009"),
        ("$time[a][duration]", "0.5"),
        ("$result[a][on]$", "1"),
        ("$result[a][none] x", " x"),
        ("$result", "$result"),
        ("$money[a] $result x", "$money[a] $result x"),
    ],
)
def test_a_reference_becomes_what_it_leads_to(text: str, value: object) -> None:
    assert resolved(text, ROOTS) == value


def test_references_deep_inside() -> None:
    given: dict[str, object] = {"fields": {"0": {"id": "$result[a][id]"}, "n": "5"}}
    assert resolved(given, ROOTS) == {"fields": {"0": {"id": "15"}, "n": "5"}}


async def test_one_command_uses_the_result_of_another(world: World, bitrix24: Bitrix24) -> None:
    commands = {
        "new": "booking.v1.resource.add?fields[name]=Room&fields[typeId]=1",
        "get": "booking.v1.resource.get?id=$result[new]",
        "missing": "booking.v1.resource.get?id=$result[nothing]",
    }
    batch = await bitrix24.batch(commands)
    assert batch["result"]["get"]["resource"]["name"] == "Room"
    assert batch["result_error"]["missing"]["error"] == "100"


async def test_free_text_is_altered(world: World, bitrix24: Bitrix24) -> None:
    note = "booking.v1.waitlist.add?fields[note]=costs%20$total[a]%20euro"
    await bitrix24.batch({"a": "booking.v1.resource.list", "b": note})
    assert world.portal.waitlist[1].note == "costs 0 euro"
