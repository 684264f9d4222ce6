"""`discover`: what there is on both sides, and which could belong together."""

from __future__ import annotations

import asyncio

from slotbridge.cli.invocation import Invocation
from slotbridge.cli.render.candidates import Candidates, candidates_json, candidates_lines
from slotbridge.cli.sync import connected
from slotbridge.settings import Settings
from slotbridge.sync.bridge import Discovery


def show_candidates(invocation: Invocation) -> int:
    """Lists both sides and proposes pairs. Raises SlotbridgeError when either cannot be read."""
    settings = invocation.settings()
    found = asyncio.run(_discover(invocation, settings))
    candidates = Candidates(tuple(found.resources), tuple(found.services), settings.pairs)
    if invocation.as_json:
        invocation.emit(candidates_json(candidates))
    else:
        invocation.say(candidates_lines(candidates))
    return 0


async def _discover(invocation: Invocation, settings: Settings) -> Discovery:
    async with connected(invocation, settings, None) as bridge:
        return await bridge.discover()
