"""M11: every line of the table, alone and three at a time, under every policy and direction.

Three windows at a time are all 27³ combinations in every column for the first layout. For the others they are every
choice of three lines, in one order and one column each, drawn with a fixed seed; every line is met in every place and
column.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations_with_replacement, product
from typing import NamedTuple

import pytest

from slotbridge.lenses.items import Range, TimeSlot
from slotbridge.reconcile.merge import converted
from slotbridge.reconcile.model import Link, Options, Plan
from slotbridge.reconcile.plan import plan
from slotbridge.week import DAY_NAMES, Window
from tests.reconcile.table27 import CAPACITY, COLUMNS, TABLE, After, Case, after, as_markdown
from tests.reconcile.world import BERLIN, TERMS, World, held, stored

OPEN = Options(pair="dental", max_delete_ratio=1.0, max_delete_count=1000, accept_deletes=True)
BY_COLUMN = {
    "hold": OPEN,
    "bitrix24": replace(OPEN, conflict="bitrix24"),
    "reservekit": replace(OPEN, conflict="reservekit"),
    "to-reservekit": replace(OPEN, direction="to-reservekit"),
    "to-bitrix24": replace(OPEN, direction="to-bitrix24"),
}


class Value(NamedTuple):
    """A version of a window, as both sides store it."""

    window: Window
    size: int

    @property
    def bookings(self) -> int:
        return converted(self.window, self.size)


def hours_on_days(key: int, state: str) -> Value:
    """v1 and v2 of three days. v2 is as long as v1, so that S4 does not show."""
    start = 540 if state == "1" else 600
    return Value(Window(2 * key, start, start + 180), 60)


def hours_on_one_day(key: int, state: str) -> Value:
    """v1 and v2 of three stretches of one day, which never touch."""
    start = 480 + 240 * key + (0 if state == "1" else 60)
    return Value(Window(2, start, start + 120), 60)


def capacity_on_days(key: int, state: str) -> Value:
    """v2 is v1 with another slotSize and max_bookings."""
    return Value(Window(2 * key, 540, 720), 60 if state == "1" else 30)


def capacity_on_one_day(key: int, state: str) -> Value:
    """The same on one day."""
    start = 480 + 240 * key
    return Value(Window(2, start, start + 120), 60 if state == "1" else 30)


LAYOUTS = {
    "hours, three days": (TABLE, hours_on_days),
    "hours, one day": (TABLE, hours_on_one_day),
    "capacity, three days": (CAPACITY, capacity_on_days),
    "capacity, one day": (CAPACITY, capacity_on_one_day),
}


def built(cases: Sequence[Case], layout: str) -> World:
    """A world in which each of the cases is one window; slot ids are 1, 2, 3 in the base, 11, 12, 13 outside it."""
    value = LAYOUTS[layout][1]
    ours, theirs, base = [], [], []
    for key, (link, bitrix24, reservekit, _) in enumerate(cases):
        if link != "-":
            window, size = value(key, link)
            base.append(Link(window, size, key + 1, 0, converted(window, size)))
        if bitrix24 != "-":
            (day, start, end), size = value(key, bitrix24)
            ours.append(Range(start, end, BERLIN, (DAY_NAMES[day],), size))
        if reservekit != "-":
            theirs.append(_slot(key + (11 if link == "-" else 1), value(key, reservekit)))
    return World(ours, theirs, base=base, terms=TERMS)


def _slot(slot_id: int, value: Value) -> TimeSlot:
    return stored(slot_id, *value.window, value.bookings)


def expected(cases: Sequence[Case], column: str, layout: str) -> dict[str, Counter[object]]:
    """What the table says of all cases together."""
    value = LAYOUTS[layout][1]
    ours: Counter[object] = Counter()
    theirs: Counter[object] = Counter()
    base: Counter[object] = Counter()
    for key, case in enumerate(cases):
        come_to = after(case, column)
        if come_to.bitrix24 != "-":
            window, size = value(key, come_to.bitrix24)
            ours[window, size] += 1
        if come_to.reservekit != "-":
            one = value(key, come_to.reservekit)
            theirs[one.window, one.bookings] += 1
        if come_to.base != "-":
            left, right = value(key, come_to.base[0]), value(key, come_to.base[-1])
            base[left.window, left.size, right.bookings] += 1
    return {"bitrix24": ours, "reservekit": theirs, "base": base}


def found(world: World, links: Sequence[Link]) -> dict[str, Counter[object]]:
    """What there is."""
    return {
        "bitrix24": Counter((s.window, s.capacity) for s in world.seen("bitrix24")),
        "reservekit": Counter((s.window, s.capacity) for s in world.seen("reservekit")),
        "base": Counter((link.window, link.slot_size, link.max_bookings) for link in links),
    }


def run(world: World, column: str) -> Plan:
    made = plan(world.base, world.snapshot, world.terms, BY_COLUMN[column])
    world.apply(made)
    settled = world.settle(made)
    assert settled.missing == ()
    world.base = settled.links
    return made


def test_M11_the_table_has_every_case_once() -> None:
    assert sorted(case[:3] for case in TABLE) == sorted(product("-12", repeat=3))
    assert [case[:3] for case in CAPACITY] == [case[:3] for case in TABLE]
    assert len(as_markdown()) == 29


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("column", COLUMNS)
def test_M11_every_case_alone(layout: str, column: str) -> None:
    for case in LAYOUTS[layout][0]:
        world = built([case], layout)
        come_to = after(case, column)
        world.options = BY_COLUMN[column]
        made = world.sync()
        assert found(world, world.base or ()) == expected([case], column, layout), case
        assert tuple((change.side, change.op) for change in made.changes) == come_to.writes, case
        assert held(made) == ["conflict"] * come_to.held, case


@pytest.mark.parametrize("policy", COLUMNS[:3])
@pytest.mark.parametrize("direction", COLUMNS[3:])
def test_M7_one_way_asks_no_policy(policy: str, direction: str) -> None:
    for table, layout in ((TABLE, "hours, three days"), (CAPACITY, "capacity, three days")):
        for case in table:
            world = built([case], layout)
            options = BY_COLUMN[direction]
            asked = plan(world.base, world.snapshot, TERMS, replace(options, conflict=policy))  # type: ignore[arg-type]
            assert asked == plan(world.base, world.snapshot, TERMS, options)


def combinations(layout: str, column: str | None) -> Iterator[tuple[int, tuple[Case, ...], str]]:
    """All three at a time in that column; without one, each choice of three in an order and a column that are drawn."""
    draw, table = random.Random(layout), LAYOUTS[layout][0]
    if column:
        yield from ((number, cases, column) for number, cases in enumerate(product(table, repeat=3)))
    else:
        for number, chosen in enumerate(combinations_with_replacement(table, 3)):
            yield number, tuple(draw.sample(chosen, 3)), draw.choice(COLUMNS)


EXHAUSTIVE, *SAMPLED = LAYOUTS
"""The layout that goes through every column whole, and those whose columns are drawn."""


@pytest.mark.parametrize(("layout", "column"), [(EXHAUSTIVE, c) for c in COLUMNS] + [(each, None) for each in SAMPLED])
def test_M11_three_windows_do_not_influence_each_other(layout: str, column: str | None) -> None:
    met: set[tuple[int, Case, str]] = set()
    columns = (column,) if column else COLUMNS
    for number, cases, drawn in combinations(layout, column):
        world = built(cases, layout)
        made = run(world, drawn)
        outcomes: list[After] = [after(case, drawn) for case in cases]
        assert found(world, world.base or ()) == expected(cases, drawn, layout), (cases, drawn)
        assert len(made.holds) == sum(outcome.held for outcome in outcomes), (cases, drawn)
        assert bool(made.changes) == any(outcome.writes for outcome in outcomes), (cases, drawn)
        assert ids_kept(made, cases), (cases, drawn)
        if number % 5 == 0:
            assert_quiet(world, made, drawn)
        met.update((key, case, drawn) for key, case in enumerate(cases))
    assert len(met) == 3 * 27 * len(columns)


def ids_kept(made: Plan, cases: Sequence[Case]) -> bool:
    """M5: no slot that is known on all three places is deleted."""
    known = {k + 1 for k, case in enumerate(cases) if "-" not in case[:3]}
    return not any(c.before and c.after is None and c.before.id in known for c in made.reservekit.changes)


def assert_quiet(world: World, made: Plan, column: str) -> None:
    """The cheap form of `World.assert_quiet`."""
    again = plan(world.base, world.snapshot, world.terms, BY_COLUMN[column])
    assert again.changes == ()
    assert {hold.id for hold in again.holds} == {hold.id for hold in made.holds}
    assert world.settle(again).links == world.base


def test_M11_the_table_is_the_same_seen_from_the_other_side() -> None:
    across = {"bitrix24": "reservekit", "reservekit": "bitrix24", "hold": "hold"}
    across |= {"to-reservekit": "to-bitrix24", "to-bitrix24": "to-reservekit"}
    by_states = {case[:3]: case for case in TABLE}
    for case in TABLE:
        mirrored = by_states[case.base, case.reservekit, case.bitrix24]
        for column in COLUMNS:
            here, there = after(case, column), after(mirrored, across[column])
            assert (here.bitrix24, here.reservekit, here.held) == (there.reservekit, there.bitrix24, there.held)
            assert [(across[side], op) for side, op in here.writes] == list(there.writes)
