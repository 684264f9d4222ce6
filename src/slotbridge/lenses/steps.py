"""Joining bookable steps into ranges (C4): adjoining steps of equal length on one day are one range."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple


class Piece(NamedTuple):
    """One day of a range that is to be written: minutes in `timezone`, the slotSize, the place of the range it comes
    from, and the wanted windows it will show."""

    weekday: int
    start: int
    end: int
    timezone: str
    size: int
    origin: int | None
    wanted: tuple[int, ...]


def join_steps(steps: Sequence[Piece], absorb: Callable[[Piece], list[Piece]]) -> list[Piece]:
    """Joins steps that follow each other. `absorb` hands over the steps of an untouched range that a step adjoins."""
    everything = list(steps)
    for piece in everything:
        # The list grows while it is walked: what is taken in may adjoin a further range.
        everything.extend(absorb(piece))
    open_ends: dict[tuple[int, str, int, int], list[int]] = {}
    joined: list[Piece] = []
    for piece in sorted(everything, key=lambda p: (p.weekday, p.timezone, p.size, p.start, p.wanted)):
        ends = open_ends.get((piece.weekday, piece.timezone, piece.size, piece.start))
        if ends:
            place = ends.pop()
            before = joined[place]
            origin = before.origin if before.origin is not None else piece.origin
            joined[place] = before._replace(end=piece.end, origin=origin, wanted=before.wanted + piece.wanted)
        else:
            place = len(joined)
            joined.append(piece)
        open_ends.setdefault((piece.weekday, piece.timezone, piece.size, piece.end), []).append(place)
    return joined
