"""The daemon's judgement, one tick after the other: what to run now, what to learn from it, what to tell.

Nothing in here waits: a tick begins work and returns. All time is the clock's, so that a month can pass in seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from random import Random
from typing import Final, Protocol

import structlog

from slotbridge.clock import Clock
from slotbridge.daemon.condition import Condition
from slotbridge.daemon.early import source_of
from slotbridge.daemon.lookout import Lookout, Portal
from slotbridge.daemon.pace import needed_interval, next_interval
from slotbridge.daemon.roster import Entry, enrolled
from slotbridge.daemon.runner import Runner
from slotbridge.daemon.sides import Moved, Outage, Sides, down_side, next_probe, probe_wait
from slotbridge.daemon.tenure import Tenure
from slotbridge.daemon.timetable import METERED, Timetable
from slotbridge.errors import SIDE_NAMES, BudgetSpent, Side, SlotbridgeError, StoreError
from slotbridge.settings import PairSettings
from slotbridge.store import DatabaseLock, Store
from slotbridge.sync.report import RunReport

AT_ONCE: Final = 4
"""How many runs go side by side at most; no pair is ever in two of them."""

MEMORY_RETRY: Final = 60.0
DECISIONS_EVERY: Final = 5.0
"""Seconds after which it is looked again whether a person has decided anything, or granted access: only the database
is asked."""

ECHO: Final = 60.0
"""Seconds in which an event that is no news counts as the echo of our own write."""

BUG: Final = "This is a mistake in slotbridge; please report it with the log. The pairs are tried again later"

log = structlog.get_logger("slotbridge.daemon")


class Engine(Portal, Protocol):
    """What does the work."""

    async def sync(self, pairs: Sequence[PairSettings], *, trigger: str, stop: Callable[[], bool]) -> RunReport:
        """One run over the pairs; those are missing in the report for which nothing was begun when `stop` said so.

        Raises StoreError where it cannot be remembered.
        """


class Daemon:
    """All pairs, kept in step for as long as somebody calls `tick` about once a second.

    `caps` are the requests that each side's plan has for a month, `lock` is what keeps others off the database. Raises
    StoreError when nothing can be remembered from the very beginning.
    """

    def __init__(
        self,
        pairs: Sequence[PairSettings],
        engine: Engine,
        store: Store,
        runner: Runner,
        *,
        caps: Mapping[Side, int | None],
        clock: Clock,
        random: Random,
        lock: DatabaseLock | None = None,
    ) -> None:
        self._engine = engine
        self._store = store
        self._runner = runner
        self._clock = clock
        self._random = random
        self._sides = Sides()
        self._retry_at = 0.0
        self._heeded: Mapping[str, datetime] = {}
        self._heeded_at = 0.0
        self._access_at = 0.0
        self.roster = enrolled(pairs, store.recall([pair.name for pair in pairs]), clock, random)
        self._timetable = Timetable(self.roster, store, caps[METERED], clock, random)
        self._tenure = Tenure(lock, clock)
        self.condition = Condition(self.roster, clock, caps, self._tenure)
        self.condition.used = self._timetable.used
        self._lookout = Lookout(
            self.roster,
            engine,
            runner,
            self._timetable,
            self.condition,
            clock,
            run=self._run_early,
            lost=self._forgetful,
        )

    def open(self) -> None:
        """From now on ticks begin work."""
        self.condition.state = "running"

    def tick(self) -> None:
        """Begins what is due."""
        now = self._clock.monotonic()
        self.condition.ticked_at = now
        self._tell_staleness(now)
        for entry in self.roster.overtaken(now):
            entry.due_at = now + entry.interval
            self.condition.counters.skipped += 1
        if not self._may_begin() or now < self._retry_at:
            return
        if self._sides.down:
            self._heed_access(now)
            self._probe(now)
            if self._sides.are_used_up or not self._timetable.keeps_reserve:
                return
        self._heed_decisions(now)
        if now < self._retry_at:
            return
        self._lookout.look(now)
        if not self._sides.down:
            self._start_due(now)

    def notice(self, name: str, why: str) -> None:
        """Somebody says that a pair has changed: "bitrix24 …" and "reservekit …" are events, all else is a person."""
        source, counted = source_of(why), self.condition.counters.notices
        if name not in self.roster:
            counted[source, "unknown"] += 1
        elif source == "reservekit":
            # A booking changes no hours, but may lift a hold. Nobody signs such events, so they hasten little.
            hastens = bool(self.roster[name].holds) and self._timetable.bring_forward(self.roster[name])
            counted[source, "brought forward" if hastens else "no news"] += 1
        else:
            self._lookout.tell(name, source)

    async def drain(self, seconds: float) -> None:
        """No new work; what is under way gets so many seconds to end. Then the plans are void."""
        self.condition.state = "draining"
        self._lookout.stop()
        if cancelled := await self._runner.drain(seconds):
            log.warning("drain.overrun", runs=cancelled, seconds=seconds)
        try:
            self._timetable.clear()
        except StoreError as error:
            self._forgetful(error)

    # What to run.

    def _start_due(self, now: float) -> None:
        groups = list(self.roster.due(now))
        try:
            if groups and self._timetable.is_spent():
                self._timetable.next_month([entry for group in groups for entry in group])
                self._remembers()
                return
        except StoreError as error:
            self._forgetful(error)
            return
        for group in groups:
            if self._runner.busy < AT_ONCE:
                fresh = all(entry.attempt_at is None for entry in group)
                self._start(group, "start" if fresh else "retry" if group[0].failures else "schedule")

    def _probe(self, now: float) -> None:
        if now >= self._sides.probe_at and not self._runner.busy and (entry := next_probe(self.roster)):
            self._start([entry], "probe")

    def _start(self, group: Sequence[Entry], trigger: str) -> None:
        now = self._clock.monotonic()
        for entry in group:
            entry.running = True
            entry.due_at = now + entry.interval
        self._runner.start(self._run(group, trigger))

    async def _run(self, group: Sequence[Entry], trigger: str) -> None:
        """One run. Whatever goes wrong in it is over when it ends: the daemon goes on."""
        begun, alone = self._clock.monotonic(), self._runner.busy == 1
        try:
            report = await self._engine.sync([entry.pair for entry in group], trigger=trigger, stop=self._shall_stop)
            self._release(group, begun)
            told = {pair.name for pair in report.pairs}
            if done := [entry for entry in group if entry.name in told]:
                self._learn(done, report, alone=alone)
            self._make_due([entry for entry in group if entry.name not in told], self._clock.monotonic())
        except StoreError as error:
            self._forgetful(error, group)
        except SlotbridgeError as error:
            log.error("run.failed", pairs=[entry.name for entry in group], error=str(error))
            self._put_off(group, error)
        except Exception as error:
            log.exception("run.bug", pairs=[entry.name for entry in group])
            self._put_off(group, SlotbridgeError(f"internal error ({type(error).__name__})", hint=BUG))
        finally:
            self._release(group, begun)

    def _may_begin(self) -> bool:
        """Whether work may begin: neither before the start, nor while it stops, nor while another may do the same."""
        return self.condition.state == "running" and self._tenure.keep()

    def _shall_stop(self) -> bool:
        return not self._may_begin()

    def _release(self, group: Sequence[Entry], begun: float) -> None:
        if any(entry.running for entry in group):
            self.condition.counters.run_seconds += self._clock.monotonic() - begun
        for entry in group:
            entry.running = False

    # What to learn from it.

    def _learn(self, group: Sequence[Entry], report: RunReport, *, alone: bool) -> None:
        now, counters = self._clock.monotonic(), self.condition.counters
        memories = self._store.recall([entry.name for entry in group])
        for entry, told in zip(group, report.pairs, strict=True):
            entry.note(told, memories[entry.name], now)
            if any(change.side == "bitrix24" for change in told.changes):
                entry.echo_until = now + ECHO  # the portal will announce what we wrote: that is nobody's storm
            counters.runs[told.status] += 1
            counters.changes.update((change.side, change.op) for change in told.changes)
        cost = report.requests.get(METERED, 0)
        if alone and report.count("quiet") == len(group):
            self._timetable.quiet_run_cost(cost, group)
        self._timetable.after_run(group)
        self.condition.used = self._timetable.used
        self._follow(self._sides.learn(group, self.roster, now), cost, now)
        self._remembers()

    def _follow(self, moved: Moved, cost: int, now: float) -> None:
        """Lets the pairs wait for sides that are down, and run at once when all are up again."""
        self.condition.down = self._sides.down
        for outage in moved.began:
            log.error("side.down", side=outage.side, error=str(outage.error))
        for outage in moved.ended:
            log.info("side.up", side=outage.side, seconds=round(now - outage.since), probes=outage.probes)
        for outage in (*moved.began, *moved.lasting):
            outage.probe_at = now + self._probe_wait(outage, cost)
        if self._sides.down:
            self._timetable.put_all(self._sides.probe_at, f"waits for {_names(self._sides.down)}")
        elif moved.ended:
            self._try_again([outage.side for outage in moved.ended])
            self._timetable.put_all(now, f"{_names([outage.side for outage in moved.ended])} is back")

    def _try_again(self, sides: Collection[Side]) -> None:
        """What failed at these sides is worth something of the reserve again."""
        for entry in self.roster.entries:
            if down_side(entry.error) in sides:
                entry.spared_until = float("-inf")
        self._lookout.look_round_soon()

    def _probe_wait(self, outage: Outage, cost: int) -> float:
        """The seconds until the next probe, which the budget stretches as it does any run. Where the server has no
        budget left ours says nothing: the meter lets one request through in six hours."""
        budget, counts = self._timetable.budget(), cost and not isinstance(outage.error, BudgetSpent)
        needed = needed_interval(budget, pairs=1, pages=cost, zone_pages=0) if counts else 0.0
        most = min(entry.pair.interval_max for entry in self.roster.entries)
        wait = max(probe_wait(outage.error, outage.probes, most), needed)
        return min(wait, budget.seconds_left) * (1 + self._random.uniform(0, 0.1))

    def _put_off(self, group: Sequence[Entry], error: SlotbridgeError) -> None:
        """A run that failed as a whole: its pairs back off as after any failure."""
        now = self._clock.monotonic()
        for entry in group:
            entry.attempt_at, entry.error = now, error
            entry.fail(now)
            entry.interval = next_interval(entry.pair.interval, entry.pair.interval_max, failures=entry.failures)
            entry.due_at = now + entry.interval
        self.condition.counters.runs["aborted"] += len(group)

    def _forgetful(self, error: StoreError, group: Sequence[Entry] = ()) -> None:
        """The database cannot be used: nothing is written anywhere before it can be. Tried again in a minute."""
        self._retry_at = self._clock.monotonic() + MEMORY_RETRY
        for entry in group:
            entry.due_at = self._retry_at
        self.condition.counters.runs["aborted"] += len(group)
        if self.condition.memory_lost is None:
            log.error("store.failed", error=str(error))
        self.condition.memory_lost = error.what

    def _remembers(self) -> None:
        if self.condition.memory_lost is not None:
            self.condition.memory_lost = None
            log.info("store.recovered")

    def _make_due(self, entries: Sequence[Entry], at: float) -> None:
        for entry in entries:
            entry.due_at = min(entry.due_at, at)

    # Early notice.

    def _heed_decisions(self, now: float) -> None:
        """What a person has decided is applied soon: `resolve` is another process, and only writes it down (S11)."""
        if now - self._heeded_at < DECISIONS_EVERY:
            return
        self._heeded_at = now
        try:
            self._store.require_identity()
            decided = self._store.decided()
        except StoreError as error:
            self._forgetful(error)
            self._make_due(self.roster.idle, self._retry_at)
            return
        for name in decided.keys() & {entry.name for entry in self.roster.entries}:
            if decided[name] != self._heeded.get(name):
                self.notice(name, "a person's decision")
        self._heeded = decided

    def _heed_access(self, now: float) -> None:
        """Who grants access anew waits for the daemon: `auth` is another process, and only stores the tokens."""
        if not self._sides.is_refused("bitrix24") or now - self._access_at < DECISIONS_EVERY:
            return
        self._access_at = now
        with suppress(StoreError):  # the probe will tell
            if self._engine.granted_anew():
                self._sides.ask_now("bitrix24", now)

    def _run_early(self, group: Sequence[Entry], trigger: str) -> None:
        if self._may_begin():
            self._start(group, trigger)

    # What to tell.

    def _tell_staleness(self, now: float) -> None:
        for entry in self.roster.entries:
            if entry.told_stale and not entry.is_stale(now):
                entry.told_stale = False
                log.info("pair.recovered", pair=entry.name)
            elif not entry.told_stale and entry.is_worth_telling(now):
                entry.told_stale = True
                last = entry.last_success.isoformat() if entry.last_success else "never"
                why = str(entry.error or entry.why)
                log.error("pair.stale", pair=entry.name, last_success=last, why=why)


def _names(sides: Sequence[Side]) -> str:
    return " and ".join(SIDE_NAMES[side] for side in sides)
