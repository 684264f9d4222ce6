"""`run`: the daemon, put together from its parts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

import structlog

from slotbridge.cli.invocation import Invocation
from slotbridge.cli.pairs import chosen
from slotbridge.daemon.daemon import Daemon
from slotbridge.daemon.endpoint import outside, serving
from slotbridge.daemon.hooks import Hooks
from slotbridge.daemon.life import StopSignals, live
from slotbridge.daemon.metrics import Metrics, Traffic
from slotbridge.daemon.notify import Supervisor
from slotbridge.daemon.pace import advice
from slotbridge.daemon.runner import Runner
from slotbridge.daemon.ticker import Ticker
from slotbridge.errors import Side
from slotbridge.settings import PairSettings, Settings
from slotbridge.store import DatabaseLock, Store
from slotbridge.sync.bridge import Bridge

PATIENCE: Final = 1.0
"""Seconds that a locked database may hold up everything else, /healthz included; it is tried again."""

log = structlog.get_logger("slotbridge.daemon")


def run_daemon(invocation: Invocation) -> int:
    """Keeps all pairs in step until it is told to stop; 0 then.

    Raises LockHeld at once when another process works on the database, ConfigurationError for a wrong configuration
    or an address that is taken, StoreError for a database that cannot be used.
    """
    invocation.log_level = invocation.log_level or "info"
    settings = invocation.settings()
    pairs = chosen(settings, ())
    asyncio.run(_run(invocation, settings, pairs))
    return 0


async def _run(invocation: Invocation, settings: Settings, pairs: Sequence[PairSettings]) -> None:
    clock, traffic = invocation.clock, Traffic()
    with StopSignals() as stop:
        async with (
            _memory(invocation, settings) as (lock, store),
            _both(invocation, settings, store, traffic) as bridge,
        ):
            daemon = _daemon(invocation, settings, pairs, bridge, store, lock)
            hooks = Hooks(
                pairs,
                settings.bitrix24.application_token,
                notice=daemon.notice,
                forget=lambda _service: None,
                counts=daemon.condition.counters.notices,
            )
            app = outside(daemon.condition, Metrics(daemon.condition, traffic, clock), hooks)
            async with serving(settings.daemon.listen, app):
                supervisor = Supervisor(invocation.environ)
                await live(daemon, Ticker(), stop, supervisor, drain=settings.daemon.drain, clock=clock)


@asynccontextmanager
async def _memory(invocation: Invocation, settings: Settings) -> AsyncIterator[tuple[DatabaseLock, Store]]:
    """The database, locked for as long as the daemon lives, and brought up to date."""
    with DatabaseLock(settings.store.url, "run") as lock:
        await lock.acquire(0, invocation.clock)
        store = Store.open(settings.store.url, clock=invocation.clock, patience=PATIENCE)
        try:
            yield lock, store
        finally:
            store.close()


@asynccontextmanager
async def _both(invocation: Invocation, settings: Settings, store: Store, traffic: Traffic) -> AsyncIterator[Bridge]:
    """Both services, asked within the month's requests."""
    bridge = Bridge.connect(
        settings, store, clock=invocation.clock, random=invocation.random, observer=traffic, unattended=True
    )
    try:
        yield bridge
    finally:
        await bridge.aclose()


def _daemon(
    invocation: Invocation,
    settings: Settings,
    pairs: Sequence[PairSettings],
    bridge: Bridge,
    store: Store,
    lock: DatabaseLock,
) -> Daemon:
    api = settings.reservekit
    caps: dict[Side, int | None] = {
        "bitrix24": settings.bitrix24.limits.per_month,
        "reservekit": api.limits.per_month,
    }
    if told := advice([pair.interval for pair in pairs], caps["reservekit"], api.plan):
        (log.info if told.fits else log.warning)("budget.advice", advice=told.text)
    clock, random = invocation.clock, invocation.random
    return Daemon(pairs, bridge, store, Runner(), caps=caps, clock=clock, random=random, lock=lock)
