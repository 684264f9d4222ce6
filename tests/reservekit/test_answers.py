"""The shapes of a body: what is taken from it, and what of it may be shown."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slotbridge.reservekit.answers import Complaint, appearance, complaint, waiting_time

SECRET = "hunter2-hunter2"
NOW = datetime(2025, 3, 3, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("body", "code", "text"),
    [
        (
            b'{"error": {"code": "service_not_found", "message": "No service"}}',
            "service_not_found",
            "No service",
        ),
        (b'{"error": "time slot is full", "data": null}', None, "time slot is full"),
        (b'{"status": 404, "message": "No service", "code": "not_found"}', "not_found", "No service"),
        (b'{"status": "error", "error": "API key revoked", "data": null}', None, "API key revoked"),
        (b'{"message": "No service"}', None, "No service"),
        (b'{"status": 404, "code": 1204, "message": "No service"}', "1204", "No service"),
        (b'{"error": "service_not_found"}', "service_not_found", "service_not_found"),
        (b'{"error": {"code": null}, "code": true, "message": "Odd"}', None, "Odd"),
        (b"404 page not found\n", None, "404 page not found"),
        (b"<!DOCTYPE html><title>Bad gateway</title>", None, "an HTML page"),
        (b"", None, "an empty body"),
        (b'{"error": {}}', None, '{"error": {}}'),
        (b"[1, 2]", None, "[1, 2]"),
        (b'{"message": [1]}', None, '{"message": [1]}'),
        (b"\xff\xfe", None, "\ufffd\ufffd"),
    ],
)
def test_code_and_message_are_found_in_every_shape(body: bytes, code: str | None, text: str) -> None:
    said = complaint(body, SECRET)
    assert (said.code, said.text) == (code, text)


@pytest.mark.parametrize(
    ("details", "shown"),
    [
        (b'{"max_bookings": "must be at least 1"}', "max_bookings: must be at least 1"),
        (b'{"end_time": ["required", "too early"]}', "end_time: required; too early"),
        (b'[{"field": "day_of_week", "message": "max 6"}]', "field: day_of_week; message: max 6"),
        (b'"see the guide"', "see the guide"),
        (b"null", ""),
    ],
)
def test_details_are_shown_field_by_field(details: bytes, shown: str) -> None:
    inside = b'{"error": {"code": "validation_failed", "message": "Wrong", "details": ' + details + b"}}"
    beside = b'{"error": "Wrong", "details": ' + details + b"}"
    assert complaint(inside, SECRET).details == shown
    assert complaint(beside, SECRET).details == shown


def test_a_long_message_is_cut() -> None:
    assert len(complaint(b'{"message": "' + b"a" * 5000 + b'"}', SECRET).text) == 160


@pytest.mark.parametrize(
    "body",
    [
        b'{"error": {"code": "x", "message": "hunter2-hunter2 is bad", "details": {"k": "hunter2-hunter2"}}}',
        b'{"error": "Bearer hunter2-hunter2"}',
        b"hunter2-hunter2",
        b'{"hunter2-hunter2": 1}',
        b'{"code": "hunter2-hunter2"}',
        b'{"error": {"code": "sk_rsv_0123456789abcdef"}, "message": "sk_rsv_0123456789abcdef"}',
    ],
)
def test_a_key_that_the_server_echoes_is_masked(body: bytes) -> None:
    shown = str(complaint(body, SECRET))
    assert "hunter2" not in shown
    assert "0123456789" not in shown


@pytest.mark.parametrize("key", ["limit", "exceeded", "api_limit_exceeded", "a"])
def test_a_code_that_is_known_is_itself_even_if_the_key_is_a_part_of_it(key: str) -> None:
    assert complaint(b'{"error": {"code": "api_limit_exceeded", "message": "no"}}', key).code == "api_limit_exceeded"


def test_a_key_in_the_place_of_the_text_is_no_code() -> None:
    assert complaint(b'{"error": "my_own_secret"}', "my_own_secret").code is None


@given(st.binary(max_size=200))
def test_no_body_is_a_crash(body: bytes) -> None:
    assert isinstance(complaint(body, SECRET), Complaint)
    assert appearance(body)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("30", 30.0),
        (30, 30.0),
        (1.5, 1.5),
        ("0", 0.0),
        (-5, None),
        ("-5", None),
        ("-0.5", None),
        ("Mon, 03 Mar 2025 09:00:45 GMT", 45.0),
        ("Mon, 03 Mar 2025 09:00:45 -0000", 45.0),
        ("Mon, 03 Mar 2025 08:00:00 GMT", 0.0),
        ("soon", None),
        ("", None),
        (None, None),
        (True, None),
        ([30], None),
        ("nan", None),
        ("inf", None),
        (10**400, None),
    ],
)
def test_retry_after_in_every_form(value: object, seconds: float | None) -> None:
    assert waiting_time(value, NOW) == seconds


@given(st.text())
def test_no_retry_after_is_a_crash(value: str) -> None:
    seconds = waiting_time(value, NOW)
    assert seconds is None or seconds >= 0
