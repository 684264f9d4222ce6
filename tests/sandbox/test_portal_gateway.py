"""Addresses, encodings, order of checks, envelopes, limits."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest

from slotbridge.sandbox.world import World

from .conftest import Bitrix24, FakeClock

LIST = "booking.v1.resource.slots.list"
FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize("name", [LIST, LIST.upper(), f"{LIST}.json", f"{LIST}/", f"{LIST}.JSON/"])
async def test_names_in_any_case_with_or_without_suffix(bitrix24: Bitrix24, name: str) -> None:
    assert len((await bitrix24.result(name, {"resourceId": 15}))["slots"]) == 1


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (FORM, "resourceId=15"),
        ("text/plain", "resourceId=15"),
        ("application/json; charset=utf-8", '{"resourceId": 15}'),
        ("application/problem+json", '{"resourceId": "15"}'),
    ],
)
async def test_bodies(http: httpx.AsyncClient, kind: str, body: str) -> None:
    answer = await http.post(f"/rest/1/sandbox/{LIST}", content=body, headers={"Content-Type": kind})
    assert answer.status_code == 200


async def test_query_parameters_are_merged_under_the_body(http: httpx.AsyncClient) -> None:
    path = f"/rest/1/sandbox/{LIST}?resourceId=15"
    assert (await http.get(path)).status_code == 200
    assert (await http.post(path, json={"resourceId": 99})).json()["error"] == "1009"


@pytest.mark.parametrize(
    ("kind", "body"),
    [("application/json", '{"resourceId":'), ("application/json", "7"), ("", '{"resourceId": 15}')],
)
async def test_json_that_cannot_be_read_is_just_not_there(http: httpx.AsyncClient, kind: str, body: str) -> None:
    answer = await http.post(f"/rest/1/sandbox/{LIST}", content=body, headers={"Content-Type": kind})
    assert (answer.status_code, answer.json()["error"]) == (400, "100")


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/rest/1/sandbox/no.such.method", 404, "ERROR_METHOD_NOT_FOUND"),
        ("/rest/1/wrong/no.such.method", 404, "ERROR_METHOD_NOT_FOUND"),
        ("/rest/no.such.method", 404, "ERROR_METHOD_NOT_FOUND"),
        (f"/rest/1/wrong/{LIST}", 401, "INVALID_CREDENTIALS"),
        (f"/rest/2/sandbox/{LIST}", 401, "INVALID_CREDENTIALS"),
        ("/rest/1/wrong/batch", 401, "INVALID_CREDENTIALS"),
        (f"/rest/{LIST}", 401, "NO_AUTH_FOUND"),
        ("/rest/1/sandbox/booking.v1.resource.slots.frobnicate", 400, "22002"),
        (f"/rest/1/sandbox/{LIST}", 400, "100"),
    ],
)
async def test_order_of_checks(http: httpx.AsyncClient, path: str, status: int, code: str) -> None:
    answer = await http.post(path, json={})
    assert (answer.status_code, answer.json()["error"]) == (status, code)
    assert "time" not in answer.json()


async def test_only_get_and_post(http: httpx.AsyncClient) -> None:
    answer = await http.put(f"/rest/1/sandbox/{LIST}", json={})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_http_method")


async def test_a_portal_that_is_too_old_or_lacks_the_scope(world: World, bitrix24: Bitrix24) -> None:
    world.portal.behaviour = replace(world.portal.behaviour, booking_scope=False)
    assert await bitrix24.error(LIST) == (401, "insufficient_scope")
    world.portal.behaviour = replace(world.portal.behaviour, booking_module=False)
    assert await bitrix24.error(LIST) == (404, "ERROR_METHOD_NOT_FOUND")


async def test_a_method_whose_operating_time_is_used_up(world: World, bitrix24: Bitrix24) -> None:
    world.portal.behaviour = replace(world.portal.behaviour, exhausted=(LIST,))
    assert await bitrix24.error(LIST, {"resourceId": 15}) == (429, "OPERATION_TIME_LIMIT")
    assert await bitrix24.result("booking.v1.resource.get", {"id": 15})


async def test_error_codes_may_be_numbers(world: World, bitrix24: Bitrix24) -> None:
    world.portal.behaviour = replace(world.portal.behaviour, error_code="number")
    _, body = await bitrix24.call(LIST, {"resourceId": 99})
    assert body["error"] == 1009
    batch = await bitrix24.batch({"a": f"{LIST}?resourceId=99"})
    assert batch["result_error"]["a"]["error"] == 1009


async def test_time_with_and_without_operating(world: World, bitrix24: Bitrix24) -> None:
    _, body = await bitrix24.call(LIST, {"resourceId": 15})
    assert {"start", "finish", "duration", "operating", "operating_reset_at"} <= body["time"].keys()
    assert isinstance(body["time"]["start"], int)
    world.portal.behaviour = replace(world.portal.behaviour, operating=False, time_start="float")
    _, body = await bitrix24.call(LIST, {"resourceId": 15})
    assert "operating" not in body["time"]
    assert isinstance(body["time"]["start"], float)


async def test_the_fifty_first_request_at_once_is_refused(clock: FakeClock, bitrix24: Bitrix24) -> None:
    for _ in range(50):
        await bitrix24.batch({"a": f"{LIST}?resourceId=15", "b": f"{LIST}?resourceId=15"})
    assert await bitrix24.error("batch") == (503, "QUERY_LIMIT_EXCEEDED")
    clock.elapsed += 0.5
    assert await bitrix24.batch({}) is not None
    assert await bitrix24.error("batch") == (503, "QUERY_LIMIT_EXCEEDED")


async def test_a_refused_request_is_not_executed_and_the_limit_can_be_off(world: World, bitrix24: Bitrix24) -> None:
    world.portal.behaviour = replace(world.portal.behaviour, burst=0)
    await bitrix24.error("booking.v1.resource.slots.unset", {"resourceId": 15})
    assert len(world.portal.slots(15)) == 1
    world.portal.behaviour = replace(world.portal.behaviour, limiter=False)
    assert await bitrix24.slots()


async def test_a_blocked_portal_answers_503_as_well_but_for_good(
    world: World, clock: FakeClock, bitrix24: Bitrix24
) -> None:
    world.portal.behaviour = replace(world.portal.behaviour, overloaded=True)
    assert await bitrix24.error(LIST, {"resourceId": 15}) == (503, "OVERLOAD_LIMIT")
    clock.elapsed += 3600
    assert await bitrix24.error(LIST, {"resourceId": 15}) == (503, "OVERLOAD_LIMIT")


async def test_scope_tells_what_was_granted(world: World, bitrix24: Bitrix24) -> None:
    assert await bitrix24.result("scope") == ["booking", "crm"]
    world.portal.behaviour = replace(world.portal.behaviour, crm_scope=False)
    assert await bitrix24.result("scope") == ["booking"]
    assert await bitrix24.error("crm.contact.list") == (401, "insufficient_scope")
    world.portal.behaviour = replace(world.portal.behaviour, booking_scope=False, booking_module=False)
    assert await bitrix24.result("scope") == []
    assert await bitrix24.error("crm.no.such.method") == (404, "ERROR_METHOD_NOT_FOUND")
