"""What is remembered of every pair, as a table and as a document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.text import Text

from slotbridge.cli.render.words import clean, moment, plural
from slotbridge.errors import SIDE_NAMES, Side
from slotbridge.reconcile.model import SIDES
from slotbridge.store import HoldRecord, Memory
from slotbridge.sync.report import hold_as_json

_STYLES = {"in step": "green", "held": "yellow", "failing": "red", "never run": "dim"}


@dataclass(frozen=True, slots=True)
class PairStatus:
    """One pair: what is remembered of it, and its open holds."""

    name: str
    memory: Memory
    holds: Sequence[HoldRecord] = ()

    @property
    def state(self) -> str:
        """The one word for it."""
        if self.memory.failures:
            return "failing"
        if self.holds:
            return "held"
        return "in step" if self.memory.last_success else "never run"


@dataclass(frozen=True, slots=True)
class Status:
    """Everything that `status` tells. `remembered` is False where there is no database yet; `used` are this month's
    requests, `per_month` what the plan allows, None for no limit."""

    now: datetime
    pairs: Sequence[PairStatus]
    used: Mapping[Side, int]
    per_month: Mapping[Side, int | None]
    remembered: bool


def status_lines(status: Status) -> Iterator[Text]:
    """The status for people."""
    if not status.remembered:
        yield Text("Nothing has run yet: there is no database. Begin with `slotbridge sync --dry-run`.")
    elif status.pairs:
        yield from _table(status)
    for pair in status.pairs:
        yield from _details(pair, status.now)
    if not status.pairs:
        yield Text("No pairs are configured. `slotbridge discover` lists what could be paired.")
    used = ", ".join(f"{SIDE_NAMES[side]} {_budget(status, side)}" for side in SIDES)
    yield Text(f"Requests in {status.now:%B %Y} (UTC): {used}.")


def _table(status: Status) -> Iterator[Text]:
    head = ("pair", "state", "windows", "holds", "last success", "last attempt")
    rows = [
        (
            clean(pair.name),
            pair.state,
            str(len(pair.memory.links)),
            str(len(pair.holds)),
            moment(pair.memory.last_success, status.now),
            _attempt(pair.memory, status.now),
        )
        for pair in status.pairs
    ]
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    yield Text("  ".join(f"{cell:{width}}" for cell, width in zip(head, widths, strict=True)).rstrip(), "bold")
    for row in rows:
        cells = [f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)]
        yield Text.assemble(f"{cells[0]}  ", (cells[1], _STYLES[row[1]]), "  ", "  ".join(cells[2:]).rstrip())
    yield Text()


def _attempt(memory: Memory, now: datetime) -> str:
    return "the same" if memory.last_attempt == memory.last_success is not None else moment(memory.last_attempt, now)


def _details(pair: PairStatus, now: datetime) -> Iterator[Text]:
    memory = pair.memory
    if memory.failures:
        since = f" since {moment(memory.failing_since, now)}" if memory.failing_since else ""
        yield Text(f"{clean(pair.name)}: {plural(memory.failures, 'failure')} in a row{since}", "red")
        yield Text(f"  {clean(memory.last_error or 'no reason was noted')}")
    for record in pair.holds:
        decided = f"; decided ({record.decision}), the next run applies it" if record.decision else ""
        reason = f"{clean(record.hold.reason)}, since {moment(record.since, now)}{decided}"
        yield Text(f"{clean(pair.name)}: held {record.hold.id}: {reason}", "yellow")


def _budget(status: Status, side: Side) -> str:
    limit = status.per_month.get(side)
    return f"{status.used.get(side, 0)}" + (f" of {limit}" if limit is not None else "")


def status_json(status: Status) -> dict[str, Any]:
    """The `status --json` document."""
    requests: dict[str, Any] = {
        side: {"used": status.used.get(side, 0), "per_month": status.per_month.get(side)} for side in SIDES
    }
    return {
        "version": 1,
        "pairs": [_pair_json(pair) for pair in status.pairs],
        "requests": {"month": f"{status.now:%Y-%m}", **requests},
    }


def _pair_json(pair: PairStatus) -> dict[str, Any]:
    memory = pair.memory
    return {
        "name": pair.name,
        "state": pair.state.replace(" ", "-"),
        "last_attempt": _iso(memory.last_attempt),
        "last_success": _iso(memory.last_success),
        "windows": len(memory.links),
        "holds": [
            {**hold_as_json(record.hold), "since": _iso(record.since), "decision": record.decision}
            for record in pair.holds
        ],
        "failures": memory.failures,
        "failing_since": _iso(memory.failing_since),
        "error": memory.last_error,
    }


def _iso(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant else None
