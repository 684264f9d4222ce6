"""Operating time: what it costs, when it is used up, when it comes back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from slotbridge.sandbox.limits import LeakyBucket, OperatingTime
from slotbridge.sandbox.world import World

from .conftest import Application, Bitrix24, FakeClock

LIST = "booking.v1.resource.slots.list"
GET = "booking.v1.resource.get"
COMMAND = f"{LIST}?resourceId=15"


@pytest.fixture
def limited(world: World) -> World:
    world.portal.behaviour = replace(world.portal.behaviour, operating_limit=2.0, operating_cost=1.0)
    return world


async def spent(bitrix24: Bitrix24, method: str = LIST, **params: Any) -> tuple[float, int]:
    _, body = await bitrix24.call(method, {"resourceId": 15, "id": 15, **params})
    return body["time"]["operating"], body["time"]["operating_reset_at"]


@pytest.mark.usefixtures("limited")
async def test_the_call_that_crosses_the_line_goes_through_and_the_next_is_refused(bitrix24: Bitrix24) -> None:
    assert [(await spent(bitrix24))[0] for _ in range(2)] == [1, 2]
    assert await bitrix24.error(LIST, {"resourceId": 15}) == (429, "OPERATION_TIME_LIMIT")
    assert (await spent(bitrix24, GET))[0] == 1


@pytest.mark.usefixtures("limited")
async def test_time_comes_back_minute_by_minute(bitrix24: Bitrix24, clock: FakeClock) -> None:
    first = int(clock.now().timestamp()) // 60 * 60
    assert await spent(bitrix24) == (1, first + 600)
    clock.elapsed += 60
    assert await spent(bitrix24) == (2, first + 600)
    clock.elapsed = first + 599 - clock.now().timestamp() + clock.elapsed
    assert await bitrix24.error(LIST, {"resourceId": 15}) == (429, "OPERATION_TIME_LIMIT")
    clock.elapsed += 1
    assert await spent(bitrix24) == (2, first + 660)


@pytest.mark.usefixtures("limited")
async def test_in_a_batch_the_refused_method_alone_is_refused(bitrix24: Bitrix24) -> None:
    batch = await bitrix24.batch({"a": COMMAND, "b": COMMAND, "c": COMMAND, "d": f"{GET}?id=15"})
    assert list(batch["result"]) == ["a", "b", "d"]
    assert batch["result_error"]["c"]["error"] == "OPERATION_TIME_LIMIT"
    assert [batch["result_time"][key]["operating"] for key in "abd"] == [1, 2, 1]


@pytest.mark.usefixtures("limited")
async def test_the_batch_itself_costs_nothing(bitrix24: Bitrix24) -> None:
    _, body = await bitrix24.call("batch", {"cmd": {"a": COMMAND}})
    assert body["time"]["operating"] == 0


@pytest.mark.usefixtures("limited")
async def test_failed_calls_cost_nothing(bitrix24: Bitrix24) -> None:
    for _ in range(5):
        assert await bitrix24.error(LIST, {"resourceId": 99}) == (400, "1009")
    assert (await spent(bitrix24))[0] == 1


async def test_short_calls_cost_nothing(limited: World, bitrix24: Bitrix24) -> None:
    limited.portal.behaviour = replace(limited.portal.behaviour, operating_cost=0.09)
    assert [(await spent(bitrix24))[0] for _ in range(30)] == [0] * 30


@pytest.mark.usefixtures("limited")
async def test_webhook_and_application_have_budgets_of_their_own(bitrix24: Bitrix24, application: Application) -> None:
    for _ in range(2):
        await spent(bitrix24)
    assert await bitrix24.error(LIST, {"resourceId": 15}) == (429, "OPERATION_TIME_LIMIT")
    assert (await spent(application))[0] == 1


async def test_without_a_limit_time_is_counted_and_nothing_refused(bitrix24: Bitrix24) -> None:
    assert [(await spent(bitrix24))[0] for _ in range(3)] == [0.5, 1.0, 1.5]


def test_nothing_spent_is_reset_in_ten_minutes_at_the_latest(clock: FakeClock) -> None:
    operating = OperatingTime(clock)
    left = operating.reset_at("x") - clock.now().timestamp()
    assert (operating.spent("x"), 540 < left <= 600) == (0, True)


def test_the_bucket_can_be_filled_by_hand_and_drains(clock: FakeClock) -> None:
    bucket = LeakyBucket(2, 50, clock)
    bucket.level = 80
    assert (bucket.level, bucket.admit()) == (50, False)
    clock.elapsed += 10
    assert (bucket.level, bucket.admit()) == (30, True)
    bucket.level = -1
    assert bucket.level == 0
