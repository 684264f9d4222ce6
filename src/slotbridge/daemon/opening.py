"""A beginning that fails for the database's sake is not the end: whoever restarts us would only do so for ever."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import structlog

from slotbridge.clock import Clock
from slotbridge.daemon.condition import Condition
from slotbridge.daemon.endpoint import outside, serving
from slotbridge.daemon.hooks import Hooks
from slotbridge.daemon.life import StopSignals
from slotbridge.daemon.metrics import Metrics, Traffic
from slotbridge.daemon.notify import Supervisor
from slotbridge.daemon.roster import Roster
from slotbridge.daemon.tenure import Tenure
from slotbridge.errors import LockHeld, SlotbridgeError, StoreError

RETRY: Final = 10.0
"""Seconds after which it is tried again. No request is sent for it."""

T = TypeVar("T")

log = structlog.get_logger("slotbridge.daemon")


async def opened(
    take: Callable[[], Awaitable[T]], *, listen: str, stop: StopSignals, supervisor: Supervisor, clock: Clock
) -> T | None:
    """What `take` brings, which may be after a long wait for a database that can be used; None if asked to stop first.

    Meanwhile /readyz says what is in the way. Raises LockHeld if another process works on the database from the
    beginning; one that takes it later puts a copy back, perhaps.
    """
    try:
        return await take()
    except StoreError as error:
        condition = Condition(Roster(()), clock, {}, Tenure(None, clock))
        _tell(condition, supervisor, error)
    async with serving(listen, outside(condition, Metrics(condition, Traffic(), clock), _deaf())):
        supervisor.ready()
        pause = min(RETRY, (supervisor.watchdog or RETRY) / 2)
        while not await stop.within(pause):
            supervisor.sign_of_life()
            try:
                taken = await take()
            except (StoreError, LockHeld) as error:
                _tell(condition, supervisor, error)
            else:
                log.info("store.recovered")
                return taken
    return None


def _tell(condition: Condition, supervisor: Supervisor, error: SlotbridgeError) -> None:
    """Once for every reason: it may stay the same for days."""
    if condition.memory_lost != error.what:
        log.error("store.failed", error=str(error))
    condition.memory_lost = error.what
    supervisor.status("; ".join(condition.unready()))


def _deaf() -> Hooks:
    """Notifications change nothing: all pairs run as soon as there is a database."""
    return Hooks((), None, notice=lambda _pair, _who: None, counts=Counter())
