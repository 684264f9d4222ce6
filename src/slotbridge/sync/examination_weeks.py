"""The weeks as slotbridge reads them, for a person to compare, and what two weeks say about the number of Monday."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from slotbridge.errors import Side
from slotbridge.lenses import bitrix24 as ranges
from slotbridge.lenses import reservekit as slots
from slotbridge.lenses.items import Odd, Ranges, TimeSlot
from slotbridge.lenses.terms import Problem, Seen, Terms
from slotbridge.settings import PairSettings
from slotbridge.sync.examination import Finding, Setting, counted

DayZero = Literal["monday", "sunday"]


@dataclass(frozen=True, slots=True)
class Week:
    """A pair's time slots with the terms they are read on. `ranges` is None where Bitrix24 could not be read."""

    pair: PairSettings
    terms: Terms
    slots: tuple[TimeSlot | Odd, ...]
    ranges: Ranges | None

    @property
    def windows(self) -> list[Seen]:
        """ReserveKit's hours, Monday first."""
        return sorted(slots.view(self.slots, self.terms).windows)

    @property
    def problems(self) -> Iterator[tuple[Side, Problem]]:
        """What can be read on neither day: it is left as it is on its side."""
        yield from (("bitrix24", problem) for problem in ranges.view(self.ranges or (), self.terms).problems)
        yield from (("reservekit", problem) for problem in slots.view(self.slots, self.terms).problems)

    def alike(self, day_zero: DayZero) -> int:
        """How many windows Bitrix24 has as well, if ReserveKit's days are counted like that."""
        terms = replace(self.terms, day_zero=day_zero)
        sides = (ranges.view(self.ranges or (), terms), slots.view(self.slots, terms))
        one, two = (Counter(seen.window for seen in view.windows) for view in sides)
        return (one & two).total()


def unsupported(weeks: Sequence[Week]) -> Iterator[Finding]:
    """What is carried along untouched (V7)."""
    for week in weeks:
        for side, problem in week.problems:
            what = f"{problem.item} is left as it is, and does not travel: {problem.reason}"
            hint = "Change it there, if it is to be kept in step"
            yield Finding(f"{side}.unsupported", "warning", what, hint, pair=week.pair.name)


def first_day(weeks: Sequence[Week], day_zero: DayZero) -> Iterator[Finding]:
    """Which day is 0 (V6), if there is any hour. Nothing proves it but a look at the dashboard; Bitrix24 is a hint."""
    if not any(week.windows for week in weeks):
        return
    other: DayZero = "sunday" if day_zero == "monday" else "monday"
    as_set, otherwise = (sum(week.alike(day) for week in weeks) for day in (day_zero, other))
    setting = Setting("[reservekit]", f'day_zero = "{other}"')
    what = f"day_of_week 0 is read as {day_zero.capitalize()}"
    if otherwise > as_set:
        what += f", but as {other.capitalize()} {counted(otherwise, 'window')} would be as in Bitrix24, not {as_set}"
        hint = "Compare the week below with the ReserveKit dashboard; if all hours are on a wrong day, change day_zero"
        yield Finding("reservekit.days", "warning", what, hint, setting)
        return
    hint = "Compare the week below with the ReserveKit dashboard before the first write; if Monday is wrong, change it"
    yield Finding("reservekit.days", "ok", what, hint, setting)
