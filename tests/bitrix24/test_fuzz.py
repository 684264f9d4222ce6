"""Whatever the portal answers: an error of the family or the truth, never a crash, an empty list or a secret."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
from hypothesis import given, settings
from hypothesis import strategies as st

from slotbridge.bitrix24.commands import Command
from slotbridge.bitrix24.models import read_slots
from slotbridge.errors import ApiError
from tests.bitrix24.portal import SECRET, WEBHOOK, Portal

LIST = "booking.v1.resource.slots.list"
READ = Command(LIST, {"resourceId": 15}, "resource 15")
WRITE = Command("booking.v1.resource.slots.unset", {"resourceId": 16}, "resource 16", write=True)

SLOT = {"from": 540, "id": 171, "slotSize": 30, "timezone": "Europe/Berlin", "to": 1080, "weekDays": ["Mon"]}
TIME = {"start": 1778747192.91, "finish": 1778747193.53, "operating_reset_at": 1778747792, "operating": 3.3}
CALLED = json.dumps({"result": {"slots": [SLOT]}, "total": 0, "time": TIME}).encode()
MEMBERS = {
    "result": {"c0": {"slots": [SLOT]}},
    "result_error": {"c1": {"error": "QUERY_LIMIT_EXCEEDED", "error_description": "Too many requests"}},
    "result_total": [],
    "result_next": [],
    "result_time": {"c0": TIME},
}
BATCHED = json.dumps({"result": MEMBERS, "time": TIME}).encode()

KEYS = st.sampled_from(
    ["result", "error", "error_description", "result_error", "result_time", "time", "c0", "c1", "operating", "slots"]
) | st.text(max_size=3)
TEXTS = st.text(max_size=8) | st.sampled_from(
    [SECRET, WEBHOOK, "QUERY_LIMIT_EXCEEDED", "OPERATION_TIME_LIMIT", "expired_token", "1009", "ERROR_CORE", "{name}"]
)
NUMBERS = st.integers() | st.floats(allow_nan=False) | st.just(10**400)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
BODIES = (
    st.binary(max_size=40)
    | JSON.map(lambda value: json.dumps(value).encode())
    | JSON.map(lambda value: json.dumps({"result": value}).encode())
    | JSON.map(lambda value: json.dumps({"error": value, "error_description": SECRET}).encode())
    | st.integers(0, len(CALLED) - 1).map(lambda length: CALLED[:length])
    | st.integers(0, len(BATCHED) - 1).map(lambda length: BATCHED[:length])
)
STATUSES = st.sampled_from([200, 201, 204, 301, 302, 400, 401, 403, 404, 429, 500, 502, 503, 599])
HEADERS = st.fixed_dictionaries(
    {}, optional={"Retry-After": st.text("0123456789-: GMT", max_size=8), "Location": TEXTS}
)

MANY = settings(deadline=None, max_examples=100)


def portal_saying(status: int, body: bytes, headers: dict[str, str]) -> Portal:
    """A portal that never says anything else."""

    class Stubborn(Portal):
        def handle(self, request: httpx.Request) -> httpx.Response:
            encoded = [(name.encode(), value.encode("utf-8", "replace")) for name, value in headers.items()]
            return httpx.Response(status, content=body, headers=encoded)

    return Stubborn()


async def called(portal: Portal, command: Command) -> object:
    try:
        return await portal.gateway.call(command)
    except ApiError as error:
        return error


async def batched(portal: Portal) -> list[Any]:
    try:
        return await portal.gateway.batch([READ, WRITE], "the batch")
    except ApiError as error:
        return [error, error]


def check(outcome: object) -> None:
    """What is an error says something, and no secret."""
    if isinstance(outcome, ApiError):
        assert SECRET.lower() not in f"{outcome} {outcome!r} {outcome.as_json()} {outcome.code}".lower()
        assert outcome.what


@MANY
@given(STATUSES, BODIES, HEADERS)
def test_any_answer_to_a_call(status: int, body: bytes, headers: dict[str, str]) -> None:
    for command in (READ, WRITE):
        check(asyncio.run(called(portal_saying(status, body, headers), command)))


@MANY
@given(STATUSES, BODIES, HEADERS)
def test_any_answer_to_a_batch(status: int, body: bytes, headers: dict[str, str]) -> None:
    outcomes = asyncio.run(batched(portal_saying(status, body, headers)))
    assert len(outcomes) == 2
    for outcome in outcomes:
        check(outcome)


@MANY
@given(STATUSES, BODIES)
def test_a_read_is_never_empty_because_something_broke(status: int, body: bytes) -> None:
    if asyncio.run(slots_of(portal_saying(status, body, {}))) == ():
        assert says_empty(body)


async def slots_of(portal: Portal) -> object:
    try:
        return (await portal.client.list_slots([15]))[15]
    except ApiError as error:
        return error


def says_empty(body: bytes) -> bool:
    """Whether the portal really sent an empty list of slots for the first command of a batch."""
    members = json.loads(body)["result"]
    first = members["result"]
    return read_slots(first["c0"] if isinstance(first, dict) else first[0], "resource 15") == ()


async def test_no_beginning_of_a_real_answer_is_taken_for_one(portal: Portal) -> None:
    for length in range(len(BATCHED)):
        portal.script = [httpx.Response(200, content=BATCHED[:length])]
        assert isinstance(await slots_of(portal), ApiError)
    for length in range(len(CALLED)):
        portal.script = [httpx.Response(200, content=CALLED[:length])]
        assert isinstance(await called(portal, READ), ApiError)
