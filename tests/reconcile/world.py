"""Both servers in memory, and the base between them. Every sync is followed by a second run that has to be quiet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from functools import cache
from typing import Any

from slotbridge.lenses import bitrix24 as ranges
from slotbridge.lenses import reservekit as slots
from slotbridge.lenses.items import Odd, Range, TimeSlot
from slotbridge.lenses.terms import ItemChange, Seen, Terms
from slotbridge.reconcile.earlier import waiting
from slotbridge.reconcile.model import Hold, Link, Options, Plan, Side, Snapshot
from slotbridge.reconcile.plan import plan
from slotbridge.reconcile.settle import Settled, settle
from slotbridge.week import DAY, Window, placeholder

BERLIN = "Europe/Berlin"
TERMS = Terms(BERLIN, date(2026, 11, 21))
WIDE = Options(pair="dental", max_delete_ratio=1.0, max_delete_count=1000)
"""Guards as far open as options allow; G1 is opened by `accept_deletes` alone."""

MON, TUE, WED, THU, FRI, SAT, SUN = range(7)


def minutes(text: str) -> int:
    """Minutes since midnight of `HH:MM`."""
    hours, _, rest = text.partition(":")
    return int(hours) * 60 + int(rest or 0)


def hours(text: str) -> tuple[int, int]:
    """Start and end of `9-17` or `08:30-12:15`."""
    start, end = text.split("-")
    return minutes(start), minutes(end)


def win(weekday: int, text: str) -> Window:
    """A window: `win(MON, "9-17")`."""
    return Window(weekday, *hours(text))


def rng(days: str, text: str, size: int = 30, zone: str = BERLIN) -> Range:
    """A range: `rng("Mon Tue", "9-17")`."""
    start, end = hours(text)
    return Range(start, end, zone, tuple(days.split()), size)


def slot(slot_id: int | None, weekday: int, text: str, bookings: int = 1) -> TimeSlot:
    """A time slot as the server keeps it; an end that is not later is on the next day."""
    start, end = hours(text)
    return stored(slot_id, weekday, start, end if end > start else end + DAY, bookings)


@cache
def stored(slot_id: int | None, weekday: int, start: int, end: int, bookings: int) -> TimeSlot:
    """The same from minutes, the end beyond 1440 for the next day."""
    first, last = (placeholder(weekday, minute).strftime("%Y-%m-%d %H:%M:%S") for minute in (start, end))
    return TimeSlot(slot_id, weekday, first, last, bookings)


class World:
    """One pair: a portal that replaces all its ranges, a service whose ids are never used twice, and the base."""

    def __init__(
        self,
        bitrix24: Iterable[Range | Odd] = (),
        reservekit: Iterable[TimeSlot | Odd] = (),
        *,
        options: Options = WIDE,
        terms: Terms = TERMS,
        base: Sequence[Link] | None = None,
    ) -> None:
        self.bitrix24 = tuple(bitrix24)
        self.reservekit = tuple(reservekit)
        self.options = options
        self.terms = terms
        self.base = None if base is None else tuple(base)
        self.next_id = 1000
        self.holds: tuple[Hold, ...] = ()

    @classmethod
    def synced(cls, *items: Range, options: Options = WIDE, terms: Terms = TERMS) -> World:
        """A pair whose ranges were copied to an empty service: ids 1000, 1001, … in the order of days and hours."""
        world = cls(items, options=options, terms=terms)
        world.sync()
        return world

    @property
    def snapshot(self) -> Snapshot:
        """Both sides, as a run reads them."""
        return Snapshot(self.bitrix24, self.reservekit)

    def seen(self, side: Side) -> tuple[Seen, ...]:
        """A side's windows."""
        if side == "bitrix24":
            return ranges.view(self.bitrix24, self.terms).windows
        return slots.view(self.reservekit, self.terms).windows

    @property
    def ours(self) -> Counter[Window]:
        """Bitrix24's windows."""
        return Counter(seen.window for seen in self.seen("bitrix24"))

    @property
    def theirs(self) -> Counter[Window]:
        """ReserveKit's windows."""
        return Counter(seen.window for seen in self.seen("reservekit"))

    @property
    def ids(self) -> dict[int, TimeSlot]:
        """The service's slots by id."""
        return {item.id: item for item in self.reservekit if isinstance(item, TimeSlot) and item.id is not None}

    @property
    def sizes(self) -> dict[Window, int]:
        """slotSize of each window in Bitrix24."""
        return {seen.window: seen.capacity for seen in self.seen("bitrix24")}

    @property
    def bookings(self) -> dict[Window, int]:
        """max_bookings of each window in ReserveKit."""
        return {seen.window: seen.capacity for seen in self.seen("reservekit")}

    def plan(self, **changes: Any) -> Plan:
        """What a run would do; the same however often it is asked."""
        rows, reason = waiting(self.holds)
        options = replace(self.options, waiting=rows, waiting_for=reason, **changes)
        made = plan(self.base, self.snapshot, self.terms, options)
        assert made == plan(self.base, self.snapshot, self.terms, options)
        return made

    def apply(self, made: Plan) -> None:
        """Both servers do all that the plan says."""
        self.apply_bitrix24(made)
        self.apply_reservekit(made.reservekit.changes)

    def apply_bitrix24(self, made: Plan) -> None:
        """`slots.set`: the whole list is replaced."""
        self.bitrix24 = made.bitrix24.items

    def apply_reservekit(self, changes: Iterable[ItemChange[TimeSlot | Odd]]) -> None:
        """`PATCH` for what is created and edited, then `DELETE` one by one."""
        gone = set()
        for change in changes:
            if change.after is None:
                gone.add(change.before.id if change.before else None)
            elif change.before is None:
                self.reservekit += (self._created(change.after),)
            else:
                self.reservekit = tuple(change.after if i == change.before else i for i in self.reservekit)
        self.reservekit = tuple(item for item in self.reservekit if item.id not in gone)

    def _created(self, item: TimeSlot | Odd) -> TimeSlot | Odd:
        self.next_id += 1
        return replace(item, id=self.next_id - 1)

    def settle(self, made: Plan) -> Settled:
        """What the base becomes, of what both servers have now."""
        return settle(made, self.snapshot)

    def run(self, **changes: Any) -> Plan:
        """One run: plan, write, verify, remember."""
        made = self.plan(**changes)
        self.apply(made)
        settled = self.settle(made)
        assert settled.missing == ()
        self.holds = made.holds
        if made.agreed:
            self.base = settled.links
            self.options = replace(self.options, disagreement=None)
        return made

    def sync(self, **changes: Any) -> Plan:
        """One run, and a second one that has to be quiet: no change, the same base, the same holds."""
        made = self.run(**changes)
        lasting = {name: value for name, value in changes.items() if name not in ("accept_deletes", "insisted")}
        self.assert_quiet(made, **lasting)
        return made

    def assert_quiet(self, made: Plan, **changes: Any) -> None:
        """A run now would change nothing, neither on the sides nor in the base, and hold what `made` holds."""
        again = self.plan(**changes)
        assert again.changes == ()
        assert (again.bitrix24.items, again.reservekit.items) == self.snapshot
        assert {hold.id for hold in again.holds} == {hold.id for hold in made.holds}
        if again.agreed and self.base is not None:
            assert self.settle(again).links == self.base


def held(made: Plan) -> list[str]:
    """The kinds of a plan's holds, in order."""
    return sorted(hold.kind for hold in made.holds)


def ops(made: Plan, side: Side) -> list[str]:
    """What is done to a side's items, in order."""
    return sorted(change.op for change in made.changes if change.side == side)


def idle(made: Plan) -> bool:
    """Whether a plan neither changes nor holds anything."""
    return not made.changes and not made.holds
