"""Daemons in time that passes when it is told to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.daemon.rig import Rig


@pytest.fixture
def make_rig(tmp_path: Path) -> Iterator[Callable[..., Rig]]:
    """A daemon over pairs of these names; `cap` are the requests of a month, further options those of pairs."""
    made: list[Rig] = []

    def make(*pairs: str, **how: Any) -> Rig:
        made.append(Rig(tmp_path, *pairs, **how))
        return made[-1]

    yield make
    for rig in made:
        rig.close()


@pytest.fixture
def rig(make_rig: Callable[..., Rig]) -> Rig:
    return make_rig()
