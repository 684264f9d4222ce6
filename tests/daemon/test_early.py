"""What others say moves timing alone: lost, doubled, forged, or the echo of our own write."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from slotbridge.daemon.early import look_gap, source_of
from slotbridge.errors import NotFound, NotSent, StoreError
from slotbridge.store import Outcome
from tests.daemon.rig import CHANGE, HOLD, Rig

MakeRig = Callable[..., Rig]
EVENT = "bitrix24 event"


async def started(make_rig: MakeRig, *names: str, **how: object) -> Rig:
    """A daemon whose first run is over and forgotten."""
    rig = make_rig(*names, **how)
    await rig.until(lambda: bool(rig.engine.runs))
    await rig.pass_by(1)
    rig.engine.runs.clear()
    return rig


async def test_an_edit_that_is_told_runs_within_seconds(make_rig: MakeRig) -> None:
    rig = await started(make_rig, "a", "b")
    rig.engine.holdings["b"] = "edited"
    rig.daemon.notice("b", EVENT)
    await rig.pass_by(4)
    assert [(run.names, run.trigger) for run in rig.engine.runs] == [(("b",), "event")]
    assert rig.daemon.condition.counters.notices["bitrix24", "run"] == 1


async def test_several_events_are_one_look_and_one_run(make_rig: MakeRig) -> None:
    rig = await started(make_rig, "a", "b", "c")
    rig.engine.holdings |= {"a": "edited", "b": "edited"}
    for name in "ababab":
        rig.daemon.notice(name, EVENT)
    await rig.pass_by(10)
    assert len(rig.engine.looks) == 1
    assert [run.names for run in rig.engine.runs] == [("a", "b")]


async def test_the_echo_of_our_own_write_causes_no_run(make_rig: MakeRig) -> None:
    rig = await started(make_rig, "a")
    rig.daemon.notice("a", EVENT)
    await rig.pass_by(60)
    assert rig.engine.runs == []
    assert len(rig.engine.looks) == 1
    assert rig.daemon.condition.counters.notices["bitrix24", "no news"] == 1


async def test_an_event_during_a_run_is_looked_at_after_it(make_rig: MakeRig) -> None:
    rig = await started(make_rig, "a")
    rig.engine.gates["a"] = asyncio.Event()
    rig.entry().due_at = rig.clock.time
    await rig.pass_by(1)
    rig.daemon.notice("a", EVENT)
    await rig.pass_by(30)
    assert rig.engine.looks == []
    rig.engine.gates["a"].set()
    await rig.pass_by(5)
    assert len(rig.engine.looks) == 1
    assert len(rig.engine.runs) == 1


async def test_a_flood_of_forged_events_is_looked_at_ever_more_rarely(make_rig: MakeRig) -> None:
    rig = await started(make_rig, "a")
    for _ in range(600):
        rig.daemon.notice("a", EVENT)
        await rig.pass_by(1)
    assert len(rig.engine.looks) <= 20
    assert [run.trigger for run in rig.engine.runs] == ["schedule"]


async def test_after_a_flood_a_real_edit_is_still_noticed(make_rig: MakeRig) -> None:
    rig = await started(make_rig, "a")
    for _ in range(100):
        rig.daemon.notice("a", EVENT)
        await rig.pass_by(1)
    rig.engine.holdings["a"] = "edited"
    rig.daemon.notice("a", EVENT)
    await rig.pass_by(61)
    assert "event" in [run.trigger for run in rig.engine.runs]
    rig.engine.holdings["a"] = "again"
    rig.daemon.notice("a", EVENT)
    await rig.pass_by(4)
    assert rig.engine.runs[-1].trigger == "event"


async def test_a_look_that_fails_is_taken_again(make_rig: MakeRig) -> None:
    rig = await started(make_rig, "a")
    rig.engine.holdings["a"] = "edited"
    rig.engine.cannot_look = NotSent("no connection could be made", side="bitrix24")
    rig.daemon.notice("a", EVENT)
    await rig.pass_by(25)
    assert rig.engine.runs == []
    assert rig.events.count("look.failed") == 1
    rig.engine.cannot_look = None
    await rig.pass_by(20)
    assert [run.trigger for run in rig.engine.runs] == ["event"]


async def test_a_database_that_fails_at_a_look_is_told_and_the_notice_is_kept(make_rig: MakeRig) -> None:
    rig = await started(make_rig, "a")
    rig.engine.holdings["a"] = "edited"
    rig.engine.cannot_look = StoreError("the disk is full")
    rig.daemon.notice("a", EVENT)
    await rig.pass_by(10)
    assert rig.daemon.condition.memory_lost == "the disk is full"
    rig.engine.cannot_look = None
    await rig.pass_by(70)
    assert [run.trigger for run in rig.engine.runs] == ["event"]


async def test_events_do_not_hasten_a_pair_that_fails(make_rig: MakeRig) -> None:
    rig = make_rig("a", "b")
    rig.engine.broken["a"] = NotFound("the service does not exist", side="reservekit")
    await rig.pass_by(10)
    for _ in range(20):
        rig.daemon.notice("a", EVENT)
        await rig.pass_by(10)
    assert len(rig.engine.times("a")) == 1


async def test_what_a_person_asks_for_runs_without_a_look(make_rig: MakeRig) -> None:
    rig = await started(make_rig, "a", "b")
    rig.daemon.notice("a", "asked for on the status page")
    rig.daemon.notice("a", EVENT)
    await rig.pass_by(4)
    assert [(run.names, run.trigger) for run in rig.engine.runs] == [(("a",), "decision")]
    assert rig.engine.looks == []


async def test_a_run_for_what_was_decided_and_what_was_told_is_called_both(make_rig: MakeRig) -> None:
    rig = await started(make_rig, "a", "b")
    rig.engine.holdings["b"] = "edited"
    rig.daemon.notice("a", "a person's decision")
    rig.daemon.notice("b", EVENT)
    await rig.pass_by(4)
    assert [(run.names, run.trigger) for run in rig.engine.runs] == [(("a", "b"), "decision and event")]


async def test_past_the_reserve_an_edit_that_is_told_still_travels(make_rig: MakeRig) -> None:
    rig = await started(make_rig, "a", cap=1000)
    rig.store.usage.count("reservekit", 950, rig.clock.now(), None)
    rig.engine.holdings["a"] = "edited"
    rig.daemon.notice("a", EVENT)
    await rig.pass_by(4)
    assert [run.trigger for run in rig.engine.runs] == ["event"]


async def test_a_booking_hastens_a_pair_that_holds_something_to_its_shortest_interval(make_rig: MakeRig) -> None:
    rig = await started(make_rig, "a", "b")
    rig.engine.script["a"] = [{"holds": (HOLD,)}] * 9
    await rig.until(lambda: rig.entry("a").quiet == 3)
    rig.engine.runs.clear()
    for _ in range(100):
        rig.daemon.notice("a", "reservekit booking")
        rig.daemon.notice("b", "reservekit booking")
        await rig.pass_by(3)
    assert rig.engine.times("b") == []
    assert len(rig.engine.times("a")) == 1
    assert rig.engine.looks == []
    assert rig.daemon.condition.counters.notices["reservekit", "brought forward"] == 1


async def test_bookings_that_anybody_may_tell_do_not_slow_down_what_the_portal_tells(make_rig: MakeRig) -> None:
    rig = await started(make_rig, "a")
    for _ in range(60):
        rig.daemon.notice("a", "reservekit event")
        await rig.pass_by(1)
    rig.engine.holdings["a"] = "edited"
    rig.daemon.notice("a", EVENT)
    await rig.pass_by(4)
    assert [run.trigger for run in rig.engine.runs] == ["event"]


async def test_a_name_that_is_no_pair_is_counted_and_nothing_else(make_rig: MakeRig) -> None:
    rig = await started(make_rig, "a")
    rig.daemon.notice("x", EVENT)
    await rig.pass_by(10)
    assert rig.daemon.condition.counters.notices["bitrix24", "unknown"] == 1
    assert rig.engine.looks == []


@pytest.mark.parametrize(
    ("why", "source"),
    [("bitrix24 event", "bitrix24"), ("reservekit event", "reservekit"), ("sync now", "person"), ("", "person")],
)
def test_whose_word_it_is(why: str, source: str) -> None:
    assert source_of(why) == source


def test_the_third_useless_look_makes_it_careful() -> None:
    assert [look_gap(useless) for useless in (0, 2, 3, 5, 6, 1000)] == [2, 2, 10, 10, 60, 60]


async def test_S11_what_a_person_decides_is_applied_within_seconds(make_rig: MakeRig) -> None:
    rig = await started(make_rig, "a", "b")
    run = rig.store.begin_run("test")
    rig.store.remember(run, [Outcome("a", rig.clock.now(), "held", holds=(HOLD,))])
    await rig.pass_by(10)
    assert rig.engine.runs == []

    assert rig.store.decide(HOLD.id, "approve") is not None
    await rig.pass_by(10)
    assert [run.names for run in rig.engine.runs] == [("a",)]

    await rig.pass_by(30)
    assert len(rig.engine.runs) == 1, "one decision is one run, whatever comes of it"


async def test_echoes_of_our_own_writes_do_not_delay_what_somebody_else_tells(make_rig: MakeRig) -> None:
    rig = await started(make_rig, "a", "b")
    for _ in range(8):
        rig.engine.script["a"] = [{"changes": (replace(CHANGE, side="bitrix24"),)}]
        rig.entry().due_at = rig.clock.time
        await rig.pass_by(5)
        rig.daemon.notice("a", EVENT)
        await rig.pass_by(50)
    rig.engine.runs.clear()
    rig.engine.holdings["b"] = "edited"
    rig.daemon.notice("b", EVENT)
    await rig.until(lambda: any("b" in run.names for run in rig.engine.runs), most=6)
