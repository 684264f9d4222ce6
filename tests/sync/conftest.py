"""The rig, as a fixture: a world, a database, and runs that are checked to be followed by a quiet one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.sync.rig import Rig


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


@pytest.fixture
def make_rig(tmp_path: Path) -> Callable[..., Rig]:
    """A rig with other pairs or options."""

    def make(**how: Any) -> Rig:
        return Rig(tmp_path, **how)

    return make
