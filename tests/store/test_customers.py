"""Customers on their way to the wait list: where each of them is, for whoever goes on after a death."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from slotbridge.errors import StoreError
from slotbridge.store import Store
from slotbridge.store.customers import Moved, Step
from slotbridge.store.prune import MOVED
from tests.store.samples import START, StillClock, execute, select

STEPS: tuple[Step, ...] = get_args(Step)
ADA = Moved("dental", 501, 41, "2026-05-18", "noted", START)
BOB = Moved("dental", 502, 42, "2026-05-25", "listed", START, contact_id=7, waitlist_id=9)


def under_way(store: Store, *pairs: str) -> list[int]:
    memories = store.recall(pairs or ("dental",))
    return [moved.booking_id for memory in memories.values() for moved in memory.customers]


def test_customers_come_back_as_they_were_noted(store: Store) -> None:
    store.customers.note([ADA, BOB])
    assert store.customers.of([501, 502, 503]) == {501: ADA, 502: BOB}
    assert store.recall(["dental"])["dental"].customers == (ADA, BOB)


def test_every_step_replaces_the_one_before(store: Store, clock: StillClock, file: Path) -> None:
    store.customers.note([ADA, BOB])
    later = replace(ADA, step="entry", contact_id=7, waitlist_id=8, at=clock.pass_by(1))
    store.customers.note([later])
    assert store.customers.of([501, 502]) == {501: later, 502: BOB}
    assert select(file, "SELECT count(*) FROM moved_customer") == [(2,)]


def test_a_number_that_is_gone_is_forgotten(store: Store) -> None:
    store.customers.note([BOB])
    store.customers.note([replace(BOB, step="noted", contact_id=None, waitlist_id=None)])
    found = store.customers.of([502])[502]
    assert (found.contact_id, found.waitlist_id) == (None, None)


def test_nobody_is_nobody(store: Store) -> None:
    store.customers.note([])
    assert store.customers.of([]) == {}
    assert under_way(store) == []


def test_whoever_has_arrived_is_not_under_way_and_is_known_still(store: Store, clock: StillClock) -> None:
    room = replace(BOB, pair="room", booking_id=503)
    store.customers.note([ADA, BOB, room])
    store.customers.conclude("dental", {42, 43}, clock.pass_by(60))
    assert under_way(store, "dental", "room") == [501, 503]
    assert store.customers.of([502])[502] == replace(BOB, step="done", at=clock.now())


def test_an_arrival_keeps_its_time(store: Store, clock: StillClock) -> None:
    """It is forgotten so many days after it, and not after the last time somebody looked."""
    store.customers.note([BOB])
    store.customers.conclude("dental", [42], START)
    store.customers.conclude("dental", [42], clock.pass_by(60))
    assert store.customers.of([502])[502].at == START


def test_a_pair_recalls_its_own_customers_only(store: Store) -> None:
    store.customers.note([ADA, replace(BOB, pair="room")])
    assert (under_way(store, "dental"), under_way(store, "room"), under_way(store, "hall")) == ([501], [502], [])


@pytest.mark.parametrize("step", STEPS)
def test_who_may_be_on_the_wait_list_counts_as_listed(step: Step) -> None:
    before = ("noted", "adding contact", "contact")
    assert replace(ADA, step=step).is_listed == (step not in (*before, "done"))


def test_the_last_step_is_the_one_that_is_pruned() -> None:
    assert STEPS[-1] == MOVED


def test_a_database_that_cannot_be_written_says_so(store: Store, file: Path) -> None:
    execute(file, "DROP TABLE moved_customer")
    with pytest.raises(StoreError):
        store.customers.note([ADA])


def test_no_column_has_room_for_a_name_or_an_address(store: Store, file: Path) -> None:
    store.customers.note([BOB])
    columns = {row[1] for row in select(file, "PRAGMA table_info(moved_customer)")}
    assert columns == {"id", "pair", "booking_id", "slot_id", "date", "contact_id", "waitlist_id", "step", "at"}
