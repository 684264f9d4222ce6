"""What people did to one pair, what slotbridge did to it, and whether that may be so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from slotbridge.settings import PairSettings
from tests.simulation.shown import Shown, Span


JOURNAL_OUTLIVES_FAILURE = False


Base = list[tuple[Span, int, int, int]]
"""Of each window of a base: hours, slotSize, the time slot's id, max_bookings."""


class Broken(BaseException):
    """An invariant does not hold; `rule` is its number in the list of sixteen.

    No Exception, because slotbridge reports those as its own bugs and goes on with the other pairs.
    """

    def __init__(self, rule: int, what: str) -> None:
        super().__init__(f"invariant {rule}: {what}")
        self.rule = rule


def require(condition: object, rule: int, what: str) -> None:
    if not condition:
        raise Broken(rule, what)


@dataclass
class Tally:
    """What one run did to one pair, as the servers saw it."""

    before: Shown | None = None
    began: int = 0
    deleted_slots: int = 0
    sets: int = 0
    changed_by_people: bool = False
    blind: bool = False
    windows_before: int = 0
    ranges_before: int = 0
    base_before: int = 0
    empty_before: bool = False
    booked_before: frozenset[int] = frozenset()
    spans_before: frozenset[Span] = frozenset()
    overwritten: set[Span] = field(default_factory=set)


