"""Fixing turns: by a pair's own story, by what the month allows, by what everybody waits for; and noting them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import timedelta
from random import Random
from typing import Final

import structlog

from slotbridge.clock import Clock
from slotbridge.daemon.pace import (
    SPENT,
    USED_UP,
    Budget,
    Purse,
    needed_interval,
    next_interval,
    next_turn,
    seconds_left,
)
from slotbridge.daemon.roster import Entry, Roster
from slotbridge.errors import Side
from slotbridge.store import Store
from slotbridge.store.schedule import Planned

JITTER: Final = 0.03
METERED: Final[Side] = "reservekit"
"""The side whose plan counts a month's requests."""

log = structlog.get_logger("slotbridge.daemon")


class Timetable:
    """Who is due when, in memory and in the store. Every method raises StoreError where the database cannot be used.

    `cap` are the requests of a month; `needed` is the shortest interval in seconds that keeps within them, 0 while
    there is something saved for going faster.
    """

    def __init__(self, roster: Roster, store: Store, cap: int | None, clock: Clock, random: Random) -> None:
        self.needed = 0.0
        self.used: Mapping[Side, int] = {}
        self._roster = roster
        self._store = store
        self._cap = cap
        self._clock = clock
        self._random = random
        self._pages = 1.0
        self._saving = False
        self._purse = Purse.full(self.budget(), clock.monotonic())
        store.schedules.clear()
        self._note(roster.entries)

    def budget(self) -> Budget:
        """What is left of the month."""
        now = self._clock.now()
        self.used = self._store.usage.in_month(now)
        return Budget(self.used[METERED], self._cap, seconds_left(now))

    @property
    def keeps_reserve(self) -> bool:
        """Whether polling has stopped, and something is left for changes, as far as was last counted."""
        return self._saving and not self._is_used_up()

    def is_spent(self) -> bool:
        """Whether polling has to stop until the month turns; one event when it begins, one when it ends."""
        budget, pairs = self.budget(), len(self._roster.entries)
        self._purse = self._purse.after(budget, self._clock.monotonic())
        self.needed = needed_interval(budget, pairs=pairs, pages=self._pages)
        spent = math.isinf(self.needed)
        if not spent and self._purse.has_room(pairs * self._pages, budget):
            self.needed = 0.0
        if spent is not self._saving:
            self._saving = spent
            told = {"side": METERED, "used": budget.used, "cap": budget.cap}
            if spent:
                log.warning("budget.reserve", **told)
            else:
                log.info("budget.resumed", **told)
        return spent

    def quiet_run_cost(self, requests: int, group: Sequence[Entry]) -> None:
        """What a run took in which nothing was to be done. One of them may have been for the services' zones, which
        come along with the names in every run, where names follow."""
        listed = any(entry.pair.names != "off" for entry in group)
        self._pages = max(1.0, (requests if listed else requests - 1) / len(group))

    def after_run(self, group: Sequence[Entry]) -> None:
        """The next turns of pairs that have just run."""
        spent, now = self.is_spent(), self._clock.monotonic()
        later = 1 + self._random.uniform(0, JITTER)
        for entry in group:
            self._next_turn(entry, now, later)
        if spent:
            self.next_month(group)
        else:
            self._note(group)

    def next_month(self, group: Sequence[Entry]) -> None:
        """These wait until the month turns."""
        rest = seconds_left(self._clock.now()) + self._random.uniform(1, 60)
        for entry in group:
            entry.due_at = self._clock.monotonic() + rest
            entry.why = USED_UP if self._is_used_up() else SPENT
        self._note(group)

    def put_all(self, due_at: float, why: str) -> None:
        """Everybody is due then, for one reason."""
        for entry in self._roster.idle:
            entry.due_at, entry.why = due_at, why
        self._note(self._roster.idle)

    def bring_forward(self, entry: Entry) -> bool:
        """As early as the pair's shortest interval and the budget allow it; whether that is earlier than planned."""
        if entry.attempt_at is None or entry.running or math.isinf(self.needed):
            return False
        low, high = entry.pair.interval, entry.pair.interval_max
        soonest = entry.attempt_at + next_interval(low, high, failures=entry.failures, needed=self.needed)
        earlier = soonest < entry.due_at
        entry.due_at = min(entry.due_at, soonest)
        return earlier

    def clear(self) -> None:
        """Nothing is planned any more."""
        self._store.schedules.clear()

    def _is_used_up(self) -> bool:
        return self._cap is not None and self.used[METERED] >= self._cap

    def _next_turn(self, entry: Entry, now: float, later: float) -> None:
        low, high = entry.pair.interval, entry.pair.interval_max
        turn = next_turn(low, high, quiet=entry.quiet, failures=entry.failures, needed=self.needed, news=entry.news)
        entry.why = turn.why
        if not entry.failures:
            entry.steady = next_interval(low, high, quiet=entry.quiet)
        if math.isfinite(turn.interval):
            entry.interval, entry.due_at = turn.interval, now + turn.interval * later
            entry.steady = max(entry.steady, self.needed)

    def _note(self, entries: Sequence[Entry]) -> None:
        now, wall = self._clock.monotonic(), self._clock.now()
        turns = {entry: wall + timedelta(seconds=max(0.0, entry.due_at - now)) for entry in entries}
        self._store.schedules.plan(
            {entry.name: Planned(at, round(entry.interval), entry.why) for entry, at in turns.items()}
        )
