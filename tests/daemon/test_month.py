"""A month in virtual time, compressed: the last days of one month, its budget nearly used up, and the next one's first.

The whole of it: `python -m tests.daemon.month`.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.daemon.month import CAP, Outcome, play

pytestmark = pytest.mark.timeout(600)
"""Half a minute of processor time, which takes its time on a busy machine."""


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    return play(8, begin=datetime(2026, 6, 28, tzinfo=UTC), days=4, used=8500)


def test_every_promise_is_kept(outcome: Outcome) -> None:
    assert outcome.broken == []


def test_the_month_s_requests_are_used_and_never_exceeded(outcome: Outcome) -> None:
    assert 0.88 * CAP <= outcome.counters["requests in 2026-06"] <= CAP
    assert 100 < outcome.counters["requests in 2026-07"] < CAP


@pytest.mark.parametrize(
    ("what", "least"),
    [
        ("edits", 30),
        ("edits told and travelled", 5),
        ("edits found and travelled", 20),
        ("pair.stale", 1),
        ("pair.recovered", 1),
        ("budget.reserve", 1),
        ("budget.resumed", 1),
        ("side.down", 1),
        ("side.up", 1),
    ],
)
def test_enough_came_up(what: str, least: int, outcome: Outcome) -> None:
    assert outcome.counters[what] >= least


def test_edits_in_bitrix24_use_the_reserve_although_polling_has_stopped() -> None:
    outcome = play(4, begin=datetime(2026, 6, 28, tzinfo=UTC), days=2.9, used=9050)
    assert outcome.broken == []
    assert outcome.counters["edits found by a look while polling had stopped"] >= 5
    assert outcome.counters["requests in 2026-06"] <= 0.95 * CAP
