"""Which limit a 429 means, how long to keep away, and what the headers of a bucket are worth."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slotbridge.errors import ApiError, BudgetSpent, LimitReached
from slotbridge.http.meter import Unmetered
from slotbridge.http.transport import Response
from slotbridge.reservekit.answers import complaint
from slotbridge.reservekit.limits import bucket_wait, limit_reached
from tests.reservekit.kit import KEY, Server, listed, refusal

NOW = datetime(2025, 3, 3, 9, tzinfo=UTC)
AT = int(NOW.timestamp())


def limit(body: object, wait: str | None = None) -> LimitReached:
    answer = httpx.Response(429, json=body) if not isinstance(body, str) else httpx.Response(429, text=body)
    headers = {} if wait is None else {"retry-after": wait}
    response = Response(429, headers, answer.content)
    return limit_reached(response, complaint(answer.content, KEY), item="services", now=NOW)


def text(words: str) -> dict[str, object]:
    return {"error": words, "data": None}


def code(name: str, words: str = "no") -> dict[str, object]:
    return {"error": {"code": name, "message": words}}


KINDS = [
    # body, Retry-After, the month?, seconds to wait
    (code("api_limit_exceeded"), None, True, None),
    (code("api_limit_exceeded", "Too many requests"), "1", True, 1.0),
    (code("rate_limit_exceeded"), None, False, None),
    (code("rate_limit_exceeded", "your monthly plan allows 5 a second"), "30", False, 30.0),
    (code("rate_limit_exceeded"), "7200", False, 7200.0),
    ({"status": 429, "message": "no", "code": "api_limit_exceeded"}, None, True, None),
    (text("api_limit_exceeded"), None, True, None),
    (text("rate_limit_exceeded"), None, False, None),
    (text("Monthly limit reached"), None, True, None),
    (text("API usage limit exceeded"), "2", True, 2.0),
    (text("API limit exceeded"), None, True, None),
    (text("Your quota is exhausted"), None, True, None),
    (text("Too many requests"), None, False, None),
    (text("Rate limit exceeded"), "3", False, 3.0),
    (text("Slow down: 5 requests per second"), None, False, None),
    # Told apart by the size of the wait alone.
    (text("Limit exceeded"), "2", False, 2.0),
    (text("Limit exceeded"), "3600", False, 3600.0),
    (text("Limit exceeded"), "3601", True, 3601.0),
    (text("Too many requests"), "864000", True, 864000.0),
    (text("Limit exceeded"), "Mon, 03 Mar 2025 09:00:05 GMT", False, 5.0),
    (text("Limit exceeded"), "Tue, 01 Apr 2025 00:00:00 GMT", True, 29 * 86400 - 9 * 3600.0),
    # Unclear: an hour.
    (text("Limit exceeded"), None, False, 3600.0),
    (text("Limit exceeded"), "soon", False, 3600.0),
    ({}, None, False, 3600.0),
    ("<html><title>Nope</title></html>", None, False, 3600.0),
    ("", None, False, 3600.0),
    ("", "5", False, 5.0),
]


@pytest.mark.parametrize(("body", "header", "month", "wait"), KINDS)
def test_the_month_and_the_rate_are_told_apart(
    body: object, header: str | None, month: bool, wait: float | None
) -> None:
    error = limit(body, header)
    assert isinstance(error, BudgetSpent) is month
    assert error.retry_after == wait
    assert error.hint


async def test_a_limit_of_an_unclear_kind_is_not_run_into_by_anybody_for_an_hour() -> None:
    server = Server([httpx.Response(429), listed([1])])
    client = server.client()
    with pytest.raises(LimitReached, match="left alone for an hour"):
        await client.list_time_slots(123)
    with pytest.raises(LimitReached, match="another 60 minutes; nothing was sent") as caught:
        await client.list_time_slots(123)
    assert (len(server.asked), caught.value.retry_after) == (1, 3600)
    await server.clock.sleep(3600)
    assert len(await client.list_time_slots(123)) == 1


@pytest.mark.parametrize("body", [code("api_limit_exceeded"), text("api_limit_exceeded")])
async def test_a_success_that_says_the_month_is_used_up_is_noted_as_a_refusal_is(body: object) -> None:
    server, meter = Server([httpx.Response(200, json=body)]), Noting()
    with pytest.raises(BudgetSpent, match="answered 200 with the error"):
        await server.client(meter=meter).list_time_slots(123)
    assert (len(server.asked), meter.told) == (1, ["spent"])


async def test_a_success_that_says_too_fast_is_asked_for_again() -> None:
    server = Server([httpx.Response(200, json=code("rate_limit_exceeded")), listed([1])])
    assert len(await server.client().list_time_slots(123)) == 1
    assert server.clock.slept


async def test_a_row_that_speaks_of_a_limit_is_a_row() -> None:
    row = {"id": 7, "name": "api_limit_exceeded"}
    assert await Server([httpx.Response(200, json={"data": {"services": [row]}})]).client().list_services()


async def test_the_rest_of_a_long_wait_is_waited_for_once_it_is_short() -> None:
    server = Server([refusal(429, "rate_limit_exceeded", retry_after=300), listed([1])])
    client = server.client()
    with pytest.raises(LimitReached):
        await client.list_time_slots(123)
    await server.clock.sleep(200)
    assert len(await client.list_time_slots(123)) == 1
    assert server.clock.monotonic() == pytest.approx(300, abs=0.1)


# The headers of the bucket


def bucket(remaining: object = 0, reset: object = AT + 30, limit: object = 10) -> dict[str, str]:
    return {
        f"x-ratelimit-{name}": str(value)
        for name, value in {"limit": limit, "remaining": remaining, "reset": reset}.items()
        if value is not None
    }


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        (bucket(), 30.0),
        (bucket(limit=None), 30.0),
        (bucket(reset=f"{AT + 2}.5"), 2.5),
        (bucket(reset=AT + 120), 120.0),
        (bucket(remaining=" 0 "), 30.0),
        (bucket(remaining="0\x1f"), 30.0),
        (bucket(remaining=1), 0.0),
        (bucket(remaining=None), 0.0),
        (bucket(reset=None), 0.0),
        (bucket(limit=0), 0.0),
        (bucket(remaining=-1), 0.0),
        (bucket(remaining="none"), 0.0),
        (bucket(remaining="0, 0"), 0.0),
        (bucket(reset=AT), 0.0),
        (bucket(reset=AT - 5), 0.0),
        (bucket(reset=AT + 121), 0.0),
        (bucket(reset=30), 0.0),  # seconds from now
        (bucket(reset=(AT + 30) * 1000), 0.0),  # milliseconds
        (bucket(reset="9" * 400), 0.0),
        (bucket(reset="Mon, 03 Mar 2025 09:00:30 GMT"), 0.0),
        ({}, 0.0),
    ],
)
def test_an_empty_bucket_is_waited_for_and_nonsense_is_not(headers: dict[str, str], wait: float) -> None:
    assert bucket_wait(headers, NOW) == wait


@given(st.dictionaries(st.sampled_from(["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"]), st.text()))
def test_no_header_is_a_crash_or_a_long_wait(headers: dict[str, str]) -> None:
    assert 0 <= bucket_wait(headers, NOW) <= 120


def full(remaining: int, reset: int, **more: str) -> httpx.Response:
    answer = listed([1])
    answer.headers.update({"X-RateLimit-Remaining": str(remaining), "X-RateLimit-Reset": str(reset), **more})
    return answer


async def test_the_next_request_waits_until_the_bucket_has_room() -> None:
    server = Server([full(1, AT + 40), full(0, AT + 40), listed([1])])
    client = server.client()
    await client.list_time_slots(123)
    await client.list_time_slots(123)
    assert server.clock.monotonic() == 0
    await client.list_time_slots(123)
    assert server.clock.monotonic() == pytest.approx(40, abs=0.1)


@pytest.mark.parametrize("skew", [-3600, 3600])
async def test_a_server_whose_clock_is_off_is_understood_by_its_own_date(skew: int) -> None:
    date = format_datetime(NOW + timedelta(seconds=skew), usegmt=True)
    server = Server([full(0, AT + skew + 40, Date=date), listed([1])])
    client = server.client()
    await client.list_time_slots(123)
    await client.list_time_slots(123)
    assert server.clock.monotonic() == pytest.approx(40, abs=0.1)


async def test_a_date_that_nobody_can_mean_is_not_believed() -> None:
    server = Server([full(0, AT + 40, Date="Fri, 31 Dec 9999 23:59:59 -1200"), listed([1])])
    client = server.client()
    await client.list_time_slots(123)
    await client.list_time_slots(123)
    assert server.clock.monotonic() == pytest.approx(40, abs=0.1)


async def test_a_retry_after_as_a_date_goes_by_the_server_s_clock() -> None:
    there = NOW + timedelta(hours=2)
    headers = {
        "Date": format_datetime(there, usegmt=True),
        "Retry-After": format_datetime(there + timedelta(seconds=7), usegmt=True),
    }
    server = Server([httpx.Response(429, headers=headers, json=code("rate_limit_exceeded")), listed([1])])
    await server.client().list_time_slots(123)
    assert server.clock.monotonic() == pytest.approx(7, abs=0.1)


class Noting(Unmetered):
    """A meter that admits everything and remembers what the client told it."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def passed(self) -> None:
        self.told.append("passed")

    def spent(self) -> None:
        self.told.append("spent")


async def test_the_meter_learns_that_the_month_is_spent_and_that_it_is_not() -> None:
    answers = [refusal(429, "api_limit_exceeded"), refusal(429, "rate_limit_exceeded", retry_after=1), listed([1])]
    server, meter = Server(answers), Noting()
    client = server.client(meter=meter)
    with pytest.raises(BudgetSpent):
        await client.list_time_slots(123)
    assert meter.told == ["spent"]
    await client.list_time_slots(123)
    assert meter.told == ["spent", "passed"]


@pytest.mark.parametrize(("status", "told"), [(404, ["passed"]), (400, ["passed"]), (500, []), (429, [])])
async def test_any_answer_of_the_api_but_a_limit_shows_that_the_month_is_not_spent(
    status: int, told: list[str]
) -> None:
    meter = Noting()
    with pytest.raises(ApiError):
        await Server([refusal(status, "rate_limit_exceeded")] * 4).client(meter=meter).get_service(7)
    assert meter.told == told
