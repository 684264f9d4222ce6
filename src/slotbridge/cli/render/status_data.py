"""What `status` tells: what is remembered, what is planned, who is at work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from slotbridge.daemon.pace import Advice
from slotbridge.errors import Side
from slotbridge.store import HoldRecord, Memory
from slotbridge.store.holder import Holder, is_daemon
from slotbridge.store.schedule import Planned

GRACE = 300.0
"""Seconds by which a run may be late: the one before it may still be going on."""


@dataclass(frozen=True, slots=True)
class PairStatus:
    """One pair: what is remembered of it, its open holds, its next run, and which side its names follow."""

    name: str
    memory: Memory
    holds: Sequence[HoldRecord] = ()
    planned: Planned | None = None
    names: Literal["off"] | Side = "off"

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
    """Everything that `status` tells. `remembered` is False where there is no database yet.

    `used` are this month's requests, `per_month` what the plan allows, None for no limit. `holder` is who holds the
    lock of the database, `silent` why a daemon that runs does not answer, `spent` when a side said that the month's
    requests are used up, if it did. `types` are the declared resource types that could not be brought in line.
    `program` is how this one was called.
    """

    now: datetime
    pairs: Sequence[PairStatus]
    used: Mapping[Side, int]
    per_month: Mapping[Side, int | None]
    remembered: bool
    advice: Advice | None = None
    holder: Holder | None = None
    spent: Mapping[Side, datetime] = field(default_factory=dict)
    silent: str | None = None
    types: Sequence[PairStatus] = ()
    program: str = "slotbridge"

    @property
    def daemon(self) -> bool | None:
        """Whether a daemon is at work; None where that cannot be told from here."""
        return is_daemon(self.holder)

    def left(self, side: Side) -> int | None:
        """How many requests the plan still has for this month; None for no limit."""
        limit = self.per_month.get(side)
        return None if limit is None else max(0, limit - self.used.get(side, 0))

    def next_run(self, pair: PairStatus) -> Planned | None:
        """The pair's next run; None if no daemon means to do one. One that was killed leaves plans behind."""
        if pair.planned is None or self.daemon is False:
            return None
        return pair.planned if self.daemon or not self.is_overdue(pair.planned) else None

    def is_overdue(self, planned: Planned) -> bool:
        """Whether the time of this run has passed, and more than a little ago."""
        return (self.now - planned.next_at).total_seconds() > GRACE
