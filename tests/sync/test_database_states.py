"""A database that cannot remember: nothing is written to either service, and when it can again, all is caught up."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from slotbridge.errors import StoreError
from slotbridge.store import engine
from tests.store.samples import execute
from tests.sync.rig import Rig

IN_STEP = ("Mon Tue", 540, 1080, 30)
EDITED = ("Mon Tue", 540, 1140, 30)


@pytest.fixture
def edited(rig: Rig) -> Rig:
    """In step, and then edited on both sides: there is something to write to each."""
    rig.ranges(IN_STEP)
    rig.sync()
    rig.ranges(EDITED)
    rig.slot(4, 600, 720)
    return rig


def newer(file: Path) -> None:
    execute(file, "UPDATE alembic_version SET version_num = '0999'")


def ruined(file: Path) -> None:
    whole = file.read_bytes()
    file.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))


def no_database(file: Path) -> None:
    file.write_text("pairs = []\n" * 100)


def of_somebody_else(file: Path) -> None:
    file.unlink()
    execute(file, "CREATE TABLE invoices (id INTEGER)")


def nothing_happens(rig: Rig, said: str) -> None:
    """A run is refused, and neither side has been asked for anything that changes it."""
    before = (rig.writes(), rig.in_bitrix24(), rig.in_reservekit())
    with pytest.raises(StoreError, match=said) as caught:
        rig.run()
    assert caught.value.hint
    assert (rig.writes(), rig.in_bitrix24(), rig.in_reservekit()) == before


def is_caught_up(rig: Rig) -> None:
    rig.sync()
    assert rig.in_reservekit() == [(0, 540, 1140, 20), (1, 540, 1140, 20), (4, 600, 720, 1)]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (newer, "newer slotbridge"),
        (ruined, "is damaged"),
        (no_database, "is not an SQLite database"),
        (of_somebody_else, "another program's tables"),
    ],
)
def test_a_file_that_cannot_be_used(edited: Rig, spoil: Callable[[Path], None], said: str) -> None:
    copy = edited.database.with_name("copy.db")
    shutil.copyfile(edited.database, copy)
    spoil(edited.database)

    nothing_happens(edited, said)

    copy.replace(edited.database)
    is_caught_up(edited)


@pytest.mark.parametrize(
    ("pragma", "said"), [("query_only=1", "cannot be written"), ("max_page_count=1", "the disk is full")]
)
def test_a_file_that_cannot_be_written(edited: Rig, pragma: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite refuses as it does on a read-only disk, and on one without a free page."""
    fill_pages(edited.database)
    with monkeypatch.context() as patch:
        patch.setattr(engine, "_WORKING", (*engine._WORKING, pragma))
        nothing_happens(edited, said)

    is_caught_up(edited)


def test_a_file_that_another_program_holds_on_to(edited: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        monkeypatch.context() as patch,
        closing(sqlite3.connect(edited.database, isolation_level=None)) as other,
    ):
        patch.setattr(engine, "_WORKING", ("busy_timeout=1", *engine._WORKING[1:]))
        patch.setattr(engine, "_BUSY", "busy_timeout=1")
        other.execute("BEGIN IMMEDIATE")
        nothing_happens(edited, "locked by another program")

    is_caught_up(edited)


def fill_pages(file: Path) -> None:
    """Leaves no room in the pages that the file has, so that the next row needs a new one."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        ((pages,),) = connection.execute("PRAGMA page_count")
        connection.execute(f"PRAGMA max_page_count={pages}")
        for size in (2000, 200, 20, 1):
            with pytest.raises(sqlite3.OperationalError, match="full"):
                while True:
                    connection.execute(
                        "INSERT INTO run (started_by, started_at, bitrix24_requests, reservekit_requests) "
                        "VALUES (?, '2026-01-01 00:00:00.000000', 0, 0)",
                        ("x" * size,),
                    )
