"""A death at every boundary of a run, before and after each request and each transaction: the end is the same."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
import structlog

from slotbridge.lenses.items import Range
from tests.simulation.case import Case
from tests.simulation.people import ZONE
from tests.simulation.play import Simulation
from tests.simulation.rig import Fate

Do = Callable[[Simulation], object]


def a(*rows: tuple[str, int, int, int], pair: int = 0) -> Do:
    """Bitrix24's whole list: days, start, end, slotSize."""
    items = [Range(start, end, ZONE, tuple(days.split()), size) for days, start, end, size in rows]
    return lambda sim: sim.world.portal.put_slots(sim.ids[pair][0], items)


def b(day: int, start: int, end: int, bookings: int = 1, pair: int = 0) -> Do:
    """A new time slot."""
    return lambda sim: sim.world.reservations.add_slot(sim.ids[pair][1], day, start, end, bookings)


def edit(number: int, pair: int = 0, **fields: int) -> Do:
    """An edit of the time slot that stands at that place."""
    return lambda sim: sim.world.reservations.edit_slot(sim.people.slots(pair)[number].id, **fields)


def delete(number: int, pair: int = 0) -> Do:
    return lambda sim: sim.world.reservations.remove_slot(sim.people.slots(pair)[number].id)


def wipe(sim: Simulation) -> None:
    sim.people.do("wipe_b", 0, 0, 0, 0)


def approve(sim: Simulation) -> None:
    """Somebody decides every hold that waits."""
    for record in sim.machine.store.holds():
        sim.machine.store.decide(record.hold.id, "approve" if record.hold.kind == "deletions" else "bitrix24")


WEEK = a(("Mon Tue", 540, 720, 30), ("Mon", 780, 1080, 30))
SPLIT = {"slots": "split"}


@dataclass(frozen=True)
class Scenario:
    """What stands there, `agreed` on by a run or not; then what people do; then the run that is killed."""

    name: str
    people: Sequence[Do]
    start: Sequence[Do] = (WEEK,)
    agreed: bool = True
    settled_first: bool = False
    pairs: Sequence[Mapping[str, Any]] = field(default_factory=lambda: [{}])
    reservekit: Mapping[str, Any] = field(default_factory=dict)


def first(name: str, *start: Do, **more: Any) -> Scenario:
    return Scenario(name, (), start, agreed=False, **more)


SHORT = a(("Mon Tue", 540, 690, 30), ("Mon", 780, 1080, 30))
MERGE, MINE, THEIRS = [{"initial": "merge"}], [{"conflict": "bitrix24"}], [{"conflict": "reservekit"}]
BOTH_EDITED = (SHORT, edit(0, end=660))

