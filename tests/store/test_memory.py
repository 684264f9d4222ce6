"""What is remembered of pairs: bases, failures, refusals, intents."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy.exc import SQLAlchemyError

from slotbridge.errors import StoreError
from slotbridge.store import Memory, Outcome, Store
from tests.store.samples import (
    AFTER_MIDNIGHT,
    AGREEMENT,
    INTENT,
    MONDAY,
    START,
    TUESDAY,
    StillClock,
    change,
    execute,
    hold,
    select,
)


def test_a_pair_never_seen_has_an_empty_memory(store: Store) -> None:
    assert store.recall(["dental"]) == {"dental": Memory()}


def test_nothing_asked_nothing_recalled(store: Store) -> None:
    assert store.recall([]) == {}


def test_a_base_comes_back_as_it_was_stored_and_sorted(store: Store, run: int) -> None:
    links = (AFTER_MIDNIGHT, TUESDAY, MONDAY)
    store.remember(run, [Outcome("dental", START, "changed", base=(AGREEMENT, links))])

    memory = store.recall(["dental"])["dental"]

    assert memory.agreement == AGREEMENT
    assert memory.links == (MONDAY, TUESDAY, AFTER_MIDNIGHT)
    assert (memory.last_attempt, memory.last_success) == (START, START)


def test_everything_survives_closing(url: str, clock: StillClock) -> None:
    first = Store.open(url, clock=clock)
    first.note_intent("dental", INTENT)
    outcome = Outcome(
        "dental", START, "held", base=(AGREEMENT, (MONDAY,)), holds=(hold(),), refused={"a": "check day_zero"}
    )
    first.remember(first.begin_run("test"), [outcome])
    before = first.recall(["dental"])
    first.close()

    second = Store.open(url, clock=clock)
    after = second.recall(["dental"])
    second.close()

    assert after == before
    assert after["dental"].intents == (INTENT,)


def test_M9_windows_equal_in_everything_are_two_links(store: Store, run: int) -> None:
    store.remember(run, [Outcome("dental", START, "changed", base=(AGREEMENT, (MONDAY, MONDAY)))])

    assert store.recall(["dental"])["dental"].links == (MONDAY, MONDAY)


def test_a_new_base_replaces_the_old_one_of_its_pair_only(store: Store, run: int) -> None:
    both = [Outcome(pair, START, "changed", base=(AGREEMENT, (MONDAY, TUESDAY))) for pair in ("dental", "room")]
    store.remember(run, both)
    moved = AGREEMENT._replace(zone="Europe/Madrid", time_form="wall")

    store.remember(run, [Outcome("dental", START, "changed", base=(moved, (TUESDAY,)))])

    memories = store.recall(["room", "dental"])
    assert (memories["dental"].agreement, memories["dental"].links) == (moved, (TUESDAY,))
    assert (memories["room"].agreement, memories["room"].links) == (AGREEMENT, (MONDAY, TUESDAY))


def test_what_bitrix24_held_is_remembered_until_it_is_known_anew(store: Store, run: int) -> None:
    def remembered(outcome: Outcome) -> str | None:
        store.remember(run, [outcome])
        return store.recall(["dental"])["dental"].bitrix24_digest

    assert remembered(Outcome("dental", START, "failed", error="no answer")) is None
    assert remembered(Outcome("dental", START, "held", bitrix24_digest="one")) == "one"
    assert remembered(Outcome("dental", START, "failed", error="no answer")) == "one"
    assert remembered(Outcome("dental", START, "failed", error="its name failed", bitrix24_digest="two")) == "two"
    assert remembered(Outcome("dental", START, "quiet", bitrix24_digest="three")) == "three"


def test_an_empty_base_is_an_agreement_without_links(store: Store, run: int) -> None:
    store.remember(run, [Outcome("dental", START, "changed", base=(AGREEMENT, (MONDAY,)))])
    store.remember(run, [Outcome("dental", START, "quiet", base=(AGREEMENT, ()))])

    memory = store.recall(["dental"])["dental"]

    assert (memory.agreement, memory.links) == (AGREEMENT, ())


def test_a_quiet_pair_moves_its_times_and_nothing_else(store: Store, run: int, clock: StillClock) -> None:
    first = Outcome("dental", START, "changed", base=(AGREEMENT, (MONDAY,)), refused={"a": "day_zero?"})
    store.remember(run, [first])
    store.note_intent("dental", INTENT)
    before = store.recall(["dental"])["dental"]
    later = clock.pass_by(300)

    moved = store.remember(run, [Outcome("dental", later, "quiet", holds=())])

    after = store.recall(["dental"])["dental"]
    assert (after.last_attempt, after.last_success) == (later, later)
    assert (after.links, after.refused, after.intents) == (before.links, before.refused, before.intents)
    assert moved == ((), ())


def test_failures_are_counted_from_the_first_one(store: Store, run: int, clock: StillClock) -> None:
    store.remember(run, [Outcome("dental", START, "quiet")])
    began = clock.pass_by(300)
    store.remember(run, [Outcome("dental", began, "failed", error="unknown service")])
    again = clock.pass_by(300)
    store.remember(run, [Outcome("dental", again, "failed", error="time-out")])

    memory = store.recall(["dental"])["dental"]

    assert (memory.last_attempt, memory.last_success) == (again, START)
    assert (memory.failing_since, memory.failures, memory.last_error) == (began, 2, "time-out")


@pytest.mark.parametrize("status", ["quiet", "changed", "held"])
def test_success_ends_the_failing(store: Store, run: int, clock: StillClock, status: str) -> None:
    store.remember(run, [Outcome("dental", START, "failed", error="time-out")])
    later = clock.pass_by(300)

    store.remember(run, [Outcome("dental", later, status)])  # type: ignore[arg-type]

    memory = store.recall(["dental"])["dental"]
    assert (memory.failing_since, memory.failures, memory.last_error) == (None, 0, None)
    assert memory.last_success == later


def test_a_pair_that_fails_at_first_has_no_success(store: Store, run: int) -> None:
    store.remember(run, [Outcome("dental", START, "failed", error="time-out")])

    memory = store.recall(["dental"])["dental"]

    assert (memory.last_success, memory.failing_since, memory.failures) == (None, START, 1)


def test_a_failed_pair_keeps_its_base_and_its_changes_are_history(store: Store, run: int) -> None:
    store.remember(run, [Outcome("dental", START, "changed", base=(AGREEMENT, (MONDAY,)))])

    store.remember(run, [Outcome("dental", START, "failed", error="time-out", changes=(change(),))])

    assert store.recall(["dental"])["dental"].links == (MONDAY,)
    assert [record.why for record in store.history("dental")] == ["new in Bitrix24"]


def test_W3_refused_writes_stay_until_they_are_replaced(store: Store, run: int) -> None:
    refused = {"a": "check day_zero", "b": "Sundays are closed"}
    failed = Outcome("dental", START, "failed", error="moved a day", refused=refused)
    store.remember(run, [failed])
    store.remember(run, [Outcome("dental", START, "quiet")])
    kept = store.recall(["dental"])["dental"]

    store.remember(run, [Outcome("dental", START, "quiet", refused={})])
    cleared = store.recall(["dental"])["dental"]

    assert (kept.refused, cleared.refused) == (refused, {})


def test_W3_refused_writes_of_an_older_version_are_remembered_all_the_same(store: Store, run: int, file: Path) -> None:
    store.remember(run, [Outcome("dental", START, "failed")])
    execute(file, """UPDATE pair_state SET refused = '["a", "b"]', refusal = 'check day_zero'""")

    assert store.recall(["dental"])["dental"].refused == {"a": "check day_zero", "b": "check day_zero"}

    store.remember(run, [Outcome("dental", START, "failed", refused={"c": "Sundays are closed"})])

    assert store.recall(["dental"])["dental"].refused == {"c": "Sundays are closed"}


def test_W4_an_intent_is_kept_until_it_is_done(store: Store, run: int) -> None:
    store.note_intent("dental", INTENT)
    store.note_intent("room", INTENT)
    store.remember(run, [Outcome("dental", START, "failed", error="killed")])
    noted = store.recall(["dental"])["dental"].intents

    store.remember(run, [Outcome("dental", START, "changed", intents_done=True)])

    assert noted == (INTENT,)
    memories = store.recall(["dental", "room"])
    assert (memories["dental"].intents, memories["room"].intents) == ((), (INTENT,))


def test_times_come_back_in_utc(store: Store, run: int) -> None:
    summer = START.astimezone(timezone(timedelta(hours=3)))
    store.remember(run, [Outcome("dental", summer, "quiet")])

    assert store.recall(["dental"])["dental"].last_success == START


def test_W4_a_failure_in_the_middle_leaves_nothing(store: Store, run: int, file: Path) -> None:
    store.remember(run, [Outcome("dental", START, "held", base=(AGREEMENT, (MONDAY,)), holds=(hold(),))])
    before = store.recall(["dental", "room"])
    # The second hold's time cannot be stored, which is found out after everything else has been written.
    outcomes = [
        Outcome(
            "dental",
            START,
            "changed",
            base=(AGREEMENT, ()),
            changes=(change(),),
            holds=(),
            refused={"a": "check day_zero"},
        ),
        Outcome("room", datetime(2026, 1, 1), "held", holds=(hold(pair="room"),)),  # noqa: DTZ001
    ]

    with pytest.raises(SQLAlchemyError):
        store.remember(run, outcomes)

    assert store.recall(["dental", "room"]) == before
    assert store.history() == []
    assert select(file, "SELECT count(*) FROM hold WHERE ended_at IS NULL") == [(1,)]


def test_an_outcome_of_no_run_is_refused_whole(store: Store) -> None:
    with pytest.raises(StoreError):
        store.remember(99, [Outcome("dental", START, "changed", base=(AGREEMENT, (MONDAY,)), changes=(change(),))])

    assert store.recall(["dental"]) == {"dental": Memory()}
