"""The storm in a compressed form; `make soak` is the long one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.soak.calm import GROWTH, WARM_UP, grown
from tests.soak.machine import Sample
from tests.soak.soak import soak

SECONDS = 6
GUSTS = 6.0
"""How many times as often as in the long form anything happens."""


def test_after_faults_events_edits_and_kills_both_sides_are_in_step_and_nothing_is_lost(tmp_path: Path) -> None:
    verdict = soak(tmp_path, 1, SECONDS / 60, gusts=GUSTS, rest=1.0, enduring=False)

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
