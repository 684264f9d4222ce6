"""The names that both sides agreed on, and the ranges that an update of a resource may take along."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from sqlalchemy import Connection, Engine, delete
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlmodel import col

from slotbridge.lenses.items import Odd, Range
from slotbridge.reconcile.names import Names, Profile
from slotbridge.store import tables
from slotbridge.store.engine import transaction
from slotbridge.store.records import Outcome, Rescue

_NO_RESCUES: Final = delete(tables.Rescue).where(col(tables.Rescue.pair).in_(tables.PAIRS))


class Profiles:
    """The part of the memory that is needed while names are written."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def note_rescues(self, rescues: Mapping[str, Rescue]) -> None:
        """Notes, by pair, ranges that are not to be lost. When this returns, no power loss can undo it."""
        rows = [
            {
                "pair": pair,
                "resource_id": rescue.resource_id,
                "ranges": [asdict(item) for item in rescue.ranges],
                "noted_at": rescue.since,
                "left": [asdict(item) for item in rescue.left],
            }
            for pair, rescue in rescues.items()
        ]
        with transaction(self._engine, durable=True) as connection:
            _upsert(connection, tables.Rescue, rows)


def names_of(connection: Connection, pairs: Sequence[str]) -> dict[str, Names]:
    """What both sides stored when they last agreed, for those pairs that have agreed."""
    found = connection.execute(tables.rows_of_pairs(tables.Profile), {"pairs": pairs})
    return {row.pair: Names(Profile(**row.bitrix24), Profile(**row.reservekit)) for row in found}


def rescues_of(connection: Connection, pairs: Sequence[str]) -> dict[str, Rescue]:
    """The notes on ranges of these pairs that nobody has seen in place since."""
    found = connection.execute(tables.rows_of_pairs(tables.Rescue), {"pairs": pairs})
    return {row.pair: _rescue(row) for row in found}


def replace_names(connection: Connection, outcomes: Sequence[Outcome]) -> None:
    """Stores the new agreements of the outcomes."""
    rows = [
        {"pair": one.pair, "source": one.leader} | {side: p._asdict() for side, p in one.names._asdict().items()}
        for one in outcomes
        if one.names is not None
    ]
    _upsert(connection, tables.Profile, rows)


def drop_rescues(connection: Connection, outcomes: Sequence[Outcome]) -> None:
    """Drops the notes that the outcomes have no more need of."""
    served = [one.pair for one in outcomes if one.rescued]
    if served:
        connection.execute(_NO_RESCUES, {"pairs": served})


def _upsert(connection: Connection, table: type[tables.Table], rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        new = upsert(table)
        newer = {name: new.excluded[name] for name in rows[0] if name != "pair"}
        connection.execute(new.on_conflict_do_update(["pair"], set_=newer), rows)


def _rescue(row: Any) -> Rescue:
    ranges, left = (tuple(map(_item, rows or ())) for rows in (row.ranges, row.left))
    return Rescue(row.resource_id, ranges, row.noted_at, left)


def _item(row: dict[str, Any]) -> Range | Odd:
    if "raw" in row:
        return Odd(**row)
    return Range(**{**row, "week_days": tuple(row["week_days"])})
