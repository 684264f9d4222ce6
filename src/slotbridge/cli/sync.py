"""`sync`: one run over the pairs, for real or dry."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import NamedTuple

from slotbridge.cli.invocation import Invocation
from slotbridge.cli.pairs import chosen
from slotbridge.cli.progress import progress_bar
from slotbridge.cli.render.plan import run_lines
from slotbridge.reconcile.model import Initial
from slotbridge.settings import Settings
from slotbridge.store import DatabaseLock, Store
from slotbridge.store.tokens import Tokens
from slotbridge.sync.bridge import Bridge
from slotbridge.sync.report import RunReport


@dataclass(frozen=True, slots=True)
class Request:
    """What the command line asks for. `wait` is in seconds."""

    names: tuple[str, ...] = ()
    dry_run: bool = False
    accept_deletes: bool = False
    initial: Initial | None = None
    tell_changes: bool = False
    wait: float = 10


class _Known(NamedTuple):
    """Tokens of a command that asks nobody."""

    secrets: tuple[str, ...]


def sync_once(invocation: Invocation, request: Request) -> int:
    """One run; tells what it did and returns the exit code. Raises SlotbridgeError for what fails it as a whole."""
    settings = invocation.settings()
    report = asyncio.run(_run(invocation, settings, request))
    if invocation.as_json:
        invocation.emit(report.as_json())
    else:
        invocation.say(run_lines(report, settings.reservekit.day_zero, invocation.counsel(settings)))
    return report.exit_code(tell_changes=request.tell_changes)


async def _run(invocation: Invocation, settings: Settings, request: Request) -> RunReport:
    pairs = chosen(settings, request.names)
    async with (
        memory(invocation, settings, request) as store,
        connected(invocation, settings, store) as bridge,
        progress_bar(invocation.console(invocation.stderr)) as progress,
    ):
        return await bridge.sync(
            pairs,
            dry_run=request.dry_run,
            accept_deletes=request.accept_deletes,
            initial=request.initial,
            progress=progress,
        )


@asynccontextmanager
async def memory(
    invocation: Invocation, settings: Settings, request: Request, command: str = "sync"
) -> AsyncIterator[Store | None]:
    """The database: locked and brought up to date, or for a dry run only read, if there is one (W8).

    `command` is what others are told who find it locked.
    """
    if request.dry_run:
        async with remembered(invocation, settings) as existing:
            yield existing
        return
    with DatabaseLock(settings.store.url, command) as lock:
        await lock.acquire(request.wait, invocation.clock)
        store = Store.open(settings.store.url, clock=invocation.clock)
        try:
            yield store
        finally:
            store.close()


@asynccontextmanager
async def remembered(invocation: Invocation, settings: Settings) -> AsyncIterator[Store | None]:
    """The database for reading only, None where there is none. The tokens in it are told to nobody."""
    store = Store.open_existing(settings.store.url, clock=invocation.clock)
    try:
        if store is not None and settings.bitrix24.oauth is not None:
            stored = Tokens(settings.store.url, invocation.clock)
            pair = stored.load(settings.bitrix24.oauth.client_id.get_secret_value())
            invocation.hide_those_of(_Known((pair.access_token, pair.refresh_token) if pair else ()))
        yield store
    finally:
        if store is not None:
            store.close()


@asynccontextmanager
async def connected(invocation: Invocation, settings: Settings, store: Store | None) -> AsyncIterator[Bridge]:
    """Both services, as the configuration names them."""
    bridge = Bridge.connect(settings, store, clock=invocation.clock, random=invocation.random)
    invocation.hide_those_of(bridge)
    try:
        yield bridge
    finally:
        await bridge.aclose()
