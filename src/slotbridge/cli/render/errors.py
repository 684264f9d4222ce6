"""An error in words, with the next step on a line of its own."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from slotbridge.cli.render.words import clean
from slotbridge.errors import SIDE_NAMES, ConfigurationError, SlotbridgeError


def error_lines(error: SlotbridgeError, *, pair: str | None = None, indent: str = "") -> Iterator[Text]:
    """Where and what, every problem of a wrong configuration, and what to do. `pair` is the one already named."""
    side = SIDE_NAMES[error.side] if error.side else None
    where = ", ".join(part for part in (error.pair if error.pair != pair else None, side, error.item) if part)
    yield Text.assemble(indent, ("error: ", "bold red"), clean(f"{where}: {error.what}" if where else error.what))
    if isinstance(error, ConfigurationError):
        for problem in error.problems:
            yield Text(f"{indent}  {clean(problem)}")
    if error.hint:
        yield Text(f"{indent}{clean(error.hint)}")
