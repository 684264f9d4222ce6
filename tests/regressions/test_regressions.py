"""Small histories that broke an invariant once. To add one: put what a failing history prints into a file here."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.simulation.case import Case
from tests.simulation.play import play

FOLDER = Path(__file__).parent


OPEN = {
    "first_sync_names_a_winner_and_the_loser_is_edited_in_between": "an edit of the losing side is in no history",
}
"""Known, and not yet mended: when one of these passes, its line has to go."""


def histories() -> list[object]:
    return [
        pytest.param(name, marks=[pytest.mark.xfail(strict=True, reason=OPEN[name])] if name in OPEN else [])
        for name in sorted(path.stem for path in FOLDER.glob("*.json"))
    ]


@pytest.mark.parametrize("name", histories())
def test_history_keeps_every_invariant(name: str) -> None:
    case = Case.from_text((FOLDER / f"{name}.json").read_text(encoding="utf-8"))

    assert str(play(case).broken) == "None"
