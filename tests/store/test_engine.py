"""The discipline of transactions, and what SQLite's failures are called."""

from __future__ import annotations

import sqlite3
import threading
import traceback
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, event

from slotbridge.errors import StoreError
from slotbridge.store import Outcome, Store
from slotbridge.store.engine import driver, plain_engine, read_only_engine, transaction, working_engine
from slotbridge.store.failures import store_error
from tests.store.samples import INTENT, START, StillClock, select


@pytest.mark.parametrize(("pragma", "value"), [("journal_mode", "wal"), ("synchronous", 1), ("foreign_keys", 1)])
def test_everyday_work_uses_the_pragmas_that_it_needs(file: Path, pragma: str, value: object) -> None:
    engine = working_engine(file)
    with transaction(engine) as connection:
        assert connection.exec_driver_sql(f"PRAGMA {pragma}").scalar() == value
    engine.dispose()


def test_of_concurrent_readers_that_then_write_none_is_lost(file: Path) -> None:
    engine = working_engine(file)
    with transaction(engine) as connection:
        connection.exec_driver_sql("CREATE TABLE counter (n INTEGER)")
        connection.exec_driver_sql("INSERT INTO counter VALUES (0)")

    def count() -> None:
        for _ in range(25):
            with transaction(engine) as connection:
                n = connection.exec_driver_sql("SELECT n FROM counter").scalar_one()
                connection.exec_driver_sql("UPDATE counter SET n = ?", (n + 1,))

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    engine.dispose()

    assert select(file, "SELECT n FROM counter") == [(100,)]


def test_a_transaction_that_fails_leaves_nothing_not_even_tables(file: Path) -> None:
    engine = working_engine(file)
    with pytest.raises(ZeroDivisionError), transaction(engine) as connection:
        connection.exec_driver_sql("CREATE TABLE half (n INTEGER)")
        raise ZeroDivisionError
    engine.dispose()

    assert select(file, "SELECT * FROM sqlite_master") == []


def test_W4_only_an_intent_waits_for_the_disk(store: Store, run: int) -> None:
    levels: list[object] = []

    def on_commit(connection: Connection) -> None:
        levels.append(driver(connection).execute("PRAGMA synchronous").fetchone()[0])

    event.listen(store._engine, "commit", on_commit)
    store.remember(run, [Outcome("dental", START, "quiet")])
    store.note_intent("dental", INTENT)
    store.remember(run, [Outcome("dental", START, "quiet")])

    assert levels == [1, 2, 1]


def test_a_full_disk_is_called_so_and_costs_nothing_stored(file: Path, url: str, clock: StillClock) -> None:
    store = Store.open(url, clock=clock)
    run = store.begin_run("test")

    def on_begin(connection: Connection) -> None:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")

    event.listen(store._engine, "begin", on_begin)
    with pytest.raises(StoreError, match="the disk is full"):
        store.remember(run, [Outcome("dental", START, "failed", error="x" * 100_000)])
    event.remove(store._engine, "begin", on_begin)

    assert store.recall(["dental"])["dental"].last_attempt is None
    store.close()


def test_a_locked_database_is_called_so(file: Path) -> None:
    engine = working_engine(file)
    with engine.connect() as connection:
        driver(connection).execute("PRAGMA busy_timeout=1")
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="locked by another program"), transaction(engine):
            raise AssertionError("two transactions at a time")
    engine.dispose()


def test_what_a_full_disk_left_beside_it_keeps_nobody_from_reading(file: Path, url: str, clock: StillClock) -> None:
    Store.open(url, clock=clock).close()
    Path(f"{file}-wal").touch()
    Path(f"{file}-shm").write_bytes(b"\0\0\0")
    file.parent.chmod(0o555)  # as nothing can be made there on a full disk, either
    try:
        with transaction(read_only_engine(file)) as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM run").scalar() == 0
    finally:
        file.parent.chmod(0o755)
    assert Path(f"{file}-shm").stat().st_size == 3


@pytest.mark.parametrize("make", [working_engine, plain_engine, read_only_engine])
def test_no_value_of_ours_is_in_an_error_or_in_what_caused_it(file: Path, make: Callable[[Path], Engine]) -> None:
    Store.open(f"sqlite:///{file}", clock=StillClock()).close()
    engine = make(file)
    with pytest.raises(StoreError) as caught, transaction(engine) as connection:
        connection.exec_driver_sql("INSERT INTO nowhere VALUES (?)", ("t0ken",))

    assert "nowhere" in "".join(traceback.format_exception(caught.value))
    assert "t0ken" not in "".join(traceback.format_exception(caught.value)).replace('("t0ken",)', "")


def test_a_failure_without_a_known_meaning_is_quoted() -> None:
    error = store_error(sqlite3.OperationalError("no such table: slot_link"), "/data/slotbridge.db")

    assert str(error) == "/data/slotbridge.db: the database cannot be used (no such table: slot_link)"
