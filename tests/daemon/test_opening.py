"""Waiting for a database at the beginning."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest
from structlog.testing import capture_logs

from slotbridge.clock import SystemClock
from slotbridge.daemon import opening
from slotbridge.daemon.life import StopSignals
from slotbridge.daemon.notify import Supervisor
from slotbridge.daemon.opening import opened
from slotbridge.errors import LockHeld, StoreError

FULL = StoreError("the disk is full", hint="Free some space")
DAMAGED = StoreError("the database is damaged")
RESTORING = LockHeld("another slotbridge works on this database")


class Attempts:
    """Raises the errors one after the other, then brings a database."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)

    async def __call__(self) -> str:
        if self.errors:
            raise self.errors.pop(0)
        return "a database"


async def waited(attempts: Attempts, listen: str = "") -> tuple[str | None, list[str]]:
    with StopSignals() as stop, capture_logs() as logs:
        taken = await asyncio.wait_for(
            opened(attempts, listen=listen, stop=stop, supervisor=Supervisor({}), clock=SystemClock()), 5
        )
    return taken, [f"{entry['event']} {entry.get('error', '')}".strip() for entry in logs]


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "RETRY", 0.01)


async def test_what_can_be_used_at_once_is_not_talked_about() -> None:
    assert await waited(Attempts()) == ("a database", [])


async def test_each_reason_is_told_once_and_the_end_of_it() -> None:
    assert await waited(Attempts(FULL, FULL, FULL, DAMAGED, RESTORING, DAMAGED)) == (
        "a database",
        [
            "store.failed the disk is full. Free some space",
            "store.failed the database is damaged",
            "store.failed another slotbridge works on this database",
            "store.failed the database is damaged",
            "store.recovered",
        ],
    )


async def test_S13_one_that_finds_another_at_work_does_not_wait() -> None:
    with pytest.raises(LockHeld):
        await waited(Attempts(RESTORING))


async def test_a_stop_ends_the_waiting() -> None:
    attempts = Attempts(*[FULL] * 10_000)
    waiting = asyncio.create_task(waited(attempts))
    await asyncio.sleep(0.05)
    os.kill(os.getpid(), signal.SIGTERM)
    assert (await waiting)[0] is None
    assert len(attempts.errors) < 10_000


async def test_its_address_is_free_again_for_what_comes_after_it(unused_tcp_port: int) -> None:
    listen = f"127.0.0.1:{unused_tcp_port}"
    for _ in range(2):
        taken, said = await waited(Attempts(FULL), listen)
        assert taken == "a database"
        assert said[-1] == "store.recovered"
