"""What can be wrong with a disk and its database, and what the store says about each."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from slotbridge.errors import StoreError
from slotbridge.store import DatabaseLock, Store
from slotbridge.store.failures import is_damage, store_error
from tests.store.samples import StillClock

NOBODY = 65534


@pytest.fixture
def state() -> Iterator[Path]:
    """A folder in which permissions count: for as long as the test runs, root is nobody special."""
    folder = Path(tempfile.mkdtemp())
    root = os.geteuid() == 0
    if root:
        os.chown(folder, NOBODY, NOBODY)
        os.seteuid(NOBODY)
    try:
        yield folder
    finally:
        if root:
            os.seteuid(0)
        folder.chmod(0o700)
        shutil.rmtree(folder)


@pytest.fixture
def made(state: Path, clock: StillClock) -> Path:
    """A database that was closed."""
    file = state / "slotbridge.db"
    Store.open(f"sqlite:///{file}", clock=clock).close()
    return file


def refusal(file: Path, clock: StillClock) -> StoreError:
    """What is said to somebody who wants to work on it."""
    with pytest.raises(StoreError) as caught:
        store = Store.open(f"sqlite:///{file}", clock=clock)
        try:
            store.begin_run("test")
        finally:
            store.close()
    return caught.value


def lock_refusal(file: Path, clock: StillClock) -> StoreError:
    with DatabaseLock(f"sqlite:///{file}", "sync") as lock, pytest.raises(StoreError) as caught:
        asyncio.run(lock.acquire(0, clock))
    return caught.value


def test_a_file_that_may_not_be_written(made: Path, clock: StillClock) -> None:
    made.chmod(0o400)
    error = refusal(made, clock)

    assert "cannot be written" in error.what
    assert "owner and permissions" in str(error.hint)


def test_a_file_that_may_not_be_read(made: Path, clock: StillClock) -> None:
    made.chmod(0)
    error = refusal(made, clock)

    assert "cannot be opened" in error.what
    assert error.item == str(made)


def test_a_folder_that_may_not_be_written(made: Path, clock: StillClock) -> None:
    made.parent.chmod(0o500)
    error = refusal(made, clock)

    assert "cannot be opened" in error.what or "folder is read-only" in error.what
    assert "folder" in str(error.hint)
    assert "folder has to exist" in str(lock_refusal(made, clock).hint)


def test_a_folder_in_the_place_of_the_file(state: Path, clock: StillClock) -> None:
    (state / "slotbridge.db").mkdir()

    assert "cannot be opened" in refusal(state / "slotbridge.db", clock).what


def test_another_program_that_does_not_let_go(made: Path, clock: StillClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("slotbridge.store.engine._WORKING", ("busy_timeout=1", "journal_mode=WAL"))
    monkeypatch.setattr("slotbridge.store.engine._BUSY", "busy_timeout=1")
    with closing(sqlite3.connect(made, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        error = refusal(made, clock)

    assert "locked by another program" in error.what
    assert "Close whatever else has it open" in str(error.hint)


def test_a_disk_without_room_for_the_lock(made: Path, clock: StillClock, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_space(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.pwrite", no_space)
    error = lock_refusal(made, clock)

    assert "No space left on device" in error.what
    assert "Free some space" in str(error.hint)


def coded(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("as SQLite calls it")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (sqlite3.SQLITE_FULL, "disk is full"),
        (sqlite3.SQLITE_IOERR_SHMSIZE, "disk is full"),
        (sqlite3.SQLITE_IOERR_READ, "read-only since an error"),
        (sqlite3.SQLITE_READONLY, "cannot be written"),
        (sqlite3.SQLITE_READONLY_DIRECTORY, "its folder is read-only"),
        (sqlite3.SQLITE_CANTOPEN_ISDIR, "cannot be opened"),
        (sqlite3.SQLITE_CORRUPT_INDEX, "is damaged"),
    ],
)
def test_each_code_has_its_meaning(code: int, said: str) -> None:
    error = store_error(coded(code), "/data/slotbridge.db")

    assert error.hint
    assert said in str(error)


def test_damage_is_told_from_what_passes() -> None:
    def raised(code: int) -> StoreError:
        error = store_error(coded(code), "/data/slotbridge.db")
        error.__cause__ = coded(code)
        return error

    assert is_damage(raised(sqlite3.SQLITE_CORRUPT))
    assert is_damage(raised(sqlite3.SQLITE_NOTADB))
    assert not is_damage(raised(sqlite3.SQLITE_BUSY))
    assert not is_damage(StoreError("without a cause"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can lock others out this way")
def test_the_lock_file_that_root_makes_belongs_to_the_folders_owner(tmp_path: Path, clock: StillClock) -> None:
    os.chown(tmp_path, NOBODY, NOBODY)
    with DatabaseLock(f"sqlite:///{tmp_path}/slotbridge.db", "sync") as lock:
        asyncio.run(lock.acquire(0, clock))
        assert lock.held
        assert lock.file is not None
        assert lock.file.stat().st_uid == NOBODY

    assert not lock.held
