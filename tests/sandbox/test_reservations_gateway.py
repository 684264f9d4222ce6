"""Keys, routes, envelopes, limits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx
import pytest

from slotbridge.sandbox.world import World

from .conftest import FakeClock, ReserveKit

AT = int(FakeClock().now().timestamp())


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "authentication_required"),
        ({"Authorization": "sk_rsv_sandbox"}, "authorization_header_malformed"),
        ({"Authorization": "Basic sk_rsv_sandbox"}, "authorization_header_malformed"),
        ({"Authorization": "Bearer sk_rsv_other"}, "invalid_api_key"),
    ],
)
async def test_keys(http: httpx.AsyncClient, headers: dict[str, str], code: str) -> None:
    answer = await http.get("/v1/services", headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, code)


async def test_a_key_bound_to_an_origin(world: World, http: httpx.AsyncClient, reservekit: ReserveKit) -> None:
    world.reservations.behaviour = replace(world.reservations.behaviour, origin="https://clinic.example")
    assert await reservekit.error("GET", "/services") == (403, "origin_mismatch")
    headers = {**reservekit.headers, "Origin": "https://clinic.example"}
    assert (await http.get("/v1/services", headers=headers)).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/nothing", (404, "not_found")),
        ("GET", "/time-slots/5", (405, "method_not_allowed")),
        ("POST", "/time-slots", (405, "method_not_allowed")),
        ("GET", "/services/99", (404, "service_not_found")),
        ("GET", "/services/99/time-slots", (404, "service_not_found")),
        ("GET", "/time-slots", (400, "missing_required_field")),
        ("GET", "/time-slots?service_id=x", (400, "invalid_request")),
        ("GET", "/time-slots?service_id=99", (404, "service_not_found")),
        ("DELETE", "/time-slots/0", (404, "time_slot_not_found")),
        ("GET", "/bookings/9", (404, "booking_not_found")),
        ("GET", "/bookings?service_id=9", (404, "service_not_found")),
    ],
)
async def test_refusals(reservekit: ReserveKit, method: str, path: str, expected: tuple[int, str]) -> None:
    assert await reservekit.error(method, path) == expected


async def test_services(reservekit: ReserveKit) -> None:
    data = await reservekit.data("GET", "/services?page=1&page_size=100")
    assert data["pagination"] == {"current_page": 1, "total_pages": 1, "total_count": 1, "page_size": 100}
    one = await reservekit.data("GET", "/services/123")
    assert data["services"] == [one]
    assert (one["id"], one["name"], one["timezone"], one["description"]) == (
        123,
        "Check-up",
        "Europe/Berlin",
        None,
    )
    assert one["created_at"] == "2026-03-02T12:00:00Z"


@pytest.mark.parametrize(
    ("zones", "shown"), [("null", {"timezone": None}), ("empty", {"timezone": ""}), ("missing", {})]
)
async def test_services_without_a_zone(
    world: World, reservekit: ReserveKit, zones: Any, shown: dict[str, object]
) -> None:
    world.reservations.behaviour = replace(world.reservations.behaviour, zones=zones, extras=True, ids="text")
    service = await reservekit.data("GET", "/services/123")
    assert {name: service[name] for name in service if name == "timezone"} == shown
    assert (service["id"], service["version"]) == ("123", 1)


FORMS: list[tuple[str, dict[str, Any]]] = [
    (
        "current_page",
        {"pagination": {"current_page": 2, "total_pages": 2, "total_count": 12, "page_size": 10}},
    ),
    ("page", {"pagination": {"page": 2, "page_size": 10, "total_items": 12, "total_pages": 2}}),
]


@pytest.mark.parametrize(("form", "expected"), FORMS)
async def test_pages_beside_the_rows(world: World, reservekit: ReserveKit, form: Any, expected: dict[str, Any]) -> None:
    ids = twelve(world, pagination=form)
    data = await reservekit.data("GET", "/time-slots?service_id=123&page=2")
    assert [slot["id"] for slot in data.pop("time_slots")] == ids[10:]
    assert data == expected


async def test_metadata_beside_a_bare_list(world: World, reservekit: ReserveKit) -> None:
    twelve(world, pagination="metadata")
    body = (await reservekit.call("GET", "/time-slots?service_id=123&page=2&page_size=5")).json()
    assert len(body["data"]) == 5
    numbers = {"currentPage": 2, "firstPage": 1, "lastPage": 3, "pageSize": 5, "totalRecords": 12}
    assert body["metadata"] == numbers


async def test_no_pages_at_all(world: World, reservekit: ReserveKit) -> None:
    twelve(world, pagination="null")
    data = await reservekit.data("GET", "/time-slots?service_id=123&page_size=5")
    assert (len(data["time_slots"]), data["pagination"]) == (12, None)
    world.reservations.behaviour = replace(world.reservations.behaviour, pagination="list")
    assert len(await reservekit.data("GET", "/time-slots?service_id=123")) == 12


async def test_page_sizes_are_clamped_and_no_pagination_may_be_ignored(world: World, reservekit: ReserveKit) -> None:
    twelve(world, max_page_size=7)
    whole = await reservekit.data("GET", "/time-slots?service_id=123&no_pagination=true")
    assert (len(whole["time_slots"]), whole["pagination"]) == (12, None)
    world.reservations.behaviour = replace(world.reservations.behaviour, no_pagination=False)
    page = await reservekit.data("GET", "/time-slots?service_id=123&no_pagination=true&page_size=100")
    assert (len(page["time_slots"]), page["pagination"]["page_size"]) == (7, 7)
    beyond = await reservekit.data("GET", "/time-slots?service_id=123&page=9")
    assert beyond["time_slots"] == []


async def test_nested_slots_are_a_bare_list_or_paged(world: World, reservekit: ReserveKit) -> None:
    ids = twelve(world, order="reversed")
    assert [slot["id"] for slot in await reservekit.data("GET", "/services/123/time-slots")] == ids[::-1]
    world.reservations.behaviour = replace(world.reservations.behaviour, nested_paged=True)
    assert len((await reservekit.data("GET", "/services/123/time-slots"))["time_slots"]) == 10


def twelve(world: World, **switches: Any) -> list[int]:
    world.reservations.behaviour = replace(world.reservations.behaviour, **switches)
    return [world.reservations.add_slot(123, 0, 540, 600) for _ in range(12)]


ERRORS: list[tuple[str, dict[str, Any]]] = [
    ("object", {"error": {"code": "service_not_found", "message": "Service not found"}}),
    ("text", {"error": "Service not found", "data": None}),
    ("status", {"status": 404, "message": "Service not found", "code": "service_not_found"}),
    ("status-text", {"status": "error", "error": "Service not found", "data": None}),
    ("message", {"message": "Service not found"}),
]


@pytest.mark.parametrize(("form", "body"), ERRORS)
async def test_error_bodies(world: World, reservekit: ReserveKit, form: Any, body: dict[str, Any]) -> None:
    world.reservations.behaviour = replace(world.reservations.behaviour, errors=form)
    answer = await reservekit.call("GET", "/services/9")
    assert (answer.status_code, answer.json()) == (404, body)


@pytest.mark.parametrize(
    ("form", "more"),
    [("data", {}), ("null-error", {"error": None}), ("status", {"status": "success", "error": None})],
)
async def test_envelopes(world: World, reservekit: ReserveKit, form: Any, more: dict[str, Any]) -> None:
    world.reservations.behaviour = replace(world.reservations.behaviour, envelope=form)
    body = (await reservekit.call("GET", "/services/123/time-slots")).json()
    assert body == {"data": [], **more}


async def test_the_burst_is_used_up_and_refills(clock: FakeClock, reservekit: ReserveKit) -> None:
    for left in range(9, -1, -1):
        answer = await reservekit.call("GET", "/services/123")
        assert answer.headers["X-RateLimit-Remaining"] == str(left)
    refused = await reservekit.call("GET", "/services/123")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
    assert refused.json()["error"]["code"] == "rate_limit_exceeded"
    assert refused.json()["error"]["retry_after"] == 1
    clock.elapsed += 0.2
    assert (await reservekit.call("GET", "/services/123")).status_code == 200
    assert (await reservekit.call("GET", "/services/123")).status_code == 429


async def test_retry_after_may_be_missing_and_the_limit_off(world: World, reservekit: ReserveKit) -> None:
    world.reservations.behaviour = replace(world.reservations.behaviour, burst=0, retry_after=False)
    answer = await reservekit.call("GET", "/services/123")
    assert (answer.status_code, "Retry-After" in answer.headers) == (429, False)
    world.reservations.behaviour = replace(world.reservations.behaviour, limiter=False)
    answer = await reservekit.call("GET", "/services/123")
    assert (answer.status_code, "X-RateLimit-Limit" in answer.headers) == (200, False)


async def test_the_month_runs_out_and_begins_anew(world: World, clock: FakeClock, reservekit: ReserveKit) -> None:
    world.reservations.behaviour = replace(world.reservations.behaviour, requests_per_month=2)
    assert await reservekit.slots() == []
    assert await reservekit.slots() == []
    assert await reservekit.error("GET", "/services") == (429, "api_limit_exceeded")
    clock.elapsed += 31 * 86400
    assert await reservekit.slots() == []


@pytest.mark.parametrize(("refused_count", "left"), [(True, 0), (False, 1)])
async def test_whether_refused_requests_count(
    world: World, clock: FakeClock, reservekit: ReserveKit, refused_count: bool, left: int
) -> None:
    switch(world, rate=1.0, burst=2, requests_per_month=4, refused_count=refused_count)
    statuses = [(await reservekit.call("GET", "/services/123")).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    clock.elapsed += 60
    statuses = [(await reservekit.call("GET", "/services/123")).status_code for _ in range(2)]
    assert statuses.count(200) == 1 + left


async def test_a_spent_month_may_say_how_long_to_wait(world: World, reservekit: ReserveKit) -> None:
    switch(world, requests_per_month=0)
    answer = await reservekit.call("GET", "/services/123")
    assert (answer.json()["error"]["code"], "Retry-After" in answer.headers) == ("api_limit_exceeded", False)
    switch(world, month_retry_after=86400)
    assert (await reservekit.call("GET", "/services/123")).headers["Retry-After"] == "86400"


@pytest.mark.parametrize(
    ("form", "header"),
    [("seconds", "1"), ("date", "Mon, 02 Mar 2026 12:00:01 GMT"), ("body", None)],
)
async def test_the_forms_of_a_wait(world: World, reservekit: ReserveKit, form: Any, header: str | None) -> None:
    switch(world, burst=0, retry_after_form=form)
    answer = await reservekit.call("GET", "/services/123")
    assert answer.headers.get("Retry-After") == header
    assert answer.json()["error"]["retry_after"] == 1


@pytest.mark.parametrize(("form", "reset"), [("epoch", AT + 1), ("millis", (AT + 1) * 1000), ("seconds", 1)])
async def test_the_forms_of_the_reset(world: World, reservekit: ReserveKit, form: Any, reset: int) -> None:
    switch(world, rate=1.0, burst=2, rate_headers=form)
    headers = (await reservekit.call("GET", "/services/123")).headers
    assert [headers[f"X-RateLimit-{name}"] for name in ("Limit", "Remaining", "Reset")] == ["2", "1", str(reset)]


async def test_a_refusal_tells_about_the_bucket_unless_nothing_does(world: World, reservekit: ReserveKit) -> None:
    switch(world, burst=0)
    assert (await reservekit.call("GET", "/services/123")).headers["X-RateLimit-Remaining"] == "0"
    switch(world, rate_headers="none")
    assert "X-RateLimit-Remaining" not in (await reservekit.call("GET", "/services/123")).headers


async def test_what_is_missing_is_named_or_not(world: World, reservekit: ReserveKit) -> None:
    switch(world, not_found="resource")
    assert await reservekit.error("GET", "/services/9") == (404, "resource_not_found")
    switch(world, not_found="bare")
    answer = await reservekit.call("DELETE", "/time-slots/9")
    assert (answer.status_code, answer.text) == (404, "404 page not found\n")
    assert (await reservekit.call("GET", "/services/123")).status_code == 200


async def test_pages_may_have_to_be_asked_for(world: World, reservekit: ReserveKit) -> None:
    switch(world, page_required=True)
    assert await reservekit.error("GET", "/services?page=1") == (400, "missing_required_field")
    assert await reservekit.data("GET", "/services?page=1&page_size=10")


async def test_slots_of_all_services(world: World, reservekit: ReserveKit) -> None:
    ids = twelve(world, slots_of_all=True)
    other = world.reservations.add_slot(world.reservations.add_service("Other", "UTC"), 0, 540, 600)
    listing = await reservekit.data("GET", "/time-slots?page=1&page_size=100")
    assert [slot["id"] for slot in listing["time_slots"]] == [*ids, other]


async def test_a_restless_listing_repeats_some_rows_and_leaves_others_out(world: World, reservekit: ReserveKit) -> None:
    ids = twelve(world, order="restless")
    pages = [await reservekit.data("GET", f"/time-slots?service_id=123&page={page}&page_size=4") for page in (1, 2, 3)]
    seen = [slot["id"] for page in pages for slot in page["time_slots"]]
    assert len(seen) == 12
    assert set(seen) < set(ids)
    assert {page["pagination"]["total_count"] for page in pages} == {12}
    whole = await reservekit.data("GET", "/time-slots?service_id=123&no_pagination=true")
    assert {slot["id"] for slot in whole["time_slots"]} == set(ids)


def switch(world: World, **switches: Any) -> None:
    world.reservations.behaviour = replace(world.reservations.behaviour, **switches)
