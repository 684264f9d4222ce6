"""People at work: every edit makes hours that nobody has had before, so that each can be followed to its end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from random import Random

from slotbridge.lenses.items import Range
from slotbridge.sandbox.reservations_state import DashboardSlot
from tests.simulation.people import DAY_NUMBERS
from tests.soak.business import ZONE, Business

DAYS = tuple(DAY_NUMBERS)
FEW, MANY = 3, 9


class People:
    """Whoever works in both offices."""

    def __init__(self, business: Business, random: Random) -> None:
        self._business = business
        self._random = random
        self._used: set[tuple[int, int, int]] = set()
        with business.at_work():
            for pair in range(len(business.ids)):
                for _ in range(FEW):
                    self._add_range(pair)

    def edit(self) -> str:
        """One edit somewhere; what it was."""
        random, pair = self._random, self._random.randrange(len(self._business.ids))
        acts: Sequence[tuple[int, Callable[[int], None]]] = (
            (4, self._add_range),
            (4, self._change_range),
            (3, self._drop_range),
            (1, self._save_again),
            (2, self._size),
            (4, self._add_slot),
            (5, self._change_slot),
            (3, self._drop_slot),
            (2, self._capacity),
            (2, self._disagree),
            (1, self._book),
        )
        with self._business.at_work():
            act = random.choices([act for _, act in acts], [weight for weight, _ in acts])[0]
            act(self._fitting(pair, act))
        return act.__name__.strip("_").replace("_", " ")

    def wipe(self) -> None:
        """Somebody clears a whole form: an accident, which is held."""
        pair = self._random.randrange(len(self._business.ids))
        with self._business.at_work():
            self._put(pair, ())

    def _fitting(self, pair: int, act: Callable[[int], None]) -> int:
        """A pair that is neither too full for another window nor too empty for one less."""
        counts = [len(book.now.slots) + len(book.now.cells) for book in self._business.books]
        if act in (self._add_range, self._add_slot) and counts[pair] > 2 * MANY:
            return counts.index(min(counts))
        if act in (self._drop_range, self._drop_slot) and counts[pair] < 2 * FEW:
            return counts.index(max(counts))
        return pair

    def _hours(self, day: int) -> tuple[int, int]:
        """Hours on this day that were never there before."""
        while True:
            start = 5 * self._random.randrange(60, 240)
            end = start + self._random.randrange(30, 240)
            if (day, start, end) not in self._used:
                self._used.add((day, start, end))
                return start, end

    # In Bitrix24.

    def _ranges(self, pair: int) -> tuple[Range, ...]:
        return self._business.portal.slots(self._business.ids[pair][0])

    def _put(self, pair: int, ranges: Sequence[Range]) -> None:
        self._business.portal.put_slots(self._business.ids[pair][0], ranges)

    def _add_range(self, pair: int) -> None:
        day = self._random.choice(DAYS)
        start, end = self._hours(DAY_NUMBERS[day])
        self._put(pair, (*self._ranges(pair), Range(start, end, ZONE, (day,), self._random.choice((10, 15, 20, 30)))))

    def _change_range(self, pair: int) -> None:
        if ranges := list(self._ranges(pair)):
            place = self._random.randrange(len(ranges))
            start, end = self._hours(DAY_NUMBERS[ranges[place].week_days[0]])
            ranges[place] = replace(ranges[place], start=start, end=end)
            self._put(pair, ranges)

    def _drop_range(self, pair: int) -> None:
        if ranges := list(self._ranges(pair)):
            del ranges[self._random.randrange(len(ranges))]
            self._put(pair, ranges)

    def _save_again(self, pair: int) -> None:
        self._put(pair, self._ranges(pair)[::-1])

    def _size(self, pair: int) -> None:
        if ranges := list(self._ranges(pair)):
            place = self._random.randrange(len(ranges))
            ranges[place] = replace(ranges[place], slot_size=self._random.choice((10, 15, 20, 30)))
            self._put(pair, ranges)

    # In ReserveKit.

    def _slot(self, pair: int) -> DashboardSlot | None:
        slots = self._business.reservations.slots(self._business.ids[pair][1])
        return self._random.choice(slots) if slots else None

    def _add_slot(self, pair: int) -> None:
        day = self._random.randrange(7)
        self._business.reservations.add_slot(
            self._business.ids[pair][1], day, *self._hours(day), self._random.randint(1, 9)
        )

    def _change_slot(self, pair: int) -> None:
        if slot := self._slot(pair):
            start, end = self._hours(slot.day)
            self._business.reservations.edit_slot(slot.id, start=start, end=end)

    def _drop_slot(self, pair: int) -> None:
        if slot := self._slot(pair):
            self._business.reservations.remove_slot(slot.id)

    def _capacity(self, pair: int) -> None:
        if slot := self._slot(pair):
            self._business.reservations.edit_slot(slot.id, max_bookings=self._random.randint(1, 9))

    def _book(self, pair: int) -> None:
        if slot := self._slot(pair):
            date = (self._business.clock.now() + timedelta(days=self._random.randint(1, 14))).date()
            self._business.reservations.add_booking(slot.id, date.isoformat())

    # On both sides at a time.

    def _disagree(self, pair: int) -> None:
        """The same window gets other hours on either side."""
        slot, ranges = self._slot(pair), list(self._ranges(pair))
        same = [
            place
            for place, item in enumerate(ranges)
            if slot and (DAY_NUMBERS[item.week_days[0]], item.start, item.end) == (slot.day, slot.start, slot.end)
        ]
        if slot and same and len(ranges[same[0]].week_days) == 1:
            start, end = self._hours(slot.day)
            ranges[same[0]] = replace(ranges[same[0]], start=start, end=end)
            self._put(pair, ranges)
            start, end = self._hours(slot.day)
            self._business.reservations.edit_slot(slot.id, start=start, end=end)
