from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from slotbridge.store import Store
from tests.store.samples import StillClock


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "slotbridge.db"


@pytest.fixture
def url(file: Path) -> str:
    return f"sqlite:///{file}"


@pytest.fixture
def store(url: str, clock: StillClock) -> Iterator[Store]:
    store = Store.open(url, clock=clock)
    yield store
    store.close()


@pytest.fixture
def run(store: Store) -> int:
    return store.begin_run("test")
