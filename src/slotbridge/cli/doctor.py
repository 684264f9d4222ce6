"""`doctor`: what is well, what is not, and what to do about it. Nothing is changed anywhere."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import aclosing

from slotbridge.cli.invocation import Invocation
from slotbridge.cli.look import PICTURE_WIDTH
from slotbridge.cli.pairs import month_advice
from slotbridge.cli.render.doctor import examination_json, examination_lines
from slotbridge.errors import SlotbridgeError
from slotbridge.settings import Settings
from slotbridge.store import Store
from slotbridge.sync.connection import connect
from slotbridge.sync.examination import Finding, Setting
from slotbridge.sync.examining import Examination, examine, examine_files


def show_examination(invocation: Invocation) -> int:
    """Looks at everything; 1 if there is a problem, 0 if there are warnings at most.

    Raises ConfigurationError for a configuration that cannot be used: without it there is nobody to ask.
    """
    settings = invocation.settings()
    found = asyncio.run(_examine(invocation, settings))
    if invocation.as_json:
        invocation.emit(examination_json(found))
    else:
        console = invocation.console()
        picture = console.is_terminal and console.width >= PICTURE_WIDTH
        invocation.say(examination_lines(found, picture=picture))
    return 1 if found.count("problem") else 0


async def _examine(invocation: Invocation, settings: Settings) -> Examination:
    clock, random = invocation.clock, invocation.random
    files = tuple(examine_files(settings))
    store = _opened(invocation, settings)
    try:
        async with aclosing(connect(settings, store, clock=clock, random=random, network=None, capped=False)) as sides:
            invocation.hide_those_of(sides.access)
            found = await examine(settings, sides, clock=clock)
        budget = tuple(_budget(invocation, settings, store, sides.reservekit.pages))
    finally:
        if store is not None:
            store.close()
    return Examination((*files, *found.findings, *budget), found.weeks, found.requests)


def _opened(invocation: Invocation, settings: Settings) -> Store | None:
    """The database for reading; None as well for one that is of no use, which is a finding of its own."""
    try:
        return Store.open_existing(settings.store.url, clock=invocation.clock)
    except (SlotbridgeError, OSError):
        return None


def _budget(
    invocation: Invocation, settings: Settings, store: Store | None, seen: Mapping[int, int]
) -> Iterator[Finding]:
    """What the intervals cost in a month, and how much of this month is used up already.

    `seen` are the pages of what has just been listed; those of all else are as a run saw them.
    """
    plan, cap = settings.reservekit.plan, settings.reservekit.limits.per_month
    if cap is None:
        what = f'plan = "{plan}" has its number of requests a month by contract, and none is configured'
        hint = "If the contract names one, set it, and it is kept"
        yield Finding("reservekit.budget", "ok", what, hint, Setting("[reservekit]", "requests_per_month = 200000"))
        return
    used = store.usage.in_month(invocation.clock.now())["reservekit"] if store else 0
    if told := month_advice(settings, {**(store.usage.pages() if store else {}), **seen}):
        what = f"{told.text}; {used:,} were sent this month"
        fitting = None if told.minutes is None else Setting("[sync]", f'interval = "{told.minutes}m"')
        hint = "The daemon asks less often by itself then, and finds changes later; or set a longer interval"
        yield Finding("reservekit.budget", "ok" if told.fits else "warning", what, None if told.fits else hint, fitting)
