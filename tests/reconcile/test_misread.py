"""Whether what was created is read by another clock than it was written by (S8)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from slotbridge.lenses.items import TimeSlot
from slotbridge.lenses.terms import Terms
from slotbridge.reconcile.misread import misread
from slotbridge.reconcile.model import Link
from slotbridge.week import Window

BERLIN = Terms(zone="Europe/Berlin", today=date(2026, 1, 15))
NONE: frozenset[int] = frozenset()
HOURS = [Window(0, 540, 600), Window(0, 600, 660), Window(0, 660, 720)]
SENT = [(window, NONE) for window in HOURS]


def at(number: int, hour: int, suffix: str = "Z") -> TimeSlot:
    day = "2024-01-01T"
    return TimeSlot(number, 0, f"{day}{hour:02d}:00:00{suffix}", f"{day}{hour + 1:02d}:00:00{suffix}", 1)


def test_instants_that_were_sent_as_wall_times() -> None:
    came = [at(1, 9), at(2, 10), at(3, 11)]
    said = misread(came, SENT, (), BERLIN)
    assert said is not None
    assert 'set [reservekit] time_basis = "utc" and time_format = "rfc3339", else time_basis = "wall"' in said
    assert misread(came[2:], SENT, (), BERLIN) == said, "a part of it was executed"
    assert misread(came, SENT, (), replace(BERLIN, time_basis="wall")) is None
    assert misread(came, SENT, (), replace(BERLIN, time_basis="utc")) == said, "that setting mends nothing yet"


def test_wall_times_that_were_sent_as_instants() -> None:
    said = misread([at(1, 8, ""), at(2, 9, ""), at(3, 10, "")], SENT, (), BERLIN)
    assert said is not None
    assert 'set [reservekit] time_basis = "wall" and time_format = "naive", else time_basis = "utc"' in said


def test_what_is_there_as_it_was_sent_is_read_right() -> None:
    assert misread([at(1, 8), at(2, 9), at(3, 10)], SENT, (), BERLIN) is None
    assert misread([at(1, 9, ""), at(2, 10, "")], SENT, (), BERLIN) is None
    assert misread([at(1, 10, "")], SENT, (), BERLIN) is None


@pytest.mark.parametrize("zone", ["UTC", "Europe/London", "Africa/Abidjan"])
def test_where_both_clocks_are_one_nothing_is_misread(zone: str) -> None:
    assert misread([at(1, 9), at(2, 11)], SENT, (), replace(BERLIN, zone=zone)) is None


def test_what_was_there_before_is_nothing_that_was_created() -> None:
    came = [at(1, 9), at(2, 10), at(3, 11)]
    assert misread(came, [(window, frozenset({1, 2, 3})) for window in HOURS], (), BERLIN) is None
    assert misread(came, (), (), BERLIN) is None


def test_where_slots_of_the_base_are_left_the_clock_is_known() -> None:
    link = Link(Window(4, 600, 660), 60, 7, 0, 1)
    came = [at(1, 9), at(2, 10), at(3, 11)]
    assert misread([*came, at(7, 3)], SENT, (link,), BERLIN) is None
    assert misread(came, SENT, (link,), BERLIN) is not None
