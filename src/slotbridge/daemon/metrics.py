"""The numbers of the daemon in Prometheus' text format, taken when they are asked for.

Labels are few: pairs as configured, sides, kinds and statuses. Nothing that comes from outside becomes one.
"""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus

from prometheus_client import CollectorRegistry, Metric, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, SummaryMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from slotbridge import __version__
from slotbridge.clock import Clock
from slotbridge.daemon.condition import Condition
from slotbridge.errors import Side

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4

_STATUSES = frozenset(map(int, HTTPStatus))


@dataclass(slots=True)
class Traffic:
    """Counts both sides' requests: see `http.observer.RequestObserver`."""

    answers: Counter[tuple[Side, str]] = field(default_factory=Counter)
    waits: Counter[Side] = field(default_factory=Counter)
    waited: dict[Side, float] = field(default_factory=dict)

    def answered(self, side: Side, status: int | None) -> None:
        """One more request, by its HTTP status; "none" is one without an answer."""
        known = str(status) if status in _STATUSES else "other"
        self.answers[side, known if status is not None else "none"] += 1

    def held_back(self, side: Side, seconds: float) -> None:
        """A request waited so many seconds for its turn, to keep to the server's pace."""
        self.waits[side] += 1
        self.waited[side] = self.waited.get(side, 0.0) + seconds


class Metrics:
    """Everything that is measured, in a registry of its own."""

    def __init__(self, condition: Condition, traffic: Traffic, clock: Clock) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Numbers(condition, traffic, clock))
        ProcessCollector(registry=self._registry)

    def text(self) -> bytes:
        """All of it, as of now."""
        return generate_latest(self._registry)


class _Numbers(Collector):
    def __init__(self, condition: Condition, traffic: Traffic, clock: Clock) -> None:
        self._condition = condition
        self._traffic = traffic
        self._clock = clock

    def collect(self) -> Iterator[Metric]:
        yield InfoMetricFamily(
            "slotbridge_build", "What runs here", {"version": __version__, "python": platform.python_version()}
        )
        yield GaugeMetricFamily("slotbridge_ready", "1 if /readyz says so", int(not self._condition.unready()))
        yield from self._work()
        yield from self._pairs()
        yield from self._requests()

    def _work(self) -> Iterator[Metric]:
        done = self._condition.counters
        runs = CounterMetricFamily("slotbridge_pair_runs", "Runs of a pair, by how they ended", labels=["outcome"])
        for outcome, count in done.runs.items():
            runs.add_metric([outcome], count)
        yield runs
        yield CounterMetricFamily("slotbridge_run_seconds", "Seconds spent in runs", done.run_seconds)
        changes = CounterMetricFamily("slotbridge_changes", "Ranges and time slots written", labels=["side", "op"])
        for (side, op), count in done.changes.items():
            changes.add_metric([side, op], count)
        yield changes
        notices = CounterMetricFamily(
            "slotbridge_notices",
            "Notifications by source and verdict; those accepted count again by what came of them",
            labels=["source", "verdict"],
        )
        for (source, verdict), count in done.notices.items():
            notices.add_metric([source, verdict], count)
        yield notices
        yield CounterMetricFamily("slotbridge_skipped_ticks", "Turns of a pair that was still running", done.skipped)

    def _pairs(self) -> Iterator[Metric]:
        now = self._clock.now()
        age = _of_pair("last_success_age_seconds", "Seconds since its last success, if it had one")
        stale = _of_pair("stale", "1 if its last success is longer ago than its interval allows")
        interval = _of_pair("interval_seconds", "Seconds between its runs, as they are now")
        holds = _of_pair("holds", "Changes that wait for a person")
        windows = _of_pair("windows", "Windows that both sides last agreed on")
        for pair in self._condition.pairs():
            if pair.last_success is not None:
                age.add_metric([pair.name], max(0.0, (now - pair.last_success).total_seconds()))
            stale.add_metric([pair.name], int(pair.stale))
            interval.add_metric([pair.name], pair.interval)
            holds.add_metric([pair.name], pair.holds)
            windows.add_metric([pair.name], pair.windows)
        yield from (age, stale, interval, holds, windows)

    def _requests(self) -> Iterator[Metric]:
        requests = CounterMetricFamily(
            "slotbridge_requests", "Requests by side and HTTP status, none without an answer", labels=["side", "status"]
        )
        for (side, status), count in self._traffic.answers.items():
            requests.add_metric([side, status], count)
        yield requests
        waits = SummaryMetricFamily(
            "slotbridge_limiter_wait_seconds", "Waits that keep us within the server's pace", labels=["side"]
        )
        for side, seconds in self._traffic.waited.items():
            waits.add_metric([side], self._traffic.waits[side], seconds)
        yield waits
        yield from self._budget()

    def _budget(self) -> Iterator[Metric]:
        used = GaugeMetricFamily("slotbridge_month_requests_used", "Requests of this month (UTC)", labels=["side"])
        left = GaugeMetricFamily("slotbridge_month_requests_left", "Requests left of this month", labels=["side"])
        for side, (count, cap) in self._condition.budget().items():
            used.add_metric([side], count)
            if cap is not None:
                left.add_metric([side], max(0, cap - count))
        yield from (used, left)


def _of_pair(name: str, meaning: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"slotbridge_pair_{name}", meaning, labels=["pair"])
