"""The daemon's life: startup, loop, shutdown."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Any, Final, Self

import structlog

from slotbridge.clock import Clock
from slotbridge.daemon.daemon import Daemon
from slotbridge.daemon.notify import Supervisor
from slotbridge.daemon.ticker import Ticking

WATCH_EVERY: Final = 5.0

log = structlog.get_logger("slotbridge.daemon")


class StopSignals:
    """SIGTERM and SIGINT while the context lasts: the first asks to stop, the second ends the process at once.

    Not by way of the event loop, which may be busy with a migration; `end` takes the exit code. `asked` says whether
    the first one has come.
    """

    def __init__(self, end: Callable[[int], Any] = os._exit) -> None:
        self._end = end
        self.asked = False
        self._awake = asyncio.Event()
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._before = {number: signal.signal(number, self._on) for number in (signal.SIGTERM, signal.SIGINT)}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    async def wait(self) -> None:
        """Waits for the first signal."""
        await self._awake.wait()

    async def within(self, seconds: float) -> bool:
        """Waits for the first signal, but no longer than so many seconds; whether it has come."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._awake.wait(), seconds)
        return self.asked

    def _on(self, number: int, _frame: FrameType | None) -> None:
        if self.asked:
            self._end(128 + number)
        self.asked = True
        self._loop.call_soon_threadsafe(self._awake.set)


async def live(
    daemon: Daemon, ticker: Ticking, stop: StopSignals, supervisor: Supervisor, *, drain: float, clock: Clock
) -> None:
    """Works until it is asked to stop, then lets what is under way end within `drain` seconds."""
    daemon.open()
    ticker.start(daemon.tick)
    watch = asyncio.create_task(keep_watch(daemon, ticker, supervisor, clock))
    supervisor.ready()
    log.info("daemon.started", pairs=len(daemon.roster.entries))
    asked = asyncio.create_task(stop.wait())
    try:
        for ended in (await asyncio.wait({asked, watch}, return_when=asyncio.FIRST_COMPLETED))[0]:
            ended.result()
    finally:
        log.info("daemon.stopping", drain=drain)
        supervisor.stopping()
        ticker.stop()
        watch.cancel()
        asked.cancel()
        await daemon.drain(drain)
        log.info("daemon.stopped")


async def keep_watch(daemon: Daemon, ticker: Ticking, supervisor: Supervisor, clock: Clock) -> None:
    """Sees to it that the ticks go on, and tells the supervisor that they do.

    The scheduler thinks in the time of day: a clock set back by an hour would keep it silent for that hour.
    """
    every = min(WATCH_EVERY, (supervisor.watchdog or WATCH_EVERY) / 2)
    while True:
        await clock.sleep(every)
        if (silent := daemon.condition.alive()) is None:
            supervisor.sign_of_life()
        else:
            log.warning("ticks.stopped", why=silent)
            ticker.rearm()
        supervisor.status("; ".join(daemon.condition.unready()) or f"{len(daemon.roster.entries)} pairs, all well")
