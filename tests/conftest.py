"""What every test leaves as it found it."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
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
