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

FLOORS = dict.fromkeys(EDITS, 10) | {f"fault {kind}": 2 for kind in FAULTS}
FLOORS |= {
    "edits that changed something": 1000,
    "dry": 60,
    "dry run kept its word": 50,
    "decide": 90,
    "policy": 20,
    "terms": 5,
    "restart": 30,
    "lose": 3,
    "clock": 100,
    "closed": 6,
    "calamity": 12,
    "meanwhile": 50,
    "death": 60,
    "bad disk": 18,
    "in step": 800,
    "settled": 160,
    "pair quiet": 600,
    "pair changed": 400,
    "pair held": 400,
    "pair failed": 50,
    "hold first-sync": 90,
    "hold agreement": 8,
    "hold conflict": 70,
    "hold deletions": 150,
    "hold booked": 5,
    "hold read-only": 2,
    "merge base absent/absent": 15,
    "merge base absent/changed": 30,
    "merge base absent/same": 400,
    "merge base changed/absent": 20,
    "merge base changed/changed": 80,
    "merge base changed/changed alike": 30,
    "merge base changed/same": 150,
    "merge base changed/same alike": 18,
    "merge base same/absent": 150,
    "merge base same/changed": 90,
    "merge base same/changed alike": 20,
    "merge base same/same alike": 5000,
    "merge no base absent/there": 800,
    "merge no base there/absent": 2000,
    "merge no base there/there": 180,
    "merge no base there/there alike": 100,
}
"""How often each thing has to come up in one part: a simulation that tests nothing passes, too."""


@pytest.mark.timeout(600)
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
        again = f"python -m tests.simulation --seed {seed} --cases 1"
        pytest.fail(f"{played.broken}\nTo play it again: {again}\nSmaller:\n{shrunk(case).as_text()}", pytrace=False)
    return played
