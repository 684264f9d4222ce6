"""Holds begin, are decided, and end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from slotbridge.store import HoldRecord, Outcome, Store
from tests.store.samples import START, StillClock, hold, select


def held(*holds_: object, pair: str = "dental", at: object = START) -> Outcome:
    return Outcome(pair, at, "held", holds=holds_)  # type: ignore[arg-type]


def test_G6_a_hold_begins_once_and_ends_once(store: Store, run: int, clock: StillClock) -> None:
    one, two = hold("one"), hold("two")

    assert store.remember(run, [held(one)]) == ((one,), ())
    assert store.remember(run, [held(one, two)]) == ((two,), ())
    assert store.remember(run, [held(two)]) == ((), (one,))
    assert store.remember(run, [Outcome("dental", clock.pass_by(300), "quiet", holds=())]) == ((), (two,))
    assert store.recall(["dental"])["dental"].holds == ()


def test_an_open_hold_comes_back_as_it_was_stored(store: Store, run: int) -> None:
    shown = hold()
    store.remember(run, [held(shown)])

    (back,) = store.recall(["dental"])["dental"].holds

    assert back == shown
    assert back.id == shown.id


def test_it_keeps_its_beginning_and_takes_new_words(store: Store, run: int, clock: StillClock) -> None:
    store.remember(run, [held(hold(reason="2 of 3 windows"))])
    reworded = hold(reason="3 of 4 windows")

    moved = store.remember(run, [held(reworded, at=clock.pass_by(300))])

    assert moved == ((), ())
    assert store.holds() == [HoldRecord(reworded, START, None, None)]


def test_a_pair_that_failed_before_planning_keeps_its_holds(store: Store, run: int) -> None:
    store.remember(run, [held(hold())])

    moved = store.remember(run, [Outcome("dental", START, "failed", error="time-out", holds=None)])

    assert moved == ((), ())
    assert store.recall(["dental"])["dental"].holds == (hold(),)


def test_a_pair_that_was_not_in_the_run_keeps_its_holds(store: Store, run: int) -> None:
    other = hold(pair="room")
    store.remember(run, [held(hold()), held(other, pair="room")])

    store.remember(run, [Outcome("dental", START, "quiet", holds=())])

    assert [record.hold for record in store.holds()] == [other]
    assert store.holds(["dental"]) == []


def test_the_same_thing_shown_twice_is_one_hold(store: Store, run: int) -> None:
    moved = store.remember(run, [held(hold(), hold())])

    assert moved.began == (hold(),)
    assert len(store.holds()) == 1


def test_S11_a_decision_waits_for_the_next_run(store: Store, run: int, clock: StillClock) -> None:
    store.remember(run, [held(hold("one"), hold("two"))])
    decided_at = clock.pass_by(60)

    decided = store.decide(hold("one").id, "bitrix24")

    assert decided == hold("one")
    memory = store.recall(["dental"])["dental"]
    assert memory.decisions == {"one": "bitrix24"}
    assert memory.holds == (hold("one"), hold("two"))
    assert store.holds()[0] == HoldRecord(hold("one"), START, "bitrix24", decided_at)


def test_a_decided_hold_stays_decided_while_it_is_open(store: Store, run: int) -> None:
    store.remember(run, [held(hold())])
    store.decide(hold().id, "approve")

    store.remember(run, [held(replace(hold(), reason="as before, differently put"))])
    store.remember(run, [Outcome("dental", START, "failed", error="time-out")])

    assert store.recall(["dental"])["dental"].decisions == {"f00d": "approve"}


def test_a_decision_can_be_changed(store: Store, run: int) -> None:
    store.remember(run, [held(hold())])
    store.decide(hold().id, "bitrix24")
    store.decide(hold().id, "merge")

    assert store.recall(["dental"])["dental"].decisions == {"f00d": "merge"}


def test_G6_a_decision_ends_with_its_hold(store: Store, run: int, file: Path) -> None:
    store.remember(run, [held(hold())])
    store.decide(hold().id, "approve")
    store.remember(run, [Outcome("dental", START, "changed", holds=())])

    ended = store.recall(["dental"])["dental"].decisions
    store.remember(run, [held(hold())])

    assert ended == {}
    assert store.recall(["dental"])["dental"].decisions == {}
    assert store.decide("00000000", "approve") is None
    assert select(file, "SELECT decision, ended_at IS NULL FROM hold ORDER BY id") == [("approve", 0), (None, 1)]


def test_an_unknown_or_ended_hold_cannot_be_decided(store: Store, run: int) -> None:
    store.remember(run, [held(hold())])
    store.remember(run, [Outcome("dental", START, "quiet", holds=())])

    assert store.decide(hold().id, "approve") is None
    assert store.decide("nonesuch", "approve") is None
