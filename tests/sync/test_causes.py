"""Which cause is named for what came of the slots that were sent (W3, S8): one that explains all of it, or none."""

from __future__ import annotations

import pytest

from slotbridge.lenses.terms import Problem
from slotbridge.sync.causes import Slot, likely_cause
from slotbridge.week import DAY, DAY_NAMES

CLOCK = "The likely setting is [reservekit] time_basis or time_format"
DAYS = "The likely setting is [reservekit] day_zero"
MIDNIGHT = "The likely setting is [reservekit] end_of_day"
BATCH = "The likely setting is [reservekit] max_batch"
ROUNDS = "the server seems to round times"
NOTHING = "Look whether the key may write"
UNEXPLAINED = "the server, or somebody, made that of it"


def slots(text: str) -> list[Slot]:
    """`Mon 9:00-18:00 x2 #7`: capacity 1 and a new slot unless said; an end that is not later is on the next day."""
    return [_slot(one) for one in text.split(", ") if one]


def _slot(text: str) -> Slot:
    day, hours, *more = text.split()
    start, end = (60 * int(hour) + int(minute) for hour, minute in (time.split(":") for time in hours.split("-")))
    told = {word[0]: int(word[1:]) for word in more}
    length = (end - start) % DAY or DAY
    return Slot(told.get("#", 0), DAY_NAMES.index(day), start, length, told.get("x", 1))


CASES: dict[str, tuple[str, str, str]] = {
    "by +9 hours": ("Mon 9:00-18:00, Tue 10:00-11:00", "Mon 18:00-3:00, Tue 19:00-20:00", CLOCK),
    "by +13 hours, past midnight": ("Mon 9:00-18:00, Tue 12:00-13:00", "Mon 22:00-7:00, Tue 1:00-2:00", CLOCK),
    "by -8 hours, before midnight": ("Mon 9:00-18:00, Sat 5:00-7:00", "Mon 1:00-10:00, Sat 21:00-23:00", CLOCK),
    "by +5:45": ("Mon 9:00-18:00", "Mon 14:45-23:45", CLOCK),
    "by -8 hours, the weekday too": ("Mon 9:00-18:00, Mon 5:00-7:00", "Mon 1:00-10:00, Sun 21:00-23:00", CLOCK),
    "each hour came where the next one was meant": (
        "Mon 9:00-10:00, Mon 10:00-11:00, Mon 11:00-12:00",
        "Mon 10:00-11:00, Mon 11:00-12:00, Mon 12:00-13:00",
        CLOCK,
    ),
    "day and night": ("Mon 0:00-0:00, Tue 0:00-0:00", "Mon 9:00-9:00, Tue 9:00-9:00", CLOCK),
    "past midnight already": ("Fri 20:00-4:00 #3", "Fri 5:00-13:00 #3", CLOCK),
    "an edit": ("Mon 9:00-17:00 #7", "Mon 18:00-2:00 #7", CLOCK),
    "somebody added one meanwhile": ("Mon 9:00-18:00", "Sun 7:00-8:00, Mon 18:00-3:00", CLOCK),
    "two and one of them by the clock": (
        "Mon 9:00-18:00, Tue 9:00-18:00",
        "Mon 18:00-3:00, Tue 9:00-18:00",
        UNEXPLAINED,
    ),
    "each by another time": ("Mon 9:00-18:00, Tue 9:00-18:00", "Mon 10:00-19:00, Tue 11:00-20:00", UNEXPLAINED),
    "a day later": ("Mon 9:00-18:00", "Tue 9:00-18:00", DAYS),
    "a day later, on days that were meant": (
        "Mon 9:00-18:00, Tue 9:00-18:00, Wed 9:00-18:00",
        "Tue 9:00-18:00, Wed 9:00-18:00, Thu 9:00-18:00",
        DAYS,
    ),
    "a day earlier, over the week's end": ("Mon 9:00-18:00, Sun 9:00-12:00", "Sun 9:00-18:00, Sat 9:00-12:00", DAYS),
    "a day off, but only one": ("Mon 9:00-18:00, Fri 9:00-18:00", "Tue 9:00-18:00, Fri 9:00-18:00", UNEXPLAINED),
    "two days off": ("Mon 9:00-18:00", "Wed 9:00-18:00", UNEXPLAINED),
    "until 23:59": ("Mon 20:00-0:00", "Mon 20:00-23:59", MIDNIGHT),
    "until 23:59, beside what came as it was sent": (
        "Mon 20:00-0:00, Tue 9:00-18:00, Sat 0:00-0:00",
        "Mon 20:00-23:59, Tue 9:00-18:00, Sat 0:00-23:59",
        MIDNIGHT,
    ),
    "until 23:59, another shorter, too": (
        "Mon 20:00-0:00, Tue 9:00-18:00",
        "Mon 20:00-23:59, Tue 9:00-17:59",
        UNEXPLAINED,
    ),
    "to a quarter": ("Mon 9:05-18:00", "Mon 9:00-18:00", ROUNDS),
    "to a quarter, both ends alike": ("Mon 9:05-10:05, Tue 9:00-10:00", "Mon 9:00-10:00, Tue 9:00-10:00", ROUNDS),
    "to the hour, up and down": ("Mon 9:20-17:45, Mon 8:00-8:50", "Mon 9:00-18:00, Mon 8:00-9:00", ROUNDS),
    "to the hour, by a quarter at both ends": ("Mon 9:15-10:15", "Mon 9:00-10:00", ROUNDS),
    "round times changed": ("Mon 9:00-18:00", "Mon 9:00-17:00", UNEXPLAINED),
    "max_bookings": ("Mon 9:00-18:00 x18", "Mon 9:00-18:00", "It came back with max_bookings 1;"),
    "max_bookings of two": (
        "Mon 9:00-18:00 x18, Tue 9:00-18:00 x3",
        "Mon 9:00-18:00, Tue 9:00-18:00",
        "max_bookings 1;",
    ),
    "max_bookings and hours": ("Mon 9:00-18:00 x18", "Mon 9:00-17:00", UNEXPLAINED),
    "nothing": ("Mon 9:00-18:00, Tue 9:00-18:00", "", NOTHING),
    "only the first": ("Mon 9:00-18:00 #7, Tue 9:00-18:00", "Mon 9:00-18:00 #7", f"1 of 2 time slots. {BATCH}"),
    "only one of two equal ones": ("Mon 9:00-18:00, Mon 9:00-18:00", "Mon 9:00-18:00", f"1 of 2 time slots. {BATCH}"),
    "only the first, and it a minute short": ("Mon 20:00-0:00, Tue 20:00-0:00", "Mon 20:00-23:59", UNEXPLAINED),
    "what another slot shows is not what became of it": (
        "Mon 9:00-17:00 #7, Mon 18:00-19:00 #8",
        "Mon 9:00-17:00 #8, Mon 18:00-19:00 #7",
        UNEXPLAINED,
    ),
}


