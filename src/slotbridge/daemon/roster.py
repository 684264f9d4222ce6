"""Which pairs are due. Times are seconds of the monotonic clock: a wall clock that jumps changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Final

from slotbridge.clock import Clock
from slotbridge.daemon.pace import sparing_time, stale_after
from slotbridge.errors import SlotbridgeError
from slotbridge.settings import PairSettings
from slotbridge.store import Memory
from slotbridge.sync.report import PairReport

FIRST_WITHIN: Final = 3.0
"""The seconds within which the first run begins, so that many daemons do not start together."""

SLACK: Final = 0.25
"""A run takes along whoever is due within this share of their interval: one batch reads 50 pairs."""


@dataclass(slots=True, eq=False)
class Entry:
    """One pair on the roster.

    `interval` is in seconds; `steady` is what it was, or would be, without failures and waiting: by it a pair is
    judged stale. `due_at`, `attempt_at`, `success_at` and `since` are instants; `since` is when the roster was made.
    `quiet` and `failures` count runs in a row. `digest` is what Bitrix24 held at the end of the last run, None if that
    failed, `news` what that saw happen. `seen` is what Bitrix24 held when a run last knew, `looked` what a look last
    found there; before `spared_until`, the reserve is not spent on that once more.
    """

    pair: PairSettings
    due_at: float
    interval: float
    steady: float
    since: float
    why: str = "the daemon has just started"
    news: str = ""
    running: bool = False
    quiet: int = 0
    failures: int = 0
    error: SlotbridgeError | None = None
    attempt_at: float | None = None
    success_at: float | None = None
    last_success: datetime | None = None
    holds: frozenset[str] = frozenset()
    windows: int = 0
    digest: str | None = None
    seen: str | None = None
    looked: str | None = None
    spared_until: float = float("-inf")
    told_stale: bool = False
    echo_until: float = 0.0

    @property
    def name(self) -> str:
        """The pair's name."""
        return self.pair.name

    def is_stale(self, now: float) -> bool:
        """Whether the last success is longer ago than three intervals and five minutes."""
        last = self.since if self.success_at is None else self.success_at
        return now - last > stale_after(self.steady)

    def is_worth_telling(self, now: float) -> bool:
        """Whether being stale is news: after a long stop every pair is, until the first run has shown how it goes."""
        return self.is_stale(now) and (self.attempt_at is not None or now - self.since > stale_after(self.steady))

    def note(self, told: PairReport, memory: Memory, now: float) -> None:
        """What a run did to the pair, and what is remembered of it since."""
        self.attempt_at, self.error, self.digest = now, told.error, told.bitrix24_digest
        if self.digest is not None:
            self.seen = self.digest
        self.windows = len(memory.links)
        if told.error is not None:
            self.quiet = 0
            self.fail(now)
            return
        holds = frozenset(hold.id for hold in told.holds)
        changed = told.changes or told.linked
        self.news = "after a change" if changed else "after a hold began" if holds - self.holds else ""
        self.quiet = 0 if self.news else self.quiet + 1
        self.failures, self.holds, self.spared_until = 0, holds, float("-inf")
        self.success_at, self.last_success = now, memory.last_success

    def fail(self, now: float) -> None:
        """One more failure in a row."""
        self.failures += 1
        self.spared_until = now + sparing_time(self.pair.interval_max, self.failures)


class Roster:
    """All pairs, in the order of the configuration."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = tuple(entries)
        self._by_name = {entry.name: entry for entry in entries}

    def __getitem__(self, name: str) -> Entry:
        return self._by_name[name]

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    @property
    def idle(self) -> list[Entry]:
        """The pairs that no run is busy with."""
        return [entry for entry in self.entries if not entry.running]

    @property
    def next_at(self) -> float:
        """When the next of the idle pairs is due; infinite if all are running."""
        return min((entry.due_at for entry in self.idle), default=float("inf"))

    def due(self, now: float) -> Iterator[list[Entry]]:
        """The groups that are to be run now, each as one run: the sound pairs, and apart from them the failing ones,
        so that their time-outs hold up nobody else."""
        for failing in (False, True):
            alike = [entry for entry in self.idle if bool(entry.failures) is failing]
            if any(entry.due_at <= now for entry in alike):
                yield [entry for entry in alike if entry.due_at - SLACK * entry.interval <= now]

    def overtaken(self, now: float) -> list[Entry]:
        """The pairs whose turn has come while their last run goes on: it is skipped."""
        return [entry for entry in self.entries if entry.running and entry.due_at <= now]


def enrolled(pairs: Sequence[PairSettings], memories: Mapping[str, Memory], clock: Clock, random: Random) -> Roster:
    """A roster of all pairs, due within moments, with what is remembered of them."""
    now = clock.monotonic()
    first = now + random.uniform(0, FIRST_WITHIN)
    return Roster([_entry(pair, memories.get(pair.name, Memory()), clock, now, first) for pair in pairs])


def _entry(pair: PairSettings, memory: Memory, clock: Clock, now: float, first: float) -> Entry:
    entry = Entry(pair, due_at=first, interval=pair.interval, steady=pair.interval, since=now)
    entry.failures, entry.windows = memory.failures, len(memory.links)
    entry.holds = frozenset(hold.id for hold in memory.holds)
    entry.seen = memory.bitrix24_digest
    if memory.last_success is not None:
        entry.last_success = memory.last_success
        entry.success_at = _instant(memory.last_success, clock)
    if memory.failures and memory.last_attempt is not None:
        sparing = sparing_time(pair.interval_max, memory.failures)
        entry.spared_until = _instant(memory.last_attempt, clock) + sparing
    return entry


def _instant(past: datetime, clock: Clock) -> float:
    """The same in seconds of the monotonic clock."""
    return clock.monotonic() - max(0.0, (clock.now() - past).total_seconds())
