"""Forgetting by age: what goes, what stays whatever its age, and that it never takes long."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest
from sqlalchemy import Connection, insert

from slotbridge.store import Outcome, Store, tables
from slotbridge.store.engine import transaction, working_engine
from slotbridge.store.prune import BATCH, MOVED, Pruned, is_due, prune
from tests.store.samples import AGREEMENT, MONDAY, START, TUESDAY, StillClock, change, hold, select

NOW = START + timedelta(days=1000)
YEAR = 365
OLD, YOUNG = NOW - timedelta(days=366), NOW - timedelta(days=364)


@contextmanager
def connected(file: Path) -> Iterator[Connection]:
    engine = working_engine(file)
    with transaction(engine) as connection:
        yield connection
    engine.dispose()


def forget(file: Path, now: datetime = NOW, days: int = YEAR, batch: int = BATCH) -> Pruned:
    with connected(file) as connection:
        return prune(connection, now, days, batch)


def runs(file: Path, *begun: datetime, changes: int = 1) -> None:
    """Runs of these times, each with so many changes and a base that it replaced."""
    with connected(file) as connection:
        for at in begun:
            row = {"started_by": "test", "started_at": at, "finished_at": at, "bitrix24_requests": 1}
            number = connection.execute(insert(tables.Run).values(row | {"reservekit_requests": 1})).lastrowid
            connection.execute(insert(tables.PastBase).values(run=number, pair="dental"))
            rows = [history(number, at)] * changes
            connection.execute(insert(tables.Change), rows)


def history(run: int, at: datetime) -> dict[str, Any]:
    what = {"side": "bitrix24", "op": "create", "why": "new", "kind": "applied"}
    return {"run": run, "pair": "dental", "at": at} | what


def add(file: Path, table: Any, rows: Sequence[dict[str, Any]]) -> None:
    with connected(file) as connection:
        connection.execute(insert(table), list(rows))


def count(file: Path, table: str) -> int:
    ((number,),) = select(file, f"SELECT count(*) FROM {table}")  # noqa: S608 - a name of ours
    return int(number)


@pytest.fixture(autouse=True)
def _made(store: Store) -> None:
    """A database to begin with."""


def test_an_old_run_goes_with_its_changes_and_the_base_it_replaced(file: Path) -> None:
    runs(file, OLD, YOUNG)

    assert forget(file) == Pruned(changes=1, past_bases=1, runs=1)
    assert [count(file, table) for table in ("change", "past_base", "run")] == [1, 1, 1]


def test_nothing_old_is_nothing_forgotten(file: Path) -> None:
    runs(file, YOUNG, NOW)

    assert forget(file).total == 0
    assert count(file, "run") == 2


def test_forgetting_again_forgets_nothing_more(file: Path) -> None:
    runs(file, OLD, OLD, YOUNG)
    forget(file)

    assert forget(file) == Pruned()


def test_the_newest_run_stays_at_any_age_so_that_no_number_is_given_out_twice(file: Path, store: Store) -> None:
    runs(file, OLD, OLD)
    forget(file)

    assert select(file, "SELECT id FROM run") == [(2,)]
    assert store.begin_run("test") == 3


def test_a_run_that_was_killed_goes_as_well(file: Path) -> None:
    runs(file, OLD, YOUNG)
    with connected(file) as connection:
        connection.exec_driver_sql("UPDATE run SET finished_at = NULL")

    assert forget(file).runs == 1


def test_a_run_stays_whole_until_its_end_is_old(file: Path) -> None:
    runs(file, OLD, YOUNG)
    with connected(file) as connection:
        connection.exec_driver_sql("UPDATE run SET finished_at = ?", (f"{YOUNG:%Y-%m-%d %H:%M:%S.%f}",))

    assert forget(file).total == 0


def test_every_run_that_is_still_listed_can_be_undone(url: str, file: Path, clock: StillClock) -> None:
    store = Store.open(url, clock=clock)
    bases = [(AGREEMENT, (MONDAY,)), (AGREEMENT, (TUESDAY,)), (AGREEMENT, (MONDAY, TUESDAY))]
    for before, base in zip([None, *bases], bases, strict=False):
        run = store.begin_run("test")
        store.remember(run, [Outcome("dental", clock.now(), "changed", base=base, past=before, changes=(change(),))])
        store.finish_run(run, requests={}, pairs={})
        clock.pass_by(200 * 86_400)

    forget(file, now=clock.now())

    listed = {record.run for record in store.history()}
    assert listed == {3}
    assert store.base_before(3, "dental") == bases[1]
    assert store.recall(["dental"])["dental"].links == (MONDAY, TUESDAY)
    store.close()


def test_an_ended_hold_goes_and_an_open_one_stays(file: Path, store: Store) -> None:
    run = store.begin_run("test")
    store.remember(run, [Outcome("dental", OLD, "held", holds=(hold("aa"), hold("bb")))])
    store.remember(run, [Outcome("dental", OLD, "held", holds=(hold("bb"),))])
    store.remember(run, [Outcome("spa", YOUNG, "held", holds=(hold("cc", pair="spa"),))])
    store.remember(run, [Outcome("spa", YOUNG, "quiet", holds=())])

    assert forget(file).holds == 1
    assert [record.hold.fingerprint for record in store.holds()] == ["bb"]
    assert count(file, "hold") == 2


def test_a_customer_who_is_still_on_the_way_is_never_forgotten(file: Path) -> None:
    common = {"pair": "dental", "slot_id": 1, "date": "2026-05-14"}
    customers = [(1, MOVED, OLD), (2, "waiting", OLD), (3, MOVED, YOUNG)]
    add(file, tables.MovedCustomer, [common | {"booking_id": b, "step": s, "at": at} for b, s, at in customers])

    assert forget(file).customers == 1
    assert select(file, "SELECT booking_id FROM moved_customer ORDER BY 1") == [(2,), (3,)]


@pytest.mark.parametrize(
    ("now", "kept"),
    [
        (datetime(2028, 2, 29, tzinfo=START.tzinfo), "2026-02"),
        (datetime(2028, 1, 1, tzinfo=START.tzinfo), "2026-01"),
        (datetime(2028, 12, 31, tzinfo=START.tzinfo), "2026-12"),
    ],
)
def test_the_requests_of_two_years_are_kept(file: Path, now: datetime, kept: str) -> None:
    months = [f"{year}-{month:02d}" for year in (2025, 2026, 2027, 2028) for month in range(1, 13)]
    add(file, tables.RequestCount, [{"month": month, "side": "bitrix24", "requests": 1} for month in months])

    forget(file, now=now, days=1)

    assert select(file, "SELECT min(month) FROM request_count") == [(kept,)]


def test_what_is_needed_to_go_on_is_never_forgotten(file: Path, store: Store) -> None:
    run = store.begin_run("test")
    store.remember(run, [Outcome("dental", OLD, "held", base=(AGREEMENT, (MONDAY,)), holds=(hold(),))])
    before = store.recall(["dental"])

    forget(file, days=1)

    assert store.recall(["dental"]) == before


def test_one_call_forgets_a_batch_and_the_calls_get_there_in_the_end(file: Path) -> None:
    runs(file, *[OLD] * 7, YOUNG, changes=5)
    calls = []
    while (gone := forget(file, batch=10)).total:
        calls.append(gone)

    assert max(gone.changes for gone in calls) == 10
    assert sum(gone.changes for gone in calls) == 35
    assert sum(gone.runs for gone in calls) == 7
    assert count(file, "run") == 1


def test_a_run_of_more_changes_than_a_batch_does_not_stop_it(file: Path) -> None:
    runs(file, OLD, YOUNG, changes=25)
    gone = [forget(file, batch=10) for _ in range(4)]

    assert [one.changes for one in gone] == [10, 10, 5, 0]
    assert [one.runs for one in gone] == [0, 0, 1, 0]


def test_a_large_history_holds_nobody_up(file: Path) -> None:
    """105,000 runs are those of a year, five minutes apart. The limit is many times what it takes."""
    rows = [(f"{OLD + timedelta(minutes=number):%Y-%m-%d %H:%M:%S.%f}",) for number in range(105_000)]
    with connected(file) as connection:
        connection.exec_driver_sql(
            "INSERT INTO run (started_by, started_at, bitrix24_requests, reservekit_requests) VALUES ('x', ?, 1, 1)",
            rows,
        )
        connection.exec_driver_sql(
            "INSERT INTO change (run, pair, at, side, op, why, kind) "
            "SELECT id, 'dental', started_at, 'bitrix24', 'create', 'new', 'applied' FROM run"
        )
    began = perf_counter()
    gone = forget(file)
    took = perf_counter() - began

    assert (gone.changes, gone.runs) == (BATCH, BATCH)
    assert took < 1


def test_an_absurd_number_of_days_forgets_nothing(file: Path) -> None:
    runs(file, OLD, YOUNG)

    assert forget(file, days=10**9).total == 0


def test_it_is_due_in_the_first_run_of_a_day(file: Path) -> None:
    midnight = NOW.replace(hour=0, minute=0, second=0, microsecond=0)
    runs(file, midnight - timedelta(seconds=1), midnight)
    with connected(file) as connection:
        assert is_due(connection, midnight)
    runs(file, midnight + timedelta(minutes=5))
    with connected(file) as connection:
        assert not is_due(connection, midnight + timedelta(minutes=5))
        assert is_due(connection, midnight + timedelta(days=1))
