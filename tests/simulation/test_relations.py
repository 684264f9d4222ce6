"""What must hold between two histories: a pair's faults leave the other pair alone, and neither side is favoured."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace
from random import Random
from typing import Any

import pytest
import structlog

from slotbridge.lenses.terms import Seen
from slotbridge.reconcile.merge import decide
from slotbridge.reconcile.model import Direction, Link, Options, Policy, Row, Side, Value, Verdict
from slotbridge.week import Window
from tests.simulation.case import EDITS, Case
from tests.simulation.play import Simulation
from tests.simulation.shown import Shown
from tests.simulation.watch import AimedFault

# A refused key, or a server that answers nothing for a while, is taken to concern every pair, and is left out here.
PRIVATE_FAULTS: list[dict[str, Any]] = [
    {"kind": "answer", "status": 404, "body": '{"error": {"code": "service_not_found", "message": "no such service"}}'},
    {"kind": "answer", "status": 409, "body": '{"error": {"code": "conflict", "message": "no"}}'},
    {"kind": "malformed"},
    {"kind": "html"},
    {"kind": "empty"},
]


@pytest.mark.parametrize("seed", range(60))
def test_a_fault_of_one_pair_changes_nothing_on_the_other(seed: int) -> None:
    calm, disturbed = second_pair(seed, faults=False), second_pair(seed, faults=True)

    assert disturbed == calm


def second_pair(seed: int, *, faults: bool) -> list[Shown]:
    """What the second pair shows after each run, while the first one's service answers badly or well."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    setup = {"pairs": [{"initial": "merge"}] * 2, "reservekit": {}, "bitrix24": {}, "start": []}
    simulation = Simulation(Case(seed, setup, ()))
    try:
        return asyncio.run(_second_pair(simulation, Random(seed), faults))
    finally:
        simulation.machine.stop()


async def _second_pair(sim: Simulation, random: Random, faults: bool) -> list[Shown]:
    shows = []
    for number in range(4):
        for edit in range(4):
            sim.people.tokens = number * 20 + edit * 4  # whatever the other pair's people came to
            sim.people.do(random.choice(list(EDITS)), random.randrange(2), *(random.randrange(720) for _ in range(3)))
        sim.observe_people()
        fault = random.choice(PRIVATE_FAULTS)
        if faults:
            service = sim.ids[0][1]
            matches = (f"service_id={service}", f'"service_id": {service}')
            sim.world.faults.extend(AimedFault(match, times=9, strikes=sim.strike, **fault) for match in matches)
        await sim.sync(())
        shows.append(replace(sim.ledgers[1].now, slots=dict(enumerate(sim.ledgers[1].now.slots.values()))))
    return shows


# The planner, one window at a time: swapping the sides mirrors what becomes of the hours (15). Capacities are left
# out, because C2 treats the sides differently on purpose: hours edited in Bitrix24 change max_bookings as well.

WINDOWS = (None, Window(0, 540, 720), Window(0, 540, 780))
MIRRORED: dict[Any, Any] = {
    "bitrix24": "reservekit",
    "reservekit": "bitrix24",
    "to-bitrix24": "to-reservekit",
    "to-reservekit": "to-bitrix24",
}
POLICIES: list[Policy] = ["hold", "bitrix24", "reservekit"]
DIRECTIONS: list[Direction] = ["both", "to-reservekit", "to-bitrix24"]


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("policy", POLICIES)
def test_the_planner_favours_neither_side(policy: Policy, direction: Direction) -> None:
    options = Options(conflict=policy, direction=direction)
    mirror = replace(options, conflict=MIRRORED.get(policy, policy), direction=MIRRORED.get(direction, direction))
    for base, one, two in itertools.product(WINDOWS, repeat=3):
        if one is None and two is None and base is None:
            continue
        row, turned = _row(base, one, two), _row(base, two, one)
        this, that = decide(row, options, options.source), decide(turned, mirror, mirror.source)

        assert this.state == that.state or {this.state, that.state} == {"same", "write"}
        assert bool(this.conflict) == bool(that.conflict)
        assert _hours(this, "bitrix24") == _hours(that, "reservekit")
        assert _hours(this, "reservekit") == _hours(that, "bitrix24")
        if direction == "both":
            assert [MIRRORED[lost.side] for lost in this.overruled] == [lost.side for lost in that.overruled]


def _row(base: Window | None, one: Window | None, two: Window | None) -> Row:
    link = None if base is None else Link(base, 60, 7, 0, 3)
    group = 1 if one is not None and two is not None and one != two else None
    return Row(link, one and Seen(one, 60, (0, 0, 0, 0)), two and Seen(two, 3, (7, 0)), None if link else group)


def _hours(verdict: Verdict, side: Side) -> Window | None:
    want: Value | None = verdict.want(side)
    return None if want is None else want.window
