"""A progress bar for runs that take longer than a second, for people only."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

PATIENCE = 1.0
"""Seconds before the bar shows."""


@asynccontextmanager
async def progress_bar(
    console: Console, patience: float = PATIENCE, *, doing: str = "Syncing"
) -> AsyncIterator[Callable[[int, int], None]]:
    """Yields a function that is told how many of how many pairs are done. Shows nothing where there is no terminal."""
    columns = (TextColumn(doing), BarColumn(), MofNCompleteColumn(), TextColumn("pairs"), TimeElapsedColumn())
    bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    task = bar.add_task("pairs", total=None)

    async def appear() -> None:
        await asyncio.sleep(patience)
        bar.start()

    appearing = asyncio.create_task(appear())
    try:
        yield lambda done, total: bar.update(task, completed=done, total=total)
    finally:
        appearing.cancel()
        bar.stop()
