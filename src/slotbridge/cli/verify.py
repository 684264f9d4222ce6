"""`verify`: whether both sides and the base of every pair agree. Nothing is changed, and nothing is remembered."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from slotbridge.cli.invocation import Invocation
from slotbridge.cli.pairs import chosen
from slotbridge.cli.progress import progress_bar
from slotbridge.cli.render.verify import Verification, verification_json, verification_lines
from slotbridge.cli.sync import connected, remembered
from slotbridge.settings import PairSettings, Settings


def verify_pairs(invocation: Invocation, names: Sequence[str]) -> int:
    """Names every disagreement. Returns 1 if a pair could not be read, else 3 if the sides of one differ (S10)."""
    settings = invocation.settings()
    found = asyncio.run(_verify(invocation, settings, chosen(settings, names)))
    if invocation.as_json:
        invocation.emit(verification_json(found))
    else:
        invocation.say(verification_lines(found))
    if found.count("failed"):
        return 1
    return 3 if found.count("not in step") else 0


async def _verify(invocation: Invocation, settings: Settings, pairs: Sequence[PairSettings]) -> Verification:
    async with (
        remembered(invocation, settings) as store,
        connected(invocation, settings, store) as bridge,
        progress_bar(invocation.console(invocation.stderr), doing="Reading") as progress,
    ):
        return Verification(await bridge.verify(pairs, progress=progress), bridge.requests)
