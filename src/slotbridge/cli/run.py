"""`run`: the daemon, put together from its parts."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Final

import structlog

from slotbridge.cli.invocation import Invocation
from slotbridge.cli.pairs import chosen, month_advice
from slotbridge.daemon.daemon import Daemon
from slotbridge.daemon.endpoint import outside, serving
from slotbridge.daemon.hooks import Hooks
from slotbridge.daemon.life import StopSignals, live
from slotbridge.daemon.metrics import Metrics, Traffic
from slotbridge.daemon.notify import Supervisor
from slotbridge.daemon.opening import opened
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
    """Keeps all pairs in step until it is told to stop; 0 then. A database that cannot be used is waited for.

    Raises LockHeld at once when another process works on the database, ConfigurationError for a wrong configuration,
    SlotbridgeError for an address that is taken.
    """
    invocation.log_level = invocation.log_level or "info"
    settings = invocation.settings()
    pairs = chosen(settings, ())
    asyncio.run(_run(invocation, settings, pairs))
    return 0


async def _run(invocation: Invocation, settings: Settings, pairs: Sequence[PairSettings]) -> None:
    clock, traffic, supervisor = invocation.clock, Traffic(), Supervisor(invocation.environ)

    async def take() -> tuple[AsyncExitStack, Daemon]:
        parts = AsyncExitStack()
        try:
            return parts, await _assembled(invocation, settings, pairs, traffic, parts)
        except BaseException:
            await parts.aclose()
            raise

    with StopSignals() as stop:
        taken = await opened(take, listen=settings.daemon.listen, stop=stop, supervisor=supervisor, clock=clock)
        if taken is None:
            return
        parts, daemon = taken
        hooks = Hooks(
            pairs,
            settings.bitrix24.application_token,
            notice=daemon.notice,
            counts=daemon.condition.counters.notices,
        )
        app = outside(daemon.condition, Metrics(daemon.condition, traffic, clock), hooks)
        async with parts, serving(settings.daemon.listen, app):
            await live(daemon, Ticker(), stop, supervisor, drain=settings.daemon.drain, clock=clock)


async def _assembled(
    invocation: Invocation,
    settings: Settings,
    pairs: Sequence[PairSettings],
    traffic: Traffic,
    parts: AsyncExitStack,
) -> Daemon:
    """The database, locked for as long as the daemon lives and brought up to date, both services asked within the
    month's requests, and the daemon over them."""
    clock, random = invocation.clock, invocation.random
    lock = parts.enter_context(DatabaseLock(settings.store.url, "run"))
    await lock.acquire(0, clock)
    store = Store.open(settings.store.url, clock=clock, patience=PATIENCE)
    parts.callback(store.close)
    bridge = Bridge.connect(settings, store, clock=clock, random=random, observer=traffic, unattended=True)
    parts.push_async_callback(bridge.aclose)
    invocation.hide_those_of(bridge)
    return _daemon(invocation, settings, pairs, bridge, store, lock)


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
    clock, random = invocation.clock, invocation.random
    daemon = Daemon(pairs, bridge, store, Runner(), caps=caps, clock=clock, random=random, lock=lock)
    if told := month_advice(settings, store.usage.pages()):
        (log.info if told.fits else log.warning)("budget.advice", advice=told.text)
    return daemon
