"""What every test leaves as it found it."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy import Engine

from slotbridge.store import engine as engines

MEMORY_DISK = Path("/dev/shm")  # noqa: S108 - pytest makes a folder of its own in it

# Thousands of databases, each written through to the disk: in memory they take a fifth less of the whole.
if os.access(MEMORY_DISK, os.W_OK):
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY_DISK))

LONG = ("tests/simulation/test_histories.py", "tests/simulation/test_crashes.py", "tests/reconcile/test_table27.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Deals the long tests out, to be begun with: who is left with one of them in the end has all others wait.

    xdist gives a stretch of the list to each worker, and takes from its end for those who have done theirs.
    """
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if workers == 1:
        return
    long = [item for item in items if item.nodeid.startswith(LONG)]
    others = iter([item for item in items if not item.nodeid.startswith(LONG)])
    dealt: list[pytest.Item] = []
    for number in range(workers):
        mine, share = long[number::workers], (len(items) - len(dealt)) // (workers - number)
        dealt += [*mine, *islice(others, max(0, share - len(mine)))]
    items[:] = dealt


def pytest_collection_finish() -> None:
    """All that was imported and collected stays to the end: nobody has to look through it for garbage again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """The configuration of structlog is global: what one test silences, another listens to."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.fixture(autouse=True, scope="session")
def statements_compiled_once() -> Iterator[None]:
    """Engines of one kind share what SQLAlchemy has compiled: a process makes one engine, the tests make thousands."""
    made: dict[tuple[Any, bool], Engine] = {}
    compiled: dict[Any, Any] = {}
    make = engines._engine

    def sharing(url: Any, **how: Any) -> Engine:
        engine = make(url, **how)
        engine.dialect = made.setdefault((how.get("poolclass"), "creator" in how), engine).dialect
        engine.update_execution_options(compiled_cache=compiled)
        return engine

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engines, "_engine", sharing)
        yield
