"""When the daemon means to run what next, for those who ask from outside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, delete
from sqlalchemy.dialects.sqlite import insert as upsert

from slotbridge.store import tables
from slotbridge.store.engine import transaction


@dataclass(frozen=True, slots=True)
class Planned:
    """A pair's next run: when, at which interval in seconds, and why then."""

    next_at: datetime
    interval: int
    why: str


class Schedules:
    """The part of the memory that is about the future. Empty while no daemon runs, unless it was killed."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def plan(self, planned: Mapping[str, Planned]) -> None:
        """Notes the next runs of these pairs; those of others stay."""
        new = upsert(tables.Schedule)
        columns = ("next_at", "interval", "why")
        newer = new.on_conflict_do_update(["pair"], set_={name: new.excluded[name] for name in columns})
        with transaction(self._engine) as connection:
            for pair, at in planned.items():
                row = {"pair": pair, "next_at": at.next_at, "interval": at.interval, "why": at.why}
                connection.execute(newer, row)

    def planned(self) -> dict[str, Planned]:
        """The next run of every pair that has one."""
        with transaction(self._engine) as connection:
            rows = connection.execute(tables.rows_of(tables.Schedule))
            return {row.pair: Planned(row.next_at, row.interval, row.why) for row in rows}

    def clear(self) -> None:
        """Forgets all of it: a daemon begins or ends."""
        with transaction(self._engine) as connection:
            connection.execute(delete(tables.Schedule))