@pytest.mark.parametrize(("sent", "came", "cause"), CASES.values(), ids=CASES)
def test_W3_one_cause_that_explains_all_of_it_is_named(sent: str, came: str, cause: str) -> None:
    told = likely_cause(slots(sent), slots(came))
    assert cause in told
    assert told.count("[reservekit]") == ("[reservekit]" in cause)


@pytest.mark.parametrize(
    ("sent", "came", "shown"),
    [
        ("Mon 9:00-18:00", "Mon 18:00-3:00", "Mon 18:00–03:00"),
        ("Sat 20:00-0:00", "Sat 20:00-23:59", "Sat 20:00–23:59"),
        ("Sat 9:10-0:00", "Sat 9:00-0:00", "Sat 09:00–24:00"),
        ("Wed 9:00-10:00 #2", "Mon 7:00-8:30, Wed 9:00-9:50 #2", "shows Wed 09:00–09:50 instead"),
        (
            "Wed 9:00-10:00",
            "Mon 7:00-8:30, Wed 9:00-9:50, Thu 1:00-2:10, Fri 1:00-2:10",
            "shows Mon 07:00–08:30, Wed 09:00–09:50, Thu 01:00–02:10 and 1 more instead",
        ),
    ],
)
def test_what_came_of_the_first_is_shown(sent: str, came: str, shown: str) -> None:
    assert shown in likely_cause(slots(sent), slots(came))


def unread(reason: str, *days: int, slot_id: int | None = None) -> Problem:
    return Problem("time slot 5", reason, frozenset(days), slot_id)


TIME = "20:00:00 to 23:59:30 is not in whole minutes"
SIZE = "max_bookings 0 is below 1"


@pytest.mark.parametrize(
    ("sent", "came", "problem", "cause"),
    [
        ("Mon 20:00-0:00", "", unread(TIME, 0), f"time slot 5, which cannot be read: {TIME}. {MIDNIGHT}"),
        ("Mon 20:00-0:00, Tue 9:00-18:00", "Tue 9:00-18:00", unread(TIME, 0), MIDNIGHT),
        ("Mon 20:00-0:00", "", unread(SIZE, 0), f"which cannot be read: {SIZE}"),
        ("Mon 9:00-18:00 #5", "", unread(TIME, 0, slot_id=5), f"which cannot be read: {TIME}"),
        ("Mon 9:00-18:00 #4", "", unread(TIME, 0, slot_id=5), "shows time slot 5 instead"),
        ("Mon 9:00-18:00", "", unread(TIME, 1), "shows time slot 5 instead"),
        ("Mon 9:00-18:00, Mon 8:00-9:00", "", unread(TIME, 0), "shows time slot 5 instead"),
        (
            "Mon 9:00-18:00, Tue 8:00-9:00",
            "Tue 1:00-2:30",
            unread(TIME, 0),
            "shows Tue 01:00–02:30, time slot 5 instead",
        ),
    ],
)
def test_W4_what_cannot_be_read_is_named(sent: str, came: str, problem: Problem, cause: str) -> None:
    told = likely_cause(slots(sent), slots(came), [problem])
    assert cause in told
    assert told.count("[reservekit]") == ("[reservekit]" in cause)


def test_S8_where_requests_cannot_be_smaller_no_setting_is_named_for_a_part_that_was_stored() -> None:
    told = likely_cause(slots("Mon 9:00-18:00, Tue 9:00-18:00"), slots("Mon 9:00-18:00"), divisible=False)
    assert ("1 of 2 time slots" in told, "[reservekit]" in told) == (True, False)
