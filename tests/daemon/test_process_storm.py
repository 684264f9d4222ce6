"""The storm in a compressed form; `make soak` is the long one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.simulation.shown import Shown, Span
from tests.soak.books import Book
from tests.soak.calm import GROWTH, WARM_UP, grown
from tests.soak.machine import Sample
from tests.soak.soak import soak

SECONDS = 3
GUSTS = 6.0
"""How many times as often as in the long form anything happens."""


def test_after_faults_events_edits_and_kills_both_sides_are_in_step_and_nothing_is_lost(tmp_path: Path) -> None:
    verdict = soak(tmp_path, 1, SECONDS / 60, gusts=GUSTS, rest=0.5, enduring=False)

    assert verdict.wrong == ()
    done = verdict.counters
    assert done["kills"] >= 1
    assert done["edits that changed hours"] >= 5
    assert done["faults"] >= 1
    assert done["events"] >= 10


def lived(*readings: tuple[int, int, int]) -> Sequence[Sample]:
    """Samples of memory, files and threads, evenly over the time after the start."""
    return [Sample(0.0, 0, 0, 0), *(Sample(WARM_UP + 1 + at, *reading) for at, reading in enumerate(readings))]


def test_a_process_that_takes_no_more_than_before_has_not_grown() -> None:
    assert list(grown(lived(*[(80_000, 13, 1)] * 9))) == []


@pytest.mark.parametrize(
    ("late", "what"),
    [
        ((80_001 + GROWTH, 13, 1), "memory grew from 80000 to 86145 kB"),
        ((80_000, 20, 1), "open files grew from 13 to 20"),
        ((80_000, 13, 2), "threads grew from 1 to 2"),
    ],
)
def test_a_process_that_takes_more_and_more_is_found_out(late: tuple[int, int, int], what: str) -> None:
    assert list(grown(lived(*[(80_000, 13, 1)] * 6, *[late] * 3))) == [what]


NINE: Span = (0, 540, 600)
TEN: Span = (0, 600, 660)


def sides(bitrix24: Sequence[Span], reservekit: Sequence[Span]) -> Shown:
    cells = tuple((span, 30) for span in bitrix24)
    return Shown((), cells, {number: ((span,), 2) for number, span in enumerate(reservekit)})


def book() -> Book:
    """Somebody has put two windows into Bitrix24, and slotbridge has carried them over."""
    made = Book("a", sides((), ()))
    made.people_did(sides((NINE, TEN), ()), 0.0)
    made.look(sides((NINE, TEN), (NINE, TEN)))
    return made


def test_hours_that_vanish_without_anybody_removing_them_are_lost() -> None:
    seen = book()
    seen.look(sides((NINE,), (NINE,)))
    assert list(seen.lost(settled=True)) == [TEN]


def test_hours_that_somebody_removed_are_not_lost_and_those_on_one_side_wait_with_a_hold() -> None:
    seen = book()
    seen.people_did(sides((NINE,), (NINE, TEN)), 0.0)
    assert list(seen.lost(settled=True)) == []
    seen.look(sides((), (NINE, TEN)))
    assert list(seen.lost(settled=False)) == []
    assert list(seen.lost(settled=True)) == [NINE]


def test_hours_that_stand_twice_or_that_nobody_put_are_found_out() -> None:
    seen = book()
    seen.look(sides((NINE, TEN), (NINE, NINE, (3, 1, 2))))
    assert seen.doubled() == {NINE}
    assert seen.invented() == {(3, 1, 2)}
