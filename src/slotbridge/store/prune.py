"""Forgetting what is old, a batch at a time. What is open, or needed by what is kept, is never old."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Delete, bindparam, delete, exists, func, or_, select
from sqlmodel import col

from slotbridge.store import tables

BATCH: Final = 1000
"""Rows of a table that go in one transaction: others who want to write wait for that long only."""

MONTHS_KEPT: Final = 24

MOVED: Final = "done"
"""The last step of a customer's way to the wait list."""

# Made once, with what is left open filled in by name: putting these together takes longer than executing them.
_BEGUN: Final = select(func.count()).select_from(tables.Run).where(col(tables.Run.started_at) >= bindparam("since"))


def _old_runs() -> Any:
    table = tables.Run
    newest = select(func.max(col(table.id))).scalar_subquery()
    over = or_(col(table.finished_at).is_(None), col(table.finished_at) < bindparam("before"))
    old = select(col(table.id)).where(col(table.started_at) < bindparam("before"), over, col(table.id) < newest)
    return old.order_by(col(table.started_at)).limit(bindparam("batch"))


def _forget(table: Any, which: Any) -> Delete:
    return delete(table).where(table.id.in_(select(table.id).where(which).limit(bindparam("batch"))))


def _forget_runs() -> Delete:
    """Those that nothing refers to any more."""
    run = tables.Run
    needed = (exists().where(col(other.run) == col(run.id)) for other in (tables.Change, tables.PastBase))
    return delete(run).where(col(run.id).in_(_old_runs()), *(~one for one in needed))


_CHANGES: Final = _forget(tables.Change, col(tables.Change.run).in_(_old_runs()))
_PAST_BASES: Final = _forget(tables.PastBase, col(tables.PastBase.run).in_(_old_runs()))
_RUNS: Final = _forget_runs()
_HOLDS: Final = _forget(tables.Hold, col(tables.Hold.ended_at) < bindparam("before"))
_CUSTOMERS: Final = _forget(
    tables.MovedCustomer,
    (col(tables.MovedCustomer.step) == MOVED) & (col(tables.MovedCustomer.at) < bindparam("before")),
)
_MONTHS: Final = delete(tables.RequestCount).where(col(tables.RequestCount.month) < bindparam("month"))

_LONGEST: Final = 36_500  # days; a date before the year 1 cannot be reckoned with


class Pruned(NamedTuple):
    """How many rows of each kind went."""

    changes: int = 0
    past_bases: int = 0
    runs: int = 0
    holds: int = 0
    customers: int = 0
    months: int = 0

    @property
    def total(self) -> int:
        """All of them; 0 when there is nothing left to forget."""
        return sum(self)


def prune(connection: Connection, now: datetime, history_days: int, batch: int = BATCH) -> Pruned:
    """Forgets up to `batch` rows of each table, the oldest runs first.

    A run goes with its changes and the bases that it replaced, so undoing works for every run that is still listed.
    The newest run stays at any age: SQLite would give its number out again.
    """
    before = now - timedelta(days=min(history_days, _LONGEST))
    known = {"before": before, "batch": batch, "month": _first_month(now)}
    statements = (_CHANGES, _PAST_BASES, _RUNS, _HOLDS, _CUSTOMERS, _MONTHS)
    return Pruned(*(connection.execute(statement, known).rowcount for statement in statements))


def is_due(connection: Connection, now: datetime) -> bool:
    """Whether at most one run, the present one, began on this day (UTC): forgetting once a day is enough."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return connection.execute(_BEGUN, {"since": midnight}).scalar_one() <= 1


def _first_month(now: datetime) -> str:
    """The first one that is kept."""
    last = now.year * 12 + now.month - 1 - MONTHS_KEPT
    return f"{last // 12:04d}-{last % 12 + 1:02d}"
