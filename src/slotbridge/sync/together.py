"""Several pairs at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable


async def together(waiting: Iterable[Awaitable[None]]) -> None:
    """Brings all of them to their end, and only then raises what the first to fail, in this order, has raised.

    `asyncio.gather` raises at once and leaves the others under way: they would still write when the run is over, and
    beside the next one, where a full disk ended it.
    """
    for outcome in await asyncio.gather(*waiting, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome
