"""What a person can do about a hold: the exact commands, or the setting that decides it for good."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field

from slotbridge.reconcile.model import SIDES, Hold, HoldKind, Side

KEEP = ("conflict", "first-sync", "agreement")
APPROVE = ("deletions", "booked", "duplicate", "oscillation")


@dataclass(frozen=True, slots=True)
class Counsel:
    """What the way out of a hold depends on besides the hold itself.

    `program` is how this one was called, `followed` the side that each one-way pair follows: the other cannot be kept,
    nor both.
    """

    program: str = "slotbridge"
    followed: Mapping[str, Side] = field(default_factory=dict)

    def call(self, command: str, *words: str) -> str:
        """The line for a shell. `words` are quoted where they have to be."""
        return " ".join((self.program, command, *map(shlex.quote, words)))

    def sides_to_keep(self, pair: str) -> tuple[Side, ...]:
        """The sides that a person can decide for."""
        return (self.followed[pair],) if pair in self.followed else SIDES


# What ends a hold without any command of ours.
_OTHERWISE: Mapping[HoldKind, str] = {
    "conflict": "or make both sides agree; the hold then ends by itself",
    "booked": "or cancel or move these bookings in ReserveKit; the hold then ends by itself",
    "duplicate": "or delete the double in ReserveKit; the hold then ends by itself",
    "unsupported": "correct that item where it stands, or take it away; the hold then ends by itself",
    "odd-range": "correct that range in Bitrix24; the hold then ends by itself",
    "read-only": "give the key the right to write; the hold then ends by itself",
    "oscillation": "find what else writes these hours; the hold ends when it stops",
    "deletions": "or put the hours back where they vanished; the hold then ends by itself",
}


def ways_out(hold: Hold, counsel: Counsel, *, undoing: int | None = None) -> list[str]:
    """What decides the hold, one way a line.

    `undoing` is the number of the run that was to be undone when the hold came up: an ordinary run has no such hold, so
    that no decision would meet it there.
    """
    if undoing is not None:
        return [_in_an_undo(hold, counsel, undoing)]
    ways = _in_a_run(hold, counsel)
    if hold.kind in _OTHERWISE:
        otherwise = _OTHERWISE[hold.kind]
        ways.append(otherwise if ways else otherwise.removeprefix("or "))
    return ways


def _in_an_undo(hold: Hold, counsel: Counsel, run: int) -> str:
    if hold.kind == "deletions":
        return counsel.call("history", str(run), "--undo", "--apply", "--pair", hold.pair, "--accept-deletes")
    if hold.kind == "conflict":
        first = counsel.call("sync", "--pair", hold.pair)
        return f"{first}, which carries over what was edited, or says what to decide; then undo the run again"
    otherwise, _, _ = _OTHERWISE.get(hold.kind, "decide it").removeprefix("or ").partition(";")
    return f"{otherwise}; then undo the run again"


def _in_a_run(hold: Hold, counsel: Counsel) -> list[str]:
    ways, sides = [], counsel.sides_to_keep(hold.pair)
    if hold.kind in KEEP:
        ways += [counsel.call("resolve", hold.id, "--keep", side) for side in sides]
    if hold.kind in APPROVE:
        ways.append(counsel.call("resolve", hold.id, "--approve"))
    if hold.kind == "deletions":
        ways.append(counsel.call("sync", "--pair", hold.pair, "--accept-deletes"))
    if hold.kind in ("first-sync", "agreement"):
        policies = ("merge", *SIDES) if sides == SIDES else sides
        ways += [counsel.call("sync", "--pair", hold.pair, "--initial", policy) for policy in policies]
    return ways
