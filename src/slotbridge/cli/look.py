"""`show` and `status`: what both sides have, and what is remembered. Nothing is changed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime

from slotbridge.cli.invocation import Invocation
from slotbridge.cli.pairs import chosen
from slotbridge.cli.render.status import PairStatus, Status, status_json, status_lines
from slotbridge.cli.render.week import week_json, week_lines
from slotbridge.cli.sync import connected, remembered
from slotbridge.errors import Side
from slotbridge.settings import PairSettings, Settings
from slotbridge.store import Memory, Store
from slotbridge.sync.bridge import Look

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
        invocation.say(week_lines(look, invocation.commands, picture=picture))
    return 0


async def _look(invocation: Invocation, settings: Settings, pair: PairSettings) -> Look:
    async with remembered(invocation, settings) as store, connected(invocation, settings, store) as bridge:
        return await bridge.look(pair)


def show_status(invocation: Invocation) -> int:
    """Every pair and the month's requests, from the database alone."""
    settings = invocation.settings()
    status = asyncio.run(_status(invocation, settings))
    if invocation.as_json:
        invocation.emit(status_json(status))
    else:
        invocation.say(status_lines(status))
    return 0


async def _status(invocation: Invocation, settings: Settings) -> Status:
    now = invocation.clock.now()
    async with remembered(invocation, settings) as store:
        return Status(
            now=now,
            pairs=_pairs(store, [pair.name for pair in settings.pairs]),
            used=_used(store, now),
            per_month={
                "bitrix24": settings.bitrix24.limits.per_month,
                "reservekit": settings.reservekit.limits.per_month,
            },
            remembered=store is not None,
        )


def _pairs(store: Store | None, names: list[str]) -> list[PairStatus]:
    if store is None:
        return [PairStatus(name, Memory()) for name in names]
    memories, holds = store.recall(names), store.holds(names)
    return [
        PairStatus(name, memories.get(name, Memory()), [record for record in holds if record.hold.pair == name])
        for name in names
    ]


def _used(store: Store | None, now: datetime) -> Mapping[Side, int]:
    """This month's requests, as the plans count them: by calendar month, in UTC."""
    if store is None:
        return {}
    return store.usage.in_month(now)
