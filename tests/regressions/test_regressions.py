"""Small histories that broke an invariant once. To add one: put what a failing history prints into a file here."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.simulation.case import Case
from tests.simulation.play import play

FOLDER = Path(__file__).parent


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.json")))
def test_history_keeps_every_invariant(name: str) -> None:
    case = Case.from_text((FOLDER / f"{name}.json").read_text(encoding="utf-8"))

    assert str(play(case).broken) == "None"
