"""How it is, for those who ask; and what is told once when it turns, and once when it turns back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from slotbridge.errors import NotFound, StoreError
from slotbridge.store import Store
from tests.daemon.rig import CHANGE, HOLD, Rig

MakeRig = Callable[..., Rig]
GONE = NotFound("the service does not exist", side="reservekit", item="service 1")
FULL = StoreError("the database cannot grow: the disk is full", hint="Free some space")


async def test_all_is_well_after_the_first_run(rig: Rig) -> None:
    await rig.pass_by(5)
    assert rig.daemon.condition.alive() is None
    assert rig.daemon.condition.unready() == ()
    (pair,) = rig.daemon.condition.pairs()
    assert (pair.name, pair.stale, pair.holds, pair.interval) == ("a", False, 0, 375)
    assert pair.next_at is not None
    assert pair.next_at - rig.clock.now() < timedelta(seconds=390)


async def test_a_loop_without_ticks_is_not_alive(rig: Rig) -> None:
    await rig.pass_by(5)
    rig.clock.time += 16
    assert rig.daemon.condition.alive() == "no tick for 16 seconds"


async def test_a_stale_pair_is_told_once_and_so_is_its_recovery(make_rig: MakeRig) -> None:
    rig = make_rig("a", "b")
    await rig.pass_by(5)
    rig.engine.broken["a"] = GONE
    stale = await rig.until(lambda: "pair.stale" in rig.events)
    assert 3 * 375 + 300 - 10 <= stale <= 3 * 375 + 310
    assert rig.daemon.condition.unready() == ("stale: a",)
    assert [pair.stale for pair in rig.daemon.condition.pairs()] == [True, False]
    await rig.pass_by(3600, step=5)
    rig.engine.broken.clear()
    await rig.until(lambda: "pair.recovered" in rig.events)
    assert rig.events.count("pair.stale") == rig.events.count("pair.recovered") == 1
    assert rig.daemon.condition.unready() == ()
    told = next(entry for entry in rig.logged if entry["event"] == "pair.stale")
    assert "the service does not exist" in told["why"]


async def test_a_pair_that_never_succeeds_becomes_stale_as_well(rig: Rig) -> None:
    rig.engine.broken["a"] = GONE
    await rig.pass_by(1199)
    assert "pair.stale" not in rig.events
    await rig.pass_by(5)
    assert "pair.stale" in rig.events


async def test_where_the_budget_stretches_the_interval_staleness_comes_later(make_rig: MakeRig) -> None:
    rig = make_rig("a", cap=400)
    rig.store.usage.count("reservekit", 8, rig.clock.now(), None)  # all that was saved for going faster
    await rig.pass_by(10)
    interval = rig.entry().interval
    assert interval > 4000
    rig.engine.broken["a"] = GONE
    await rig.pass_by(3 * interval, step=30)
    assert "pair.stale" not in rig.events
    await rig.pass_by(interval, step=30)
    assert "pair.stale" in rig.events


async def test_after_a_long_stop_staleness_is_no_news_until_a_run_has_shown_it(rig: Rig) -> None:
    await rig.pass_by(5)
    rig.entry().success_at = rig.clock.time - 10 * 86400
    rig.entry().attempt_at = None
    rig.entry().since = rig.clock.time
    assert rig.daemon.condition.unready() == ("stale: a",)
    await rig.tick()
    assert "pair.stale" not in rig.events
    rig.engine.broken["a"] = GONE
    rig.entry().due_at = rig.clock.time
    await rig.pass_by(2)
    assert "pair.stale" in rig.events


async def test_a_pair_that_hangs_for_ever_becomes_stale(rig: Rig) -> None:
    await rig.pass_by(5)
    rig.entry().running = True
    await rig.pass_by(3600, step=5)
    assert rig.events.count("pair.stale") == 1


async def test_what_happened_is_counted(rig: Rig) -> None:
    rig.engine.script["a"] = [{"changes": (CHANGE, CHANGE)}, {"holds": (HOLD,)}, {"error": GONE}]
    await rig.until(lambda: len(rig.engine.runs) == 4, step=5)
    counters = rig.daemon.condition.counters
    assert counters.runs == {"changed": 1, "held": 1, "failed": 1, "quiet": 1}
    assert counters.changes == {("reservekit", "create"): 2}
    assert rig.daemon.condition.budget() == {"bitrix24": (0, None), "reservekit": (4, None)}


async def test_a_disk_that_is_full_is_told_once_and_tried_again_every_minute(rig: Rig) -> None:
    await rig.pass_by(5)
    rig.engine.raises = FULL
    await rig.until(lambda: "store.failed" in rig.events)
    assert rig.daemon.condition.unready() == ("cannot remember: the database cannot grow: the disk is full",)
    runs = len(rig.engine.runs)
    await rig.pass_by(300)
    assert 4 <= len(rig.engine.runs) - runs <= 5
    rig.engine.raises = None
    await rig.until(lambda: "store.recovered" in rig.events, most=62)
    assert rig.daemon.condition.unready() == ()
    assert rig.events.count("store.failed") == 1
    assert rig.entry().failures == 0


@pytest.mark.parametrize("part", ["recall", "decided", "identity", "schedules", "usage"])
async def test_a_database_that_fails_between_runs_is_no_end_of_the_daemon(
    part: str, rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    await rig.pass_by(5)

    def fails(*_: object) -> object:
        raise FULL

    with monkeypatch.context() as broken:
        if part in ("recall", "decided"):
            broken.setattr(Store, part, fails)
        elif part == "identity":
            broken.setattr(Store, "require_identity", fails)
        elif part == "usage":
            broken.setattr(type(rig.store.usage), "in_month", fails)
        else:
            broken.setattr(type(rig.store.schedules), "plan", fails)
        await rig.until(lambda: "store.failed" in rig.events)
        await rig.pass_by(300)
    await rig.until(lambda: "store.recovered" in rig.events, most=62)
    assert rig.events.count("store.failed") == rig.events.count("store.recovered") == 1


async def test_what_was_remembered_goes_on_after_a_restart(rig: Rig) -> None:
    rig.store.usage.count("reservekit", 77, rig.clock.now(), None)
    rig.daemon = rig.started()
    assert rig.daemon.condition.budget()["reservekit"] == (77, None)
