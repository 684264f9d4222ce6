"""What `verify` found: a line for every pair that is in step, every point of those that are not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from rich.text import Text

from slotbridge.cli.render.errors import error_lines
from slotbridge.cli.render.words import clean, plural
from slotbridge.errors import SIDE_NAMES, Side
from slotbridge.reconcile.model import SIDES
from slotbridge.reconcile.verify import Disagreement
from slotbridge.sync.bridge import Verified

State = Literal["in step", "not in step", "failed"]

_STYLES: Mapping[State, str] = {"in step": "bold green", "not in step": "bold yellow", "failed": "bold red"}


@dataclass(frozen=True, slots=True)
class Verification:
    """Every pair that was looked at, and what that cost in requests."""

    pairs: Sequence[Verified]
    requests: Mapping[Side, int]

    def count(self, state: State) -> int:
        """How many pairs are like that."""
        return sum(state_of(pair) == state for pair in self.pairs)


def state_of(pair: Verified) -> State:
    """The one word for a pair. What concerns the memory alone does not make the sides disagree."""
    if pair.error is not None:
        return "failed"
    return "not in step" if any(point.between_sides for point in pair.disagreements) else "in step"


def verification_lines(found: Verification) -> Iterator[Text]:
    """The pairs in their order, and the sum of it in the last line."""
    for pair in found.pairs:
        state = state_of(pair)
        yield Text.assemble((clean(pair.name), "bold"), ": ", (state, _STYLES[state]))
        yield from map(_point_line, pair.disagreements)
        if pair.error is not None:
            yield from error_lines(pair.error, pair=pair.name, indent="  ")
    yield Text(_summary(found))


def _point_line(point: Disagreement) -> Text:
    sign, style = ("≠", "bold red") if point.between_sides else ("·", "yellow")
    silent = "; neither side was edited since they agreed" if point.silent else ""
    return Text.assemble("  ", (sign, style), f" {point.kind}: {clean(point.what)}{silent}")


def _summary(found: Verification) -> str:
    counts = [f"{count} {state}" for state in reversed(get_args(State)) if (count := found.count(state))]
    spent = ", ".join(f"{SIDE_NAMES[side]} {found.requests.get(side, 0)}" for side in SIDES)
    return f"{plural(len(found.pairs), 'pair')}: {', '.join(counts)}. Requests: {spent}."


def verification_json(found: Verification) -> dict[str, Any]:
    """The `verify --json` document."""
    return {"version": 1, "pairs": [_pair_json(pair) for pair in found.pairs], "requests": dict(found.requests)}


def _pair_json(pair: Verified) -> dict[str, Any]:
    return {
        "name": pair.name,
        "agrees": state_of(pair) == "in step",
        "disagreements": [point._asdict() for point in pair.disagreements],
        "error": pair.error.as_json() if pair.error else None,
    }
