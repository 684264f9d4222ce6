from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from slotbridge.cli.render.words import clean, day_words, edit_words, item_words, moment, plural

RANGE = {"from": 540, "to": 1440, "timezone": "Europe/Berlin", "weekDays": ["Mon", "Tue", "Wed"], "slotSize": 30}
SLOT = {"id": 7, "day_of_week": 0, "start_time": "2024-01-01 09:00:00", "end_time": "2024-01-02 00:00:00"}


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["Mon"], "Mon"),
        (["Mon", "Tue"], "Mon, Tue"),
        (["Mon", "Tue", "Wed", "Fri"], "Mon–Wed, Fri"),
        (["Sat", "Sun", "Mon"], "Sat, Sun, Mon"),
        (["Mon", "Funday"], "Mon, Funday"),
        ([], "no day"),
    ],
)
def test_weekdays_are_said_as_people_say_them(names: list[str], words: str) -> None:
    assert day_words(names) == words


def test_a_range_is_said_in_bitrix24s_own_terms() -> None:
    assert item_words("bitrix24", RANGE, "monday") == "Mon–Wed 09:00–24:00, slotSize 30, Europe/Berlin"


@pytest.mark.parametrize(("day_zero", "day"), [("monday", "Mon"), ("sunday", "Sun")])
def test_V6_a_time_slot_is_said_on_the_day_that_its_number_means(day_zero: Any, day: str) -> None:
    item = {**SLOT, "max_bookings": 6}
    assert item_words("reservekit", item, day_zero) == f"{day} 09:00–24:00, max_bookings 6"


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        ("2024-01-01T07:00:00Z", "2024-01-01T10:30:00Z", "07:00 UTC–10:30 UTC"),
        ("2024-01-01T09:00:00+01:00", "2024-01-01T10:00:00+01:00", "09:00 UTC+01:00–10:00 UTC+01:00"),
        ("2024-01-01 09:00:15", "2024-01-01 23:59:59", "09:00:15–24:00"),
        ("soon", "later", "soon–later"),
    ],
)
def test_times_are_said_as_the_server_wrote_them(start: str, end: str, words: str) -> None:
    item = {"day_of_week": 9, "start_time": start, "end_time": end, "max_bookings": 1}
    assert item_words("reservekit", item, "monday") == f"day 9 {words}, max_bookings 1"


def test_an_item_that_cannot_be_read_is_shown_raw_and_short() -> None:
    assert item_words("bitrix24", {"odd": '{"from":\n' + "x" * 200}, "monday") == '{"from":�' + "x" * 71


def test_what_a_server_sends_cannot_command_the_terminal() -> None:
    assert clean("a\x1b[2Jb\rc\x9bd") == "a�[2Jb�c�d"


def test_an_edit_says_once_what_stays() -> None:
    assert edit_words("Mon 9–12, slotSize 30, Berlin", "Tue 9–12, slotSize 30, Berlin") == (
        "Mon 9–12 → Tue 9–12, slotSize 30, Berlin"
    )
    assert (
        edit_words("Mon 9–12, slotSize 30", "Mon 9–12, slotSize 60") == "Mon 9–12, slotSize 30 → Mon 9–12, slotSize 60"
    )


@pytest.mark.parametrize(
    ("passed", "words"),
    [
        (timedelta(seconds=20), "just now"),
        (timedelta(minutes=5), "5 min ago"),
        (timedelta(hours=47), "47 h ago"),
        (timedelta(days=9), "9 days ago"),
        (timedelta(seconds=-20), "just now"),
        (timedelta(minutes=-90), "1 h ahead of the clock"),
        (timedelta(days=-9), "9 days ahead of the clock"),
    ],
)
def test_moments_are_told_relative_and_in_full(passed: timedelta, words: str) -> None:
    now = datetime(2026, 3, 12, 12, tzinfo=UTC)
    assert moment(now - passed, now) == f"{words} ({now - passed:%Y-%m-%d %H:%M} UTC)"
    assert moment(None, now) == "never"


def test_plurals() -> None:
    assert (plural(1, "pair"), plural(0, "pair")) == ("1 pair", "0 pairs")
