"""Tokens in the database: stored for good, read by nobody else, renewed by one process at a time."""

from __future__ import annotations

import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from slotbridge.errors import StoreError
from slotbridge.http.tokens import TokenPair
from slotbridge.store import DatabaseLock, Store
from slotbridge.store.tokens import Tokens
from tests.http.clock import FakeClock
from tests.store.samples import START, StillClock, execute, select

PAIR = TokenPair("acc3ss", "r3fr3sh", datetime(2026, 5, 14, 10, tzinfo=UTC), "https://a.example/rest/", "member")
NEXT = TokenPair("acc3ss2", "r3fr3sh2", datetime(2026, 5, 14, 11, tzinfo=UTC), "https://b.example/rest/")

HOLDER = """
import asyncio, sys
from slotbridge.clock import SystemClock
from slotbridge.store.tokens import Tokens

async def hold():
    async with Tokens(sys.argv[1], SystemClock()).exclusive():
        print("held", flush=True)
        sys.stdin.read()

asyncio.run(hold())
"""


@pytest.fixture
def tokens(url: str, clock: StillClock) -> Tokens:
    return Tokens(url, clock)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_is_stored_comes_back(tokens: Tokens, file: Path) -> None:
    tokens.save("local.1", PAIR)
    assert tokens.load("local.1") == PAIR
    assert tokens.load("local.2") is None
    assert select(file, "SELECT client_id, stored_at FROM oauth_token") == [
        ("local.1", str(START.replace(tzinfo=None)))
    ]


def test_a_new_pair_replaces_the_old_one(tokens: Tokens, file: Path) -> None:
    tokens.save("local.1", PAIR)
    tokens.save("local.1", NEXT)
    assert tokens.load("local.1") == NEXT
    assert select(file, "SELECT count(*) FROM oauth_token") == [(1,)]


def test_another_process_finds_them(tokens: Tokens, url: str, clock: StillClock) -> None:
    tokens.save("local.1", PAIR)
    assert Tokens(url, clock).load("local.1") == PAIR


def test_looking_for_tokens_makes_no_file(tokens: Tokens, file: Path) -> None:
    assert tokens.load("local.1") is None
    assert list(file.parent.iterdir()) == []


def test_an_open_store_is_no_obstacle(store: Store, tokens: Tokens) -> None:
    run = store.begin_run("test")
    tokens.save("local.1", PAIR)
    assert tokens.load("local.1") == PAIR
    store.finish_run(run, requests={}, pairs={})


async def test_the_lock_on_the_database_is_no_obstacle(tokens: Tokens, url: str, clock: StillClock) -> None:
    with DatabaseLock(url, "run") as lock:
        await lock.acquire(0, clock)
        async with tokens.exclusive():
            tokens.save("local.1", PAIR)
    assert tokens.load("local.1") == PAIR


def test_a_database_with_tokens_is_closed_to_others(store: Store, tokens: Tokens, file: Path) -> None:
    store.begin_run("test")
    file.chmod(0o644)
    Path(f"{file}-wal").chmod(0o644)
    tokens.save("local.1", PAIR)
    found = {path.name: mode(path) for path in file.parent.iterdir()}
    assert found.keys() >= {"slotbridge.db", "slotbridge.db-wal", "slotbridge.db-shm"}
    assert set(found.values()) == {0o600}


def test_a_new_database_is_closed_before_anything_secret_is_in_it(tokens: Tokens, file: Path) -> None:
    tokens.prepare()
    assert mode(file) == 0o600
    assert tokens.load("local.1") is None


def test_a_database_of_an_older_slotbridge_says_what_to_do(store: Store, tokens: Tokens, file: Path) -> None:
    store.close()
    execute(file, "UPDATE alembic_version SET version_num = '0001'")
    with pytest.raises(StoreError, match="slotbridge db upgrade"):
        tokens.load("local.1")


def test_a_database_in_memory_keeps_no_tokens(clock: StillClock) -> None:
    tokens = Tokens("sqlite:///:memory:", clock)
    assert tokens.load("local.1") is None
    with pytest.raises(StoreError, match="in memory"):
        tokens.save("local.1", PAIR)


class Stubborn(Tokens):
    """Takes a pair at the time that is named, and not before."""

    def __init__(self, url: str, clock: FakeClock, until: float) -> None:
        super().__init__(url, clock)
        self.clock, self.until = clock, clock.monotonic() + until

    def save(self, client_id: str, pair: TokenPair) -> None:
        if self.clock.monotonic() < self.until:
            raise StoreError("the database is locked by another program")
        super().save(client_id, pair)


async def test_a_new_pair_waits_for_a_database_that_is_locked(url: str) -> None:
    tokens = Stubborn(url, FakeClock(), 100)
    await tokens.keep("local.1", PAIR)
    assert tokens.load("local.1") == PAIR


async def test_it_does_not_wait_for_ever(url: str) -> None:
    tokens = Stubborn(url, clock := FakeClock(), 10_000)
    began = clock.monotonic()
    with pytest.raises(StoreError, match="locked"):
        await tokens.keep("local.1", PAIR)
    assert 100 < clock.monotonic() - began < 150


def test_tokens_are_in_no_repr() -> None:
    assert "acc3ss" not in repr(PAIR)
    assert "r3fr3sh" not in repr(PAIR)


@pytest.fixture
def another_process(url: str) -> Iterator[subprocess.Popen[str]]:
    """A process that renews tokens until it is killed."""
    command = [sys.executable, "-c", HOLDER, url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


async def test_one_process_at_a_time_renews(
    another_process: subprocess.Popen[str], tokens: Tokens, clock: StillClock
) -> None:
    began = clock.monotonic()
    with pytest.raises(StoreError, match="all the time"):
        async with tokens.exclusive():
            raise AssertionError("two at a time")
    assert clock.monotonic() - began == pytest.approx(120, abs=1)
    another_process.kill()
    another_process.wait()
    async with tokens.exclusive():
        pass


async def test_it_is_free_after_an_error(tokens: Tokens, url: str, clock: StillClock) -> None:
    with pytest.raises(ZeroDivisionError):
        async with tokens.exclusive():
            raise ZeroDivisionError
    async with Tokens(url, clock).exclusive():
        pass


async def test_no_lock_is_possible_without_a_folder(tmp_path: Path, clock: StillClock) -> None:
    tokens = Tokens(f"sqlite:///{tmp_path}/nowhere/slotbridge.db", clock)
    with pytest.raises(StoreError, match="folder"):
        async with tokens.exclusive():
            raise AssertionError("no lock")
