"""What earlier runs have left open for a person, as far as it bears on the deletions of this one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from slotbridge.reconcile.model import Hold

DOUBTED = "W4"
"""The guard of deletions that a write of ours may have brought about."""


def approved(holds: Iterable[Hold], decisions: Mapping[str, str]) -> Hold | None:
    """The hold of deletions that a person has approved and that is still open."""
    deletions = (hold for hold in holds if hold.kind == "deletions")
    return next((hold for hold in deletions if decisions.get(hold.fingerprint) == "approve"), None)


def waiting(holds: Iterable[Hold]) -> tuple[frozenset[str], str]:
    """The deletions that G1 or G2 keep back since an earlier run, and why. The others are judged anew by every run."""
    deletions = (hold for hold in holds if hold.kind == "deletions")
    open_ones = [hold for hold in deletions if all(item["guard"] not in ("G5", DOUBTED) for item in hold.items)]
    return deleted_rows(open_ones), open_ones[0].reason if open_ones else ""


def doubted(holds: Iterable[Hold]) -> bool:
    """Whether a person is being asked already what of a pair's hours was wished away."""
    return any(item.get("guard") == DOUBTED for hold in holds for item in hold.items)


def deleted_rows(holds: Iterable[Hold]) -> frozenset[str]:
    """The deletions that these holds keep back, as they were shown."""
    return frozenset(str(item["row"]) for hold in holds for item in hold.items)
