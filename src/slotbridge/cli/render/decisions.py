"""What a person can do about a hold: the exact commands, or the setting that decides it for good."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping

from slotbridge.reconcile.model import Hold, HoldKind

KEEP = ("conflict", "first-sync", "agreement")
APPROVE = ("deletions", "booked", "duplicate", "oscillation")

RESOLVE = "slotbridge resolve"

# What ends a hold without any command of ours.
_OTHERWISE: Mapping[HoldKind, str] = {
    "conflict": "or make both sides agree; the hold then ends by itself",
    "booked": "or cancel or move these bookings in ReserveKit; the hold then ends by itself",
    "duplicate": "or delete the double in ReserveKit; the hold then ends by itself",
    "odd-range": "correct that range in Bitrix24; the hold then ends by itself",
    "read-only": "give the key the right to write; the hold then ends by itself",
    "oscillation": "find what else writes these hours; the hold ends when it stops",
    "deletions": "or put the hours back where they vanished; the hold then ends by itself",
}


def ways_out(hold: Hold, commands: Collection[str], *, undoing: int | None = None) -> list[str]:
    """What decides the hold, one way a line. Names only those of our commands that exist.

    `undoing` is the number of the run that was to be undone when the hold came up: an ordinary run has no such hold, so
    that no decision would meet it there.
    """
    if undoing is not None:
        return [_in_an_undo(hold, undoing)]
    ways = _in_a_run(hold, commands)
    if hold.kind in _OTHERWISE:
        otherwise = _OTHERWISE[hold.kind]
        ways.append(otherwise if ways else otherwise.removeprefix("or "))
    return ways


def _in_an_undo(hold: Hold, run: int) -> str:
    if hold.kind == "deletions":
        return f"slotbridge history {run} --undo --apply --pair {shlex.quote(hold.pair)} --accept-deletes"
    otherwise, _, _ = _OTHERWISE.get(hold.kind, "decide it").removeprefix("or ").partition(";")
    return f"{otherwise}; then undo the run again"


def _in_a_run(hold: Hold, commands: Collection[str]) -> list[str]:
    ways = []
    if "resolve" in commands and hold.kind in KEEP:
        ways += [f"{RESOLVE} {hold.id} --keep {side}" for side in ("bitrix24", "reservekit")]
    if "resolve" in commands and hold.kind in APPROVE:
        ways.append(f"{RESOLVE} {hold.id} --approve")
    pair = shlex.quote(hold.pair)
    if hold.kind == "deletions":
        ways.append(f"slotbridge sync --pair {pair} --accept-deletes")
    if hold.kind in ("first-sync", "agreement"):
        ways += [f"slotbridge sync --pair {pair} --initial {policy}" for policy in ("merge", "bitrix24", "reservekit")]
    return ways
