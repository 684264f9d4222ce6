"""What makes the daemon tick: APScheduler fires once a second, and a watch of ours that it really does."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from apscheduler.schedulers.asyncio import AsyncIOScheduler  # type: ignore[import-untyped]
from apscheduler.triggers.base import BaseTrigger  # type: ignore[import-untyped]

EVERY: Final = 1.0
_JOB: Final = "tick"


class Ticking(Protocol):
    """What the daemon needs of a scheduler."""

    def start(self, tick: Callable[[], None]) -> None:
        """Calls `tick` once a second from now on."""

    def rearm(self) -> None:
        """Goes on ticking, whatever the time of day has become."""

    def stop(self) -> None:
        """Calls it no more."""


class Ticker:
    """The same, by APScheduler."""

    def __init__(self) -> None:
        # It tells of every job that it runs, which is one a second.
        logging.getLogger("apscheduler").setLevel(logging.WARNING)
        self._scheduler = AsyncIOScheduler(
            timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )

    def start(self, tick: Callable[[], None]) -> None:
        async def fire() -> None:  # a plain function would be called in another thread
            tick()

        self._scheduler.add_job(fire, _EverySecond(), id=_JOB, next_run_time=datetime.now(UTC))
        self._scheduler.start()

    def rearm(self) -> None:
        self._scheduler.modify_job(_JOB, next_run_time=datetime.now(UTC))

    def stop(self) -> None:
        self._scheduler.pause()
        self._scheduler.shutdown(wait=False)


class _EverySecond(BaseTrigger):  # type: ignore[misc]
    """A second from now, whenever now is. An interval trigger would count up all the seconds that a clock set forward,
    or a machine that slept, has jumped over."""

    def get_next_fire_time(self, _previous: datetime | None, now: datetime) -> datetime:
        return now + timedelta(seconds=EVERY)
