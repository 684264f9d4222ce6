"""Requests are counted as they leave, by calendar month (UTC); what is known of a side belongs to its key."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from slotbridge.store import Store
from slotbridge.store.usage import SideRecord, month_of
from tests.store.samples import START, StillClock


def test_nothing_is_counted_at_first(store: Store) -> None:
    assert store.usage.in_month(START) == {"bitrix24": 0, "reservekit": 0}


def test_each_side_counts_for_itself(store: Store) -> None:
    store.usage.count("reservekit", 1, START, None)
    store.usage.count("reservekit", 2, START, None)
    store.usage.count("bitrix24", 5, START, None)
    assert store.usage.in_month(START) == {"bitrix24": 5, "reservekit": 3}


def test_what_never_left_is_taken_back(store: Store) -> None:
    store.usage.count("reservekit", 3, START, None)
    store.usage.count("reservekit", -1, START, None)
    assert store.usage.in_month(START)["reservekit"] == 2


def test_the_month_turns_at_midnight_utc(store: Store) -> None:
    last = datetime(2026, 5, 31, 23, 59, 59, tzinfo=UTC)
    store.usage.count("reservekit", 9, last, None)
    assert store.usage.in_month(last + timedelta(seconds=1))["reservekit"] == 0
    assert store.usage.in_month(last)["reservekit"] == 9


def test_counts_outlive_the_process(store: Store, url: str, clock: StillClock) -> None:
    store.usage.count("bitrix24", 4, START, START + timedelta(seconds=20))
    store.close()
    again = Store.open(url, clock=clock)
    assert again.usage.in_month(START)["bitrix24"] == 4
    again.close()


def test_the_pages_of_a_listing_are_those_that_were_noted_last(store: Store) -> None:
    assert store.usage.pages() == {}
    store.usage.note_pages({0: 1, 123: 3})
    store.usage.note_pages({123: 2, 124: 1})
    store.usage.note_pages({})
    assert store.usage.pages() == {0: 1, 123: 2, 124: 1}


def test_what_is_known_of_a_side_is_read_back(store: Store) -> None:
    store.usage.note("reservekit", "one", closed_at=START, closed_reason="the key may read, but not write")
    store.usage.note("reservekit", "one", spent_at=START)
    assert store.usage.side("reservekit", "one") == SideRecord(None, START, "the key may read, but not write", START)
    assert store.usage.side("bitrix24", "one") == SideRecord()


def test_another_key_begins_anew_but_fills_the_same_bucket(store: Store) -> None:
    store.usage.note("bitrix24", "one", closed_at=START, closed_reason="no", spent_at=START)
    store.usage.count("bitrix24", 1, START, START + timedelta(seconds=30))
    fresh = SideRecord(bucket_empty_at=START + timedelta(seconds=30))
    assert store.usage.side("bitrix24", "two") == fresh
    store.usage.note("bitrix24", "two")
    assert store.usage.side("bitrix24", "two") == fresh
    assert store.usage.side("bitrix24", "one") == fresh


def test_a_note_leaves_what_it_does_not_name(store: Store) -> None:
    store.usage.note("reservekit", "one", spent_at=START)
    store.usage.note("reservekit", "one", closed_at=START)
    store.usage.note("reservekit", "one", closed_at=None)
    assert store.usage.side("reservekit", "one").spent_at == START


@pytest.mark.parametrize(
    ("at", "month"),
    [(datetime(2026, 1, 31, tzinfo=UTC), "2026-01"), (datetime(2026, 12, 1, tzinfo=UTC), "2026-12")],
)
def test_months_sort_by_name(at: datetime, month: str) -> None:
    assert month_of(at) == month
