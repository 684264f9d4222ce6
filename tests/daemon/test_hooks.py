"""Notifications: whose word is taken for what, and that nothing that is sent does more than hasten a look."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from structlog.testing import capture_logs

from slotbridge.daemon.hooks import Heard, Hooks, heard_from_bitrix24, heard_from_reservekit
from slotbridge.sandbox.portal_events import Event, Listener
from slotbridge.settings import PairSettings

TOKEN = "51856fefc120afa4b628cc82d3935cce"
PAIRS = (
    PairSettings(name="dental", resource_id=15, service_id=123),
    PairSettings(name="massage", resource_id=16, service_id=124),
)
BOOKING = {"id": 9, "service_id": 123, "date": "2026-05-14", "time_slot_id": 7, "status": "confirmed"}
NESTED = {"id": 9, "date": "2026-05-14", "time_slot": {"id": 7, "service_id": 123, "day_of_week": 3}}


class Listening:
    """Hooks whose callbacks write down what they get."""

    def __init__(self, token: str | None = TOKEN) -> None:
        self.noticed: list[tuple[str, str]] = []
        self.counts: Counter[tuple[str, str]] = Counter()
        self.hooks = Hooks(
            PAIRS,
            SecretStr(token) if token else None,
            notice=lambda name, why: self.noticed.append((name, why)),
            counts=self.counts,
        )


def event(resource: object = 15, name: str = "ONBOOKINGRESOURCEUPDATE", token: str = TOKEN) -> bytes:
    fields = {"event": name, "data[ID]": resource, "ts": 1, "auth[application_token]": token, "auth[member_id]": "a22"}
    return urlencode(fields).encode()


def envelope(*bookings: Any) -> bytes:
    return json.dumps({"event_type": "bookings.create", "bookings": bookings, "timestamp": "2026-05-14"}).encode()


@pytest.mark.parametrize("name", ["ONBOOKINGRESOURCEUPDATE", "onBookingResourceAdd", "onbookingresourcedelete"])
def test_an_event_of_a_paired_resource_is_a_notice_for_its_pair(name: str) -> None:
    listening = Listening()

    assert listening.hooks.bitrix24(event(name=name)) == 200
    assert listening.noticed == [("dental", "bitrix24 event")]
    assert listening.counts == {("bitrix24", "accepted"): 1}


def test_an_event_as_the_portal_sends_it_is_understood() -> None:
    listener = Listener(1, "http://127.0.0.1/hooks/bitrix24", TOKEN)
    body = Event(listener, "ONBOOKINGRESOURCEUPDATE", 16, 0).form("portal", "https://portal/rest/").encode()

    assert heard_from_bitrix24(body, TOKEN) == Heard("accepted", (16,))


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        (event(17), "no pair"),
        (event(name="ONBOOKINGADD"), "ignored"),
        (event(name=""), "ignored"),
        (event("x"), "unreadable"),
        (event("٣"), "unreadable"),
        (event("9" * 5000), "unreadable"),
    ],
)
def test_what_concerns_no_pair_is_answered_and_counted_and_nothing_more(body: bytes, verdict: str) -> None:
    listening = Listening()

    assert listening.hooks.bitrix24(body) == 200
    assert listening.noticed == []
    assert listening.counts == {("bitrix24", verdict): 1}


@pytest.mark.parametrize(
    ("token", "body"),
    [
        (TOKEN, event(token=TOKEN[:-1])),
        (TOKEN, event(token=TOKEN.upper())),
        (TOKEN, event(token="")),
        (TOKEN, event(token="tökén")),
        (TOKEN, b"event=ONBOOKINGRESOURCEUPDATE&data[ID]=15"),
        (TOKEN, b"&".join([b"x=1"] * 300) + b"&" + event()),
        (None, event()),
        (None, event(token="")),
        (None, event(token="None")),
    ],
)
def test_who_has_not_our_token_is_refused_and_counted(token: str | None, body: bytes) -> None:
    listening = Listening(token)

    assert listening.hooks.bitrix24(body) == 403
    assert listening.noticed == []
    assert listening.counts == {("bitrix24", "refused"): 1}


def test_refusals_are_told_once_and_never_the_token() -> None:
    listening = Listening()
    with capture_logs() as logs:
        for body in (event(token="x"), event(token="y"), event(), event(token="z")):
            listening.hooks.bitrix24(body)

    assert [entry["event"] for entry in logs] == ["hook.refused"]
    assert TOKEN not in str(logs)
    assert "'x'" not in str(logs)


def test_without_a_token_the_refusal_says_what_is_missing() -> None:
    with capture_logs() as logs:
        Listening(None).hooks.bitrix24(event())

    assert "no application_token is configured" in logs[0]["why"]


@pytest.mark.parametrize(
    "body",
    [
        envelope(BOOKING),
        envelope(BOOKING, {**BOOKING, "id": 10}),
        envelope(NESTED),
        envelope({**BOOKING, "service_id": "123"}),
        envelope(BOOKING, "odd"),
        json.dumps(NESTED).encode(),
        json.dumps({**BOOKING, "time_slot": {"id": 7}}).encode(),
    ],
)
def test_a_booking_makes_us_look_at_its_pair_once(body: bytes) -> None:
    listening = Listening()

    assert listening.hooks.reservekit(body) == 200
    assert listening.noticed == [("dental", "reservekit event")]
    assert listening.counts == {("reservekit", "accepted"): 1}


def test_bookings_of_several_services_concern_each_of_their_pairs() -> None:
    listening = Listening()
    listening.hooks.reservekit(envelope(BOOKING, {**BOOKING, "service_id": 124}, {**BOOKING, "service_id": 999}))

    assert [name for name, _ in listening.noticed] == ["dental", "massage"]


@pytest.mark.parametrize(
    ("body", "verdict"), [(envelope({**BOOKING, "service_id": 999}), "no pair"), (envelope(), "ignored")]
)
def test_bookings_that_concern_nobody_here_change_nothing(body: bytes, verdict: str) -> None:
    listening = Listening()

    assert listening.hooks.reservekit(body) == 200
    assert listening.noticed == []
    assert listening.counts == {("reservekit", verdict): 1}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"bookings": {}}',
        b'{"bookings": [1]}',
        b'{"bookings": [{"service_id": true}]}',
        b'{"time_slot": 1}',
        b'{"time_slot": {}}',
        b"\xff\xfe",
        b"[" * 60_000,
        b'{"bookings": [{"service_id": ' + b"9" * 5000 + b"}]}",
    ],
)
def test_what_is_no_booking_is_a_bad_request(body: bytes) -> None:
    listening = Listening()

    assert listening.hooks.reservekit(body) == 400
    assert listening.noticed == []
    assert listening.counts == {("reservekit", "unreadable"): 1}


NAMES = st.sampled_from(["event", "data[ID]", "DATA[id]", "auth[application_token]", "data", "auth", "data[ID][]"])
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["bookings", "time_slot", "service_id", "id"]) | st.text(max_size=3), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@given(st.binary(max_size=300))
def test_no_bytes_break_a_hook(body: bytes) -> None:
    listening = Listening()

    assert listening.hooks.bitrix24(body) == 403
    assert listening.hooks.reservekit(body) in (200, 400)
    assert listening.noticed == []


@given(st.lists(st.tuples(NAMES, st.text(max_size=12) | st.just(TOKEN) | st.just("15")), max_size=6))
def test_no_form_breaks_a_hook_and_without_the_token_none_is_heard(fields: list[tuple[str, str]]) -> None:
    listening = Listening()
    status = listening.hooks.bitrix24(urlencode(fields).encode("utf-8", "surrogatepass"))

    given_tokens = [value for name, value in fields if name == "auth[application_token]"]
    assert status == (200 if given_tokens and given_tokens[-1] == TOKEN else 403)


@given(ANYTHING)
def test_no_json_breaks_a_hook(value: object) -> None:
    heard = heard_from_reservekit(json.dumps(value).encode())

    assert (heard.verdict == "accepted") == bool(heard.ids)
