"""Our own part of the benchmark beside the peers, in process and by a clock that nobody waits for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bench.ours import PLAN, Ours
from bench.peers import RESERVE, SIZES, Case, Result, aims, quickest_run, table
from bench.portal import RATE, SIZE, CountingWorld, end_of, forced_seconds, least_requests
from slotbridge.sandbox.world import WEBHOOK_PATH
from tests.http.clock import FakeClock
from tests.sync.rig import HOST, Network

WEBHOOK = HOST + WEBHOOK_PATH
IDS = (False, True)
AIMED_AT = {
    (1, False): 2,
    (50, False): 2,
    (51, False): 3,
    (200, False): 5,
    (1000, False): 22,
    (1, True): 1,
    (50, True): 1,
    (51, True): 2,
    (200, True): 4,
    (1000, True): 20,
}


class Reading:
    """One process of ours that reads from a portal, and what it took. `level` is how full the bucket is before."""

    def __init__(self, resources: int, *, known: bool, memory: Path | None = None, level: float = 0.0) -> None:
        self.clock = FakeClock()
        self.world = CountingWorld(resources, self.clock)
        self.network = Network(self.world)
        self.ids = range(1, resources + 1) if known else None
        self.memory = memory
        self.level = level

    async def run(self) -> None:
        self.world.portal.bucket.level = self.level
        if self.memory is not None:
            earlier = self.process()
            await earlier.fill()
            await earlier.aclose()
        self.room = SIZE - self.world.portal.bucket.level
        self.world.seen.clear()
        start = self.clock.time
        process = self.process()
        self.found = await process.read(self.ids)
        await process.aclose()
        self.seconds = self.clock.time - start

    def process(self) -> Ours:
        return Ours(WEBHOOK, self.memory, clock=self.clock, network=self.network)

    @property
    def requests(self) -> int:
        return len(self.world.seen)

    @property
    def complete(self) -> bool:
        return self.found == {number: [720, end_of(number)] for number in self.world.portal.resources}


@pytest.mark.parametrize(("resources", "known"), AIMED_AT)
async def test_every_size_is_read_whole_by_so_few_requests_and_at_once(resources: int, known: bool) -> None:
    reading = Reading(resources, known=known)
    await reading.run()
    assert reading.complete
    assert reading.requests == AIMED_AT[resources, known]
    assert reading.requests <= least_requests(resources, known=known) + 1
    assert reading.seconds == 0
    assert reading.world.refused == 0


@pytest.mark.parametrize("known", IDS)
@pytest.mark.parametrize("resources", SIZES)
async def test_a_bucket_that_an_earlier_process_filled_costs_what_it_forces_and_our_reserve(
    resources: int, known: bool, tmp_path: Path
) -> None:
    reading = Reading(resources, known=known, memory=tmp_path / "bench.db")
    await reading.run()
    assert reading.complete
    assert reading.world.refused == 0
    assert reading.room == RESERVE
    assert reading.requests == AIMED_AT[resources, known]
    assert reading.seconds == pytest.approx(forced_seconds(reading.requests, reading.room - RESERVE))


@pytest.mark.parametrize("known", IDS)
@pytest.mark.parametrize("resources", SIZES)
async def test_a_bucket_that_others_filled_costs_one_refusal(resources: int, known: bool) -> None:
    reading = Reading(resources, known=known, level=SIZE)
    await reading.run()
    assert reading.complete
    assert reading.world.refused == 1
    # The refused one takes no room; the pause of a second after it makes room for two.
    forced = forced_seconds(reading.requests - reading.world.refused, 0)
    assert forced <= reading.seconds <= forced + 1


def test_the_least_is_that_of_commands_by_fifties_and_pages_before_them() -> None:
    assert [least_requests(resources, known=True) for resources in SIZES] == [1, 1, 2, 4, 20]
    assert [least_requests(resources, known=False) for resources in SIZES] == [1, 2, 2, 5, 21]


def test_the_bucket_forces_nobody_who_fits_in() -> None:
    assert forced_seconds(20, SIZE) == 0
    assert forced_seconds(20, 0) == 10
    assert PLAN.rate == RATE


OURS = Result(
    contender="slotbridge",
    case=Case(51, True, "ours"),
    version="1",
    requests=2,
    refused=0,
    complete=51,
    seconds=1.0,
    forced=1.0,
    least=2,
    peak=50.0,
    reading=1.0,
    error=None,
)


def test_of_several_runs_the_quickest_is_told_or_one_that_went_wrong() -> None:
    runs = [replace(OURS, seconds=seconds) for seconds in (0.3, 0.1, 0.2)]
    assert quickest_run(runs).seconds == 0.1
    assert quickest_run([*runs[:2], replace(OURS, complete=50)]).complete == 50
    assert quickest_run([runs[0], replace(OURS, seconds=None, error="stopped")]).error == "stopped"


@pytest.mark.parametrize(
    ("aim", "results"),
    [
        ("complete at every size", [replace(OURS, complete=50)]),
        ("no 503 from a bucket that we filled", [replace(OURS, refused=1)]),
        ("within 10 % of what the bucket forces", [replace(OURS, seconds=1.2)]),
        (
            "at most 22 requests for 1000 unknown, 20 for known",
            [replace(OURS, case=Case(1000, True, "ours"), requests=21)],
        ),
        ("nobody faster", [OURS, replace(OURS, contender="b24pysdk", seconds=0.5)]),
    ],
)
def test_an_aim_that_is_missed_is_told(aim: str, results: list[Result]) -> None:
    assert aims([OURS], 0)[aim] in ("met", "not measured")
    assert aims(results, 0)[aim].startswith("missed by ")


def test_who_is_incomplete_is_not_faster() -> None:
    peer = replace(OURS, contender="fast_bitrix24", seconds=0.1, complete=50)
    assert aims([OURS, peer], 0)["nobody faster"] == "not measured"


def test_what_was_not_measured_is_not_met() -> None:
    assert aims([OURS], 0)["at most 22 requests for 1000 unknown, 20 for known"] == "not measured"


def test_the_table_has_a_line_for_everybody_and_says_why_somebody_has_no_time() -> None:
    shown = table([OURS, replace(OURS, contender="plain httpx", seconds=None, error="stopped after 20 s")])
    assert "51 resources, ids known, bucket full, by an earlier process of ours" in shown
    assert shown.splitlines()[-1].endswith("stopped after 20 s")
