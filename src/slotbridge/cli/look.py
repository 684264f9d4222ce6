"""`show` and `status`: what both sides have, and what is remembered. Nothing is changed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial

from rich.text import Text

from slotbridge.cli.healthcheck import silence
from slotbridge.cli.invocation import Invocation
from slotbridge.cli.pairs import chosen, month_advice
from slotbridge.cli.render.status import status_json, status_lines
from slotbridge.cli.render.status_data import PairStatus, Status
from slotbridge.cli.render.week import week_json, week_lines
from slotbridge.cli.sync import connected, remembered
from slotbridge.cli.watch import watch
from slotbridge.errors import Side
from slotbridge.reconcile.model import SIDES
from slotbridge.settings import PairSettings, ResourceTypeSettings, Settings
from slotbridge.store import Memory, Store
from slotbridge.store.holder import holder_of
from slotbridge.sync.bridge import Look
from slotbridge.sync.connection import key_of
from slotbridge.sync.metering import is_used_up
from slotbridge.sync.report import TypeReport

PICTURE_WIDTH = 60
"""Columns that a terminal has to have for the drawing of the week."""


def show_week(invocation: Invocation, name: str) -> int:
    """The week of one pair. Raises SlotbridgeError when it cannot be read."""
    settings = invocation.settings()
    (pair,) = chosen(settings, [name])
    look = asyncio.run(_look(invocation, settings, pair))
    if invocation.as_json:
        invocation.emit(week_json(look))
    else:
        console = invocation.console()
        picture = console.is_terminal and console.width >= PICTURE_WIDTH
        invocation.say(week_lines(look, invocation.counsel(settings), picture=picture))
    return 0


async def _look(invocation: Invocation, settings: Settings, pair: PairSettings) -> Look:
    async with remembered(invocation, settings) as store, connected(invocation, settings, store) as bridge:
        return await bridge.look(pair)


def show_status(invocation: Invocation, every: float | None = None) -> int:
    """Every pair, the month's requests and the daemon, from the database alone; with `every`, again in so many seconds.

    Raises StoreError when the database cannot be read, unless it is watched.
    """
    settings = invocation.settings()
    if every is not None:
        return watch(invocation, every, partial(_drawn, invocation, settings))
    status = asyncio.run(_status(invocation, settings))
    if invocation.as_json:
        invocation.emit(status_json(status))
    else:
        console = invocation.console()
        invocation.say(status_lines(status, console.width if console.is_terminal else None))
    return 0


async def _drawn(invocation: Invocation, settings: Settings, width: int | None, height: int | None) -> list[Text]:
    return list(status_lines(await _status(invocation, settings), width, height))


async def _status(invocation: Invocation, settings: Settings) -> Status:
    now, api, holder = invocation.clock.now(), settings.reservekit, holder_of(settings.store.url)
    async with remembered(invocation, settings) as store:
        return Status(
            now=now,
            pairs=_pairs(store, settings.pairs),
            used=_used(store, now),
            per_month={"bitrix24": settings.bitrix24.limits.per_month, "reservekit": api.limits.per_month},
            remembered=store is not None,
            advice=month_advice(settings, store.usage.pages() if store else {}),
            holder=holder,
            silent=silence(settings.daemon.listen) if holder and holder.command == "run" and holder.holds else None,
            spent=_spent(store, settings, now),
            types=_failing_types(store, settings.resource_types),
            program=invocation.counsel().program,
        )


def _pairs(store: Store | None, pairs: Sequence[PairSettings]) -> list[PairStatus]:
    names = [pair.name for pair in pairs]
    if store is None:
        return [PairStatus(pair.name, Memory(), names=pair.names) for pair in pairs]
    memories, holds, planned = store.recall(names), store.holds(names), store.schedules.planned()
    return [
        PairStatus(
            pair.name,
            memories[pair.name],
            [record for record in holds if record.hold.pair == pair.name],
            planned.get(pair.name),
            pair.names,
        )
        for pair in pairs
    ]


def _failing_types(store: Store | None, declared: Sequence[ResourceTypeSettings]) -> list[PairStatus]:
    memories = store.recall([TypeReport(kind.id).name for kind in declared]) if store else {}
    return [PairStatus(name, memory) for name, memory in memories.items() if memory.failures]


def _used(store: Store | None, now: datetime) -> Mapping[Side, int]:
    """This month's requests, as the plans count them: by calendar month, in UTC."""
    if store is None:
        return {}
    return store.usage.in_month(now)


def _spent(store: Store | None, settings: Settings, now: datetime) -> Mapping[Side, datetime]:
    """The sides that say that this month is used up, and since when."""
    if store is None:
        return {}
    said = {side: store.usage.side(side, key_of(settings, side)).spent_at for side in SIDES}
    return {side: at for side, at in said.items() if at is not None and is_used_up(at, now)}
