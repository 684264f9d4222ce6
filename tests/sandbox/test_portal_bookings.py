from __future__ import annotations

from typing import Any

import pytest

from slotbridge.sandbox.world import World

from .conftest import ZONE, Bitrix24

BOOKING = "booking.v1.booking"


async def listed(bitrix24: Bitrix24, **params: Any) -> list[int]:
    return [row["id"] for row in (await bitrix24.result(f"{BOOKING}.list", params))["booking"]]


async def test_a_booking_is_a_real_period(world: World, bitrix24: Bitrix24) -> None:
    world.portal.add_booking([15, 16], 1000, 2000, ZONE, "Ada")
    booking = (await bitrix24.result(f"{BOOKING}.get", {"id": 1}))["booking"]
    assert booking == {
        "datePeriod": {
            "from": {"timestamp": 1000, "timezone": ZONE},
            "to": {"timestamp": 2000, "timezone": ZONE},
        },
        "description": None,
        "id": 1,
        "name": "Ada",
        "resourceIds": [15, 16],
    }
    assert await bitrix24.error(f"{BOOKING}.get", {"id": 2}) == (400, "1021")


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({}, [1, 2, 3]),
        ({"filter": {"within": {"dateFrom": 1500, "dateTo": "3500"}}}, [1, 3]),
        ({"filter": {"within": {"dateFrom": 2000, "dateTo": 3000}}}, []),
        ({"filter": {"resourceId": [16]}}, [2, 3]),
        ({"filter": {"resourceId": 15, "unknown": 1}}, [1]),
        ({"order": {"dateFrom": "desc"}}, [2, 3, 1]),
        ({"start": 50}, []),
    ],
)
async def test_filter_and_order(world: World, bitrix24: Bitrix24, params: dict[str, Any], found: list[int]) -> None:
    for resource, start in ((15, 1000), (16, 5000), (16, 3000)):
        world.portal.add_booking([resource], start, start + 1000, ZONE)
    assert await listed(bitrix24, **params) == found


@pytest.mark.parametrize(
    ("within", "code"), [({"dateFrom": 1}, "0"), ({"dateFrom": 5, "dateTo": 5}, "422"), ("soon", "0")]
)
async def test_a_period_has_two_ends(bitrix24: Bitrix24, within: object, code: str) -> None:
    assert await bitrix24.error(f"{BOOKING}.list", {"filter": {"within": within}}) == (400, code)
