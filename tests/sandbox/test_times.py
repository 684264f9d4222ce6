from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from slotbridge.sandbox import times
from slotbridge.sandbox.behaviour import ReserveKitBehaviour

BERLIN = ZoneInfo("Europe/Berlin")
PLAIN = ReserveKitBehaviour()
UTC_SUMMER = ReserveKitBehaviour(basis="utc", placeholder="2024-07-01", text_form="rfc3339")
at = datetime.fromisoformat
NINE = at("2024-01-01 09:00")


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("naive", "2024-01-01 09:00:00"),
        ("iso", "2024-01-01T09:00:00"),
        ("rfc3339", "2024-01-01T09:00:00Z"),
        ("offset", "2024-01-01T09:00:00+00:00"),
        ("micro", "2024-01-01T09:00:00.000001Z"),
        ("year0", "0000-01-01T09:00:00Z"),
    ],
)
def test_texts_are_shown_and_read_again(form: Any, text: str) -> None:
    assert times.show(NINE, form) == text
    assert times.read(text, BERLIN, PLAIN).time() == NINE.time()


def test_a_server_may_show_the_time_of_day_alone() -> None:
    assert times.show(NINE, "time") == "09:00:00"


def test_an_offset_becomes_utc_digits() -> None:
    assert times.read("2024-01-01T04:00:00-05:00", BERLIN, PLAIN) == NINE


@pytest.mark.parametrize(
    "text", ["", "09:00", "2024-01-01", "2024-01-01 24:00:00", "2024-02-30 09:00:00", "tomorrow", "9:00:00"]
)
def test_unreadable(text: str) -> None:
    with pytest.raises(times.Unreadable):
        times.read(text, BERLIN, PLAIN)


def test_a_server_may_insist_on_one_kind_of_text() -> None:
    for accepts, refused in (("naive", "2024-01-01T09:00:00Z"), ("zoned", "2024-01-01 09:00:00")):
        with pytest.raises(times.Unreadable):
            times.read(refused, BERLIN, replace(PLAIN, accepts=accepts))  # type: ignore[arg-type]


def test_naive_text_may_be_wall_clock_where_digits_are_utc() -> None:
    mixed = ReserveKitBehaviour(basis="utc", naive_input="wall")
    assert times.read("2024-01-01 10:00:00", BERLIN, mixed) == NINE
    assert times.read("2024-01-01T09:00:00Z", BERLIN, mixed) == NINE
    assert times.read("2024-01-01 09:00:00", BERLIN, replace(mixed, naive_input="basis")) == NINE


@pytest.mark.parametrize("start, end", [(540, 1080), (0, 1440), (1320, 1500), (0, 30)])
@pytest.mark.parametrize(
    "behaviour",
    [
        PLAIN,
        ReserveKitBehaviour(placeholder="1970-01-01"),
        ReserveKitBehaviour(placeholder="2024-01-01", keeps_end_date=False),
        ReserveKitBehaviour(text_form="year0"),
        ReserveKitBehaviour(basis="utc"),
        UTC_SUMMER,
        ReserveKitBehaviour(basis="utc", placeholder="2024-01-01", keeps_end_date=False),
        ReserveKitBehaviour(basis="utc", text_form="year0"),
        ReserveKitBehaviour(basis="utc", text_form="time"),
    ],
)
def test_the_dashboard_shows_what_it_stored(start: int, end: int, behaviour: ReserveKitBehaviour) -> None:
    digits = times.from_wall(start, end, BERLIN, behaviour)
    assert times.to_wall(*digits, BERLIN, behaviour) == (start, end)


def test_a_placeholder_in_summer_moves_what_was_sent_in_winter() -> None:
    sent = times.stored(at("2024-01-01 08:00"), at("2024-01-01 11:00"), UTC_SUMMER)
    assert sent == (at("2024-07-01 08:00"), at("2024-07-01 11:00"))
    assert times.to_wall(*sent, BERLIN, UTC_SUMMER) == (600, 780)


def test_an_end_on_the_next_day_stays_there_or_collapses() -> None:
    pair = (at("2024-01-01 20:00"), at("2024-01-02 00:00"))
    kept = ReserveKitBehaviour(placeholder="1970-01-01")
    assert times.stored(*pair, kept)[1] == at("1970-01-02 00:00")
    assert times.stored(*pair, replace(kept, keeps_end_date=False))[1] == at("1970-01-01 00:00")
