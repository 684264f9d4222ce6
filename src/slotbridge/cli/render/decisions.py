"""What a person can do about a hold: the exact commands, or the setting that decides it for good."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping

from slotbridge.reconcile.model import Hold, HoldKind

_KEEP = ("conflict", "first-sync", "agreement")
_APPROVE = ("deletions", "booked", "oscillation")

# What ends a hold without any command of ours.
_OTHERWISE: Mapping[HoldKind, str] = {
    "conflict": "or make both sides agree; the hold then ends by itself",
    "booked": "or cancel or move these bookings in ReserveKit; the hold then ends by itself",
    "odd-range": "correct that range in Bitrix24; the hold then ends by itself",
    "read-only": "give the key the right to write; the hold then ends by itself",
    "oscillation": "find what else writes these hours; the hold ends when it stops",
    "deletions": "or put the hours back where they vanished; the hold then ends by itself",
}


def ways_out(hold: Hold, commands: Collection[str]) -> list[str]:
    """What decides the hold, one way a line. Names only those of our commands that exist."""
    ways = []
    if "resolve" in commands and hold.kind in _KEEP:
        ways += [f"slotbridge resolve {hold.id} --keep {side}" for side in ("bitrix24", "reservekit")]
    if "resolve" in commands and hold.kind in _APPROVE:
        ways.append(f"slotbridge resolve {hold.id} --approve")
    pair = shlex.quote(hold.pair)
    if hold.kind == "deletions":
        ways.append(f"slotbridge sync --pair {pair} --accept-deletes")
    if hold.kind in ("first-sync", "agreement"):
        ways += [f"slotbridge sync --pair {pair} --initial {policy}" for policy in ("merge", "bitrix24", "reservekit")]
    if hold.kind in _OTHERWISE:
        otherwise = _OTHERWISE[hold.kind]
        ways.append(otherwise if ways else otherwise.removeprefix("or "))
    return ways
