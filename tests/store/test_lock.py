"""One process at a time, and the lock of a dead one is free."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from slotbridge.errors import LockHeld, StoreError
from slotbridge.store import DatabaseLock
from tests.store.samples import StillClock

HOLDER = """
import asyncio, sys
from slotbridge.clock import SystemClock
from slotbridge.store.lock import DatabaseLock

lock = DatabaseLock(sys.argv[1], "run")
asyncio.run(lock.acquire(0, SystemClock()))
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def another_process(url: str) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the lock until it is killed or its input ends."""
    command = [sys.executable, "-c", HOLDER, url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def signature(file: Path) -> str:
    return Path(f"{file}.lock").read_text()


async def test_S13_a_second_one_is_told_who_holds_it(url: str, file: Path, clock: StillClock) -> None:
    with another_process(url) as process, DatabaseLock(url, "run") as lock:
        with pytest.raises(LockHeld) as caught:
            await lock.acquire(0, clock)

        said = str(caught.value)
    assert f"`slotbridge run`, process {process.pid} on {os.uname().nodename}, since 2" in said
    assert f"{file}.lock" in said
    assert caught.value.exit_code == 5


async def test_S13_a_sync_waits_for_so_many_seconds(url: str, clock: StillClock) -> None:
    began = clock.monotonic()
    with DatabaseLock(url, "run") as holder, DatabaseLock(url, "sync") as lock:
        await holder.acquire(0, clock)
        with pytest.raises(LockHeld):
            await lock.acquire(10, clock)

    assert clock.monotonic() - began == pytest.approx(10)


async def test_a_wait_ends_when_the_holder_is_done(url: str, clock: StillClock) -> None:
    with DatabaseLock(url, "run") as holder, DatabaseLock(url, "sync") as lock:
        await holder.acquire(0, clock)

        class Meanwhile(StillClock):
            async def sleep(self, seconds: float) -> None:
                holder.release()

        await lock.acquire(10, Meanwhile())

        with pytest.raises(LockHeld, match="`slotbridge sync`"):
            await holder.acquire(0, clock)


async def test_kill_9_frees_it(url: str, clock: StillClock) -> None:
    with another_process(url) as process:
        process.kill()
        process.wait()

        with DatabaseLock(url, "sync") as lock:
            await lock.acquire(0, clock)


async def test_it_is_free_after_the_context_even_after_an_error(url: str, file: Path, clock: StillClock) -> None:
    with pytest.raises(ZeroDivisionError), DatabaseLock(url, "sync") as first:
        await first.acquire(0, clock)
        raise ZeroDivisionError

    assert signature(file) == ""
    with DatabaseLock(url, "sync") as second:
        await second.acquire(0, clock)


async def test_a_disk_that_has_become_read_only_does_not_keep_it_from_being_freed(
    url: str, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_descriptor: int, _length: int) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    with DatabaseLock(url, "run") as first, monkeypatch.context() as patch:
        await first.acquire(0, clock)
        patch.setattr("os.ftruncate", refuse)
        first.release()

    with DatabaseLock(url, "sync") as second:
        await second.acquire(0, clock)


async def test_taking_it_twice_is_taking_it_once(url: str, clock: StillClock) -> None:
    with DatabaseLock(url, "sync") as lock:
        await lock.acquire(0, clock)
        await lock.acquire(0, clock)
        lock.release()

        with DatabaseLock(url, "sync") as other:
            await other.acquire(0, clock)


@pytest.fixture
def alias(file: Path) -> str:
    """Another name of the same database."""
    link = file.with_name("alias.db")
    file.touch()
    link.symlink_to(file)
    return f"sqlite:///{link}"


async def test_two_names_of_one_database_share_a_lock(url: str, alias: str, clock: StillClock) -> None:
    with DatabaseLock(url, "sync") as one, DatabaseLock(alias, "sync") as two:
        await one.acquire(0, clock)
        with pytest.raises(LockHeld):
            await two.acquire(0, clock)


async def test_two_databases_have_two_locks(url: str, tmp_path: Path, clock: StillClock) -> None:
    with DatabaseLock(url, "sync") as one, DatabaseLock(f"sqlite:///{tmp_path}/other.db", "sync") as two:
        await one.acquire(0, clock)
        await two.acquire(0, clock)


async def test_a_database_in_memory_needs_none(clock: StillClock) -> None:
    with DatabaseLock("sqlite:///:memory:", "sync") as one, DatabaseLock("sqlite:///:memory:", "sync") as two:
        await one.acquire(0, clock)
        await two.acquire(0, clock)


async def test_a_holder_that_has_not_signed_yet_is_still_the_holder(url: str, file: Path, clock: StillClock) -> None:
    with DatabaseLock(url, "sync") as one, DatabaseLock(url, "sync") as two:
        await one.acquire(0, clock)
        os.truncate(f"{file}.lock", 0)
        with pytest.raises(LockHeld, match="another slotbridge works on this database"):
            await two.acquire(0, clock)


async def test_no_lock_file_is_possible_without_its_folder(tmp_path: Path, clock: StillClock) -> None:
    lock = DatabaseLock(f"sqlite:///{tmp_path}/nowhere/slotbridge.db", "sync")
    with pytest.raises(StoreError, match="folder of the database does not exist") as caught:
        await lock.acquire(0, clock)

    assert caught.value.item == f"{tmp_path}/nowhere"


@pytest.mark.parametrize(("command", "words"), [("sync", "Wait until it is done"), ("run", "does not end")])
async def test_who_meets_the_daemon_is_not_told_to_wait_for_its_end(
    url: str, clock: StillClock, command: str, words: str
) -> None:
    with DatabaseLock(url, command) as one, DatabaseLock(url, "sync") as two:
        await one.acquire(0, clock)
        with pytest.raises(LockHeld) as caught:
            await two.acquire(0, clock)

    assert words in str(caught.value)


def moved(file: Path) -> None:
    file.rename(file.with_name("old.lock"))


def replaced(file: Path) -> None:
    file.unlink()
    file.touch()


@pytest.mark.parametrize("happens", [Path.unlink, moved, replaced])
async def test_a_lock_whose_file_is_gone_is_not_ours_until_it_is_taken_again(
    happens: Callable[[Path], None], url: str, file: Path, clock: StillClock
) -> None:
    with DatabaseLock(url, "run") as lock, DatabaseLock(url, "sync") as other:
        assert not lock.is_ours()
        await lock.acquire(0, clock)
        assert lock.is_ours()
        happens(Path(f"{file}.lock"))
        assert not lock.is_ours()
        lock.take(clock.now())
        assert lock.is_ours()
        with pytest.raises(LockHeld, match="`slotbridge run`"):
            other.take(clock.now())


async def test_one_that_somebody_else_has_by_now_is_not_taken(url: str, file: Path, clock: StillClock) -> None:
    with DatabaseLock(url, "run") as lock, DatabaseLock(url, "sync") as other:
        await lock.acquire(0, clock)
        moved(Path(f"{file}.lock"))
        other.take(clock.now())
        with pytest.raises(LockHeld, match="`slotbridge sync`"):
            lock.take(clock.now())
        assert (lock.is_ours(), other.is_ours()) == (False, True)
        file.with_name("old.lock").rename(f"{file}.lock")
        assert (lock.is_ours(), other.is_ours()) == (True, False)


async def test_who_waits_takes_the_file_that_is_there_in_the_end(url: str, file: Path, clock: StillClock) -> None:
    with DatabaseLock(url, "run") as lock, DatabaseLock(url, "sync") as other:
        await other.acquire(0, clock)

        class Meanwhile(StillClock):
            async def sleep(self, seconds: float) -> None:
                self.pass_by(seconds)
                replaced(Path(f"{file}.lock"))

        await lock.acquire(10, Meanwhile())
        assert lock.is_ours()


def test_a_lock_in_memory_is_always_ours() -> None:
    assert DatabaseLock("sqlite:///:memory:", "run").is_ours()


def test_the_lock_file_is_as_private_as_the_database(url: str, file: Path, clock: StillClock) -> None:
    before = os.umask(0o022)
    try:
        with DatabaseLock(url, "run") as lock:
            lock.take(clock.now())
            assert Path(f"{file}.lock").stat().st_mode & 0o777 == 0o600
    finally:
        os.umask(before)
