"""A side that is down is one event and one pair that asks now and then; a pair that fails is a pair that fails."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from slotbridge.daemon.sides import down_side, probe_wait
from slotbridge.errors import (
    AccessRefused,
    ApiError,
    BadAnswer,
    BudgetSpent,
    LimitReached,
    NotFound,
    NotSent,
    OutcomeUnknown,
    Side,
    SlotbridgeError,
    StoreError,
    WriteRefused,
)
from tests.daemon.rig import Rig

MakeRig = Callable[..., Rig]

HOUR = 3600.0


def silent(side: Side = "reservekit") -> OutcomeUnknown:
    return OutcomeUnknown("no complete answer within 30 seconds", side=side)


def breaks(rig: Rig, error: SlotbridgeError, names: str = "abc") -> None:
    rig.engine.broken |= dict.fromkeys(names, error)


@pytest.mark.parametrize(
    ("error", "side"),
    [
        (NotSent("x", side="bitrix24"), "bitrix24"),
        (silent(), "reservekit"),
        (LimitReached("x", side="bitrix24"), "bitrix24"),
        (BudgetSpent("x", side="reservekit"), "reservekit"),
        (AccessRefused("x", side="reservekit"), "reservekit"),
        (WriteRefused("x", side="reservekit"), None),
        (NotFound("x", side="reservekit"), None),
        (BadAnswer("x", side="reservekit"), None),
        (ApiError("x", side="reservekit"), None),
        (SlotbridgeError("x"), None),
        (None, None),
    ],
)
def test_which_errors_may_be_about_a_whole_side(error: SlotbridgeError | None, side: Side | None) -> None:
    assert down_side(error) == side


def test_a_side_is_asked_again_after_half_a_minute_and_then_ever_more_rarely() -> None:
    assert [probe_wait(silent(), probes, HOUR) for probes in (0, 1, 2, 10, 10**6)] == [30, 60, 120, 900, 900]
    refused = AccessRefused("the key is not accepted", side="reservekit")
    assert [probe_wait(refused, probes, HOUR) for probes in (0, 1, 2, 10**6)] == [900, 1800, 3600, 3600]


def test_a_side_is_asked_again_no_later_than_its_pairs_would_be_at_rest() -> None:
    assert [probe_wait(silent(), probes, 60) for probes in (0, 1, 2, 10)] == [30, 60, 60, 60]
    assert [probe_wait(silent(), probes, 20) for probes in (0, 1, 2, 10)] == [20, 20, 20, 20]
    refused = AccessRefused("the key is not accepted", side="reservekit")
    assert [probe_wait(refused, probes, 20) for probes in (0, 1)] == [900, 1800]


def test_a_side_that_says_how_long_to_wait_is_believed() -> None:
    busy = LimitReached("too fast", side="bitrix24")
    busy.retry_after = 500
    assert probe_wait(busy, 0, 20) == 500
    busy.retry_after = 1_741_000_000  # an instant, and no span of time
    assert probe_wait(busy, 0, HOUR) == 6 * 3600


async def test_while_a_side_is_down_one_pair_asks_and_the_others_wait(make_rig: MakeRig) -> None:
    rig = make_rig("a", "b", "c")
    await rig.pass_by(10)
    breaks(rig, silent())
    await rig.until(lambda: "side.down" in rig.events)
    runs = len(rig.engine.runs)
    await rig.pass_by(3600)
    probes = rig.engine.runs[runs:]
    assert {run.trigger for run in probes} == {"probe"}
    assert all(len(run.names) == 1 for run in probes)
    assert 6 <= len(probes) <= 9
    assert {run.names[0] for run in probes} == {"a", "b", "c"}
    assert rig.events.count("side.down") == 1
    assert rig.daemon.condition.down == ("reservekit",)
    assert "ReserveKit is down" in rig.daemon.condition.unready()
    assert {planned.why for planned in rig.store.schedules.planned().values()} == {"waits for ReserveKit"}


async def test_when_a_side_is_up_again_all_run_at_once(make_rig: MakeRig) -> None:
    rig = make_rig("a", "b", "c")
    await rig.pass_by(10)
    breaks(rig, silent("bitrix24"))
    await rig.until(lambda: "side.down" in rig.events)
    await rig.pass_by(1200)
    rig.engine.broken.clear()
    await rig.until(lambda: "side.up" in rig.events)
    await rig.pass_by(2)
    assert all(rig.entry(name).failures == 0 for name in "abc")
    assert rig.events.count("side.up") == 1
    assert rig.daemon.condition.down == ()
    assert "Bitrix24 is back" not in {planned.why for planned in rig.store.schedules.planned().values()}


async def test_one_pair_that_never_gets_an_answer_is_no_side_that_is_down(make_rig: MakeRig) -> None:
    rig = make_rig("a", "b", "c")
    breaks(rig, silent(), "b")
    await rig.pass_by(6 * 3600, step=5)
    assert "side.down" not in rig.events
    assert rig.entry("a").failures == 0


async def test_an_only_pair_is_probed_as_a_side(rig: Rig) -> None:
    await rig.pass_by(10)
    breaks(rig, silent())
    await rig.until(lambda: "side.down" in rig.events)
    rig.engine.broken.clear()
    assert await rig.until(lambda: "side.up" in rig.events) <= 35


async def test_an_answer_about_one_item_means_that_the_side_is_up(make_rig: MakeRig) -> None:
    rig = make_rig("a", "b")
    breaks(rig, silent(), "ab")
    await rig.pass_by(10)
    breaks(rig, NotFound("the service does not exist", side="reservekit"), "ab")
    await rig.until(lambda: "side.up" in rig.events)
    assert rig.daemon.condition.down == ()


async def test_both_sides_may_be_down(make_rig: MakeRig) -> None:
    rig = make_rig("a", "b")
    breaks(rig, silent(), "ab")
    await rig.pass_by(10)
    breaks(rig, NotSent("no connection could be made", side="bitrix24"), "ab")
    await rig.pass_by(600)
    assert set(rig.daemon.condition.down) == {"bitrix24", "reservekit"}
    assert rig.events.count("side.down") == 2
    rig.engine.broken.clear()
    await rig.until(lambda: not rig.daemon.condition.down)
    assert rig.events.count("side.up") == 2


async def test_probes_spend_no_more_of_the_month_than_runs_may(make_rig: MakeRig) -> None:
    rig = make_rig("a", "b", cap=400)
    rig.engine.cost = 4
    breaks(rig, silent(), "ab")
    await rig.pass_by(17 * 86400, step=300)
    assert rig.store.usage.in_month(rig.clock.now())["reservekit"] <= 360


async def test_a_key_that_is_refused_is_asked_about_four_times_an_hour_at_most(make_rig: MakeRig) -> None:
    rig = make_rig("a", "b")
    breaks(rig, AccessRefused("the key is not accepted", side="reservekit"), "ab")
    await rig.pass_by(3600)
    assert len(rig.engine.runs) <= 1 + 3


async def test_who_grants_access_anew_does_not_wait_for_the_next_probe(make_rig: MakeRig) -> None:
    rig = make_rig("a", "b", "c")
    await rig.pass_by(10)
    breaks(rig, AccessRefused("the tokens are void", side="bitrix24"))
    await rig.until(lambda: "side.down" in rig.events)
    await rig.pass_by(60)
    runs = len(rig.engine.runs)
    rig.engine.broken.clear()
    rig.engine.granted = True
    assert await rig.until(lambda: "side.up" in rig.events) <= 6
    await rig.pass_by(2)
    assert rig.engine.runs[runs].trigger == "probe"
    assert all(rig.entry(name).failures == 0 for name in "abc")


async def test_access_that_was_granted_and_is_refused_as_well_is_asked_about_once(make_rig: MakeRig) -> None:
    rig = make_rig("a", "b")
    breaks(rig, AccessRefused("the tokens are void", side="bitrix24"), "ab")
    await rig.until(lambda: "side.down" in rig.events)
    runs = len(rig.engine.runs)
    rig.engine.granted = True
    await rig.pass_by(600)
    assert len(rig.engine.runs) == runs + 1


async def test_whether_access_was_granted_is_looked_up_only_while_bitrix24_refuses_it(make_rig: MakeRig) -> None:
    rig = make_rig("a", "b")
    await rig.pass_by(600)
    breaks(rig, AccessRefused("the key is not accepted", side="reservekit"), "ab")
    await rig.pass_by(1200)
    assert "side.down" in rig.events
    assert rig.engine.asked_for_access == 0


async def test_tokens_that_cannot_be_read_leave_it_to_the_probe(make_rig: MakeRig) -> None:
    rig = make_rig("a", "b")
    breaks(rig, AccessRefused("the tokens are void", side="bitrix24"), "ab")
    rig.engine.access_fails = StoreError("the database is locked")
    await rig.until(lambda: "side.down" in rig.events)
    await rig.pass_by(60)
    assert rig.engine.asked_for_access >= 10
    rig.engine.broken.clear()
    assert await rig.until(lambda: "side.up" in rig.events) <= 1000


async def test_one_lost_answer_of_one_pair_is_not_the_whole_side(make_rig: MakeRig) -> None:
    rig = make_rig("a", "b", "c")
    await rig.pass_by(10)
    rig.engine.holdings["a"] = "edited"
    rig.engine.script["a"] = [{"error": OutcomeUnknown("no answer came in time", side="reservekit")}]
    rig.daemon.notice("a", "bitrix24 event")
    await rig.pass_by(10)
    assert rig.entry().failures == 1
    assert "side.down" not in rig.events


async def test_a_pair_that_is_broken_in_itself_is_no_witness_for_the_side(make_rig: MakeRig) -> None:
    rig = make_rig("a", "b", "c")
    breaks(rig, NotSent("no connection could be made", side="reservekit"), "bc")
    breaks(rig, NotFound("the resource does not exist", side="bitrix24"), "a")
    await rig.until(lambda: "side.down" in rig.events, most=120)
    assert rig.daemon.condition.down == ("reservekit",)
    await rig.pass_by(3 * 3600, step=5)
    assert len(rig.engine.runs) < 40
    rig.engine.broken.pop("b")
    rig.engine.broken.pop("c")
    await rig.until(lambda: "side.up" in rig.events, most=2000)


async def test_after_a_long_outage_no_pair_waits_longer_than_the_shortest_interval_max(make_rig: MakeRig) -> None:
    rig = make_rig("a", "b", a={"interval": "1m", "interval_max": "2m"})
    await rig.pass_by(10)
    breaks(rig, silent("bitrix24"), "ab")
    await rig.until(lambda: "side.down" in rig.events)
    await rig.pass_by(2 * 3600, step=5)
    assert rig.events.count("side.down") == 1
    rig.engine.broken.clear()
    assert await rig.until(lambda: "side.up" in rig.events) <= 120 * 1.1 + 1
