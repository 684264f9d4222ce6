"""Polling has stopped, and what is left of the month is kept for changes: Bitrix24 is looked at for them.

The engine of these tests takes one request to ReserveKit for a run of one pair.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest

from slotbridge.daemon.pace import SPENT, USED_UP, sparing_time
from slotbridge.errors import BudgetSpent, NotFound, NotSent, OutcomeUnknown, SlotbridgeError
from slotbridge.store import Outcome
from tests.daemon.rig import CHANGE, HOLD, Rig

MakeRig = Callable[..., Rig]
HOUR, DAY = 3600.0, 86400.0
CAP = 1000
GONE = NotFound("the service does not exist", side="reservekit")
SILENT = OutcomeUnknown("no answer came in time", side="reservekit")


async def saving(make_rig: MakeRig, *names: str, **how: object) -> Rig:
    """A daemon whose pairs have run once, and which then got into the reserve."""
    rig = make_rig(*names, cap=CAP, **how)
    await rig.until(lambda: bool(rig.engine.runs))
    rig.store.usage.count("reservekit", 950, rig.clock.now(), None)
    await rig.until(lambda: rig.entry(names[0]).why == SPENT, step=10)
    await rig.pass_by(2)
    rig.engine.runs.clear()
    rig.engine.looks.clear()
    return rig


def used(rig: Rig) -> int:
    return rig.store.usage.in_month(rig.clock.now())["reservekit"]


async def is_quiet(rig: Rig, runs: int) -> None:
    """Nothing more is run in three days of looks."""
    await rig.pass_by(3 * DAY, step=600)
    assert len(rig.engine.runs) == runs


async def test_an_edit_in_bitrix24_that_nobody_tells_of_travels_within_interval_max(make_rig: MakeRig) -> None:
    rig = await saving(make_rig, "a", "b", "c")
    rig.engine.holdings["b"] = "edited"
    await rig.pass_by(HOUR + 5)
    assert [(run.names, run.trigger) for run in rig.engine.runs] == [(("b",), "look")]
    await is_quiet(rig, 1)


async def test_the_shortest_interval_max_says_how_often(make_rig: MakeRig) -> None:
    rig = await saving(make_rig, "a", "b", a={"interval": "1m", "interval_max": "10m"})
    await rig.pass_by(HOUR)
    assert len(rig.engine.looks) == 6
    assert {names for _, names in rig.engine.looks} == {("a", "b")}


async def test_looks_that_find_nothing_cost_nothing_of_the_reserve(make_rig: MakeRig) -> None:
    rig = await saving(make_rig, "a", "b")
    before = used(rig)
    await is_quiet(rig, 0)
    assert len(rig.engine.looks) == 72
    assert used(rig) == before


async def test_nobody_looks_all_round_while_pairs_are_polled(make_rig: MakeRig) -> None:
    rig = make_rig("a", "b", cap=CAP)
    await rig.pass_by(DAY, step=60)
    assert rig.engine.looks == []


async def test_looks_end_when_the_month_turns(make_rig: MakeRig) -> None:
    rig = await saving(make_rig, "a")
    await rig.until(lambda: "budget.resumed" in rig.events, most=20 * DAY, step=600)
    rig.engine.looks.clear()
    await rig.pass_by(DAY, step=60)
    assert rig.engine.looks == []


async def test_a_pair_that_is_held_is_not_run_again_before_it_changes(make_rig: MakeRig) -> None:
    rig = await saving(make_rig, "a")
    rig.engine.script["a"] = [{"holds": (HOLD,)}] * 9
    rig.engine.holdings["a"] = "edited"
    await is_quiet(rig, 1)
    rig.engine.holdings["a"] = "edited again"
    await is_quiet(rig, 2)


async def test_the_echo_of_our_own_write_is_no_news_to_a_look(make_rig: MakeRig) -> None:
    rig = await saving(make_rig, "a")
    rig.engine.script["a"] = [{"changes": (replace(CHANGE, side="bitrix24"),)}]
    rig.engine.holdings["a"] = "edited"
    await is_quiet(rig, 1)


@pytest.mark.parametrize("error", [GONE, OutcomeUnknown("no answer came in time", side="reservekit", item="slot 3")])
async def test_a_pair_that_fails_is_tried_ever_more_rarely(error: SlotbridgeError, make_rig: MakeRig) -> None:
    rig = await saving(make_rig, "a", "b")
    rig.engine.broken["a"] = error
    rig.engine.holdings["a"] = "edited"
    await rig.pass_by(14 * DAY, step=600)
    gaps = [later - sooner for sooner, later in pairwise(run.at for run in rig.engine.runs)]
    assert gaps == sorted(gaps)
    assert gaps[-1] >= DAY
    assert used(rig) < 950 + 2 + 20


async def test_a_pair_that_fails_is_tried_at_once_when_it_has_changed(make_rig: MakeRig) -> None:
    rig = await saving(make_rig, "a", "b")
    rig.engine.script["a"] = [{"error": GONE}] * 4
    rig.engine.holdings["a"] = "edited"
    await rig.until(lambda: len(rig.engine.runs) == 4, most=2 * DAY, step=300)
    rig.engine.holdings["a"] = "edited again"
    await rig.pass_by(HOUR + 60, step=60)
    assert len(rig.engine.runs) == 5
    await is_quiet(rig, 5)


async def test_a_pair_that_failed_before_is_not_tried_for_nothing(make_rig: MakeRig) -> None:
    rig = await saving(make_rig, "a", "b")
    rig.entry("a").digest, rig.entry("a").failures, rig.entry("a").error = None, 3, GONE
    await is_quiet(rig, 0)


async def test_events_do_not_spend_the_reserve_on_a_pair_that_fails(make_rig: MakeRig) -> None:
    rig = await saving(make_rig, "a", "b")
    rig.engine.broken["a"] = GONE
    rig.engine.holdings["a"] = "edited"
    for _ in range(2 * 24 * 12):
        rig.daemon.notice("a", "bitrix24 event")
        await rig.pass_by(300, step=50)
    assert len(rig.engine.runs) <= 7


async def test_after_a_restart_nothing_is_run_that_was_seen_before(make_rig: MakeRig) -> None:
    rig = await saving(make_rig, "a", "b")
    rig.engine.holdings |= {"a": "held", "b": "edited"}
    known = Outcome("a", rig.clock.now(), "held", holds=(HOLD,), bitrix24_digest="held")
    other = Outcome("b", rig.clock.now(), "quiet", bitrix24_digest="before")
    rig.store.remember(rig.store.begin_run("test"), [known, other])
    rig.daemon = rig.started()
    await is_quiet(rig, 1)
    assert rig.engine.runs[0].names == ("b",)


async def test_restarts_again_and_again_do_not_spend_the_reserve_on_a_pair_that_fails(make_rig: MakeRig) -> None:
    rig = await saving(make_rig, "a", "b")
    rig.engine.broken["a"] = GONE
    rig.engine.holdings["a"] = "edited"
    run = rig.store.begin_run("test")
    rig.store.remember(run, [Outcome("a", rig.clock.now(), "quiet", bitrix24_digest="before")])
    for _ in range(3):
        rig.store.remember(run, [Outcome("a", rig.clock.now(), "failed", error="gone")])
    for _ in range(20):
        rig.daemon = rig.started()
        await rig.pass_by(60, step=10)
    assert rig.engine.times("a") == []
    await rig.pass_by(4 * HOUR, step=60)
    assert len(rig.engine.times("a")) == 1


async def test_a_pair_that_nobody_has_ever_run_is_run_once(make_rig: MakeRig) -> None:
    rig = make_rig("a", cap=CAP)
    rig.store.usage.count("reservekit", 950, rig.clock.now(), None)
    rig.engine.broken["a"] = GONE
    await is_quiet(rig, 1)


async def test_once_nothing_is_left_nobody_looks(make_rig: MakeRig) -> None:
    rig = make_rig("a", cap=CAP)
    rig.store.usage.count("reservekit", CAP, rig.clock.now(), None)
    rig.engine.holdings["a"] = "edited"
    await is_quiet(rig, 0)
    assert rig.engine.looks == []
    assert rig.store.schedules.planned()["a"].why == USED_UP


async def test_a_server_that_says_the_month_is_used_up_is_asked_by_probes_alone(make_rig: MakeRig) -> None:
    rig = await saving(make_rig, "a", "b")
    rig.engine.broken |= dict.fromkeys("ab", BudgetSpent("the month's requests are used up", side="reservekit"))
    rig.engine.holdings |= {"a": "edited", "b": "edited"}
    await rig.until(lambda: "side.down" in rig.events, most=2 * HOUR)
    rig.engine.runs.clear()
    rig.engine.looks.clear()
    rig.engine.holdings |= {"a": "edited again", "b": "edited again"}
    await rig.pass_by(3 * DAY, step=300)
    assert rig.engine.looks == []
    assert {run.trigger for run in rig.engine.runs} <= {"probe"}


async def test_a_server_that_said_the_month_is_used_up_is_probed_in_the_reserve_too(make_rig: MakeRig) -> None:
    rig = await saving(make_rig, "a", "b")
    rig.engine.broken |= dict.fromkeys("ab", BudgetSpent("the month's requests are used up", side="reservekit"))
    rig.engine.holdings["a"] = "edited"
    await rig.until(lambda: "side.down" in rig.events, most=2 * HOUR)
    await rig.pass_by(6 * HOUR, step=60)
    rig.engine.broken.clear()
    await rig.until(lambda: "side.up" in rig.events, most=1.2 * HOUR, step=60)
    await rig.pass_by(5)
    assert rig.entry("a").failures == 0
    await is_quiet(rig, len(rig.engine.runs))


async def test_an_edit_of_an_outage_travels_once_the_side_is_back(make_rig: MakeRig) -> None:
    rig = await saving(make_rig, "a")
    rig.engine.broken["a"] = SILENT
    rig.engine.holdings["a"] = "edited"
    await rig.until(lambda: "side.down" in rig.events, most=2 * HOUR)
    await rig.pass_by(2 * HOUR, step=60)
    rig.engine.broken.clear()
    await rig.until(lambda: "side.up" in rig.events, most=4 * HOUR, step=60)
    runs = len(rig.engine.runs)
    assert runs <= 4
    await is_quiet(rig, runs)


async def test_when_a_side_is_back_what_failed_for_it_is_tried_at_once(make_rig: MakeRig) -> None:
    rig = await saving(make_rig, "a", "b")
    rig.engine.broken |= dict.fromkeys("ab", SILENT)
    rig.engine.holdings["a"] = "edited"
    await rig.until(lambda: "side.down" in rig.events, most=DAY, step=60)
    rig.engine.holdings["b"] = "edited"
    await rig.until(lambda: rig.entry("b").failures > 0, most=2 * HOUR, step=60)
    rig.engine.broken.clear()
    rig.engine.holdings["b"] = "edited again"
    await rig.until(lambda: "side.up" in rig.events, most=2 * HOUR, step=60)
    await rig.pass_by(5)
    assert {rig.entry(name).failures for name in "ab"} == {0}


async def test_S11_a_decision_is_applied_although_a_side_was_down_when_the_reserve_began(make_rig: MakeRig) -> None:
    rig = await saving(make_rig, "a")
    rig.store.remember(rig.store.begin_run("test"), [Outcome("a", rig.clock.now(), "held", holds=(HOLD,))])
    rig.engine.script["a"] = [{"error": SILENT}]
    rig.engine.holdings["a"] = "edited"
    await rig.until(lambda: "side.down" in rig.events, most=2 * HOUR)
    rig.engine.runs.clear()
    assert rig.store.decide(HOLD.id, "approve") is not None
    await rig.pass_by(10)
    assert [run.trigger for run in rig.engine.runs] == ["decision"]


async def test_a_look_that_fails_is_taken_again_in_a_quarter_of_an_hour(make_rig: MakeRig) -> None:
    rig = await saving(make_rig, "a")
    rig.engine.cannot_look = NotSent("no connection could be made", side="bitrix24")
    rig.engine.holdings["a"] = "edited"
    await rig.pass_by(2 * HOUR, step=5)
    assert 4 <= rig.events.count("look.failed") <= 8
    rig.engine.cannot_look = None
    await rig.pass_by(905, step=5)
    assert [run.trigger for run in rig.engine.runs] == ["look"]


async def test_looks_of_our_own_do_not_delay_what_the_portal_tells(make_rig: MakeRig) -> None:
    rig = await saving(make_rig, "a", a={"interval": "10s", "interval_max": "10s"})
    await rig.pass_by(300)
    rig.engine.holdings["a"] = "edited"
    rig.daemon.notice("a", "bitrix24 event")
    await rig.pass_by(4)
    assert len(rig.engine.runs) == 1


def test_what_fails_is_spared_for_a_day_at_most_but_no_shorter_than_a_look_takes() -> None:
    assert [sparing_time(HOUR, failures) for failures in (1, 2, 3, 10**6)] == [HOUR, 2 * HOUR, 4 * HOUR, DAY]
    assert sparing_time(2 * DAY, 1) == 2 * DAY
