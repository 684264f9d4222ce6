"""Planning against parsing, the memory of a large run, the weight of history. Ratios; no timed test (run: make bench).

Planning 10,000 pairs of ten windows shall cost less CPU than parsing their two JSON answers with the wire models, a run
over 10,000 pairs shall stay under 250 MB, and history and holds shall not slow a quiet run of 1,000 pairs by a tenth.
"""

from __future__ import annotations

import asyncio
import json
import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import httpx

from slotbridge.bitrix24.models import read_slots
from slotbridge.clock import SystemClock
from slotbridge.lenses.terms import Terms
from slotbridge.log import configure_logging
from slotbridge.reconcile.model import Change, Hold, Options, Snapshot
from slotbridge.reconcile.plan import plan
from slotbridge.reconcile.settle import settle
from slotbridge.reservekit.models import read_time_slot
from slotbridge.settings import PairSettings, Settings, load_settings
from slotbridge.store import Outcome, Store
from slotbridge.sync.bridge import Bridge

PAIRS = 10_000
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri")
ROUNDS = 3


def ranges_answer(pair: int) -> list[dict[str, object]]:
    """Two ranges on five days: ten windows."""
    zone = {"timezone": "Europe/Berlin", "weekDays": list(DAYS)}
    morning = {"id": pair * 2, "from": 540, "to": 720, "slotSize": 30, **zone}
    return [morning, {"id": pair * 2 + 1, "from": 780, "to": 1080, "slotSize": 20, **zone}]


def slots_answer(pair: int) -> dict[str, object]:
    """The same ten windows as a page of time slots."""
    rows = [
        {
            "id": pair * 10 + number,
            "service_id": pair,
            "day_of_week": number // 2,
            "start_time": f"2024-01-0{number // 2 + 1} {'13' if number % 2 else '09'}:00:00",
            "end_time": f"2024-01-0{number // 2 + 1} {'18' if number % 2 else '12'}:00:00",
            "max_bookings": 15 if number % 2 else 6,
            "created_at": "2024-01-01T09:00:00Z",
            "updated_at": "2024-01-01T09:00:00Z",
        }
        for number in range(10)
    ]
    page = {"current_page": 1, "total_pages": 1, "total_count": 10, "page_size": 100}
    return {"data": {"time_slots": rows, "pagination": page}}


def cpu(work: Callable[[], object]) -> float:
    """The least CPU seconds of several rounds."""
    spent = []
    for _ in range(ROUNDS):
        start = time.process_time()
        work()
        spent.append(time.process_time() - start)
    return min(spent)


def planning_against_parsing() -> None:
    """Prints the CPU of both, and their ratio."""
    batches = [
        json.dumps({"result": {"result": {f"c{n}": {"slots": ranges_answer(first + n)} for n in range(50)}}})
        for first in range(0, PAIRS, 50)
    ]
    pages = [json.dumps(slots_answer(pair)) for pair in range(PAIRS)]
    terms, options = Terms("Europe/Berlin", date(2026, 11, 21)), Options("bench")

    def parse() -> list[Snapshot]:
        left = [read_slots(a, "x") for batch in batches for a in json.loads(batch)["result"]["result"].values()]
        right = [tuple(read_time_slot(row) for row in json.loads(page)["data"]["time_slots"]) for page in pages]
        return [Snapshot(*both) for both in zip(left, right, strict=True)]

    snapshots = parse()
    bases = [settle(plan(None, snapshot, terms, options), snapshot).links for snapshot in snapshots]

    def decide() -> None:
        for base, snapshot in zip(bases, snapshots, strict=True):
            plan(base, snapshot, terms, options)

    parsing, planning = cpu(parse), cpu(decide)
    print(f"parsing  {PAIRS:,} pairs: {parsing:.2f} s CPU")
    print(f"planning {PAIRS:,} pairs: {planning:.2f} s CPU, {planning / parsing:.2f} of parsing")


