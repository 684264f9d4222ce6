"""The table of `status`: one row for each pair, within the columns that there are."""

from __future__ import annotations

import math
import textwrap
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from rich.cells import cell_len
from rich.text import Text

from slotbridge.cli.render.words import plural

_STYLES: Final = {"in step": "green", "held": "yellow", "failing": "red", "never run": "dim"}
_TURN_STYLES: Final = {"overdue": "red", "unplanned": "yellow", "no daemon": "dim"}
_HEAD: Final = ("pair", "state", "windows", "holds", "success", "attempt", "next run")
_GAP: Final = "  "
_LEAST: Final = 10
"""Columns that a name gets in any case."""

_FEW: Final = 3


class Turn(NamedTuple):
    """When a pair runs next, and why then; the reason is empty where there is none."""

    when: str
    why: str = ""

    @classmethod
    def at(cls, instant: datetime, now: datetime, why: str) -> Turn:
        """A run at that instant."""
        seconds = (instant - now).total_seconds()
        return cls("now" if seconds <= 0 else f"in {_lasting(math.ceil(seconds))}", why)


class Row(NamedTuple):
    """One pair, in words."""

    name: str
    state: str
    windows: str
    holds: str
    success: str
    attempt: str
    turn: Turn


def _lasting(seconds: int) -> str:
    if seconds < 100:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    if minutes < 100:
        return f"{minutes} min"
    return f"{round(minutes / 60)} h" if minutes < 48 * 60 else f"{round(minutes / (24 * 60))} days"


def table_lines(rows: Sequence[Row], width: int | None) -> tuple[list[Text], bool]:
    """The head and the rows, and whether the reasons for the next runs had room in them; None is all the room."""
    table = [_cells(row, reasons=True) for row in rows]
    widths = _widths(table)
    fits = width is None or sum(widths) + len(_GAP) * (len(widths) - 1) <= width
    if width is not None and not fits:
        table = [_cells(row, reasons=False) for row in rows]
        widths = _widths(table)
        others = sum(widths[1:]) + len(_GAP) * (len(widths) - 1)
        widths[0] = min(widths[0], max(_LEAST, width - others))
    head = _line([Text(cell) for cell in _HEAD], widths)
    head.stylize("bold")
    return [head, *(line for cells in table for line in _folded(cells, widths))], fits


def _cells(row: Row, *, reasons: bool) -> list[Text]:
    when, why = row.turn
    turn = Text(f"{when}, {why}" if reasons and why else when, _TURN_STYLES.get(when, ""))
    return [Text(row.name), Text(row.state, _STYLES[row.state]), *map(Text, row[2:6]), turn]


def _widths(table: Sequence[Sequence[Text]]) -> list[int]:
    return [max([cell_len(head), *(cells[at].cell_len for cells in table)]) for at, head in enumerate(_HEAD)]


def _folded(cells: Sequence[Text], widths: Sequence[int]) -> Iterator[Text]:
    """The row, and below it what its column has no room for of the name."""
    name, room = cells[0], widths[0]
    # Chinese characters and the like take two columns each.
    parts = textwrap.wrap(name.plain, room if name.cell_len == len(name) else room // 2)
    first, *rest = parts or [""]
    yield _line([Text(first), *cells[1:]], widths)
    yield from (Text(part) for part in rest)


def _line(cells: Iterable[Text], widths: Sequence[int]) -> Text:
    padded = []
    for cell, width in zip(cells, widths, strict=True):
        copy = cell.copy()
        copy.pad_right(width - cell.cell_len)
        padded.append(copy)
    line = Text(_GAP).join(padded)
    line.rstrip()
    return line


def reason_lines(turns: Mapping[str, Turn]) -> Iterator[Text]:
    """Why pairs run next when they do: a line for each reason, the commonest last and without all the names."""
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for name, turn in turns.items():
        if turn.why:
            groups[turn.why].append(name)
    ranked = sorted(groups.items(), key=lambda group: len(group[1]))
    for rank, (why, names) in enumerate(ranked, start=1):
        many = rank == len(ranked) and len(names) > _FEW
        others = "all pairs" if len(names) == len(turns) else plural(len(names), "other pair")
        yield Text(f"Next run of {others if many else ', '.join(names)}: {why}", "dim")


def rows_taken(lines: Sequence[Text], width: int) -> int:
    """How many rows of a terminal the lines take."""
    return sum(max(1, math.ceil(line.cell_len / width)) for line in lines)
