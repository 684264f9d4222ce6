"""Whatever the server answers: an ApiError or a result that the answer proves, and never the key in a message."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slotbridge.errors import ApiError, BadAnswer
from slotbridge.lenses.items import TimeSlot
from slotbridge.reservekit import Customer, ReserveKitClient
from tests.reservekit.accounts import FORMS, SANDBOX_KEY, Sandbox
from tests.reservekit.kit import KEY, Server

NEW = TimeSlot(None, 0, "2024-01-01 09:00:00", "2024-01-01 10:00:00", 2)
Call = Callable[[ReserveKitClient], Awaitable[object]]

LISTINGS: dict[str, Call] = {
    "list_services": lambda client: client.list_services(),
    "list_time_slots": lambda client: client.list_time_slots(1),
    "list_bookings": lambda client: client.list_bookings(1),
}
READS: dict[str, Call] = LISTINGS | {
    "get_service": lambda client: client.get_service(1),
    "get_booking": lambda client: client.get_booking(1),
    "get_booking_customer": lambda client: client.get_booking_customer(1),
}
WRITES: dict[str, Call] = {
    "create_service": lambda client: client.create_service("Dental", "UTC", description="Teeth"),
    "update_service": lambda client: client.update_service(1, name="Dentist"),
    "save_time_slots": lambda client: client.save_time_slots(1, [NEW]),
    "delete_time_slot": lambda client: client.delete_time_slot(1),
    "create_booking": lambda client: client.create_booking(1, 2, "2025-03-10", Customer(name="Ada"), message="x"),
    "update_booking": lambda client: client.update_booking(1, status="confirmed", message="x"),
    "cancel_booking": lambda client: client.cancel_booking(1, "gone"),
    "update_booking_customer": lambda client: client.update_booking_customer(1, Customer(phone="+4930123456")),
}
CALLS = READS | WRITES

WORDS = st.sampled_from(
    [
        "data",
        "error",
        "code",
        "message",
        "details",
        "retry_after",
        "pagination",
        "metadata",
        "services",
        "bookings",
        "time_slots",
        "id",
        "service_id",
        "date",
        "customer",
        "total_pages",
        "total_count",
        "page_size",
        KEY,
        f"Bearer {KEY}",
        "2025-03-10",
        "service_not_found",
        "time_slot_not_found",
        "booking_not_found",
        "cancelled",
        "rate_limit_exceeded",
        "api_limit_exceeded",
    ]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | WORDS
ANY_JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS | st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)
ENVELOPES = st.fixed_dictionaries({"data": ANY_JSON}) | st.fixed_dictionaries({"error": ANY_JSON}) | ANY_JSON
BODIES = (
    st.binary(max_size=60)
    | ENVELOPES.map(lambda value: json.dumps(value).encode())
    | ENVELOPES.map(lambda value: json.dumps(value).encode()[:-1])
)
STATUSES = st.integers(200, 599) | st.sampled_from([200, 201, 204, 301, 400, 401, 403, 404, 405, 409, 422, 429, 500])
HEADER = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20) | st.integers().map(str) | WORDS
HEADERS = st.dictionaries(
    st.sampled_from(
        ["Retry-After", "Date", "Location", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"]
    ),
    HEADER | st.sampled_from(["0", "Fri, 31 Dec 9999 23:59:59 -1200", "Mon, 01 Jan 0001 00:00:00 +1200"]),
    max_size=3,
)


def outcome(call: Call, answer: Callable[[], httpx.Response], key: str = KEY) -> tuple[object, Server]:
    """What a call returns, or the ApiError that it raises; anything else is a crash of the test."""
    server = Server(lambda _request: answer())
    try:
        return asyncio.run(_awaited(call(server.client(key=key)))), server
    except ApiError as error:
        return error, server


async def _awaited(call: Awaitable[object]) -> object:
    return await call


@pytest.mark.parametrize("name", CALLS)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(status=STATUSES, headers=HEADERS, body=BODIES)
def test_nothing_but_an_api_error_comes_out_and_no_key(
    name: str, status: int, headers: dict[str, str], body: bytes
) -> None:
    result, server = outcome(CALLS[name], lambda: httpx.Response(status, headers=headers, content=body))
    if isinstance(result, ApiError):
        assert result.side == "reservekit"
        assert result.hint
        assert KEY not in f"{result} {result!r} {result.as_json()} {result.code}"
    else:
        assert 200 <= server_status(server, status) < 300
    writes = [request for request in server.asked if request.method != "GET"]
    assert len(writes) <= (4 if status == 429 else 1)


def server_status(server: Server, status: int) -> int:
    """404 for a time slot that is to be deleted is the one refusal that is a success."""
    return 200 if (server.asked[-1].method, status) == ("DELETE", 404) else status


def real_answers() -> dict[str, bytes]:
    """What the sandbox answers to each listing, in each form."""
    answers: dict[str, bytes] = {}
    for form, behaviour in FORMS.items():
        sandbox = Sandbox(**behaviour)
        for slot in sandbox.fill(2):
            sandbox.account.add_booking(slot, "2025-03-10", email="ada@example.com")
        for path in ("services", "time-slots", "bookings"):
            headers = {"Authorization": f"Bearer {SANDBOX_KEY}"}
            query = "service_id=1&page=1&page_size=100"
            answer = sandbox.account.answer("GET", f"/v1/{path}", query, headers, b"")
            answers[f"{form}: list_{path.replace('-', '_')}"] = answer.body
    return answers


REAL = real_answers()


@pytest.mark.parametrize("name", LISTINGS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_G4_no_prefix_of_a_real_answer_is_a_listing(name: str, data: Any) -> None:
    body = REAL[data.draw(st.sampled_from([key for key in REAL if key.endswith(name)]))]
    cut = data.draw(st.integers(0, len(body) - 1))
    whole, _ = outcome(LISTINGS[name], lambda: httpx.Response(200, content=body))
    assert isinstance(whole, list | tuple)
    assert whole
    part, _ = outcome(LISTINGS[name], lambda: httpx.Response(200, content=body[:cut]))
    assert isinstance(part, BadAnswer)


def without_row(body: bytes, row: int) -> bytes:
    """The same answer, valid JSON, with one row left out and everything else as it was."""
    answer = json.loads(body)
    data = answer["data"]
    rows = data if isinstance(data, list) else next(value for value in data.values() if isinstance(value, list))
    del rows[row % len(rows)]
    return json.dumps(answer).encode()


@pytest.mark.parametrize("key", [key for key in REAL if not key.startswith(("null", "bare"))])
def test_G4_a_listing_that_leaves_a_row_out_does_not_add_up(key: str) -> None:
    call = LISTINGS[key.split(": ")[1]]
    for row in range(2):
        part, _ = outcome(call, lambda row=row: httpx.Response(200, content=without_row(REAL[key], row)))  # type: ignore[misc]
        assert isinstance(part, BadAnswer)


@settings(max_examples=60, deadline=None)
@given(
    count=st.integers(1, 12),
    size=st.integers(1, 5),
    pagination=st.sampled_from(["current_page", "page", "metadata"]),
    faulty=st.integers(1, 12),
    fault=st.sampled_from(["row", "page", "again", "cut", "gateway", "none"]),
)
def test_G4_a_listing_is_complete_or_it_is_an_error(
    count: int, size: int, pagination: str, faulty: int, fault: str
) -> None:
    """From the `faulty`-th request on, answers lose a row, come empty, repeat the first page, or break off."""
    sandbox = Sandbox(pagination=pagination, max_page_size=size)
    numbers = sandbox.fill(count)
    asked: list[bytes] = []

    def spoiled(answer: httpx.Response) -> httpx.Response:
        asked.append(answer.content)
        if len(asked) < faulty or fault == "none":
            return answer
        match fault:
            case "row":
                return httpx.Response(200, content=_rows(answer.content, lambda rows: rows[1:]))
            case "page":
                return httpx.Response(200, content=_rows(answer.content, lambda _rows: []))
            case "again":
                return httpx.Response(200, content=asked[0])
            case "cut":
                return httpx.Response(200, content=answer.content[:-3])
        return httpx.Response(502, html="<html>")

    server = Server(lambda request: spoiled(sandbox.server.handle(request)))
    try:
        slots = asyncio.run(server.client(key=SANDBOX_KEY).list_time_slots(sandbox.service))
    except ApiError:
        assert fault != "none"
    else:
        assert sorted(slot.id or 0 for slot in slots) == numbers


def _rows(body: bytes, change: Callable[[list[Any]], list[Any]]) -> bytes:
    answer = json.loads(body)
    if isinstance(answer["data"], list):
        answer["data"] = change(answer["data"])
    else:
        answer["data"]["time_slots"] = change(answer["data"]["time_slots"])
    return json.dumps(answer).encode()