SCENARIOS = [
    first("first sync to ReserveKit", WEEK),
    first("first sync to Bitrix24", b(0, 540, 720, 6), b(1, 540, 720, 6)),
    first("first sync, both alike", a(("Mon", 540, 720, 30)), b(0, 540, 720, 6)),
    first("first sync, merged", WEEK, b(2, 540, 720), b(0, 540, 720, 4), pairs=MERGE),
    first("first sync, Bitrix24 wins", WEEK, b(0, 600, 700), b(2, 540, 720), pairs=[{"initial": "bitrix24"}]),
    first("first sync, ReserveKit wins", WEEK, b(0, 600, 700), b(2, 540, 720), pairs=[{"initial": "reservekit"}]),
    first("first sync of steps", a(("Mon", 540, 720, 60)), pairs=[SPLIT]),
    first("first sync, page by page", WEEK, reservekit={"max_page_size": 2}),
    Scenario("new in Bitrix24", [a(("Mon Tue", 540, 720, 30), ("Mon", 780, 1080, 30), ("Sun", 600, 660, 30))]),
    Scenario("new in ReserveKit", [b(6, 600, 660, 2)]),
    Scenario("hours edited in Bitrix24", [SHORT]),
    Scenario("hours edited in ReserveKit", [edit(0, end=690)]),
    Scenario("slotSize edited", [a(("Mon Tue", 540, 720, 20), ("Mon", 780, 1080, 30))]),
    Scenario("max_bookings edited", [edit(0, max_bookings=3)]),
    Scenario("deleted in Bitrix24", [a(("Mon Tue", 540, 720, 30))]),
    Scenario("deleted in ReserveKit", [delete(0)]),
    Scenario("moved to another day in Bitrix24", [a(("Mon Wed", 540, 720, 30), ("Mon", 780, 1080, 30))]),
    Scenario("moved to another day in ReserveKit", [edit(0, day=3)]),
    Scenario("edited on either side", [SHORT, edit(1, end=1020)]),
    Scenario("edited alike", [SHORT, edit(0, end=690), edit(2, end=690)]),
    Scenario("different fields", [SHORT, edit(0, max_bookings=9)]),
    Scenario("a conflict is held", BOTH_EDITED),
    Scenario("a conflict, Bitrix24 wins", BOTH_EDITED, pairs=MINE),
    Scenario("a conflict, ReserveKit wins", BOTH_EDITED, pairs=THEIRS),
    Scenario("a conflict is decided", [approve], (WEEK,), pairs=[{}], settled_first=True),
    Scenario("edited in Bitrix24, deleted in ReserveKit", [SHORT, delete(0)]),
    Scenario("deleted in Bitrix24, edited in ReserveKit", [a(("Mon Tue", 540, 720, 30)), edit(1, end=1020)]),
    Scenario("one side is emptied", [a()]),
    Scenario("the other side is emptied", [wipe]),
    Scenario("doubled in Bitrix24", [a(("Mon Tue", 540, 720, 30), ("Mon", 540, 720, 30), ("Mon", 780, 1080, 30))]),
    Scenario("doubled in ReserveKit", [b(0, 540, 720, 6)]),
    Scenario("everything at a time", [SHORT, b(4, 540, 600), edit(1, end=1000), delete(2)]),
    Scenario("one way only", [edit(0, end=600), b(5, 540, 600)], pairs=[{"direction": "to-reservekit"}]),
    Scenario("a step is added", [b(0, 720, 780)], (a(("Mon", 540, 720, 60)),), pairs=[SPLIT]),
    Scenario("fixed capacities", [SHORT, b(4, 540, 600)], pairs=[{"capacity": "fixed", "max_bookings": 2}]),
    Scenario("a server that replaces", [SHORT, delete(1)], reservekit={"patch": "replace"}),
    Scenario("two pairs", [SHORT, b(2, 540, 600, pair=1)], (WEEK, a(("Mon", 540, 600, 20), pair=1)), pairs=[{}, {}]),
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_death_at_any_boundary_changes_nothing_in_the_end(scenario: Scenario) -> None:
    whole, boundaries = ended(scenario, None)
    assert len(boundaries) >= 10

    ends = {doom: ended(scenario, doom)[0] for doom in range(len(boundaries))}

    assert {f"{doom}: {boundaries[doom]}": end for doom, end in ends.items() if end != whole} == {}


def ended(scenario: Scenario, doom: int | None) -> tuple[dict[str, Any], list[str]]:
    """What stands on both sides, and waits, once all has come to rest; and the boundaries of the run in question."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    setup = {"pairs": list(scenario.pairs), "reservekit": dict(scenario.reservekit), "bitrix24": {}, "start": []}
    simulation = Simulation(Case(0, setup, ()))
    try:
        return asyncio.run(_play(simulation, scenario, doom))
    finally:
        simulation.machine.stop()


async def _play(sim: Simulation, scenario: Scenario, doom: int | None) -> tuple[dict[str, Any], list[str]]:
    _do(sim, scenario.start)
    if scenario.agreed:
        await sim.sync(())
    if scenario.settled_first:
        _do(sim, BOTH_EDITED)
        await sim.sync(())
    _do(sim, scenario.people)
    fate = Fate(doom)
    await sim.sync((), fate)
    assert fate.dead == (doom is not None)
    await sim.tail()
    return _end(sim), fate.passed


def _do(sim: Simulation, people: Sequence[Do]) -> None:
    for act in people:
        act(sim)
    sim.observe_people()


def _end(sim: Simulation) -> dict[str, Any]:
    """Slots are compared with their ids as far as they are old; a new one may have another."""
    end: dict[str, Any] = {"holds": sorted(record.hold.id for record in sim.machine.store.holds())}
    for ledger in sim.ledgers:
        slots = Counter(str(slot) for slot in ledger.now.slots.values())
        end[ledger.name] = (Counter(ledger.now.cells), slots, ledger.overruled)
    return end
