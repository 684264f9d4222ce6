"""What people did to one pair, what slotbridge did to it, and whether that may be so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from slotbridge.settings import PairSettings
from tests.simulation.shown import Shown, Span

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
    read_bitrix24: bool = False
    read_reservekit: bool = False
    changed_by_people: bool = False
    blind: bool = False
    rescues: bool = False
    windows_before: int = 0
    ranges_before: int = 0
    base_before: int = 0
    empty_before: bool = False
    approved: int = 0
    decided: bool = False
    booked: frozenset[int] = frozenset()
    overwritten: set[Span] = field(default_factory=set)
    puts_back: bool = False


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
    successes: list[tuple[int, int]] = field(default_factory=list)
    overruled: set[Span] = field(default_factory=set)
    journal: set[Span] = field(default_factory=set)
    troubled: bool = False
    by_policy: bool = False
    told_otherwise: bool = False
    lost: bool = False
    owing: bool = False
    raced: set[Span] = field(default_factory=set)
    ever_in_bitrix24: set[tuple[Span, int]] = field(default_factory=set)
    ever_in_reservekit: set[tuple[int, Span, int]] = field(default_factory=set)
    deletions_held: bool = False
    rested: Shown | None = None
    edits: list[Shown] = field(default_factory=list)
    seen_ranges: tuple[Any, ...] | None = None
    seen_rows: dict[int, Any] = field(default_factory=dict)
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
        self._note_states()
        if before != now:
            self.edits.append(now)
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
        self.run.blind |= landed
        if self.run.blind:
            return
        self._check_bookings(before)
        on_both = before.in_bitrix24 & before.in_reservekit & now.in_bitrix24
        missing = [span for span in on_both - now.in_reservekit if not self._superseded(span, self.time)]
        require(not missing, 16, f"{self.name}: {missing} stood on both sides and is missing in ReserveKit")

    def _note_states(self) -> None:
        self.ever_in_bitrix24.update(self.now.cells)
        for slot_id, (spans, bookings) in self.now.slots.items():
            self.ever_in_reservekit.update((slot_id, span, bookings) for span in spans)

    def begin_run(self, links: int, booked: Iterable[int], decided: Mapping[str, int]) -> None:
        """`booked` are slots with bookings ahead; `decided` are kinds of holds with how many windows each is about."""
        self.run = Tally(
            before=self.now,
            began=self.time,
            windows_before=max(sum(self.now.in_bitrix24.values()), sum(self.now.in_reservekit.values())),
            ranges_before=sum(self.now.in_bitrix24.values()),
            base_before=links,
            puts_back=self.owing,
            empty_before=not self.now.cells or not self.now.slots,
            approved=decided.get("deletions", 0),
            decided=bool(decided.keys() - {"deletions", "booked"}),
            booked=frozenset(() if "booked" in decided else booked),
        )

    def end_run(self, *, success: bool, held: bool) -> None:
        """A run that ended well has merged whatever it had written over."""
        if success and not held:
            self.successes.append((self.run.began, self.time))
        self.owing = not success and bool(self.run.overwritten)
        if not success:
            self.raced |= self.run.overwritten
        self.run.overwritten = set()

    def check_idle(self) -> None:
        """Both sides showed the same hours: there was nothing to write (M1, M2, 8)."""
        # What a broken run had written over is put back, whatever the sides show by now.
        start = None if self.run.blind or self.run.puts_back else self.run.before
        if start is not None and start.in_bitrix24 == start.in_reservekit and not self.run.changed_by_people:
            same = (self.now.in_bitrix24, self.now.in_reservekit) == (start.in_bitrix24, start.in_reservekit)
            require(same, 8, f"{self.name}: both sides were equal, and hours were written all the same")

    @property
    def gone(self) -> int:
        """How many windows this run took away, as far as that can be told."""
        if self.run.changed_by_people or self.run.blind or self.run.decided:
            return 0
        return self.run.deleted_slots + max(0, self.run.ranges_before - sum(self.now.in_bitrix24.values()))

    def check_readings(self, *, success: bool) -> None:
        """A side that could not be read is a failure, and nothing else (11)."""
        both = self.run.read_bitrix24 and self.run.read_reservekit
        require(both or not success, 11, f"{self.name}: a side was not read, and the run did not fail")

    def check_guards(self, options: PairSettings) -> None:
        """No run removes more than it may, or than was approved (11)."""
        tally = self.run
        known = tally.base_before or tally.windows_before
        most = max(options.max_delete_count, options.max_delete_ratio * known, tally.approved)
        require(self.gone <= most, 11, f"{self.name}: {self.gone} of {known} windows were deleted")
        if tally.empty_before and tally.base_before:
            what = f"{self.name}: one side was empty, and {self.gone} windows were deleted on the other"
            require(self.gone <= tally.approved, 11, what)

    def _check_bookings(self, before: Shown) -> None:
        """A booked slot is neither deleted nor moved away from its customers (11)."""
        for slot_id in self.run.booked & before.slots.keys():
            old, new = before.slots[slot_id][0], self.now.slots.get(slot_id, ((), 0))[0]
            stays = all(any(_contains(span, part) for span in new) for part in old)
            require(stays, 11, f"{self.name}: time slot {slot_id} has bookings, and was {old} and is {new}")

    def check_answer_to_one_edit(self, options: PairSettings) -> None:
        """In step, then one edit on one side, then in step again: the other side followed, this one was let be.

        Capacities travel as C1 and C2 say, and time slots keep their ids (7, 9).
        """
        start, edits, self.rested, self.edits = self.rested, self.edits, self.now, []
        if start is None or len(edits) != 1 or options.direction != "both":
            return
        edited, now, plain = edits[0], self.now, options.slots == "window" and options.capacity == "derive"
        if start.slots == edited.slots:
            require(now.ranges == edited.ranges, 8, f"{self.name}: Bitrix24 was edited, and written as well")
            self._check_followed_in_reservekit(start, edited, now, plain=plain)
        elif start.ranges == edited.ranges:
            require(now.slots == edited.slots, 8, f"{self.name}: ReserveKit was edited, and written as well")
            if plain:
                self._check_followed_in_bitrix24(start, edited, now)

    def _check_followed_in_reservekit(self, start: Shown, edited: Shown, now: Shown, *, plain: bool) -> None:
        gone, come = start.in_bitrix24 - edited.in_bitrix24, edited.in_bitrix24 - start.in_bitrix24
        if sum(gone.values()) == sum(come.values()) == 1 and _overlap(next(iter(gone)), next(iter(come))):
            ids = start.slots.keys() == now.slots.keys()
            require(ids, 7, f"{self.name}: {[*gone]} became {[*come]}, and time slots lost their ids")
        untouched = Counter(start.cells) & Counter(edited.cells)
        for span, size in edited.cells:
            if edited.in_bitrix24[span] > 1 or now.in_reservekit[span] != 1:
                continue
            bookings = {cap for spans, cap in now.slots.values() if span in spans}
            if (span, size) in untouched and start.in_reservekit[span] == 1:
                before = {cap for spans, cap in start.slots.values() if span in spans}
                require(bookings == before, 9, f"{self.name}: max_bookings of {span} was {before} and is {bookings}")
            elif plain and (span, size) not in untouched:
                most = {_converted(span, size)}
                require(bookings == most, 9, f"{self.name}: {span} every {size} minutes for {bookings}, not {most}")

    def _check_followed_in_bitrix24(self, start: Shown, edited: Shown, now: Shown) -> None:
        for slot_id, (spans, bookings) in edited.slots.items():
            if len(spans) != 1 or now.in_bitrix24[spans[0]] != 1:
                continue
            old = start.slots.get(slot_id)
            sizes = {size for span, size in now.cells if span == spans[0]}
            if old is None or old[1] != bookings:
                wanted = {_converted(spans[0], bookings)}
                if old is None and spans[0] in start.in_bitrix24:
                    continue
            elif len(old[0]) != 1 or start.in_bitrix24[old[0][0]] != 1:
                continue
            else:
                wanted = {size for span, size in start.cells if span == old[0][0]}
            require(sizes == wanted, 9, f"{self.name}: {spans[0]} for {bookings} has slotSize {sizes}, not {wanted}")

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
        last_run = max((began for began, ended in self.successes if ended < added), default=0)
        return any(time > last_run for time in self.removed.get(span, ()))

    def note_replaced(self, spans: Iterable[Span]) -> None:
        """What the history says was there before a change: kept whole, and so not lost."""
        self.journal.update(spans)

    def spans_of_slot(self, slot_id: int) -> set[Span]:
        return {span for known, span, _ in self.ever_in_reservekit if known == slot_id}

    def check_loser(self, side: str, options: PairSettings) -> None:
        """Only a policy overrules an edit, and never one of the side that it names (4)."""
        if not self.told_otherwise and options.direction == "both" and options.initial in ("hold", "merge"):
            fair = options.conflict not in ("hold", side)
            require(fair, 4, f"{self.name}: {side} was overruled under the policy {options.conflict}")

    def note_overruled(self, before: Mapping[str, Any] | None) -> None:
        if before is not None and "weekday" in before:
            self.overruled.add((before["weekday"], before["start"], before["end"]))


def same_items(one: Sequence[Any], two: Sequence[Any]) -> bool:
    return Counter(one) == Counter(two)


def _contains(outer: Span, inner: Span) -> bool:
    return outer[0] == inner[0] and outer[1] <= inner[1] and inner[2] <= outer[2]


def _overlap(one: Span, two: Span) -> bool:
    return one[0] == two[0] and max(one[1], two[1]) < min(one[2], two[2])


def _converted(span: Span, capacity: int) -> int:
    """C1, either way."""
    return max(1, (span[2] - span[1]) // capacity) if capacity else 1
