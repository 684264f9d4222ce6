"""No request is forgotten, none is sent beyond the month's number, and a side that says "spent" is left alone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from slotbridge.errors import BudgetSpent
from slotbridge.http.limiter import Limiter
from slotbridge.http.transport import Transport
from slotbridge.sandbox.traffic import Fault
from slotbridge.store import Store
from slotbridge.sync.metering import StoreMeter, digest_of
from tests.http.clock import FakeClock
from tests.store.samples import StillClock
from tests.sync.rig import Rig

HOUR = 3600.0


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def store(tmp_path: Path, clock: StillClock) -> Iterator[Store]:
    store = Store.open(f"sqlite:///{tmp_path / 'slotbridge.db'}", clock=clock)
    yield store
    store.close()


def meter(store: Store, clock: StillClock, cap: int | None = None, key: str = "one") -> StoreMeter:
    """What a new process counts with."""
    return StoreMeter("reservekit", store.usage, Limiter(2, 10, clock), clock, key=key, cap=cap)


def used(store: Store, clock: StillClock) -> int:
    return store.usage.in_month(clock.now())["reservekit"]


def test_a_request_counts_when_it_leaves_and_not_if_it_never_left(store: Store, clock: StillClock) -> None:
    counting = meter(store, clock)
    counting.sent()
    counting.sent()
    counting.unsent()
    assert used(store, clock) == 1


def test_at_the_cap_no_more_is_admitted_until_the_month_turns(store: Store, clock: StillClock) -> None:
    store.usage.count("reservekit", 99, clock.now(), None)
    counting = meter(store, clock, cap=100)
    counting.admit()
    counting.sent()
    with pytest.raises(BudgetSpent, match="more than the 100 times") as caught:
        counting.admit()
    assert caught.value.side == "reservekit"
    assert "requests_per_month" in str(caught.value)
    clock.time = datetime(2026, 6, 1, tzinfo=UTC)
    counting.admit()


def test_a_new_process_goes_on_counting(store: Store, clock: StillClock) -> None:
    meter(store, clock, cap=2).sent()
    second = meter(store, clock, cap=2)
    second.sent()
    with pytest.raises(BudgetSpent):
        meter(store, clock, cap=2).admit()


def test_without_a_cap_the_server_decides(store: Store, clock: StillClock) -> None:
    store.usage.count("reservekit", 10**6, clock.now(), None)
    meter(store, clock).admit()


def test_a_side_that_says_spent_is_asked_once_in_six_hours(store: Store, clock: StillClock) -> None:
    counting = meter(store, clock)
    counting.spent()
    admitted = 0
    for _ in range(24):
        clock.pass_by(HOUR)
        try:
            counting.admit()
        except BudgetSpent as error:
            assert "used up" in str(error)
        else:
            admitted += 1
    assert admitted == 4


def test_spent_is_remembered_by_the_next_process_but_not_for_another_key(store: Store, clock: StillClock) -> None:
    meter(store, clock).spent()
    with pytest.raises(BudgetSpent):
        meter(store, clock).admit()
    meter(store, clock, key="two").admit()


def test_spent_ends_with_an_answer_and_with_the_month(store: Store, clock: StillClock) -> None:
    counting = meter(store, clock)
    counting.spent()
    counting.passed()
    counting.admit()
    counting.spent()
    clock.time = datetime(2026, 6, 1, 0, 0, 1, tzinfo=UTC)
    counting.admit()
    meter(store, clock).admit()


async def test_the_cap_holds_while_many_wait_for_their_turn(store: Store) -> None:
    clock = FakeClock()
    limiter = Limiter(2, 1, clock)
    counting = StoreMeter("reservekit", store.usage, limiter, clock, key="one", cap=3)
    arrived: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        arrived.append(request)
        return httpx.Response(200)

    transport = Transport("reservekit", limiter, clock, handler=httpx.MockTransport(answer), meter=counting)
    sends = (transport.send("GET", "http://127.0.0.1:1/", item=f"service {number}") for number in range(9))
    ends = await asyncio.gather(*sends, return_exceptions=True)
    await transport.aclose()
    assert len(arrived) == 3
    assert sum(isinstance(end, BudgetSpent) for end in ends) == 6


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(steps=st.lists(st.sampled_from(["request", "lost", "restart", "hour"]), max_size=40), cap=st.integers(1, 12))
def test_the_cap_holds_whatever_happens(steps: list[str], cap: int, tmp_path: Path) -> None:
    clock = StillClock()
    store = Store.open(f"sqlite:///{tmp_path / 'one.db'}", clock=clock)
    before = used(store, clock)
    counting, left = meter(store, clock, cap=before + cap), 0
    for step in steps:
        if step == "restart":
            counting = meter(store, clock, cap=before + cap)
        elif step == "hour":
            clock.pass_by(HOUR)
        else:
            try:
                counting.admit()
            except BudgetSpent:
                continue
            counting.sent()
            if step == "lost":
                counting.unsent()
            else:
                left += 1
    assert left <= cap
    assert used(store, clock) == before + left
    store.close()


def test_a_digest_tells_keys_apart_and_nothing_of_them() -> None:
    assert digest_of("sk_rsv_a", 1) != digest_of("sk_rsv_b", 1)
    assert "sk_rsv" not in digest_of("sk_rsv_a", 1)


def test_a_side_that_is_used_up_is_not_asked_by_those_who_may_not_write_either(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.world.reservations.behaviour = replace(rig.world.reservations.behaviour, requests_per_month=1)
    rig.run()
    sent = rig.requests("reservekit")
    for _ in range(3):
        report = rig.run(dry_run=True)
        assert report.pairs[0].status == "failed"
        assert "used up" in str(report.pairs[0].error)
    assert rig.requests("reservekit") == sent
    rig.clock.time += 6 * 3600
    rig.run(dry_run=True)
    assert rig.requests("reservekit") == sent + 1


@pytest.mark.parametrize("left", range(7))
def test_no_write_is_begun_whose_verification_the_month_has_no_room_for(tmp_path: Path, left: int) -> None:
    """A changed pair takes a reading, the PATCH, and up to two readings that verify it (W3)."""
    rig = Rig(tmp_path)
    rig.unattended = True
    rig.reservekit["requests_per_month"] = 1000
    rig.ranges(("Mon", 540, 720, 60))
    rig.run()
    rig.ranges(("Mon", 540, 780, 60))
    store = Store.open(f"sqlite:///{rig.database}", clock=rig.clock)
    store.usage.count("reservekit", 1000 - left - rig.requests("reservekit"), rig.clock.now(), None)
    store.close()
    writes = rig.writes()
    report = rig.run()
    assert rig.writes() - writes == (left >= 4)
    assert (report.pairs[0].error is None) is (left >= 4)


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_side_that_asked_to_be_left_alone_is_not_asked_by_the_next_process(tmp_path: Path, dry_run: bool) -> None:
    rig = Rig(tmp_path)
    rig.world.faults.append(Fault("GET /v1/services", "answer", times=1, status=429, body=""))
    assert "left alone for an hour" in str(rig.run().pairs[0].error)
    rig.clock.time += 2
    sent = rig.requests("reservekit")
    assert "another 60 minutes; nothing was sent" in str(rig.run(dry_run=dry_run).pairs[0].error)
    assert rig.requests("reservekit") == sent
    rig.clock.time += HOUR
    assert rig.sync().status == "quiet"


def test_a_clock_that_is_set_back_makes_nobody_wait_for_longer_than_was_asked(store: Store, clock: StillClock) -> None:
    meter(store, clock).left_alone(HOUR)
    clock.pass_by(600)
    assert meter(store, clock).absence == HOUR - 600
    assert meter(store, clock, key="two").absence == 0
    clock.pass_by(-1200)
    assert meter(store, clock).absence == 0
    clock.pass_by(600 + HOUR)
    assert meter(store, clock).absence == 0
