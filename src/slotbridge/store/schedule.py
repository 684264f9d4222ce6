"""When the daemon means to run what next, for those who ask from outside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Engine, delete
from sqlalchemy.dialects.sqlite import insert as upsert

from slotbridge.store import tables
from slotbridge.store.engine import transaction

_NEW: Final = upsert(tables.Schedule)
_NEWER: Final = _NEW.on_conflict_do_update(
    ["pair"], set_={name: _NEW.excluded[name] for name in ("next_at", "interval", "why")}
)


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
        rows = [{"pair": pair, **asdict(at)} for pair, at in planned.items()]
        with transaction(self._engine) as connection:
            if rows:
                connection.execute(_NEWER, rows)

    def planned(self) -> dict[str, Planned]:
        """The next run of every pair that has one."""
        with transaction(self._engine) as connection:
            rows = connection.execute(tables.rows_of(tables.Schedule))
            return {row.pair: Planned(row.next_at, row.interval, row.why) for row in rows}

    def clear(self) -> None:
        """Forgets all of it: a daemon begins or ends."""
        with transaction(self._engine) as connection:
            connection.execute(delete(tables.Schedule))
