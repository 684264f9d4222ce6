"""How often is right: the month's requests are never overrun, and the words say what the numbers say."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slotbridge.daemon.pace import (
    AHEAD,
    MONTH,
    SPENT,
    ZONES_EVERY,
    Advice,
    Budget,
    Purse,
    advice,
    lasting,
    month_end,
    needed_interval,
    next_interval,
    next_turn,
    seconds_left,
    stale_after,
)

lows = st.integers(10, 2_592_000)
highs = st.integers(10, 2_592_000)


@given(
    cap=st.integers(1, 100_000),
    used_share=st.floats(0, 1.2),
    left=st.floats(60, 31 * 86400),
    pairs=st.integers(1, 200),
    pages=st.floats(1, 4),
)
def test_polling_at_the_needed_interval_ends_the_month_within_the_reserve(
    cap: int, used_share: float, left: float, pairs: int, pages: float
) -> None:
    budget = Budget(round(cap * used_share), cap, left)
    interval = needed_interval(budget, pairs=pairs, pages=pages)
    if math.isinf(interval):
        return
    zones = left / max(interval, ZONES_EVERY)
    assert budget.used + left / interval * pairs * pages + zones <= cap * 0.9 + 1e-6 * cap


@given(month=st.integers(0, 2000), cap=st.integers(50, 20_000), pairs=st.integers(1, 60), real=st.floats(0.5, 5))
def test_the_cap_holds_in_any_month_even_if_a_run_costs_more_than_estimated(
    month: int, cap: int, pairs: int, real: float
) -> None:
    now = datetime(2026 + month // 12 % 50, month % 12 + 1, 1, tzinfo=UTC)
    end, used, rounds = month_end(now), 0, 0
    while now < end and rounds < 400:
        interval = max(300.0, needed_interval(Budget(used, cap, (end - now).total_seconds()), pairs=pairs))
        if math.isinf(interval):
            break
        spent = math.ceil(pairs * real) + 1
        assert used < 0.9 * cap
        used, rounds = used + spent, rounds + 1
        now += timedelta(seconds=interval)
    assert used <= 0.9 * cap + math.ceil(pairs * real) + 1


def test_a_plan_without_a_number_for_the_month_needs_no_patience() -> None:
    assert needed_interval(Budget(10**9, None, 86400), pairs=500) == 0


@pytest.mark.parametrize("budget", [Budget(9000, 10_000, MONTH), Budget(12_000, 10_000, MONTH), Budget(0, 100, 0)])
def test_past_the_reserve_there_is_no_polling(budget: Budget) -> None:
    assert needed_interval(budget, pairs=1) == math.inf


def test_the_zones_are_counted_once_an_hour_or_once_a_round() -> None:
    short = needed_interval(Budget(0, 10_000, MONTH), pairs=3)
    assert short == pytest.approx(3 / (9000 / MONTH - 1 / 3600))
    long = needed_interval(Budget(0, 10_000, MONTH), pairs=20)
    assert long == pytest.approx(21 / (9000 / MONTH))


@given(used=st.integers(0, 9000), more=st.integers(0, 500), pairs=st.integers(1, 100))
def test_what_is_spent_only_makes_it_slower(used: int, more: int, pairs: int) -> None:
    now, later = (needed_interval(Budget(spent, 10_000, MONTH / 2), pairs=pairs) for spent in (used, used + more))
    assert later >= now


@given(low=lows, high=highs, quiet=st.integers(0, 10**6), failures=st.integers(0, 10**6))
def test_an_interval_lies_between_both_ends(low: int, high: int, quiet: int, failures: int) -> None:
    assert low <= next_interval(low, high, quiet=quiet, failures=failures) <= max(low, high)


@given(low=lows, high=highs, quiet=st.integers(0, 100), needed=st.floats(0, 1e8))
def test_the_budget_goes_before_both_ends(low: int, high: int, quiet: int, needed: float) -> None:
    assert next_interval(low, high, quiet=quiet, needed=needed) >= needed


def test_an_interval_grows_while_nothing_changes() -> None:
    assert [next_interval(300, 3600, quiet=quiet) for quiet in range(3)] == [300, 375, 468.75]
    assert next_interval(300, 3600, quiet=50) == 3600


def test_failures_double_it_beginning_with_the_second() -> None:
    assert [next_interval(300, 3600, failures=failures) for failures in range(1, 6)] == [300, 600, 1200, 2400, 3600]


@pytest.mark.parametrize(
    ("quiet", "failures", "needed", "why"),
    [
        (0, 0, 0, "after a change"),
        (1, 0, 0, "quiet for 1 run"),
        (5, 0, 0, "quiet for 5 runs"),
        (0, 3, 0, "backing off after 3 failures"),
        (0, 1, 0, "backing off after 1 failure"),
        (1, 0, 801, "budget: every 14 min fits"),
        (1, 0, math.inf, SPENT),
    ],
)
def test_a_turn_says_why_then(quiet: int, failures: int, needed: float, why: str) -> None:
    turn = next_turn(300, 3600, quiet=quiet, failures=failures, needed=needed, news="after a change")
    assert turn.why == why


def test_a_pair_is_stale_after_three_intervals_and_five_minutes() -> None:
    assert stale_after(300) == 1200


@pytest.mark.parametrize(
    ("now", "end"),
    [
        (datetime(2026, 2, 28, 23, 59, 59, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)),
        (datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)),
        (datetime(2028, 2, 29, 12, tzinfo=UTC), datetime(2028, 3, 1, tzinfo=UTC)),
    ],
)
def test_the_month_ends_where_the_calendar_says(now: datetime, end: datetime) -> None:
    assert month_end(now) == end
    assert now + timedelta(seconds=seconds_left(now)) == end


@pytest.mark.parametrize(
    ("intervals", "cap", "text", "fits"),
    [
        (
            [300] * 3,
            10_000,
            "3 pairs every 5 min = 25,920 a month; starter has 10,000: every 14 min fits",
            False,
        ),
        ([300], 10_000, "1 pair every 5 min = 8,640 a month; starter has 10,000", True),
        ([300, 600], 50_000, "2 pairs at their intervals = 12,960 a month; starter has 50,000", True),
        (
            [300] * 20,
            10_000,
            "20 pairs every 5 min = 172,800 a month; starter has 10,000: every 91 min fits",
            False,
        ),
        (
            [300] * 20,
            10,
            "20 pairs every 5 min = 172,800 a month; starter has 10: too few for one run of all",
            False,
        ),
    ],
)
def test_the_advice_is_in_whole_minutes(intervals: list[float], cap: int, text: str, fits: bool) -> None:
    told = advice(intervals, cap, "starter")
    assert told is not None
    assert (told.text, told.fits) == (text, fits)


def test_names_cost_a_listing_a_run() -> None:
    told = advice([300, 300, 600], 50_000, "starter", named=[300, 300])
    assert told == Advice("3 pairs at their intervals, with names, = 30,240 a month; starter has 50,000", fits=True)
    told = advice([300], 10_000, "starter", named=[300])
    assert told == Advice(
        "1 pair every 5 min, with names, = 17,280 a month; starter has 10,000: every 10 min fits", False, 10
    )


@pytest.mark.parametrize(
    ("intervals", "named", "pages", "listing", "text", "minutes"),
    [
        ([300], [], [3], 1, "1 pair every 5 min = 25,920 a month; starter has 10,000: every 14 min fits", 14),
        ([300, 300], [], [3, 1], 2, "2 pairs every 5 min = 34,560 a month; starter has 10,000: every 21 min fits", 21),
        ([300], [300], [1], 2, "1 pair every 5 min, with names, = 25,920 a month; starter has 10,000", None),
        ([3600], [], [3], 9, "1 pair every 1 h = 2,160 a month; starter has 10,000", 0),
    ],
)
def test_each_page_of_a_listing_is_counted(
    intervals: list[float], named: list[float], pages: list[int], listing: int, text: str, minutes: int | None
) -> None:
    told = advice(intervals, 10_000, "starter", named, pages=pages, listing=listing)
    assert told is not None
    assert told.text.startswith(text)
    assert told.fits is (minutes == 0)
    assert minutes is None or (told.minutes or 0) == minutes


@given(pairs=st.integers(1, 400), cap=st.integers(401, 100_000) | st.sampled_from([1000, 10_000, 50_000]))
def test_what_is_advised_fits(pairs: int, cap: int) -> None:
    told = advice([10] * pairs, cap, "starter")
    assert told is not None
    minutes = int(told.text.split("every ")[-1].removesuffix(" min fits"))
    interval = minutes * 60
    assert pairs * MONTH / interval + MONTH / max(ZONES_EVERY, interval) <= cap
    followed = advice([interval] * pairs, cap, "starter")
    assert followed is not None
    assert followed.fits, followed.text


@pytest.mark.parametrize(("intervals", "cap"), [([300], None), ([], 10_000)])
def test_without_a_number_for_the_month_there_is_no_advice(intervals: list[float], cap: int | None) -> None:
    assert advice(intervals, cap, "growth") is None


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(45, "45 s"), (60, "1 min"), (90, "90 s"), (300, "5 min"), (3600, "1 h"), (9000, "2.5 h"), (259200, "3 days")],
)
def test_spans_in_the_unit_that_suits(seconds: float, words: str) -> None:
    assert lasting(seconds) == words


@given(
    cap=st.integers(100, 100_000),
    steps=st.lists(st.tuples(st.integers(0, 300), st.floats(0, 86_400)), max_size=30),
)
def test_what_is_saved_is_bounded_and_never_negative(cap: int, steps: list[tuple[int, float]]) -> None:
    used, at, left = 0, 0.0, 30 * 86_400.0
    purse = Purse.full(Budget(0, cap, left), at)
    for sent, seconds in steps:
        used, at, left = used + sent, at + seconds, max(0.0, left - seconds)
        purse = purse.after(Budget(used, cap, left), at)
        assert 0 <= purse.saved <= cap * AHEAD


def test_what_is_not_asked_for_is_saved_and_what_is_sent_is_taken_out() -> None:
    purse = Purse(saved=0.0, used=100, at=0.0).after(Budget(100, 10_000, 89_000.0), 1000.0)
    assert purse.saved == pytest.approx(100)
    assert purse.after(Budget(140, 10_000, 89_000.0), 1000.0).saved == pytest.approx(60)


def test_a_new_month_takes_nothing_out() -> None:
    purse = Purse(saved=50.0, used=9000, at=0.0).after(Budget(3, 10_000, 30 * 86_400.0), 1.0)
    assert purse.saved == pytest.approx(50, abs=0.1)
