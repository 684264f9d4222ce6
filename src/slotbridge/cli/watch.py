"""Showing something anew every few seconds: in its place on a terminal, one block after the other elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from slotbridge.cli.invocation import Invocation
from slotbridge.cli.render.errors import error_lines
from slotbridge.errors import StoreError

Draw = Callable[[int | None, int | None], Awaitable[Sequence[Text]]]
"""Makes the lines for so many columns and rows; both are None where there is no terminal."""


def watch(invocation: Invocation, every: float, draw: Draw) -> int:
    """Draws every so many seconds until Ctrl-C; that is how a watch ends, so the exit code is 0.

    A database that cannot be read is shown as such, and read again: it may be just being restored or upgraded.
    """
    with suppress(KeyboardInterrupt):
        asyncio.run(_keep_current(invocation, every, draw))
    return 0


async def _keep_current(invocation: Invocation, every: float, draw: Draw) -> None:
    console = invocation.console()
    with _board(console) as show:
        while invocation.is_heard:
            lines = [_head(invocation, every), *await _drawn(console, draw)]
            show(list(invocation.fit_to_be_told(lines)))
            await invocation.clock.sleep(every)


def _head(invocation: Invocation, every: float) -> Text:
    return Text(f"{invocation.clock.now():%Y-%m-%d %H:%M:%S} UTC, every {every:g} s until Ctrl-C", "dim")


async def _drawn(console: Console, draw: Draw) -> Sequence[Text]:
    try:
        if not _is_board(console):
            return await draw(None, None)
        return await draw(console.width, console.height - 2)  # the head, and the row that the cursor is in
    except StoreError as error:
        return list(error_lines(error))


@contextmanager
def _board(console: Console) -> Iterator[Callable[[Sequence[Text]], None]]:
    """Yields what shows lines: in the place of those before where the terminal can do that, else below them."""
    if not _is_board(console):
        yield lambda lines: console.print(Text("\n").join([*lines, Text()]), soft_wrap=True)
        return
    with Live(console=console, auto_refresh=False, redirect_stdout=False, redirect_stderr=False) as live:
        yield lambda lines: live.update(Group(*lines), refresh=True)


def _is_board(console: Console) -> bool:
    return console.is_terminal and not console.is_dumb_terminal
