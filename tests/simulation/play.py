"""Plays a case: people, faults and runs in turn, with every invariant watched on the way and at the end."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal
from unittest import mock

import structlog

from slotbridge.errors import StoreError
from slotbridge.lenses.items import Range
from slotbridge.reconcile import merge, plan
from slotbridge.reconcile.model import SIDES, Row, Side
from slotbridge.sandbox.traffic import Fault, FaultKind
from slotbridge.settings import PairSettings
from slotbridge.sync.bridge import Bridge
from slotbridge.sync.report import PairReport, RunReport
from tests.simulation.case import Case, Step
from tests.simulation.ledger import Base, Broken, Ledger, require
from tests.simulation.people import ZONE
from tests.simulation.rig import Death, Fate
from tests.simulation.shown import Span, shown
from tests.simulation.watch import AimedFault, Watched

TAIL = 2
"""Runs without faults at the end, after which everything has to be at rest: at most two may have something to do."""

ANSWERS: Sequence[tuple[int, dict[str, str], str]] = (
    (400, {}, '{"error": {"code": "invalid_request", "message": "bad"}}'),
    (401, {}, '{"error": "INVALID_CREDENTIALS", "error_description": "no"}'),
    (403, {}, '{"error": {"code": "forbidden", "message": "no"}}'),
    (404, {}, '{"error": {"code": "not_found", "message": "no such page"}}'),
    (409, {}, '{"error": {"code": "conflict", "message": "no"}}'),
    (422, {}, '{"error": {"code": "validation_failed", "message": "no"}}'),
    (429, {"retry-after": "2"}, '{"error": {"code": "rate_limit_exceeded", "message": "slow down"}}'),
    (500, {}, '{"error": "INTERNAL_SERVER_ERROR", "error_description": "oops"}'),
    (503, {"retry-after": "1"}, '{"error": "QUERY_LIMIT_EXCEEDED", "error_description": "Too many requests"}'),
    (200, {}, '{"error": "OPERATION_TIME_LIMIT", "error_description": "later"}'),
)


@dataclass
class Played:
    """What came of a case."""

    counters: Counter[str]
    trace: str
    broken: Broken | None = None


@dataclass
class Simulation(Watched):
    """One case under way."""

    async def play(self) -> None:
        """All steps, then the tail."""
        for step in self.case.setup["start"]:
            self.people.do(*step)
        self.observe_people()
        for step in self.case.steps:
            await self._play_step(step)
        await self.tail()

    async def _play_step(self, step: Step) -> None:
        name, *numbers = step
        self.counters["steps"] += 1
        handler: Callable[..., Awaitable[None]] | None = getattr(self, f"_do_{name}", None)
        if handler is not None:
            self.counters[name] += 1
            await handler(*numbers)
            return
        self._land()
        self.people.do(name, *numbers)
        self.counters[name] += 1
        self.counters["edits that changed something"] += self.observe_people()

    def _land(self) -> None:
        """Time passes: whatever was late has arrived."""
        self.world.traffic.settle()
        self._book(landed=True)

    async def _do_sync(self, events: Sequence[Step]) -> None:
        await self.sync(events)
        if self._late():
            self.counters["next run before a late write"] += 1
            await self.sync(())

    async def _do_dry(self, *_: int) -> None:
        """A dry run leaves no trace, and a run right after does what it said (10)."""
        wrote, rows = self.wrote, self.machine.all_rows()
        report = await self._run(Fate(), dry_run=True)
        require(self.wrote == wrote, 10, "a dry run wrote to a server")
        require(self.machine.all_rows() == rows, 10, "a dry run changed the database")
        if report is None:
            return
        real = await self.sync(())
        if real is None:
            return
        for told, done in zip(report.pairs, real.pairs, strict=True):
            if done.status == "failed" or told.status == "failed" or self._intents or _closed(done) or _closed(told):
                continue
            require(_changes(told) == _changes(done), 10, f"{told.name}: told {told.changes}, did {done.changes}")
            self.counters["dry run kept its word"] += 1

    async def _do_decide(self, _pair: int, a: int, b: int, _c: int) -> None:
        holds = self.machine.store.holds()
        if not holds:
            self.counters["decide (nothing)"] += 1
            return
        hold = holds[a % len(holds)].hold
        choices: dict[str, Any] = {
            "conflict": ("bitrix24", "reservekit"),
            "first-sync": ("bitrix24", "reservekit", "merge"),
            "agreement": ("bitrix24", "reservekit", "merge"),
        }
        options = choices.get(hold.kind, ("approve",))
        self.machine.store.decide(hold.id, options[b % len(options)])
        self.counters[f"decided {hold.kind}"] += 1

    async def _do_policy(self, pair: int, a: int, _b: int, _c: int) -> None:
        options = self.options[pair % len(self.options)]
        options["conflict"] = ("hold", "bitrix24", "reservekit")[a % 3]

    async def _do_terms(self, pair: int, a: int, _b: int, _c: int) -> None:
        """The service moves to another zone, or an option changes: a new agreement is needed (M12)."""
        number = pair % len(self.ids)
        self.ledgers[number].rested = None
        if a % 2:
            service = self.world.reservations.services[self.ids[number][1]]
            service.timezone = ("Europe/Lisbon", ZONE)[a % 3 == 0]
            self.clock.time += 3700
        else:
            self.options[number]["capacity"] = "derive" if self.options[number].get("capacity") == "fixed" else "fixed"
            self.options[number] |= {"max_bookings": 2, "slot_minutes": 45}
        self.observe_people()

    async def _do_restart(self, *_: int) -> None:
        self.machine.stop()

    async def _do_lose(self, *_: int) -> None:
        self.machine.lose_database()
        self.read_to = 0
        for ledger in self.ledgers:
            ledger.rested, ledger.lost = None, True

    async def _do_clock(self, _pair: int, a: int, _b: int, _c: int) -> None:
        self._land()
        self.clock.time += (60, 1800, 3600, 86400, 7 * 86400, 150 * 86400)[a % 6]
        self.observe_people()

    async def _do_calamity(self, _pair: int, a: int, b: int, c: int) -> None:
        """Somebody deletes something in every pair."""
        self._land()
        for number in range(len(self.ids)):
            self.people.do("delete_b" if b % 2 else "delete_a", number, a, b, c)
        self.observe_people()

    async def _do_closed(self, _pair: int, a: int, _b: int, _c: int) -> None:
        state = self.world.reservations
        closed: Sequence[Literal[401, 403, 404, 405]] = (401, 403, 404, 405)
        refused = None if state.behaviour.writes_refused else closed[a % 4]
        state.behaviour = replace(state.behaviour, writes_refused=refused)

    # One run.

    async def sync(self, events: Sequence[Step], fate: Fate | None = None) -> RunReport | None:
        """A run with what happens during it; None if it did not come to its end."""
        fate = fate or Fate()
        dies = any(event[0] in ("death", "disk") for event in events)
        self.meanwhile, self.requests = [], 0
        for kind, *numbers in events:
            if kind == "fault":
                self.world.faults.append(self._fault(*numbers, longest=3 if dies else 5))
            elif kind == "meanwhile":
                self.meanwhile.append(numbers)
            elif kind == "death":
                fate.doom = numbers[0]
            else:
                fate.bad_disk = numbers[0]
        self._begin()
        report = await self._run(fate)
        self.world.faults.clear()
        self.meanwhile = []
        self._end(report, calm=not events and not fate.dead)
        return report

    def _fault(self, match: str, kind: FaultKind, skip: int, number: int, *, longest: int) -> Fault:
        status, headers, body = ANSWERS[number % len(ANSWERS)]

        return AimedFault(
            match,
            kind,
            skip=skip,
            times=1 if kind == "stale" else 1 + number % 2 * (number % 5),
            after=1 + number % longest if number % 2 else longest,
            executed=number % 2 == 0 and status == 500,
            status=status,
            body=body,
            headers=headers,
            strikes=self.strike,
        )

    def strike(self, kind: str) -> None:
        """A fault strikes the request that is under way."""
        self.struck = kind
        self.counters[f"fault {kind}"] += 1
        for ledger in self.ledgers:
            ledger.troubled |= kind == "answer"

    def _begin(self) -> None:
        bases = self._bases()
        today = self.clock.now().date().isoformat()
        booked = {
            row.time_slot_id
            for row in self.world.reservations.bookings.values()
            if row.status != "cancelled" and row.date >= today
        }
        for ledger, options in zip(self.ledgers, self.pairs, strict=True):
            decided = self._decided(ledger.name)
            ledger.by_policy |= _makes_equal(options) or bool(decided.keys() & {"first-sync", "agreement"})
            ledger.told_otherwise |= bool(decided)
            ledger.begin_run(len(bases[ledger.name]), booked, decided)
            ledger.run.rescues = (ledger.name,) in self.machine.peek("SELECT pair FROM rescue")
        self._intents = bool(self.machine.peek("SELECT 1 FROM intent LIMIT 1"))

    async def _run(self, fate: Fate, *, dry_run: bool = False) -> RunReport | None:
        pairs = self.pairs

        async def job(bridge: Bridge) -> RunReport:
            return await bridge.sync(pairs, dry_run=dry_run)

        try:
            return await self.machine.run(job, fate, dry=dry_run)
        except Death:
            self.counters["death"] += 1
            self.counters[f"death {fate.passed[-1]}"] += 1
        except StoreError:
            self.counters["bad disk"] += 1
        return None

    def _end(self, report: RunReport | None, *, calm: bool) -> None:
        after = self._bases()
        self._read_journal()
        reports: Sequence[PairReport | None] = report.pairs if report else [None] * len(self.ledgers)
        for ledger, told, options in zip(self.ledgers, reports, self.pairs, strict=True):
            success = told is not None and told.status != "failed"
            ledger.end_run(success=success, held=success and told is not None and bool(told.holds))
            if told is not None:
                self.counters[f"pair {told.status}"] += 1
                for hold in told.holds:
                    self.counters[f"hold {hold.kind}"] += 1
                    ledger.deletions_held |= hold.kind == "deletions"
            ledger.check_base(after[ledger.name])
            ledger.check_readings(success=success)
            ledger.check_guards(options)
            if calm:
                ledger.check_idle()
            disturbed = ledger.run.changed_by_people or ledger.run.blind or ledger.run.rescues
            require(ledger.run.sets <= 1 or disturbed, 8, f"{ledger.name}: {ledger.run.sets} slots.set in one run")
            if calm and told is not None and success and not (told.holds or ledger.run.blind or self._late()):
                ledger.check_in_step(after[ledger.name], split=options.slots == "split")
                ledger.check_answer_to_one_edit(options)
                self.counters["in step"] += 1
        self._check_outage()

    def _check_outage(self) -> None:
        """No run deletes in more than half of at least four pairs (11)."""
        deleting = [ledger.name for ledger in self.ledgers if ledger.gone and not ledger.run.approved]
        few = len(self.ledgers) < 4 or 2 * len(deleting) <= len(self.ledgers)
        require(few, 11, f"windows were deleted in {deleting}, most of all pairs")

    def _bases(self) -> dict[str, Base]:
        """The base of each pair, as it lies in the database."""
        bases: dict[str, Base] = {ledger.name: [] for ledger in self.ledgers}
        columns = "weekday, start_minute, end_minute, slot_size, slot_id, max_bookings"
        for pair, day, start, end, *rest in self.machine.peek(f"SELECT pair, {columns} FROM slot_link"):  # noqa: S608
            bases[pair].append(((day, start, end), *rest))
        return bases

    def _decided(self, pair: str) -> dict[str, int]:
        """What a person has decided about a pair: kinds of holds, with the number of windows each is about."""
        rows = self.machine.peek("SELECT pair, kind, items FROM hold WHERE ended_at IS NULL AND decision IS NOT NULL")
        return {kind: len(json.loads(items)) for name, kind, items in rows if name == pair}

    def _spans_in(self, ledger: Ledger, side: str, terms: dict[str, Any]) -> Iterable[Span]:
        """The hours that a range or time slot in the history stood for."""
        if side == "reservekit":
            return ledger.spans_of_slot(terms["id"])
        item = Range(terms["from"], terms["to"], terms["timezone"], tuple(terms["weekDays"]), terms["slotSize"])
        number = self.ledgers.index(ledger)
        zone = self.world.reservations.services[self.ids[number][1]].timezone
        split = self.options[number].get("slots") == "split"
        return shown([item], (), zone, self.clock.now().date(), split=split).in_bitrix24

    def _read_journal(self) -> None:
        query = f"SELECT id, pair, kind, side, before FROM change WHERE id > {self.read_to} ORDER BY id"  # noqa: S608
        for number, pair, kind, side, text in self.machine.peek(query):
            self.read_to = number
            ledger = next(ledger for ledger in self.ledgers if ledger.name == pair)
            before = json.loads(text) if text else None
            if kind == "overruled":
                ledger.note_overruled(before)
                ledger.check_loser(side, self.pairs[self.ledgers.index(ledger)])
            else:
                ledger.note_replaced(self._spans_in(ledger, side, before) if before else ())

    async def tail(self) -> None:
        """Everything works again: all comes to rest (1, 2, 3, 4)."""
        self.world.faults.clear()
        self._land()
        state = self.world.reservations
        state.behaviour = replace(state.behaviour, writes_refused=None)
        self.clock.time += 60
        report = None
        conflicts = []
        for _ in range(TAIL):
            report = await self.sync(())
            conflicts.append(_conflicts(report))
        require(report is not None, 2, "a run without faults did not end")
        wrote, bases = self.wrote, self._bases()
        again = await self.sync(())
        require(_conflicts(again) == conflicts[-1], 3, f"holds changed by themselves: {conflicts}, {again}")
        assert report is not None and again is not None
        require(self.wrote == wrote, 3, f"a run with nothing to do wrote: {again.pairs}")
        require(self._bases() == bases, 3, "a run with nothing to do changed the base")
        for ledger, told in zip(self.ledgers, again.pairs, strict=True):
            if told.status == "failed" and ledger.troubled and "not sent again" in str(told.error):
                self.counters["refused: waits for a person"] += 1
                continue
            require(told.status in ("quiet", "held"), 2, f"{ledger.name} does not come to rest: {told.error}")
            ledger.check_no_lost_edit(settled=not told.holds, by_policy=ledger.by_policy or ledger.deletions_held)
            self.counters["settled" if not told.holds else "held at the end"] += 1


def _conflicts(report: RunReport | None) -> set[str]:
    return {hold.id for pair in report.pairs for hold in pair.holds if hold.kind == "conflict"} if report else set()


def _makes_equal(options: PairSettings) -> bool:
    """Whether one side is to be made equal to the other."""
    return options.direction != "both" or options.initial in SIDES


def _closed(report: PairReport) -> bool:
    """Whether the key turned out to be one that may not write, which no dry run can find out."""
    return any(hold.kind == "read-only" for hold in report.holds)


def _changes(report: PairReport) -> list[str]:
    return sorted(f"{change.side} {change.op} {change.before} {change.after}" for change in report.changes)


def play(case: Case) -> Played:
    """Plays a case to its end, or to the first broken invariant."""
    if structlog.get_config()["wrapper_class"] is not _SILENT:
        structlog.configure(wrapper_class=_SILENT)
    simulation = Simulation(case)
    broken: Broken | None = None
    with mock.patch.object(plan, "decide", _counting(merge.decide, simulation.counters)):
        try:
            asyncio.run(simulation.play())
        except Broken as error:
            broken = error
        finally:
            simulation.machine.stop()
    return Played(simulation.counters, simulation.trace.hexdigest(), broken)


_SILENT = structlog.make_filtering_bound_logger(50)


def _counting(decide: Callable[..., Any], counters: Counter[str]) -> Callable[..., Any]:
    def counted(row: Row, *args: Any) -> Any:
        counters[merge_case(row)] += 1
        return decide(row, *args)

    return counted


def merge_case(row: Row) -> str:
    """Which of the 27 cases a row is, those that differ only in the names of the values taken as one."""
    link, one, two, _ = row
    sides: list[tuple[Side, Any]] = [("bitrix24", one), ("reservekit", two)]
    said = []
    for side, seen in sides:
        if seen is None:
            said.append("absent")
        elif link is None:
            said.append("there")
        else:
            same = (seen.window, seen.capacity) == (link.window, link.capacity(side))
            said.append("same" if same else "changed")
    alike = one is not None and two is not None and one.window == two.window
    return f"merge {'base' if link else 'no base'} {said[0]}/{said[1]}{' alike' if alike else ''}"
