"""The numbers: right, few, and of what is configured alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from slotbridge import __version__
from slotbridge.daemon.metrics import Metrics, Traffic
from slotbridge.errors import NotFound
from slotbridge.http.observer import RequestObserver
from tests.daemon.rig import CHANGE, HOLD, Rig

MakeRig = Callable[..., Rig]


class Read:
    """A scrape: each sample by name and labels."""

    def __init__(self, rig: Rig, traffic: Traffic | None = None) -> None:
        metrics = Metrics(rig.daemon.condition, traffic or Traffic(), rig.clock)
        self.text = metrics.text().decode()
        families = text_string_to_metric_families(self.text)
        self.samples: dict[tuple[Any, ...], float] = {
            (sample.name, *sorted(sample.labels.items())): sample.value
            for family in families
            for sample in family.samples
        }

    def __call__(self, name: str, **labels: str) -> float | None:
        return self.samples.get((f"slotbridge_{name}", *sorted(labels.items())))

    def all(self, name: str) -> dict[Any, float]:
        return {key[1:]: value for key, value in self.samples.items() if key[0] == f"slotbridge_{name}"}


async def test_runs_and_changes_are_counted_by_how_they_ended(make_rig: MakeRig) -> None:
    rig = make_rig("a", "b")
    rig.engine.script["a"] = [{"changes": (CHANGE, CHANGE)}]
    rig.engine.broken["b"] = NotFound("gone", side="reservekit")
    await rig.pass_by(5)
    read = Read(rig)

    assert read("pair_runs_total", outcome="changed") == 1
    assert read("pair_runs_total", outcome="failed") == 1
    assert read("changes_total", side="reservekit", op="create") == 2
    assert read("run_seconds_total") is not None
    assert read("skipped_ticks_total") == 0


async def test_each_pair_tells_how_it_is(make_rig: MakeRig) -> None:
    rig = make_rig("a", "b")
    rig.engine.script["a"] = [{"holds": (HOLD,)}]
    rig.engine.broken["b"] = NotFound("gone", side="reservekit")
    await rig.pass_by(5)
    shown = {pair.name: pair for pair in rig.daemon.condition.pairs()}
    read = Read(rig)

    assert read("pair_holds", pair="a") == shown["a"].holds == 1
    assert read("pair_interval_seconds", pair="a") == shown["a"].interval
    assert read("pair_windows", pair="a") == 0
    assert [read("pair_stale", pair=name) for name in "ab"] == [0, 0]
    rig.clock.time += 10_000
    assert Read(rig)("pair_stale", pair="b") == 1


async def test_the_age_of_the_last_success_grows_and_is_missing_where_there_was_none(make_rig: MakeRig) -> None:
    rig = make_rig("a", "b")
    rig.engine.broken["b"] = NotFound("gone", side="reservekit")
    await rig.pass_by(5)
    rig.daemon.roster["a"].last_success = rig.clock.now()
    before = Read(rig)
    rig.clock.time += 100

    assert before("pair_last_success_age_seconds", pair="a") == 0
    assert Read(rig)("pair_last_success_age_seconds", pair="a") == 100
    assert before("pair_last_success_age_seconds", pair="b") is None


async def test_the_budget_shows_what_is_used_and_left_where_there_is_a_cap(make_rig: MakeRig) -> None:
    rig = make_rig(cap=10)
    rig.daemon.condition.used = {"bitrix24": 3, "reservekit": 12}
    read = Read(rig)

    assert read.all("month_requests_used") == {(("side", "bitrix24"),): 3, (("side", "reservekit"),): 12}
    assert read.all("month_requests_left") == {(("side", "reservekit"),): 0}


async def test_requests_are_counted_by_side_and_status(rig: Rig) -> None:
    traffic = Traffic()
    observer: RequestObserver = traffic
    for status in (200, 200, 503, None, 299, 99_999, -1):
        observer.answered("bitrix24", status)
    observer.answered("reservekit", 429)
    read = Read(rig, traffic)

    assert read.all("requests_total") == {
        (("side", "bitrix24"), ("status", "200")): 2,
        (("side", "bitrix24"), ("status", "503")): 1,
        (("side", "bitrix24"), ("status", "none")): 1,
        (("side", "bitrix24"), ("status", "other")): 3,
        (("side", "reservekit"), ("status", "429")): 1,
    }


async def test_waits_for_the_limiter_add_up(rig: Rig) -> None:
    traffic = Traffic()
    traffic.held_back("reservekit", 0.5)
    traffic.held_back("reservekit", 1.0)
    read = Read(rig, traffic)

    assert read("limiter_wait_seconds_sum", side="reservekit") == 1.5
    assert read("limiter_wait_seconds_count", side="reservekit") == 2


async def test_notices_are_counted_by_source_and_verdict(rig: Rig) -> None:
    rig.daemon.condition.counters.notices["bitrix24", "refused"] += 2

    assert Read(rig)("notices_total", source="bitrix24", verdict="refused") == 2


async def test_a_scrape_tells_what_runs_here_and_whether_it_is_ready(rig: Rig) -> None:
    await rig.pass_by(5)
    read = Read(rig)
    (labels,) = read.all("build_info")

    assert dict(labels)["version"] == __version__
    assert read("ready") == 1
    rig.daemon.condition.memory_lost = "the disk is full"
    assert Read(rig)("ready") == 0
    assert "process_open_fds" in read.text


@pytest.mark.parametrize("name", ['a "quoted" one', "back\\slash", "Zähne", "a,b={}"])
async def test_whatever_a_pair_is_called_can_be_read_back(name: str, make_rig: MakeRig) -> None:
    assert Read(make_rig(name))("pair_holds", pair=name) == 0


async def test_nothing_but_what_is_configured_becomes_a_pair(make_rig: MakeRig) -> None:
    rig = make_rig("a", "b")
    for number in range(50):
        rig.daemon.notice(f"forged {number}", "bitrix24 event")
    read = Read(rig)

    assert {dict(key[1:]).get("pair") for key in read.samples} == {None, "a", "b"}
    assert "_created" not in read.text
