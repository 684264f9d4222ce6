"""What people put on either side of a pair, and what has become of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from slotbridge.lenses.items import Range
from tests.simulation.people import DAY_NUMBERS
from tests.simulation.shown import Shown, Span

FOG = 12.0
"""Seconds after a stale answer or a late write in which slotbridge cannot tell an edit from what it was misled by."""

MISHAP = 15.0
"""Seconds after a write in which a fault or a kill may keep slotbridge from putting back what it wrote over."""

Row = tuple[tuple[Span, ...], int]


@dataclass
class Book:
    """The book of one pair. `time` counts edits; instants are those of a monotonic clock.

    *Excused* are hours that may be gone although nobody removed them: slotbridge wrote over them without having been
    able to see them, was shown the past as if it were the present, or was told by a person which side is right.
    """

    name: str
    now: Shown
    time: int = 0
    added: dict[Span, int] = field(default_factory=dict)
    removed: dict[Span, int] = field(default_factory=dict)
    excused: set[Span] = field(default_factory=set)
    seen_ranges: tuple[Range, ...] | None = None
    seen_slots: dict[int, Row] = field(default_factory=dict)
    foggy_until: float = float("-inf")
    at_risk: dict[Span, float] = field(default_factory=dict)

    def people_did(self, now: Shown, at: float) -> bool:
        """Books the difference to what was there before as somebody's edit; whether there is one."""
        self.time += 1
        before, self.now = self.now, now
        for old, new in ((before.in_bitrix24, now.in_bitrix24), (before.in_reservekit, now.in_reservekit)):
            for span in new - old:
                self.added[span] = self.time
                if at < self.foggy_until:
                    self.excused.add(span)
            for span in old - new:
                self.removed[span] = self.time
        return before != now

    def veil(self, at: float) -> None:
        """From here on slotbridge may take the past for the present."""
        self.foggy_until = at + FOG
        self.excuse([*self.now.in_bitrix24, *self.now.in_reservekit])

    def excuse(self, spans: Iterable[Span]) -> None:
        """These may go."""
        self.excused.update(spans)

    def before_set(self, at: float) -> None:
        """All ranges are about to be replaced. What slotbridge has not seen of them comes back with the answer, and
        it puts that back; unless the answer or the process is lost."""
        seen = {(item.start, item.end, item.week_days) for item in self.seen_ranges or ()}
        unseen = [item for item in self.now.ranges if (item.start, item.end, item.week_days) not in seen]
        days = {(DAY_NUMBERS[day], item.start, item.end) for item in unseen for day in item.week_days}
        self.at_risk |= dict.fromkeys(days, at)

    def mishap(self, at: float) -> None:
        """A request or the process has failed: what was written over a moment ago may not come back."""
        self.excuse(span for span, begun in self.at_risk.items() if at - begun < MISHAP)

    def look(self, now: Shown) -> None:
        """Slotbridge may have done something."""
        self.now = now
        self.at_risk = {span: at for span, at in self.at_risk.items() if span not in now.in_bitrix24}

    def before_write(self, slot_id: int) -> None:
        """A time slot is about to be changed or deleted: ReserveKit has no conditional write."""
        row = self.now.slots.get(slot_id)
        if row is not None and self.seen_slots.get(slot_id) != row:
            self.excuse(row[0])

    @property
    def in_step(self) -> bool:
        """Whether both sides show the same hours."""
        return self.now.in_bitrix24 == self.now.in_reservekit

    @property
    def ever(self) -> set[Span]:
        """All hours that people ever put."""
        return self.added.keys() | self.removed.keys()

    def doubled(self) -> set[Span]:
        """Hours that stand twice on one side; people never do that here."""
        sides = (self.now.in_bitrix24, self.now.in_reservekit)
        return {span for side in sides for span, count in side.items() if count > 1}

    def invented(self) -> set[Span]:
        """Hours that nobody ever put."""
        return (self.now.in_bitrix24.keys() | self.now.in_reservekit.keys()) - self.ever

    def lost(self, *, settled: bool) -> Iterator[Span]:
        """Hours that somebody put and nobody removed, and that are gone; with a hold they may stand on one side."""
        for span, added in self.added.items():
            there = (span in self.now.in_bitrix24) + (span in self.now.in_reservekit)
            kept = there == 2 or (there == 1 and not settled)
            if not kept and span not in self.excused and self.removed.get(span, -1) < added:
                yield span
