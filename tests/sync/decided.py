"""What a person and an operator do between two runs: look at the holds, decide one, read the history."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from slotbridge.reconcile.model import Hold
from slotbridge.store import ChangeRecord, Decision, Store
from slotbridge.sync.report import PairReport
from tests.sync.rig import Rig


@contextmanager
def opened(rig: Rig) -> Iterator[Store]:
    store = Store.open(f"sqlite:///{rig.database}", clock=rig.clock)
    try:
        yield store
    finally:
        store.close()


def open_holds(rig: Rig) -> list[Hold]:
    with opened(rig) as store:
        return [record.hold for record in store.holds()]


def decide(rig: Rig, hold: Hold, decision: Decision) -> None:
    with opened(rig) as store:
        assert store.decide(hold.id, decision) == hold


def overruled(rig: Rig) -> list[ChangeRecord]:
    with opened(rig) as store:
        return [record for record in store.history() if record.kind == "overruled"]


def only_hold(report: PairReport) -> Hold:
    (hold,) = report.holds
    return hold


def kinds(report: PairReport) -> list[str]:
    return sorted(hold.kind for hold in report.holds)
