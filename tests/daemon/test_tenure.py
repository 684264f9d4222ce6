"""A daemon that is alone with its database, and what it does when that is in doubt."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from slotbridge.errors import LockHeld
from slotbridge.store import DatabaseLock
from slotbridge.sync.report import RunReport
from tests.daemon.rig import Rig

MakeRig = Callable[..., Rig]
LOST = "the lock on the database is lost"


@pytest.fixture
def other(rig: Rig) -> Iterator[DatabaseLock]:
    """Another process's lock on the same database."""
    with DatabaseLock(f"sqlite:///{rig.file}", "sync") as lock:
        yield lock


def lock_file(rig: Rig) -> Path:
    assert rig.lock.file is not None
    return rig.lock.file


def deleted(file: Path) -> None:
    file.unlink()


def replaced(file: Path) -> None:
    file.unlink()
    file.write_text("")


@pytest.mark.parametrize("happens", [deleted, replaced])
async def test_a_lock_whose_file_is_gone_is_taken_again_and_that_is_told(
    happens: Callable[[Path], None], rig: Rig, other: DatabaseLock
) -> None:
    await rig.pass_by(5)
    happens(lock_file(rig))
    assert rig.daemon.condition.unready() == (LOST,)
    await rig.pass_by(1000)

    assert rig.daemon.condition.unready() == ()
    assert (rig.events.count("lock.lost"), rig.events.count("lock.regained")) == (1, 1)
    assert len(rig.engine.runs) > 1
    with pytest.raises(LockHeld):
        other.take(rig.clock.now())


async def test_nothing_is_begun_while_another_one_holds_it(rig: Rig, other: DatabaseLock) -> None:
    await rig.pass_by(5)
    deleted(lock_file(rig))
    other.take(rig.clock.now())
    runs = len(rig.engine.runs)
    rig.daemon.notice("a", "a person's decision")
    await rig.pass_by(1000)

    assert rig.daemon.condition.unready()[0] == LOST
    assert len(rig.engine.runs) == runs
    assert rig.events.count("lock.lost") == 1
    told = next(entry for entry in rig.logged if entry["event"] == "lock.lost")
    assert "`slotbridge sync`" in told["error"]
    other.release()
    await rig.pass_by(5)
    assert rig.daemon.condition.unready() == ()
    assert rig.events.count("lock.regained") == 1
    assert len(rig.engine.runs) > runs


async def test_a_lock_file_that_comes_back_is_as_good_as_before(rig: Rig) -> None:
    """For as long as the folder is away no file can take its place."""
    await rig.pass_by(5)
    home, away = rig.file.parent, rig.file.parent.with_name("away")
    home.rename(away)
    await rig.pass_by(1000)
    assert rig.daemon.condition.unready()[0] == LOST
    away.rename(home)
    await rig.pass_by(5)

    assert rig.daemon.condition.unready() == ()
    assert (rig.events.count("lock.lost"), rig.events.count("lock.regained")) == (1, 1)


async def test_a_run_under_way_comes_to_its_end_and_what_it_left_is_done_when_the_lock_is_back(
    rig: Rig, other: DatabaseLock, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped: list[bool] = []
    finish = rig.engine.sync

    async def sync(pairs: Any, *, trigger: str, stop: Callable[[], bool]) -> RunReport:
        report = await finish(pairs, trigger=trigger, stop=stop)
        stopped.append(stop())
        return replace(report, pairs=() if stop() else report.pairs)

    monkeypatch.setattr(rig.engine, "sync", sync)
    gate = rig.engine.gates["a"] = asyncio.Event()
    await rig.pass_by(5)
    deleted(lock_file(rig))
    other.take(rig.clock.now())
    gate.set()
    await rig.pass_by(5)
    other.release()
    await rig.pass_by(5)

    assert stopped == [True, False]
    assert rig.entry().attempt_at is not None


async def test_a_database_that_is_gone_is_told_within_seconds_and_nothing_runs_until_it_is_back(rig: Rig) -> None:
    await rig.pass_by(5)
    runs = len(rig.engine.runs)
    away = rig.file.rename(rig.file.with_name("away.db"))
    await rig.pass_by(6)
    assert rig.daemon.condition.unready() == ("cannot remember: the database was deleted while it was in use",)
    await rig.pass_by(1000)
    assert len(rig.engine.runs) == runs
    away.rename(rig.file)
    await rig.until(lambda: "store.recovered" in rig.events, most=62)

    assert rig.daemon.condition.unready() == ()
    assert rig.events.count("store.failed") == 1


async def test_what_was_put_off_is_due_at_once(make_rig: MakeRig) -> None:
    rig = make_rig("a", "b")
    rig.engine.put_off = {"b"}
    await rig.until(lambda: len(rig.engine.runs) == 1)
    rig.engine.put_off = set()
    await rig.pass_by(2)

    assert [ran.names for ran in rig.engine.runs] == [("a", "b"), ("b",)]
