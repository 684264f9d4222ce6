"""People at work on either side. Every edit chooses among what is there; where nothing is, it does nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from slotbridge.lenses.items import Range
from slotbridge.sandbox.reservations_state import DashboardSlot
from slotbridge.sandbox.world import World

ZONE = "Europe/Berlin"
DAYS = ("Mon", "Tue", "Sun")
DAY_NUMBERS = {"Mon": 0, "Tue": 1, "Wed": 2, "Thu": 3, "Fri": 4, "Sat": 5, "Sun": 6}
TIMES = (480, 600, 720, 840)
SIZES = (30, 60, 20, 0)
ZONES = ("Europe/Paris", "America/New_York", ZONE)


@dataclass
class People:
    """Small worlds collide, so there are few days and times; every other edit carries a minute that no other has."""

    world: World
    ids: Sequence[tuple[int, int]]
    tokens: int = 0
    past_ranges: dict[int, list[tuple[Range, ...]]] = field(default_factory=dict)
    past_slots: dict[int, list[DashboardSlot]] = field(default_factory=dict)

    def do(self, name: str, pair: int, a: int, b: int, c: int) -> None:
        """One edit."""
        number = pair % len(self.ids)
        self._remember(number)
        action: Callable[[int, int, int, int], None] = getattr(self, f"_{name}")
        action(number, a, b, c)

    def ranges(self, pair: int) -> tuple[Range, ...]:
        return self.world.portal.slots(self.ids[pair][0])

    def slots(self, pair: int) -> tuple[DashboardSlot, ...]:
        return self.world.reservations.slots(self.ids[pair][1])

    def _remember(self, pair: int) -> None:
        versions = self.past_ranges.setdefault(pair, [])
        if not versions or versions[-1] != self.ranges(pair):
            versions.append(self.ranges(pair))
        for slot in self.slots(pair):
            known = self.past_slots.setdefault(slot.id, [])
            if not known or known[-1] != slot:
                known.append(slot)

    def _token(self) -> int:
        self.tokens = self.tokens % 118 + 1
        return self.tokens

    def _end(self, start: int, b: int) -> int:
        """Some end after `start`: two in three have a minute of their own, a few are midnight."""
        if b % 11 == 10:
            return 1440
        later = [time for time in (*TIMES, 960) if time > start]
        end = later[b % len(later)] if later else min(start + 120, 1320)
        return min(end + (self._token() if b % 3 else 0), 1440)

    def _size(self, a: int) -> int:
        return SIZES[a % 4] if a % 2 else 20 + self._token()

    def _put(self, pair: int, ranges: Sequence[Range]) -> None:
        self.world.portal.put_slots(self.ids[pair][0], ranges)

    def _with_range(self, pair: int, a: int, change: Callable[[Range], Sequence[Range]]) -> None:
        ranges = self.ranges(pair)
        if ranges:
            place = a % len(ranges)
            self._put(pair, (*ranges[:place], *change(ranges[place]), *ranges[place + 1 :]))

    def _one_day(self, pair: int, a: int, c: int, change: Callable[[Range], Sequence[Range]]) -> None:
        """Changes a whole range, or every third time one of its days alone."""

        def split(item: Range) -> Sequence[Range]:
            days = item.week_days
            if len(days) < 2 or c % 3:
                return change(item)
            day = days[c % len(days)]
            rest = replace(item, week_days=tuple(d for d in days if d != day))
            return [rest, *change(replace(item, week_days=(day,)))]

        self._with_range(pair, a, split)

    def _slot(self, pair: int, a: int) -> DashboardSlot | None:
        slots = self.slots(pair)
        return slots[a % len(slots)] if slots else None

    # What people do in Bitrix24.

    def _add_a(self, pair: int, a: int, b: int, c: int) -> None:
        start = TIMES[a % 4]
        days = (DAYS[c % 3],) if c % 4 else (DAYS[c % 3], DAYS[(c + 1) % 3])
        zone = ZONES[b % 3] if b % 7 == 0 else ZONE
        new = Range(start, self._end(start, b), zone, days, self._size(a // 4))
        self._put(pair, (*self.ranges(pair), new))

    def _end_a(self, pair: int, a: int, b: int, c: int) -> None:
        self._one_day(pair, a, c, lambda item: [replace(item, end=self._end(item.start, b))])

    def _move_a(self, pair: int, a: int, b: int, c: int) -> None:
        def moved(item: Range) -> list[Range]:
            by = (60, -60, 300, 17)[b % 4]
            if item.start + by >= 0 and item.end + by <= 1440:
                item = replace(item, start=item.start + by, end=item.end + by)
            return [replace(item, week_days=(DAYS[c % 3],)) if c % 5 == 0 else item]

        self._one_day(pair, a, c, moved)

    def _size_a(self, pair: int, a: int, b: int, c: int) -> None:
        self._one_day(pair, a, c, lambda item: [replace(item, slot_size=self._size(b))])

    def _zone_a(self, pair: int, a: int, b: int, c: int) -> None:
        self._with_range(pair, a, lambda item: [replace(item, timezone=ZONES[b % 3])])

    def _delete_a(self, pair: int, a: int, b: int, c: int) -> None:
        self._one_day(pair, a, c, lambda item: [])

    def _again_a(self, pair: int, a: int, b: int, c: int) -> None:
        ranges = self.ranges(pair)
        if ranges:
            place = a % len(ranges)
            self._put(pair, (*ranges[:place], *ranges[place + 1 :], ranges[place]))

    def _revert_a(self, pair: int, a: int, b: int, c: int) -> None:
        versions = self.past_ranges[pair]
        self._put(pair, versions[a % len(versions)])

    def _resave_a(self, pair: int, a: int, b: int, c: int) -> None:
        self._put(pair, self.ranges(pair))

    def _regroup_a(self, pair: int, a: int, b: int, c: int) -> None:
        ranges = self.ranges(pair)
        if a % 2:
            self._put(pair, ranges[::-1])
        else:
            self._put(pair, [replace(item, week_days=(day,)) for item in ranges for day in item.week_days])

    def _wipe_a(self, pair: int, a: int, b: int, c: int) -> None:
        self._put(pair, [])

    def _shift_a(self, pair: int, a: int, b: int, c: int) -> None:
        fit = all(item.end + 60 <= 1440 for item in self.ranges(pair))
        if fit:
            self._put(pair, [replace(r, start=r.start + 60, end=r.end + 60) for r in self.ranges(pair)])

    def _double_a(self, pair: int, a: int, b: int, c: int) -> None:
        self._with_range(pair, a, lambda item: [item, item])

    # What people do in ReserveKit.

    def _insert(self, pair: int, day: int, start: int, end: int, bookings: int) -> None:
        self.world.reservations.add_slot(self.ids[pair][1], day, start, end, bookings)

    def _add_b(self, pair: int, a: int, b: int, c: int) -> None:
        start = TIMES[a % 4]
        self._insert(pair, DAY_NUMBERS[DAYS[c % 3]], start, self._end(start, b), self._bookings(a // 4))

    def _bookings(self, a: int) -> int:
        return 1 + a % 3 if a % 2 else 10 + self._token()

    def _end_b(self, pair: int, a: int, b: int, c: int) -> None:
        if slot := self._slot(pair, a):
            self.world.reservations.edit_slot(slot.id, end=self._end(slot.start, b))

    def _move_b(self, pair: int, a: int, b: int, c: int) -> None:
        if slot := self._slot(pair, a):
            by = (60, -60, 300, 17)[b % 4]
            if slot.start + by >= 0 and slot.end + by <= 1440:
                self.world.reservations.edit_slot(slot.id, start=slot.start + by, end=slot.end + by)
            if c % 5 == 0:
                self.world.reservations.edit_slot(slot.id, day=DAY_NUMBERS[DAYS[c % 3]])

    def _bookings_b(self, pair: int, a: int, b: int, c: int) -> None:
        if slot := self._slot(pair, a):
            self.world.reservations.edit_slot(slot.id, max_bookings=self._bookings(b))

    def _delete_b(self, pair: int, a: int, b: int, c: int) -> None:
        if slot := self._slot(pair, a):
            self.world.reservations.remove_slot(slot.id)

    def _again_b(self, pair: int, a: int, b: int, c: int) -> None:
        if slot := self._slot(pair, a):
            self.world.reservations.remove_slot(slot.id)
            self._insert(pair, slot.day, slot.start, slot.end, slot.max_bookings)

    def _revert_b(self, pair: int, a: int, b: int, c: int) -> None:
        if slot := self._slot(pair, a):
            old = self.past_slots[slot.id][b % len(self.past_slots[slot.id])]
            self.world.reservations.edit_slot(
                slot.id, day=old.day, start=old.start, end=old.end, max_bookings=old.max_bookings
            )

    def _resave_b(self, pair: int, a: int, b: int, c: int) -> None:
        if slot := self._slot(pair, a):
            self.world.reservations.edit_slot(slot.id)

    def _wipe_b(self, pair: int, a: int, b: int, c: int) -> None:
        for slot in self.slots(pair):
            self.world.reservations.remove_slot(slot.id)

    def _shift_b(self, pair: int, a: int, b: int, c: int) -> None:
        if all(slot.end + 60 <= 1440 for slot in self.slots(pair)):
            for slot in self.slots(pair):
                self.world.reservations.edit_slot(slot.id, start=slot.start + 60, end=slot.end + 60)

    def _double_b(self, pair: int, a: int, b: int, c: int) -> None:
        if slot := self._slot(pair, a):
            self._insert(pair, slot.day, slot.start, slot.end, slot.max_bookings)

    def _book(self, pair: int, a: int, b: int, c: int) -> None:
        if slot := self._slot(pair, a):
            date = (self.world.clock.now() + timedelta(days=1 + b % 7)).date().isoformat()
            self.world.reservations.add_booking(slot.id, date, status="confirmed" if c % 4 else "cancelled")

    # What two people do at a time.

    def _both_same(self, pair: int, a: int, b: int, c: int) -> None:
        self._on_both(pair, a, b, b, same=True)

    def _both_differ(self, pair: int, a: int, b: int, c: int) -> None:
        self._on_both(pair, a, b, c, same=False)

    def _on_both(self, pair: int, a: int, b: int, c: int, *, same: bool) -> None:
        slot = self._slot(pair, a)
        if slot is None:
            return
        end = self._end(slot.start, b)
        if self._edit_cell(pair, slot, lambda item: replace(item, end=end)):
            self.world.reservations.edit_slot(slot.id, end=end if same else self._end(slot.start, c))

    def _both_cross(self, pair: int, a: int, b: int, c: int) -> None:
        """Different fields of one window, or an edit here and a deletion there."""
        slot = self._slot(pair, a)
        if slot is None:
            return
        end, size = self._end(slot.start, b), self._size(b)
        edits = self.world.reservations
        if c % 4 == 0 and self._edit_cell(pair, slot, lambda item: replace(item, end=end)):
            edits.edit_slot(slot.id, max_bookings=self._bookings(a))
        elif c % 4 == 1 and self._edit_cell(pair, slot, lambda item: replace(item, slot_size=size)):
            edits.edit_slot(slot.id, end=end)
        elif c % 4 == 2 and self._edit_cell(pair, slot, lambda item: replace(item, end=end)):
            edits.remove_slot(slot.id)
        elif c % 4 == 3 and self._edit_cell(pair, slot, lambda item: None):
            edits.edit_slot(slot.id, end=end)

    def _edit_cell(self, pair: int, slot: DashboardSlot, change: Callable[[Range], Range | None]) -> bool:
        """Changes the day of the range that shows the same hours as a slot; False if there is none."""
        ranges = self.ranges(pair)
        for place, item in enumerate(ranges):
            day = next((d for d in item.week_days if DAY_NUMBERS[d] == slot.day), None)
            if day is None or item.timezone != ZONE or (item.start, item.end) != (slot.start, slot.end):
                continue
            rest = tuple(d for d in item.week_days if d != day)
            changed = change(replace(item, week_days=(day,)))
            parts = [replace(item, week_days=rest)] if rest else []
            self._put(pair, (*ranges[:place], *parts, *([changed] if changed else []), *ranges[place + 1 :]))
            return True
        return False