@dataclass
class Ledger:
    """The book of one pair. `time` counts events; spans are hours that somebody put on either side.

    An edit is *raced* when slotbridge wrote over it without having been able to see it: ReserveKit has no conditional
    write, and of a `slots.set` without answer nobody can tell what it replaced. Those are counted, not blamed.
    """

    name: str
    now: Shown
    zone: str
    time: int = 0
    added: dict[Span, list[int]] = field(default_factory=dict)
    removed: dict[Span, list[int]] = field(default_factory=dict)
    copies: Counter[Span] = field(default_factory=Counter)
    successes: list[int] = field(default_factory=lambda: [0])
    overruled: set[Span] = field(default_factory=set)
    journal: set[Span] = field(default_factory=set)
    troubled: bool = False
    by_policy: bool = False
    raced: set[Span] = field(default_factory=set)
    ever_in_bitrix24: set[tuple[Span, int]] = field(default_factory=set)
    ever_in_reservekit: set[tuple[int, Span, int]] = field(default_factory=set)
    deletions_held: bool = False
    seen_ranges: tuple[Any, ...] | None = None
    seen_rows: dict[int, Any] = field(default_factory=dict)
    people_in_reservekit: int = 0
    run: Tally = field(default_factory=Tally)

    def people_did(self, now: Shown) -> bool:
        """Books the difference to what was there before as somebody's edit."""
        self.time += 1
        before, self.now = self.now, now
        changed = False
        for old, new in (
            (before.in_bitrix24, now.in_bitrix24),
            (before.in_reservekit, now.in_reservekit),
        ):
            for span, count in (new - old).items():
                self.added.setdefault(span, []).append(self.time)
                self.copies[span] += count
            for span in old - new:
                self.removed.setdefault(span, []).append(self.time)
            changed = changed or old != new
        if before.slots != now.slots:
            self.people_in_reservekit = self.time
        self._note_states()
        return changed or before.slots != now.slots or before.ranges != now.ranges

    def slotbridge_did(self, now: Shown, *, landed: bool) -> None:
        """Books what a request of ours changed, and checks what must hold at every instant (5, 6, 16)."""
        before, self.now = self.now, now
        if before == now:
            return
        self.time += 1
        self._note_states()
        for side in (now.in_bitrix24, now.in_reservekit):
            for span, count in side.items():
                require(span in self.copies, 5, f"{self.name}: nobody ever put {span}")
                if not landed:
                    most = max(self.copies[span], 1)
                    require(count <= most, 6, f"{self.name}: {span} is there {count} times, people made {most}")
        if landed or self.run.blind:
            return
        on_both = before.in_bitrix24 & before.in_reservekit & now.in_bitrix24
        missing = [span for span in on_both - now.in_reservekit if not self._superseded(span, self.time)]
        require(not missing, 16, f"{self.name}: {missing} stood on both sides and is missing in ReserveKit")

    def _note_states(self) -> None:
        self.ever_in_bitrix24.update(self.now.cells)
        for slot_id, (spans, bookings) in self.now.slots.items():
            self.ever_in_reservekit.update((slot_id, span, bookings) for span in spans)

    def begin_run(self, links: int, booked: Iterable[int]) -> None:
        self.run = Tally(
            before=self.now,
            began=self.time,
            windows_before=max(sum(self.now.in_bitrix24.values()), sum(self.now.in_reservekit.values())),
            ranges_before=sum(self.now.in_bitrix24.values()),
            base_before=links,
            empty_before=not self.now.cells or not self.now.slots,
            booked_before=frozenset(booked),
            spans_before=frozenset(self.now.in_bitrix24 | self.now.in_reservekit),
        )

    def end_run(self, *, success: bool, held: bool, policy: bool) -> None:
        """A run that ended well has merged whatever it had written over."""
        if success and not held:
            self.successes.append(self.run.began)
        if not success:
            self.raced |= self.run.overwritten
            if policy and not JOURNAL_OUTLIVES_FAILURE:
                self.raced |= self.run.spans_before
                self.raced |= {span for span, times in self.added.items() if times[-1] > self.run.began}
        self.run.overwritten = set()

    def check_idle(self) -> None:
        """Both sides showed the same hours: there was nothing to write (M1, M2, 8)."""
        start = self.run.before
        if start is not None and start.in_bitrix24 == start.in_reservekit and not self.run.changed_by_people:
            same = (self.now.in_bitrix24, self.now.in_reservekit) == (start.in_bitrix24, start.in_reservekit)
            require(same, 8, f"{self.name}: both sides were equal, and hours were written all the same")

    def check_guards(self, options: PairSettings) -> None:
        """No run without an approval removes more than it may (11)."""
        tally = self.run
        if tally.changed_by_people or tally.blind:
            return
        gone = tally.deleted_slots + max(0, tally.ranges_before - sum(self.now.in_bitrix24.values()))
        known = tally.base_before or tally.windows_before
        require(
            gone <= max(options.max_delete_count, options.max_delete_ratio * known),
            11,
            f"{self.name}: {gone} of {known} windows were deleted",
        )
        if tally.empty_before and tally.base_before:
            require(not gone, 11, f"{self.name}: one side was empty, and {gone} windows were deleted on the other")

    def check_base(self, base: Base) -> None:
        """The base holds states that both servers really had (12)."""
        for span, _, slot_id, bookings in base:
            honest = slot_id == 0 or self.deletions_held or (slot_id, span, bookings) in self.ever_in_reservekit
            require(honest, 12, f"{self.name}: ReserveKit never had slot {slot_id} as {span} for {bookings}")

    def check_in_step(self, base: Base, *, split: bool) -> None:
        """Both sides and the base say the same (1)."""
        ours, theirs = self.now.in_bitrix24, self.now.in_reservekit
        require(ours == theirs, 1, f"{self.name}: only in Bitrix24 {ours - theirs}, only in ReserveKit {theirs - ours}")
        agreed = Counter(link[0] for link in base)
        require(agreed == ours, 1, f"{self.name}: base {agreed - ours} is on no side, {ours - agreed} not in the base")
        slots = {(slot_id, span, cap) for slot_id, (spans, cap) in self.now.slots.items() for span in spans}
        known = {(slot_id, span, bookings) for span, _, slot_id, bookings in base}
        require(known == slots, 12, f"{self.name}: base {known - slots}, ReserveKit {slots - known}")
        if not split:
            cells, sizes = Counter(self.now.cells), Counter((span, size) for span, size, *_ in base)
            require(cells == sizes, 12, f"{self.name}: base {sizes - cells}, Bitrix24 {cells - sizes}")

    def check_no_lost_edit(self, *, settled: bool, by_policy: bool) -> None:
        """Every edit is there, or was superseded, overruled or raced (4). With a hold it is at least on one side.

        `by_policy`: one side was to be made equal to the other, and what that took away is in the history.
        """
        excused = self.overruled | self.raced | (self.journal if by_policy else set())
        ours, theirs = self.now.in_bitrix24, self.now.in_reservekit
        for span, times in self.added.items():
            if span in excused or self._superseded(span, times[-1]):
                continue
            there = (span in ours) + (span in theirs)
            require(there == 2 or (there and not settled), 4, f"{self.name}: {span} is gone, and nobody removed it")

    def _superseded(self, span: Span, added: int) -> bool:
        """Whether somebody removed it since, or at the time, as far as slotbridge could tell."""
        last_run = max((time for time in self.successes if time < added), default=0)
        return any(time > last_run for time in self.removed.get(span, ()))

    def note_replaced(self, spans: Iterable[Span]) -> None:
        """What the history says was there before a change: kept whole, and so not lost."""
        self.journal.update(spans)

    def spans_of_slot(self, slot_id: int) -> set[Span]:
        return {span for known, span, _ in self.ever_in_reservekit if known == slot_id}

    def note_overruled(self, before: Mapping[str, Any] | None) -> None:
        if before is not None and "weekday" in before:
            self.overruled.add((before["weekday"], before["start"], before["end"]))


def same_items(one: Sequence[Any], two: Sequence[Any]) -> bool:
    return Counter(one) == Counter(two)
