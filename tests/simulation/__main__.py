"""`python -m tests.simulation`: plays histories until it is stopped, and prints what came up and what broke.

--seed N     begin with this seed; with --cases 1 one case alone, as a failing test names it
--cases N    stop after so many
--mutants    break the product on purpose, one way after the other, and tell which are noticed
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from collections import Counter

from tests.simulation.case import make_case
from tests.simulation.mutants import ELSEWHERE, MUTANTS, SEEDS, kill
from tests.simulation.play import play
from tests.simulation.shrink import shrunk

EVERY = 250


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def simulate(first: int, cases: int | None) -> int:
    """Plays cases; returns how many broke an invariant."""
    counters: Counter[str] = Counter()
    seeds = itertools.count(first) if cases is None else range(first, first + cases)
    broken, begun = 0, time.monotonic()
    played = 0
    try:
        for played, seed in enumerate(seeds, start=1):
            outcome = play(make_case(seed))
            counters += outcome.counters
            if outcome.broken is not None:
                broken += 1
                say(f"seed {seed}: {outcome.broken}\n{shrunk(make_case(seed)).as_text()}")
            if played % EVERY == 0:
                say(f"{played} cases, {broken} broken, {played / (time.monotonic() - begun):.0f} cases a second")
    except KeyboardInterrupt:
        say("")
    say("".join(f"{count:9d}  {name}\n" for name, count in sorted(counters.items())))
    say(f"{played} cases, {counters['steps']} steps, {broken} broken, seeds from {first}")
    return broken


def hunt() -> int:
    """Tries every mutant that is left to the simulation; returns how many survived."""
    survived = 0
    tried = [mutant for mutant in MUTANTS if mutant.name not in ELSEWHERE]
    for mutant in tried:
        begun = time.monotonic()
        killer = kill(mutant, SEEDS)
        survived += killer is None
        verdict = "survived" if killer is None else f"killed by seed {killer}"
        say(f"{mutant.name:45s} {verdict} after {time.monotonic() - begun:.1f} s")
    say(f"{len(tried) - survived} of {len(tried)} killed; left to tests of their own: {', '.join(sorted(ELSEWHERE))}")
    return survived


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description="Seeded histories of the engine.")
    parser.add_argument("--seed", type=int, default=int(time.time()) % 10_000_000)
    parser.add_argument("--cases", type=int)
    parser.add_argument("--mutants", action="store_true")
    given = parser.parse_args()
    return 1 if (hunt() if given.mutants else simulate(given.seed, given.cases)) else 0


if __name__ == "__main__":
    sys.exit(main())
