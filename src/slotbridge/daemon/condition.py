"""How the daemon is, for those who ask: health, readiness, numbers. Nobody here waits for a network or the database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from slotbridge.clock import Clock
from slotbridge.daemon.roster import Entry, Roster
from slotbridge.daemon.tenure import Tenure
from slotbridge.errors import SIDE_NAMES, Side

State = Literal["starting", "running", "draining"]

FRESH = 15.0
"""Seconds without a tick after which the loop counts as stuck."""


@dataclass(frozen=True, slots=True)
class PairCondition:
    """One pair. `interval` is in seconds; `stale` says that its last success is longer ago than that allows."""

    name: str
    last_success: datetime | None
    next_at: datetime | None
    interval: float
    stale: bool
    holds: int
    windows: int


@dataclass(slots=True)
class Counters:
    """What happened since the start. `runs` by outcome (a pair's status, or "aborted"), `changes` by side and kind,
    `notices` by source and verdict; `skipped` are turns of a pair whose last run had not ended."""

    runs: Counter[str] = field(default_factory=Counter)
    run_seconds: float = 0.0
    changes: Counter[tuple[Side, str]] = field(default_factory=Counter)
    notices: Counter[tuple[str, str]] = field(default_factory=Counter)
    skipped: int = 0


class Condition:
    """What is true right now. The daemon writes it, the endpoint reads it.

    `memory_lost` is why the database cannot be used, `down` are the sides that do not answer, `used` are the month's
    requests as last counted, `caps` what the plans allow.
    """

    def __init__(self, roster: Roster, clock: Clock, caps: Mapping[Side, int | None], tenure: Tenure) -> None:
        self.counters = Counters()
        self.state: State = "starting"
        self.memory_lost: str | None = None
        self.down: Sequence[Side] = ()
        self.used: Mapping[Side, int] = {}
        self.ticked_at = clock.monotonic()
        self._roster = roster
        self._clock = clock
        self._caps = caps
        self._tenure = tenure

    def alive(self) -> str | None:
        """None while the loop turns; else why it does not count as alive."""
        silent = self._clock.monotonic() - self.ticked_at
        return f"no tick for {silent:.0f} seconds" if silent > FRESH and self.state == "running" else None

    def unready(self) -> tuple[str, ...]:
        """Why the daemon is not doing its work as it should; empty when it is."""
        reasons: list[str] = [] if self.state == "running" else [self.state]
        if self._tenure.is_lost():
            reasons.append("the lock on the database is lost")
        if self.memory_lost is not None:
            reasons.append(f"cannot remember: {self.memory_lost}")
        reasons += [f"{SIDE_NAMES[side]} is down" for side in self.down]
        now = self._clock.monotonic()
        reasons += [f"stale: {entry.name}" for entry in self._roster.entries if entry.is_stale(now)]
        return tuple(reasons)

    def pairs(self) -> Sequence[PairCondition]:
        """Every pair, in the order of the configuration."""
        return [self._pair(entry) for entry in self._roster.entries]

    def budget(self) -> Mapping[Side, tuple[int, int | None]]:
        """Of each side the requests of this month (UTC) and how many the plan allows; None for no limit."""
        return {side: (self.used.get(side, 0), cap) for side, cap in self._caps.items()}

    def _pair(self, entry: Entry) -> PairCondition:
        now = self._clock.monotonic()
        return PairCondition(
            name=entry.name,
            last_success=entry.last_success,
            next_at=None if entry.running else self._clock.now() + timedelta(seconds=max(0.0, entry.due_at - now)),
            interval=entry.interval,
            stale=entry.is_stale(now),
            holds=len(entry.holds),
            windows=entry.windows,
        )
