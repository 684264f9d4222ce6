"""When what runs next, for those who ask from outside."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from slotbridge.errors import StoreError
from slotbridge.store import Store
from slotbridge.store.schedule import Planned
from tests.store.samples import START, StillClock

SOON = Planned(START + timedelta(minutes=5), 300, "after a change")
LATER = Planned(START + timedelta(minutes=14), 840, "budget: every 14 min fits")


def test_nothing_is_planned_before_a_daemon_runs(store: Store) -> None:
    assert store.schedules.planned() == {}


def test_what_is_planned_is_read_back_to_the_microsecond(store: Store) -> None:
    store.schedules.plan({"dental": SOON, "sauna": LATER})
    assert store.schedules.planned() == {"dental": SOON, "sauna": LATER}


def test_a_new_plan_replaces_that_pair_s_alone(store: Store) -> None:
    store.schedules.plan({"dental": SOON, "sauna": SOON})
    store.schedules.plan({"dental": LATER})
    assert store.schedules.planned() == {"dental": LATER, "sauna": SOON}


def test_no_plan_changes_nothing(store: Store) -> None:
    store.schedules.plan({"dental": SOON})
    store.schedules.plan({})
    assert store.schedules.planned() == {"dental": SOON}


def test_a_daemon_that_begins_or_ends_forgets_all_plans(store: Store) -> None:
    store.schedules.plan({"dental": SOON})
    store.schedules.clear()
    assert store.schedules.planned() == {}


def test_another_process_sees_it(store: Store, url: str, clock: StillClock) -> None:
    store.schedules.plan({"dental": SOON})
    other = Store.open_existing(url, clock=clock)
    assert other is not None
    assert other.schedules.planned() == {"dental": SOON}


def test_a_reader_plans_nothing(store: Store, url: str, file: Path, clock: StillClock) -> None:
    other = Store.open_existing(url, clock=clock)
    assert other is not None
    with pytest.raises(StoreError):
        other.schedules.plan({"dental": SOON})
