"""Runs, their requests, what they changed; the services' zones."""

from __future__ import annotations

from slotbridge.reconcile.model import Change, Overruled, Value
from slotbridge.store import Outcome, RunRecord, Store
from slotbridge.week import Window
from tests.store.samples import START, StillClock, change

RANGE = {"from": 540, "to": 1020, "weekDays": ["Mon"], "slotSize": 60}


def test_a_change_is_kept_in_its_sides_own_terms(store: Store, run: int) -> None:
    update = Change("bitrix24", "update", RANGE, RANGE | {"to": 960}, "edited in ReserveKit")
    store.remember(run, [Outcome("dental", START, "changed", changes=(update,))])

    (record,) = store.history()

    assert (record.run, record.pair, record.at, record.kind) == (run, "dental", START, "applied")
    assert (record.side, record.op, record.why) == ("bitrix24", "update", "edited in ReserveKit")
    assert (record.before, record.after) == (RANGE, RANGE | {"to": 960})


def test_M3_what_a_policy_overruled_is_kept_whole(store: Store, run: int) -> None:
    edit = Overruled("reservekit", Value(Window(0, 540, 1020), 8), "Bitrix24 wins")
    deletion = Overruled("reservekit", None, "Bitrix24 wins")
    store.remember(run, [Outcome("dental", START, "changed", overruled=(edit, deletion))])

    later, earlier = store.history()

    assert earlier.kind == later.kind == "overruled"
    assert (earlier.op, later.op) == ("update", "delete")
    assert earlier.before == {"weekday": 0, "start": 540, "end": 1020, "capacity": 8}
    assert (earlier.after, later.before, later.after) == (None, None, None)


def test_history_is_newest_first_by_pair_and_by_run(store: Store, run: int) -> None:
    store.remember(run, [Outcome("dental", START, "changed", changes=(change("a"), change("b")))])
    second = store.begin_run("schedule")
    outcomes = [Outcome(pair, START, "changed", changes=(change(pair),)) for pair in ("dental", "room")]
    store.remember(second, outcomes)

    assert [record.why for record in store.history()] == ["room", "dental", "b", "a"]
    assert [record.why for record in store.history("dental")] == ["dental", "b", "a"]
    assert [record.why for record in store.history(run=run)] == ["b", "a"]
    assert [record.why for record in store.history("room", run=run)] == []
    assert [record.why for record in store.history(limit=1)] == ["room"]


def test_runs_are_newest_first_with_what_they_took(store: Store, clock: StillClock) -> None:
    first = store.begin_run("sync")
    ended = clock.pass_by(9)
    store.finish_run(first, requests={"bitrix24": 2, "reservekit": 5}, pairs={"quiet": 3, "failed": 1})
    began = clock.pass_by(1)
    second = store.begin_run("schedule")

    unfinished, finished = store.runs()

    assert finished == RunRecord(
        first, "sync", START, ended, {"bitrix24": 2, "reservekit": 5}, {"quiet": 3, "failed": 1}
    )
    assert unfinished == RunRecord(second, "schedule", began, None, {"bitrix24": 0, "reservekit": 0}, {})
    assert store.runs(limit=1) == [unfinished]


def test_zones_are_kept_by_service_with_the_time_they_were_read(store: Store, clock: StillClock) -> None:
    store.store_zones({123: "Europe/Kyiv", 124: None}, START)
    later = clock.pass_by(3600)

    store.store_zones({123: "Europe/Madrid"}, later)
    store.store_zones({}, clock.pass_by(3600))

    assert store.zones() == {123: ("Europe/Madrid", later), 124: (None, START)}
