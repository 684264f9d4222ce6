"""Two thousand histories of fifteen steps, each ending in a fault-free tail. `make sim` goes on for ever.

A failure prints a small case to be put into `tests/regressions/`, and the seed to play it again.
"""

from __future__ import annotations

from collections import Counter

import pytest

from tests.simulation.case import EDITS, FAULTS, STEPS, make_case
from tests.simulation.play import Played, play
from tests.simulation.shrink import shrunk

PART = 250
PARTS = 8

FLOORS = dict.fromkeys(EDITS, 5) | {f"fault {kind}": 3 for kind in FAULTS}
FLOORS |= {
    "dry": 20,
    "decide": 20,
    "policy": 4,
    "restart": 10,
    "lose": 1,
    "clock": 25,
    "closed": 2,
    "death": 20,
    "bad disk": 5,
    "meanwhile": 15,
    "in step": 500,
    "settled": 100,
    "dry run kept its word": 40,
    "pair quiet": 300,
    "pair changed": 150,
    "pair held": 100,
    "pair failed": 30,
    "hold first-sync": 10,
    "hold conflict": 20,
    "hold deletions": 30,
    "hold booked": 2,
    "merge base absent/absent": 5,
    "merge base absent/changed": 10,
    "merge base absent/same": 50,
    "merge base changed/absent": 10,
    "merge base changed/changed": 15,
    "merge base changed/changed alike": 6,
    "merge base changed/same": 25,
    "merge base changed/same alike": 4,
    "merge base same/absent": 50,
    "merge base same/changed": 25,
    "merge base same/changed alike": 8,
    "merge base same/same alike": 1000,
    "merge no base absent/there": 100,
    "merge no base there/absent": 200,
    "merge no base there/there": 20,
    "merge no base there/there alike": 20,
}
"""How often each thing has to come up in one part: a simulation that tests nothing passes, too."""


@pytest.mark.parametrize("part", range(PARTS))
def test_histories_keep_every_invariant(part: int) -> None:
    counters: Counter[str] = Counter()
    for seed in range(part * PART, (part + 1) * PART):
        counters += told(seed).counters

    runs = counters["sync"] + counters["dry"]
    assert runs >= 0.2 * PART * STEPS, f"only {runs} real runs"
    below = {name: f"{counters[name]} < {floor}" for name, floor in FLOORS.items() if counters[name] < floor}
    assert below == {}


@pytest.mark.parametrize("seed", range(0, 2000, 97))
def test_a_seed_is_played_the_same_way_each_time(seed: int) -> None:
    case = make_case(seed)

    assert play(case).trace == play(case).trace


def told(seed: int) -> Played:
    """Plays a seed; a failure is told with a small case."""
    case = make_case(seed)
    played = play(case)
    if played.broken is not None:
        again = f"python -m tests.simulation --seed {seed}"
        pytest.fail(f"{played.broken}\nTo play it again: {again}\nSmaller:\n{shrunk(case).as_text()}", pytrace=False)
    return played
