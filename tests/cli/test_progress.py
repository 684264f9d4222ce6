from __future__ import annotations

import asyncio
import io

from rich.console import Console

from slotbridge.cli.progress import progress_bar

from .conftest import Terminal


async def drawn(stream: io.StringIO, *, patience: float, lasting: float) -> str:
    async with progress_bar(Console(file=stream, width=100), patience) as progress:
        await asyncio.sleep(lasting)
        progress(3, 7)
    return stream.getvalue()


async def test_a_long_run_shows_how_far_it_is() -> None:
    assert "3/7" in await drawn(Terminal(), patience=0.01, lasting=0.1)


async def test_a_short_run_shows_nothing() -> None:
    assert "/" not in await drawn(Terminal(), patience=5, lasting=0)


async def test_where_there_is_no_terminal_nothing_is_shown() -> None:
    assert (await drawn(io.StringIO(), patience=0.01, lasting=0.1)).strip() == ""
