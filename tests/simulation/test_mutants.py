"""The simulation against the product with a fault in it: what is not noticed here would not be noticed by chance."""

from __future__ import annotations

import pytest

from tests.simulation.mutants import ELSEWHERE, MUTANTS, SEEDS, Mutant, kill


def test_nearly_all_mutants_are_left_to_the_simulation() -> None:
    names = {mutant.name for mutant in MUTANTS}

    assert len(names) == len(MUTANTS) >= 15
    assert names >= ELSEWHERE
    assert len(ELSEWHERE) * 20 <= len(MUTANTS)


@pytest.mark.parametrize("mutant", [m for m in MUTANTS if m.name not in ELSEWHERE], ids=lambda mutant: mutant.name)
def test_a_mutant_is_noticed(mutant: Mutant) -> None:
    assert kill(mutant, SEEDS) is not None, f"{mutant.why}: nothing noticed"
