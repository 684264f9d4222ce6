"""A portal that takes its time: the API documentation grants it a minute for each request."""

from __future__ import annotations

import asyncio
from asyncio import Runner
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from slotbridge.sync.report import RunReport
from tests.http.clock import FakeClock
from tests.sync.rig import Network, Rig


class Hasty(asyncio.SelectorEventLoop):
    """Time passes at once while everybody waits, also on the clock that slotbridge was given."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__()
        self._skipped = 0.0
        selector: Any = self._selector  # type: ignore[attr-defined]
        look = selector.select

        def select(timeout: float | None) -> Any:
            self._skipped += timeout or 0.0
            clock.time += timeout or 0.0
            return look(0)

        selector.select = select

    def time(self) -> float:
        return super().time() + self._skipped


@pytest.fixture
def answers_after(monkeypatch: pytest.MonkeyPatch) -> Callable[[float, str], None]:
    """Lets the requests of a side, as far as they contain a text, take so many seconds before they are executed."""
    at_once = Network.handle_async_request

    def slow_down(seconds: float, part: str) -> None:
        async def slowly(network: Network, request: httpx.Request) -> httpx.Response:
            if part in f"{request.url.path} {(await request.aread()).decode()}":
                await asyncio.sleep(seconds)
            return await at_once(network, request)

        monkeypatch.setattr(Network, "handle_async_request", slowly)

    return slow_down


def run(rig: Rig) -> tuple[RunReport, float]:
    """One run, and the seconds that it took."""
    begun = rig.clock.time
    with Runner(loop_factory=lambda: Hasty(rig.clock)) as runner:
        return runner.run(rig._run(False, {})), rig.clock.time - begun


def test_a_portal_that_uses_the_minute_it_is_granted_is_waited_for(
    rig: Rig, answers_after: Callable[[float, str], None]
) -> None:
    rig.ranges(("Mon", 540, 720, 60))
    rig.sync()
    rig.world.reservations.edit_slot(rig.slot_ids()[0], end=780)
    answers_after(59, "/rest/")
    report, took = run(rig)
    assert [pair.status for pair in report.pairs] == ["changed"]
    assert took == pytest.approx(2 * 59, abs=5)
    assert rig.in_bitrix24() == [("Mon", 540, 780, 60)]


def test_W5_a_set_is_given_up_only_when_the_portal_has_given_it_up(
    rig: Rig, answers_after: Callable[[float, str], None]
) -> None:
    """The portal breaks a request off after a minute; whoever waits less long would see it executed later."""
    rig.ranges(("Mon", 540, 720, 60))
    rig.sync()
    rig.world.reservations.edit_slot(rig.slot_ids()[0], end=780)
    answers_after(3600, "slots.set")
    report, took = run(rig)
    assert [pair.status for pair in report.pairs] == ["failed"]
    assert "no complete answer within 75 seconds" in str(report.pairs[0].error)
    assert 60 + 10 < took < 90


def test_a_portal_that_hangs_is_asked_once_in_a_run(rig: Rig, answers_after: Callable[[float, str], None]) -> None:
    rig.ranges(("Mon", 540, 720, 60))
    rig.sync()
    answers_after(3600, "/rest/")
    report, took = run(rig)
    assert report.requests["bitrix24"] == 1
    assert 60 + 10 < took < 90


@pytest.mark.parametrize(("limit", "failed"), [(480.0, 0), (420.0, 5)])
def test_what_is_left_of_the_operating_time_is_used_up_to_the_portals_own_limit(
    make_rig: Callable[..., Rig], limit: float, failed: int
) -> None:
    rig = make_rig(pairs=110)
    for pair in rig.ids:
        rig.ranges(("Mon", 540, 720, 60), pair=pair)
    rig.sync()
    rig.clock.time += 1200
    rig.world.portal.behaviour = replace(rig.world.portal.behaviour, operating_limit=limit, operating_cost=4.0)
    report = rig.run()
    assert (report.count("quiet"), report.count("failed")) == (110 - failed, failed)
    assert report.requests["bitrix24"] == 3
    assert all("operating time" in str(pair.error) for pair in report.pairs if pair.error)
