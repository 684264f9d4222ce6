"""Ticking, stopping, and telling the supervisor."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import apscheduler.schedulers.base as apscheduler_base  # type: ignore[import-untyped]
import pytest
from structlog.testing import capture_logs

from slotbridge.clock import SystemClock
from slotbridge.daemon.life import StopSignals, keep_watch, live
from slotbridge.daemon.notify import Supervisor
from slotbridge.daemon.runner import Runner
from slotbridge.daemon.ticker import Ticker
from tests.daemon.rig import Rig, spun

NOBODY = Supervisor({})


class HandTicker:
    """Ticks when the test says so."""

    def __init__(self) -> None:
        self.rearmed = 0
        self.stopped = False

    def start(self, tick: Callable[[], None]) -> None:
        self.tick = tick

    def rearm(self) -> None:
        self.rearmed += 1

    def stop(self) -> None:
        self.stopped = True


@pytest.fixture
def line(tmp_path: Path) -> Iterator[socket.socket]:
    """Where systemd would listen."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as made:
        made.bind(str(tmp_path / "notify"))
        made.setblocking(False)
        yield made


def said(line: socket.socket) -> list[str]:
    heard = []
    while True:
        try:
            heard.append(line.recv(1000).decode())
        except BlockingIOError:
            return heard


async def test_work_in_flight_ends_before_the_daemon_does(rig: Rig) -> None:
    gate = rig.engine.gates["a"] = asyncio.Event()
    ticker = HandTicker()
    with StopSignals() as stop, capture_logs() as logs:
        life = asyncio.create_task(live(rig.daemon, ticker, stop, NOBODY, drain=5, clock=SystemClock()))
        await asyncio.sleep(0)
        rig.clock.time += 5
        ticker.tick()
        await asyncio.sleep(0)
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.sleep(0.05)
        assert ticker.stopped
        assert rig.daemon.condition.unready() == ("draining",)
        rig.clock.time += 500
        ticker.tick()
        assert not life.done()
        gate.set()
        await asyncio.wait_for(life, 1)
    assert len(rig.engine.runs) == 1
    assert [entry["event"] for entry in logs] == ["daemon.started", "daemon.stopping", "daemon.stopped"]
    assert rig.daemon.condition.counters.runs["quiet"] == 1
    assert rig.store.schedules.planned() == {}


async def test_work_that_does_not_end_in_time_is_cancelled(rig: Rig) -> None:
    rig.engine.gates["a"] = asyncio.Event()
    await rig.pass_by(5)
    with capture_logs() as logs:
        await rig.daemon.drain(0.05)
    assert [entry["event"] for entry in logs] == ["drain.overrun"]
    assert rig.engine.open == set()
    assert rig.runner.busy == 0


async def test_the_second_signal_ends_it_at_once() -> None:
    ended: list[int] = []
    with StopSignals(end=ended.append) as stop:
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(stop.wait(), 1)
        assert ended == []
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.sleep(0)
    assert ended == [130, 143]


async def test_signals_are_as_before_afterwards() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with StopSignals():
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before


async def test_a_watch_that_breaks_is_no_silent_end(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks() -> str | None:
        raise ZeroDivisionError

    monkeypatch.setattr(rig.daemon.condition, "alive", breaks)
    with StopSignals() as stop, pytest.raises(ZeroDivisionError):
        await live(rig.daemon, HandTicker(), stop, NOBODY, drain=1, clock=rig.clock)


async def test_ticks_that_stay_away_are_called_for_again(rig: Rig) -> None:
    ticker = HandTicker()
    watch = asyncio.create_task(keep_watch(rig.daemon, ticker, NOBODY, rig.clock))
    await spun(lambda: rig.clock.time >= 1014)
    assert ticker.rearmed == 0
    await spun(lambda: ticker.rearmed > 0)
    watch.cancel()
    assert rig.clock.time - 1000 <= 30


async def test_the_supervisor_hears_of_start_life_and_end(rig: Rig, line: socket.socket) -> None:
    environ = {"NOTIFY_SOCKET": line.getsockname(), "WATCHDOG_USEC": "20000000"}
    with StopSignals() as stop:
        task = asyncio.create_task(live(rig.daemon, HandTicker(), stop, Supervisor(environ), drain=1, clock=rig.clock))
        await spun(lambda: rig.clock.time >= 1012)
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(task, 1)
    heard = said(line)
    assert (heard[0], heard[-1]) == ("READY=1", "STOPPING=1")
    assert "WATCHDOG=1" in heard
    assert heard.count("STATUS=1 pairs, all well") == 1


async def test_no_sign_of_life_from_a_loop_without_ticks(rig: Rig, line: socket.socket) -> None:
    environ = {"NOTIFY_SOCKET": line.getsockname(), "WATCHDOG_USEC": "20000000"}
    rig.clock.time += 60
    watch = asyncio.create_task(keep_watch(rig.daemon, HandTicker(), Supervisor(environ), rig.clock))
    await spun(lambda: rig.clock.time >= 1100)
    watch.cancel()
    assert "WATCHDOG=1" not in said(line)


def test_an_abstract_address_is_understood() -> None:
    name = f"slotbridge-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind("\0" + name)
        Supervisor({"NOTIFY_SOCKET": "@" + name}).ready()
        assert line.recv(100) == b"READY=1"


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 30),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "7"}, 30),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "8"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_whether_the_supervisor_wants_signs_of_life(environ: dict[str, str], seconds: float | None) -> None:
    assert Supervisor(environ, pid=7).watchdog == seconds


def test_a_supervisor_that_went_away_changes_nothing(tmp_path: Path) -> None:
    Supervisor({"NOTIFY_SOCKET": str(tmp_path / "gone")}).ready()


async def test_apscheduler_ticks_and_stops() -> None:
    ticks: list[float] = []
    ticker = Ticker()
    ticker.start(lambda: ticks.append(0))
    await asyncio.sleep(0.05)
    ticker.stop()
    await asyncio.sleep(1.05)
    assert len(ticks) == 1


async def test_a_clock_that_is_set_back_or_forward_stops_no_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    shift = timedelta()

    class Moved(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.now(UTC) + shift

    ticks: list[float] = []
    ticker = Ticker()
    ticker.start(lambda: ticks.append(0))
    monkeypatch.setattr(apscheduler_base, "datetime", Moved)
    monkeypatch.setattr("slotbridge.daemon.ticker.datetime", Moved)
    await asyncio.sleep(0.05)
    shift = timedelta(hours=-1)
    await asyncio.sleep(1.1)
    assert len(ticks) == 1  # it waits for the hour to pass
    ticker.rearm()
    await asyncio.sleep(0.05)
    assert len(ticks) == 2
    shift, begun = timedelta(days=300), time.monotonic()
    await asyncio.sleep(1.1)
    assert len(ticks) == 3
    assert time.monotonic() - begun < 3  # the seconds of 300 days are not counted up
    ticker.stop()


async def test_a_task_that_breaks_is_told() -> None:
    async def broken() -> None:
        raise ZeroDivisionError

    runner = Runner()
    with capture_logs() as logs:
        runner.start(broken())
        await runner.drain(1)
        await asyncio.sleep(0)
    assert [entry["event"] for entry in logs] == ["run.bug"]
