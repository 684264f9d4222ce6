"""A database that is lost or spoiled while a program has it open: no run begins on what would be remembered nowhere."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from slotbridge.errors import StoreError
from slotbridge.store import Store
from slotbridge.store.migrate import HEAD
from tests.store.samples import StillClock, execute

PAGES_AT = 28
"""Where the header says how many pages the database has (sqlite.org/fileformat.html, "The Database Header")."""


def deleted(file: Path) -> None:
    file.unlink()


def moved_away(file: Path) -> None:
    file.rename(file.with_name("old.db"))


def replaced_by_a_copy(file: Path) -> None:
    copy = shutil.copyfile(file, file.with_name("copy.db"))
    copy.replace(file)


def replaced_by_another_programs(file: Path) -> None:
    file.unlink()
    execute(file, "CREATE TABLE invoices (id INTEGER)")


def overwritten_at_its_head(file: Path) -> None:
    with file.open("r+b") as opened:
        opened.write(b"\xff" * 100)


def migrated_by_a_newer_one(file: Path) -> None:
    execute(file, "UPDATE alembic_version SET version_num = '0999'")


def migrated_back_by_an_older_one(file: Path) -> None:
    execute(file, "UPDATE alembic_version SET version_num = '0001'")


def emptied(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
        for (table,) in tables.fetchall():
            connection.execute(f"DROP TABLE {table}")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (deleted, "the database was deleted while it was in use"),
        (moved_away, "the database was deleted while it was in use"),
        (replaced_by_a_copy, "another file has taken the place of the database"),
        (replaced_by_another_programs, "another file has taken the place of the database"),
        (overwritten_at_its_head, "the database is damaged at its beginning"),
        (migrated_by_a_newer_one, f"newer slotbridge (schema 0999; this version knows up to {HEAD})"),
        (migrated_back_by_an_older_one, "of an older slotbridge"),
        (emptied, "the database was emptied"),
    ],
)
@pytest.mark.parametrize("runs", [0, 300])
def test_no_run_begins_on_a_database_that_was_spoiled_meanwhile(
    spoil: Callable[[Path], None], said: str, runs: int, store: Store, file: Path
) -> None:
    """Whether or not the write-ahead log has newer pages, the first one included."""
    for _ in range(runs):
        store.begin_run("test")
    spoil(file)
    before = file.read_bytes() if file.exists() else None
    with pytest.raises(StoreError) as caught:
        store.begin_run("test")

    assert said in caught.value.what
    assert caught.value.item == str(file)
    assert caught.value.hint
    assert (file.read_bytes() if file.exists() else None) == before


def test_it_goes_on_when_the_file_is_back(store: Store, file: Path) -> None:
    first = store.begin_run("test")
    moved_away(file)
    with pytest.raises(StoreError):
        store.begin_run("test")
    file.with_name("old.db").rename(file)

    assert store.begin_run("test") == first + 1


def test_a_log_that_was_copied_back_in_part_is_no_damage(store: Store, file: Path) -> None:
    """Who copies it begins with the first page, and may die before the file has as many pages as that says."""
    for _ in range(300):
        store.begin_run("test")
    with file.open("r+b") as opened:
        os.pwrite(opened.fileno(), (10_000).to_bytes(4, "big"), PAGES_AT)

    assert store.begin_run("test") == 301


def test_looking_takes_nothing_from_the_locks_of_our_own(store: Store, file: Path) -> None:
    """SQLite clears the log away when the last one lets go of the database, as far as the locks show."""
    run = store.begin_run("test")
    store.require_identity()
    other = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('SELECT count(*) FROM run').fetchone()"
    subprocess.run([sys.executable, "-W", "ignore", "-c", other, str(file)], check=True)

    assert Path(f"{file}-wal").exists()
    assert store.begin_run("test") == run + 1


def test_one_in_memory_is_always_the_same(clock: StillClock) -> None:
    store = Store.open("sqlite:///:memory:", clock=clock)
    store.require_identity()

    assert store.begin_run("test") == 1
    store.close()


def test_a_locked_database_is_waited_for_no_longer_than_was_said(url: str, file: Path, clock: StillClock) -> None:
    store = Store.open(url, clock=clock, patience=0.05)
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        store.require_identity()
        with pytest.raises(StoreError, match="locked by another program"):
            store.begin_run("test")
    assert store.begin_run("test") == 1
    store.close()
