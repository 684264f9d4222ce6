"""Makes a failing case small: fewer steps, fewer events, fewer pairs, plainer servers, lower numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from tests.simulation.case import Case, Step
from tests.simulation.play import play

Fails = Callable[[Case], bool]


@dataclass
class Shrinker:
    """Tries smaller cases as long as they fail in the same way, at most `budget` of them."""

    fails: Fails
    budget: int = 400

    def shrink(self, case: Case) -> Case:
        """The smallest case that was found."""
        better: Case | None = case
        while better is not None:
            case = better
            better = next((smaller for smaller in self._smaller(case) if self._still(smaller)), None)
        return case

    def _still(self, case: Case) -> bool:
        self.budget -= 1
        return self.budget >= 0 and self.fails(case)

    def _smaller(self, case: Case) -> Iterator[Case]:
        if self.budget <= 0:
            return
        yield from (replace(case, steps=steps) for steps in _without_parts(case.steps))
        for place, step in enumerate(case.steps):
            for simpler in _simpler_steps(step):
                yield replace(case, steps=(*case.steps[:place], simpler, *case.steps[place + 1 :]))
        yield from (replace(case, setup=setup) for setup in _simpler_setups(case.setup))


def _without_parts(items: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    """Halves left out, then quarters, and so on down to single items (ddmin)."""
    size = max(1, len(items) // 2)
    while size and items:
        for start in range(0, len(items), size):
            yield items[:start] + items[start + size :]
        size //= 2


def _simpler_steps(step: Step) -> Iterator[Step]:
    name, *numbers = step
    if name == "sync":
        events = tuple(numbers[0])
        yield from (("sync", list(fewer)) for fewer in _without_parts(events))
        for place, event in enumerate(events):
            for simpler in _lower(event):
                yield ("sync", [*events[:place], simpler, *events[place + 1 :]])
        return
    yield from _lower(step)


def _lower(step: Step) -> Iterator[Step]:
    for place, number in enumerate(step):
        if isinstance(number, int):
            for less in {0, number % 12, number // 2} - {number}:
                if less < number:
                    yield (*step[:place], less, *step[place + 1 :])


def _simpler_setups(setup: Any) -> Iterator[Any]:
    for name in ("reservekit", "bitrix24"):
        if setup[name]:
            yield {**setup, name: {}}
    if len(setup["pairs"]) > 1:
        yield {**setup, "pairs": setup["pairs"][:-1]}
    for place, options in enumerate(setup["pairs"]):
        for name in options:
            fewer = {key: value for key, value in options.items() if key != name}
            yield {**setup, "pairs": [*setup["pairs"][:place], fewer, *setup["pairs"][place + 1 :]]}
    yield from ({**setup, "start": list(start)} for start in _without_parts(tuple(setup["start"])))
    for place, step in enumerate(setup["start"]):
        yield from (
            {**setup, "start": [*setup["start"][:place], s, *setup["start"][place + 1 :]]} for s in _lower(step)
        )


def shrunk(case: Case, budget: int = 400) -> Case:
    """A small case that breaks the same invariant as `case` does."""
    broken = play(case).broken
    rule = broken.rule if broken else 0

    def fails(smaller: Case) -> bool:
        found = play(smaller).broken
        return found is not None and found.rule == rule

    return Shrinker(fails, budget).shrink(case)
