"""Several things at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from typing import TypeVar

S = TypeVar("S")
T = TypeVar("T")


async def together(waiting: Iterable[Awaitable[None]]) -> None:
    """Brings all of them to their end, and only then raises what the first to fail, in this order, has raised.

    `asyncio.gather` raises at once and leaves the others under way: they would still write when the run is over, and
    beside the next one, where a full disk ended it.
    """
    for outcome in await asyncio.gather(*waiting, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome


async def both(one: Awaitable[S], two: Awaitable[T]) -> tuple[S, T]:
    """What the two bring, in the same way: also when cancelled, what must come to its end does."""
    first, second = await asyncio.gather(one, two, return_exceptions=True)
    if isinstance(first, BaseException):
        raise first
    if isinstance(second, BaseException):
        raise second
    return first, second
