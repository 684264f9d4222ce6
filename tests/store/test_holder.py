"""Who holds the lock, read from outside."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from slotbridge.store import DatabaseLock
from slotbridge.store.holder import KERNEL_LOCKS, Holder, holder_of
from tests.store.samples import START, StillClock
from tests.store.test_lock import another_process

needs_kernel_list = pytest.mark.skipif(not KERNEL_LOCKS.exists(), reason="this system does not list its locks")


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/slotbridge.db"


@pytest.fixture
def lock_file(tmp_path: Path) -> Path:
    return tmp_path / "slotbridge.db.lock"


def signature(**changed: object) -> bytes:
    said = {"pid": 812, "host": socket.gethostname(), "command": "run", "since": START.isoformat()}
    return json.dumps(said | changed).encode()


def told(url: str) -> Holder:
    found = holder_of(url)
    assert found is not None
    return found


@needs_kernel_list
def test_a_process_that_holds_it_is_told_and_keeps_it(url: str) -> None:
    with another_process(url) as process:
        found = told(url)
        assert (found.command, found.pid, found.host) == ("run", process.pid, socket.gethostname())
        assert found.holds is True
        assert process.poll() is None
        assert told(url).holds is True


@needs_kernel_list
def test_a_process_that_was_killed_is_told_as_one_that_holds_nothing(url: str) -> None:
    with another_process(url) as process:
        process.kill()
        process.wait()
        assert (told(url).pid, told(url).holds) == (process.pid, False)


def test_whoever_looks_does_not_keep_others_from_taking_it(url: str, lock_file: Path) -> None:
    lock_file.write_bytes(signature())
    assert told(url).holds is not True
    with DatabaseLock(url, "run") as lock:
        asyncio.run(lock.acquire(0, StillClock()))
        assert lock.held


async def test_a_freed_lock_has_no_holder(url: str) -> None:
    with DatabaseLock(url, "sync") as lock:
        await lock.acquire(0, StillClock())
        assert told(url).since == START
    assert holder_of(url) is None


def test_of_a_process_elsewhere_nobody_knows_here(url: str, lock_file: Path) -> None:
    lock_file.write_bytes(signature(host="f3a9c0ffee"))
    assert (told(url).host, told(url).holds) == ("f3a9c0ffee", None)


def test_where_the_kernel_lists_no_locks_nobody_knows(url: str, lock_file: Path, tmp_path: Path) -> None:
    lock_file.write_bytes(signature())
    found = holder_of(url, tmp_path / "locks")
    assert found is not None
    assert found.holds is None


@pytest.mark.parametrize("device", ["fe:00", "00:2a"])
def test_the_kernel_s_list_is_read_by_the_inode_alone(device: str, url: str, lock_file: Path, tmp_path: Path) -> None:
    lock_file.write_bytes(signature())
    inode = lock_file.stat().st_ino
    locks = tmp_path / "locks"
    locks.write_text(f"1: POSIX  ADVISORY  READ  7 fe:00:1{inode} 0 EOF\n\n2: odd\n")
    assert told_by(url, locks) is False
    locks.write_text(f"1: FLOCK  ADVISORY  WRITE 812 {device}:{inode} 0 EOF\n")
    assert told_by(url, locks) is True


def told_by(url: str, locks: Path) -> bool | None:
    found = holder_of(url, locks)
    assert found is not None
    return found.holds


@pytest.mark.parametrize(
    "written",
    [b"", b"{", b"[]", b"\xff\xfe", b"{}", signature(since="yesterday"), signature(pid=None), signature(since=7)],
)
def test_a_file_that_says_nothing_names_nobody(written: bytes, url: str, lock_file: Path) -> None:
    lock_file.write_bytes(written)
    assert holder_of(url) is None


def test_without_a_file_there_is_nobody_and_none_is_made(url: str, lock_file: Path) -> None:
    assert holder_of(url) is None
    assert not lock_file.exists()
    assert holder_of("sqlite:///:memory:") is None


def test_looking_needs_no_more_than_reading(url: str, lock_file: Path) -> None:
    """Another user's status: the file may be read and nothing else."""
    lock_file.write_bytes(signature())
    lock_file.chmod(0o444)
    look = "import sys; from slotbridge.store.holder import holder_of; print(holder_of(sys.argv[1]).pid)"
    done = subprocess.run([sys.executable, "-c", look, url], capture_output=True, text=True, check=True)
    assert done.stdout == "812\n"