class Fake(httpx.AsyncBaseTransport):
    """Both servers, stateless: every resource and every service has the same ten windows."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        path, query = request.url.path, request.url.params
        if path.endswith("/batch"):
            commands = json.loads(body)["cmd"]
            slots = {key: {"slots": ranges_answer(int(cmd.rsplit("=", 1)[1]))} for key, cmd in commands.items()}
            return httpx.Response(200, json={"result": {"result": slots, "result_error": []}})
        if path.endswith("/services"):
            page = int(query["page"])
            rows = [
                {"id": n, "name": str(n), "timezone": "Europe/Berlin"} for n in range(page * 100 - 99, page * 100 + 1)
            ]
            total = {"current_page": page, "total_pages": PAIRS // 100, "total_count": PAIRS, "page_size": 100}
            return httpx.Response(200, json={"data": {"services": rows, "pagination": total}})
        return httpx.Response(200, json=slots_answer(int(query["service_id"])))


def settings_and_pairs(count: int) -> tuple[Settings, list[PairSettings]]:
    """A configuration without limits, and so many pairs."""
    environ = {
        "SLOTBRIDGE_BITRIX24__WEBHOOK_URL": "http://127.0.0.1:1/rest/1/bench/",
        "SLOTBRIDGE_BITRIX24__REQUESTS_PER_SECOND": "100000",
        "SLOTBRIDGE_RESERVEKIT__REQUESTS_PER_SECOND": "100000",
        "SLOTBRIDGE_RESERVEKIT__BASE_URL": "http://127.0.0.1:1/v1",
        "SLOTBRIDGE_RESERVEKIT__API_KEY": "bench",
    }
    settings = load_settings(None, environ)
    pairs = [
        PairSettings(name=f"p{number}", resource_id=number, service_id=number, interval="5m")
        for number in range(1, count + 1)
    ]
    return settings, pairs


async def large_run() -> None:
    """Prints the peak memory of two runs over 10,000 pairs: one that links them all, and a quiet one."""
    settings, pairs = settings_and_pairs(PAIRS)
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(f"sqlite:///{Path(folder) / 'bench.db'}", clock=SystemClock())
        bridge = Bridge.connect(settings, store, clock=SystemClock(), random=random.Random(1), network=Fake())
        for name in ("linking", "quiet"):
            start = time.process_time()
            report = await bridge.sync(pairs)
            spent = time.process_time() - start
            print(f"{name} run over {PAIRS:,} pairs: {spent:.1f} s CPU, requests {dict(report.requests)}", end=", ")
            print(f"{report.count('quiet'):,} quiet, {report.count('failed')} failed")
        await bridge.aclose()
        store.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory: {peak:.0f} MB, {peak / 250:.2f} of the limit")


def remembered(folder: str, name: str, pairs: list[PairSettings], days: int) -> Store:
    """A database in which every pair changed once a day for so many days, and began and ended a hold."""
    store = Store.open(f"sqlite:///{Path(folder) / name}", clock=SystemClock())
    change = Change("reservekit", "update", {"id": 1, "day_of_week": 0}, {"id": 1, "day_of_week": 1}, "hours edited")
    now = SystemClock().now()
    for day in range(days):
        run = store.begin_run("bench")
        for holds in ((Hold("conflict", "hours changed", str(day), "", ()),), ()):
            outcomes = [
                Outcome(
                    pair.name, now, "held", changes=(change,), holds=tuple(replace(h, pair=pair.name) for h in holds)
                )
                for pair in pairs
            ]
            store.remember(run, outcomes)
        store.finish_run(run, requests={}, pairs={})
    return store


async def weight_of_history() -> None:
    """Prints the CPU of a quiet run over 1,000 pairs without and with a year of history, run by turns."""
    settings, pairs = settings_and_pairs(1000)
    with tempfile.TemporaryDirectory() as folder:
        stores = [remembered(folder, "young.db", pairs, 0), remembered(folder, "old.db", pairs, 365)]
        spent: list[list[float]] = [[], []]
        for turn in range(9):
            for which, store in enumerate(stores):
                bridge = Bridge.connect(settings, store, clock=SystemClock(), random=random.Random(1), network=Fake())
                start = time.process_time()
                await bridge.sync(pairs)
                if turn:  # the first turn links
                    spent[which].append(time.process_time() - start)
                await bridge.aclose()
        for store in stores:
            store.close()
    young, old = (statistics.median(times) for times in spent)
    print(f"quiet run over 1,000 pairs: {young:.2f} s CPU; with a year of history {old:.2f} s, {old / young:.2f} of it")


if __name__ == "__main__":
    configure_logging("error", "json", stream=sys.stderr)
    if "--memory" in sys.argv:
        asyncio.run(large_run())
    elif "--history" in sys.argv:
        asyncio.run(weight_of_history())
    else:
        planning_against_parsing()
