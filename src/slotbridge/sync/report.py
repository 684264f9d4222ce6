"""What a run did, or would do: the data that commands print, and its `--json` form (version 1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from slotbridge.errors import SlotbridgeError
from slotbridge.lenses.terms import Problem
from slotbridge.reconcile.model import SIDES, Change, Hold, Overruled, Side
from slotbridge.reconcile.names import LostName

Status = Literal["quiet", "changed", "held", "failed"]


@dataclass(frozen=True, slots=True)
class PairReport:
    """One pair's part of a run. `changes` are what was written, or in a dry run would be; those of a failed pair
    are what is known to have been written before it failed. `linked` says that the base was brought up to date."""

    name: str
    changes: tuple[Change, ...] = ()
    holds: tuple[Hold, ...] = ()
    problems: Mapping[Side, tuple[Problem, ...]] = field(default_factory=dict)
    overruled: tuple[Overruled | LostName, ...] = ()
    error: SlotbridgeError | None = None
    linked: bool = False
    bitrix24_digest: str | None = None

    @property
    def status(self) -> Status:
        """Failed before held before changed before quiet."""
        if self.error is not None:
            return "failed"
        return "held" if self.holds else "changed" if self.changes else "quiet"

    def as_json(self) -> dict[str, Any]:
        """The pair as a member of `sync --json`."""
        return {
            "name": self.name,
            "status": self.status,
            "changes": [change_as_json(change) for change in self.changes],
            "holds": [hold_as_json(hold) for hold in self.holds],
            "unsupported": [
                {"side": side, "item": problem.item, "reason": problem.reason}
                for side in SIDES
                for problem in self.problems.get(side, ())
            ],
            "overruled": [_overruled(lost) for lost in self.overruled],
            "error": self.error.as_json() if self.error else None,
        }


@dataclass(frozen=True, slots=True)
class TypeReport:
    """What became of one `[[resource_types]]`, by the id of its type; a dry run tells what would."""

    id: int
    changes: tuple[Change, ...] = ()
    error: SlotbridgeError | None = None

    @property
    def name(self) -> str:
        """What it is called among the pairs of the history."""
        return f"resource type {self.id}"

    @property
    def status(self) -> Status:
        """Failed before changed before quiet; nothing of it is ever held."""
        return "failed" if self.error is not None else "changed" if self.changes else "quiet"

    def as_json(self) -> dict[str, Any]:
        """The type as a member of `sync --json`."""
        return {
            "id": self.id,
            "status": self.status,
            "changes": [change_as_json(change) for change in self.changes],
            "error": self.error.as_json() if self.error else None,
        }


@dataclass(frozen=True, slots=True)
class RunReport:
    """One pass over the pairs, and what it cost in requests."""

    dry_run: bool
    pairs: tuple[PairReport, ...]
    requests: Mapping[Side, int]
    resource_types: tuple[TypeReport, ...] = ()

    def count(self, status: Status) -> int:
        """How many pairs ended that way."""
        return sum(pair.status == status for pair in self.pairs)

    def exit_code(self, *, tell_changes: bool = False) -> int:
        """1 for a failure, 3 for a hold, 4 for changes of a dry run when asked to tell them, else 0 (S10)."""
        types = {kind.status for kind in self.resource_types}
        if self.count("failed") or "failed" in types:
            return 1
        if self.count("held"):
            return 3
        return 4 if tell_changes and self.dry_run and (self.count("changed") or "changed" in types) else 0

    def as_json(self) -> dict[str, Any]:
        """The whole `sync --json` document."""
        return {
            "version": 1,
            "dry_run": self.dry_run,
            "pairs": [pair.as_json() for pair in self.pairs],
            "resource_types": [kind.as_json() for kind in self.resource_types],
            "requests": dict(self.requests),
        }


def hold_as_json(hold: Hold) -> dict[str, Any]:
    """A hold as a member of `--json` documents."""
    return {
        "id": hold.id,
        "reason": hold.reason,
        "kind": hold.kind,
        "pair": hold.pair,
        "fingerprint": hold.fingerprint,
        "items": [dict(item) for item in hold.items],
    }


def change_as_json(change: Change) -> dict[str, Any]:
    """A change as a member of `--json` documents."""
    return {
        "side": change.side,
        "op": change.op,
        "before": dict(change.before) if change.before is not None else None,
        "after": dict(change.after) if change.after is not None else None,
        "why": change.why,
    }


def _overruled(lost: Overruled | LostName) -> dict[str, Any]:
    if isinstance(lost, LostName):
        return {"side": lost.side, "value": dict(lost.fields), "why": lost.why}
    value = lost.value
    shown = None if value is None else {"window": str(value.window), "capacity": value.capacity}
    return {"side": lost.side, "value": shown, "why": lost.why}
