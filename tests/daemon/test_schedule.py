"""Who runs when, and with whom."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from slotbridge.daemon.pace import SPENT
from slotbridge.errors import NotFound
from slotbridge.store import Outcome
from tests.daemon.rig import CHANGE, HOLD, Rig

MakeRig = Callable[..., Rig]
GONE = NotFound("the service does not exist", side="reservekit", item="service 2")


async def test_the_first_run_is_within_moments_of_the_start(rig: Rig) -> None:
    await rig.pass_by(4)
    assert [(run.names, run.trigger) for run in rig.engine.runs] == [(("a",), "start")]


async def test_the_interval_grows_while_nothing_changes_and_tightens_after_an_edit(rig: Rig) -> None:
    rig.engine.script["a"] = [{}, {}, {}, {"changes": (CHANGE,)}]
    await rig.pass_by(3000)
    assert rig.engine.gaps("a")[:4] == [pytest.approx(gap, rel=0.04) for gap in (375, 469, 586, 300)]


async def test_it_never_grows_beyond_interval_max(make_rig: MakeRig) -> None:
    rig = make_rig("a", a={"interval": "60s", "interval_max": "90s"})
    await rig.pass_by(3000)
    assert max(rig.engine.gaps("a")) <= 90 * 1.03 + 1


@pytest.mark.parametrize("news", [{"holds": (HOLD,)}, {"linked": True}])
async def test_a_hold_that_begins_and_a_new_link_are_changes(rig: Rig, news: dict[str, object]) -> None:
    rig.engine.script["a"] = [{}, {}, news]
    await rig.until(lambda: len(rig.engine.runs) == 3)
    assert rig.entry().interval == 300


async def test_a_hold_that_goes_on_is_quiet(rig: Rig) -> None:
    rig.engine.script["a"] = [{"holds": (HOLD,)}] * 3
    await rig.until(lambda: len(rig.engine.runs) == 3)
    assert rig.entry().quiet == 2


async def test_pairs_of_the_same_interval_run_together(make_rig: MakeRig) -> None:
    rig = make_rig(*"abcdefgh")
    await rig.pass_by(3600)
    assert {run.names for run in rig.engine.runs} == {tuple("abcdefgh")}


async def test_a_pair_that_is_nearly_due_is_taken_along(make_rig: MakeRig) -> None:
    rig = make_rig("a", "b")
    await rig.pass_by(10)
    rig.entry("b").due_at = rig.entry("a").due_at + 80
    await rig.pass_by(500)
    assert rig.engine.runs[1].names == ("a", "b")


async def test_a_pair_that_is_not_nearly_due_waits(make_rig: MakeRig) -> None:
    rig = make_rig("a", "b")
    await rig.pass_by(10)
    rig.entry("b").due_at = rig.entry("a").due_at + 120
    await rig.pass_by(400)
    assert rig.engine.runs[1].names == ("a",)


async def test_a_failing_pair_backs_off_and_runs_apart_from_the_others(make_rig: MakeRig) -> None:
    rig = make_rig("a", "b", "c")
    rig.engine.broken["b"] = GONE
    await rig.pass_by(2 * 3600, step=2)
    first, *rest = rig.engine.runs
    assert first.names == ("a", "b", "c")
    assert {run.names for run in rest} == {("a", "c"), ("b",)}
    assert rig.engine.gaps("b")[:3] == [pytest.approx(gap, rel=0.04) for gap in (300, 600, 1200)]


async def test_a_pair_that_hangs_slows_down_nobody_else(make_rig: MakeRig) -> None:
    rig = make_rig("a", "b")
    rig.engine.script["b"] = [{"error": GONE}]
    await rig.pass_by(10)
    rig.engine.gates["b"] = asyncio.Event()
    await rig.pass_by(3600)
    assert len(rig.engine.times("b")) == 2
    assert len(rig.engine.times("a")) == 6
    assert rig.entry("b").running
    assert not rig.entry("a").running
    rig.engine.gates["b"].set()
    await rig.pass_by(1)
    assert not rig.entry("b").running


async def test_turns_of_a_pair_that_still_runs_are_skipped_and_counted(rig: Rig) -> None:
    rig.engine.gates["a"] = asyncio.Event()
    await rig.pass_by(1000)
    assert len(rig.engine.runs) == 1
    assert rig.daemon.condition.counters.skipped == 3
    rig.engine.gates["a"].set()
    await rig.pass_by(400)
    assert len(rig.engine.runs) == 2


async def test_ticks_that_come_hours_late_make_one_run(rig: Rig) -> None:
    await rig.pass_by(10)
    await rig.pass_by(4 * 3600, step=4 * 3600)
    await rig.pass_by(10)
    assert len(rig.engine.runs) == 2


async def test_at_most_four_runs_go_side_by_side(make_rig: MakeRig) -> None:
    rig = make_rig(*"abcdefg")
    await rig.pass_by(10)
    rig.engine.gates = {name: asyncio.Event() for name in "abcdefg"}
    for name in "abcdefg":
        rig.entry(name).due_at = rig.clock.time
        for other in "abcdefg":
            if other != name and not rig.entry(other).running:
                rig.entry(other).due_at = rig.clock.time + 250
        await rig.pass_by(1)
    assert len(rig.engine.runs) == 1 + 4
    for gate in rig.engine.gates.values():
        gate.set()
    await rig.pass_by(1)


async def test_the_wall_clock_may_jump(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    await rig.pass_by(10)
    now = rig.clock.now
    monkeypatch.setattr(rig.clock, "now", lambda: now() - timedelta(hours=1))
    await rig.pass_by(400)
    monkeypatch.setattr(rig.clock, "now", lambda: now() + timedelta(days=2))
    await rig.pass_by(470)
    assert len(rig.engine.runs) == 3


async def test_others_can_see_when_a_pair_runs_next_and_why_then(make_rig: MakeRig) -> None:
    rig = make_rig("a", "b")
    rig.engine.broken["b"] = GONE
    assert rig.store.schedules.planned()["a"].why == "the daemon has just started"
    await rig.until(lambda: len(rig.engine.times("a")) == 2)
    planned = rig.store.schedules.planned()
    assert (planned["a"].why, planned["a"].interval) == ("quiet for 2 runs", 469)
    assert planned["b"].why.startswith("backing off after ")
    assert planned["a"].next_at - rig.clock.now() == pytest.approx(timedelta(seconds=480), abs=timedelta(seconds=14))


async def test_a_run_that_breaks_in_our_own_code_is_no_end_of_the_daemon(rig: Rig) -> None:
    rig.engine.raises = ZeroDivisionError("a mistake")
    await rig.pass_by(10)
    rig.engine.raises = None
    await rig.pass_by(310)
    assert rig.events.count("run.bug") == 1
    assert len(rig.engine.runs) == 2
    assert rig.entry().failures == 0


async def test_the_month_s_requests_stretch_the_interval(make_rig: MakeRig) -> None:
    rig = make_rig("a", "b", "c", cap=10_000)
    rig.store.usage.count("reservekit", 200, rig.clock.now(), None)  # all that was saved for going faster
    await rig.pass_by(10)
    assert rig.entry().interval == pytest.approx(557, abs=2)  # 18 days of May are left
    assert "budget: every " in rig.store.schedules.planned()["a"].why


@pytest.mark.parametrize(("names", "interval"), [("off", 186), ("bitrix24", 372)])
async def test_the_listing_of_services_counts_in_every_run_where_names_follow(
    names: str, interval: float, make_rig: MakeRig
) -> None:
    rig = make_rig("a", cap=10_000, a={"names": names, "interval": "1m", "interval_max": "1m"})
    rig.engine.cost = 2  # the slots, and the services: for their zones now and then, or for the names each time
    rig.store.usage.count("reservekit", 200, rig.clock.now(), None)  # all that was saved for going faster
    await rig.pass_by(10)
    assert rig.entry().interval == pytest.approx(interval, abs=15)


async def test_an_edit_is_followed_closely_for_as_long_as_something_was_saved(make_rig: MakeRig) -> None:
    rig = make_rig("a", cap=10_000, a={"interval": "1m", "interval_max": "1m"})
    await rig.pass_by(3600, step=10)
    assert rig.entry().interval == 60
    await rig.pass_by(6 * 3600, step=10)
    assert rig.entry().interval > 150, "the even pace of one pair in what is left of May"


async def test_past_the_reserve_polling_stops_until_the_month_turns(make_rig: MakeRig) -> None:
    rig = make_rig("a", cap=1000)
    rig.store.usage.count("reservekit", 899, rig.clock.now(), None)
    await rig.pass_by(20 * 86400, step=600)
    assert rig.clock.now().month == 6
    june = [at for at in rig.engine.times("a") if at > 17 * 86400]
    assert len(rig.engine.times("a")) - len(june) <= 2
    assert june
    assert rig.events.count("budget.reserve") == 1
    assert rig.events.count("budget.resumed") == 1


async def test_the_wait_for_the_month_is_told(make_rig: MakeRig) -> None:
    rig = make_rig("a", cap=1000)
    rig.store.usage.count("reservekit", 950, rig.clock.now(), None)
    rig.store.remember(rig.store.begin_run("test"), [Outcome("a", rig.clock.now(), "quiet", bitrix24_digest="")])
    rig.daemon = rig.started()
    await rig.pass_by(10)
    planned = rig.store.schedules.planned()["a"]
    assert planned.why == SPENT
    assert f"{planned.next_at:%Y-%m-%d}" == "2026-06-01"
    assert rig.engine.runs == []
