"""From status and body to the error that says what to do."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest

from slotbridge.errors import (
    AccessRefused,
    ApiError,
    BudgetSpent,
    LimitReached,
    NotFound,
    OutcomeUnknown,
    Rejected,
    WriteRefused,
)
from slotbridge.http.transport import Response
from slotbridge.reservekit.failures import Surface, failure
from tests.reservekit.kit import KEY, refusal

NOW = datetime(2025, 3, 3, 9, tzinfo=UTC)


def error_of(answer: httpx.Response, writes: Surface | None = None, origin: str | None = None) -> ApiError:
    response = Response(answer.status_code, {k.lower(): v for k, v in answer.headers.items()}, answer.content)
    return failure(response, item="time slots of service 123", writes=writes, now=NOW, secret=KEY, origin=origin)


def text(status: int, message: str) -> httpx.Response:
    return httpx.Response(status, json={"error": message, "data": None})


CASES = [
    # answer, when reading, when writing, a word of the hint when reading
    (refusal(400, "validation_failed"), Rejected, Rejected, "base_url"),
    (refusal(401, "invalid_api_key"), AccessRefused, WriteRefused, "api_key"),
    (text(401, "API key revoked"), AccessRefused, WriteRefused, "api_key"),
    (text(403, "Origin does not match API key domain"), AccessRefused, WriteRefused, "domain"),
    (refusal(404, "service_not_found"), NotFound, NotFound, "service_id"),
    (text(404, "Service not found"), NotFound, NotFound, "service_id"),
    (refusal(404, "time_slot_not_found"), NotFound, NotFound, "deleted"),
    (refusal(404, "resource_not_found"), NotFound, WriteRefused, "base_url"),
    (refusal(404, "not_found", "Time slot 7 could not be found"), NotFound, NotFound, "deleted"),
    (httpx.Response(404, text="404 page not found"), NotFound, WriteRefused, "base_url"),
    (text(404, "route PATCH /v1/time-slots not found"), NotFound, WriteRefused, "base_url"),
    (httpx.Response(405), Rejected, WriteRefused, "base_url"),
    (httpx.Response(408), OutcomeUnknown, OutcomeUnknown, "next run"),
    (refusal(409, "conflict"), Rejected, Rejected, "base_url"),
    (httpx.Response(413, html="<html>too large</html>"), Rejected, Rejected, "base_url"),
    (refusal(422, "invalid_status_transition"), Rejected, Rejected, "base_url"),
    (refusal(429, "rate_limit_exceeded"), LimitReached, LimitReached, "plan"),
    (refusal(429, "api_limit_exceeded"), BudgetSpent, BudgetSpent, "month"),
    (text(429, "Monthly limit reached"), BudgetSpent, BudgetSpent, "month"),
    (text(429, "API usage limit exceeded"), BudgetSpent, BudgetSpent, "month"),
    (refusal(429, "rate_limit_exceeded", "monthly plan: 5 a second"), LimitReached, LimitReached, "plan"),
    (text(429, "Too many requests"), LimitReached, LimitReached, "plan"),
    (refusal(500, "internal_error"), OutcomeUnknown, OutcomeUnknown, "next run"),
    (httpx.Response(502, html="<html>Bad gateway</html>"), OutcomeUnknown, OutcomeUnknown, "next run"),
    (httpx.Response(503), OutcomeUnknown, OutcomeUnknown, "next run"),
    (httpx.Response(302, headers={"Location": "https://new.example/x"}), ApiError, ApiError, "base_url"),
]


@pytest.mark.parametrize(("answer", "reading", "writing", "hint"), CASES)
def test_the_table_of_errors(
    answer: httpx.Response, reading: type[ApiError], writing: type[ApiError], hint: str
) -> None:
    when_reading, when_writing = error_of(answer), error_of(answer, "time slots")
    assert (type(when_reading), type(when_writing)) == (reading, writing)
    assert when_reading.status == when_writing.status == answer.status_code
    assert hint in (when_reading.hint or "")
    assert when_writing.hint


def test_the_message_says_what_where_and_what_to_do() -> None:
    error = error_of(refusal(401, "invalid_api_key", "API key revoked"))
    assert str(error) == (
        "ReserveKit, time slots of service 123: answered 401 invalid_api_key: API key revoked. "
        "Check [reservekit] api_key: it may be mistyped, or revoked or replaced in the ReserveKit dashboard"
    )


def test_W6_a_refused_write_names_the_way_out() -> None:
    error = error_of(text(403, "Origin does not match API key domain"), "time slots")
    assert "bound to a domain" in str(error)
    assert 'direction = "to-bitrix24"' in str(error)


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("writes", [None, "time slots"])
def test_a_key_that_is_bound_to_a_domain_is_told_from_a_wrong_one(status: int, writes: Surface | None) -> None:
    bound = refusal(status, "origin_mismatch", "Origin does not match API key domain")
    assert "write it into [reservekit] origin" in str(error_of(bound, writes))
    assert "that is not [reservekit] origin" in str(error_of(bound, writes, "https://www.example.com"))
    assert "api_key" not in str(error_of(bound, writes))
    assert "[reservekit] origin" not in str(error_of(refusal(401, "invalid_api_key", "The original key"), writes))


def test_a_rejection_shows_the_fields() -> None:
    error = error_of(
        refusal(400, "validation_failed", "Wrong", details={"max_bookings": "must be at least 1"}),
        "time slots",
    )
    assert error.what == "answered 400 validation_failed: Wrong (max_bookings: must be at least 1)"
    assert error.code == "validation_failed"


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(413),
        refusal(400, "validation_failed", "Wrong", details={"time_slots": "must contain at most 3 items"}),
        text(422, "too many time slots"),
        text(400, "time_slots: maximum of 50 elements"),
    ],
)
def test_a_batch_that_is_too_large_names_the_option(answer: httpx.Response) -> None:
    assert "max_batch" in (error_of(answer, "time slots").hint or "")


@pytest.mark.parametrize(
    "said",
    [
        {"end_time": "must be after start_time"},
        {"end_time": "must be on the same day"},
        {"start_time": "has to be before the end"},
        {"EndTime": "Field validation for 'EndTime' failed on the 'gtfield' tag"},
    ],
)
def test_an_end_that_is_refused_names_the_option_for_midnight(said: dict[str, str]) -> None:
    hint = error_of(refusal(400, "validation_failed", "Wrong", details=said), "time slots").hint or ""
    assert "end_of_day" in hint
    assert "slotbridge show" in hint


@pytest.mark.parametrize(
    "said",
    [
        'parsing time "2024-01-01 09:00:00" as "2006-01-02T15:04:05Z07:00": cannot parse " 09:00:00" as "T"',
        "start_time must be an RFC 3339 date-time",
        "end_time has an invalid format",
    ],
)
def test_a_form_of_times_that_is_refused_names_the_option(said: str) -> None:
    for answer in (refusal(400, "invalid_request", said), text(422, said)):
        assert "time_format" in (error_of(answer, "time slots").hint or "")


@pytest.mark.parametrize(
    "said",
    ["Time slot not found", "slot not found", "time-slot 5 not found", "No time slot found with id 5", "no such slot"],
)
def test_a_text_that_names_the_missing_slot_is_as_good_as_the_code(said: str) -> None:
    assert error_of(text(404, said), "time slots").code == "time_slot_not_found"


@pytest.mark.parametrize("said", ["/v1/time-slots/5 not found", "DELETE /slot was not found", "no route found"])
def test_a_path_is_not_what_is_missing(said: str) -> None:
    assert type(error_of(text(404, said), "time slots")) is WriteRefused


def test_a_text_that_names_the_missing_service_is_as_good_as_the_code() -> None:
    assert error_of(text(404, "service with id 7 does not exist"), "time slots").code == "service_not_found"


@pytest.mark.parametrize(
    ("headers", "body", "seconds"),
    [
        ({"Retry-After": "7"}, {"retry_after": 30}, 7.0),
        ({}, {"retry_after": 30}, 30.0),
        ({"Retry-After": "soon"}, {"retry_after": "12"}, 12.0),
        ({"Retry-After": "-5"}, {"retry_after": 12}, 12.0),
        ({"Retry-After": "-5"}, {"retry_after": -5}, None),
        ({"Retry-After": "Mon, 03 Mar 2025 09:00:09 GMT"}, {}, 9.0),
        ({}, {}, None),
    ],
)
def test_the_wait_is_in_the_header_else_in_the_body(
    headers: dict[str, str], body: dict[str, object], seconds: float | None
) -> None:
    inside = httpx.Response(429, headers=headers, json={"error": {"code": "rate_limit_exceeded", **body}})
    beside = httpx.Response(429, headers=headers, json={"error": "Too many requests", **body})
    for answer in (inside, beside):
        error = error_of(answer)
        assert isinstance(error, LimitReached)
        assert error.retry_after == seconds


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("https://new.example/v1?key=abc", "new.example"),
        ("/v2/time-slots", "another address"),
        ("https://[broken", "another address"),
    ],
)
def test_a_redirect_shows_the_host_only(location: str, shown: str) -> None:
    error = error_of(httpx.Response(301, headers={"Location": location}))
    assert error.what == f"answered 301, which leads to {shown}"


def test_a_value_of_a_time_slot_is_no_limit_of_the_plan() -> None:
    said = refusal(400, "validation_failed", "The maximum number of bookings must be at least 1")
    hint = error_of(said, "time slots").hint or ""
    assert "slotbridge show" in hint
    assert "max_batch" not in hint
    assert "end_of_day" not in hint
    assert "larger plan" in (error_of(said, "bookings").hint or "")
