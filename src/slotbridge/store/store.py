"""The memory of the program. Synchronous; every method is one transaction, and none waits for a network inside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine, bindparam, insert, update
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlmodel import col

from slotbridge.clock import Clock
from slotbridge.errors import Side, StoreError
from slotbridge.reconcile.agreement import Agreement
from slotbridge.reconcile.model import Hold, Link, Overruled
from slotbridge.reconcile.names import LostName
from slotbridge.store import tables
from slotbridge.store.customers import Customers
from slotbridge.store.engine import PATIENCE, plain_engine, read_only_engine, transaction, working_engine
from slotbridge.store.identity import Identity
from slotbridge.store.location import database_file, is_made, make_private
from slotbridge.store.migrate import bring_up, is_current
from slotbridge.store.profiles import Profiles
from slotbridge.store.prune import Pruned, is_due, prune
from slotbridge.store.recall import hold_of, open_holds, recall
from slotbridge.store.records import (
    ChangeRecord,
    Decision,
    HoldRecord,
    HoldsMoved,
    Intent,
    Memory,
    Outcome,
    RunRecord,
)
from slotbridge.store.remember import note_overruled, remember
from slotbridge.store.room import require_room
from slotbridge.store.schedule import Schedules
from slotbridge.store.usage import Usage
from slotbridge.week import Window

# Made once: putting a statement together takes longer than executing it.
_DECIDED: Final = (
    tables.rows_of(tables.Hold)
    .where(col(tables.Hold.ended_at).is_(None), col(tables.Hold.decided_at).is_not(None))
    .order_by(col(tables.Hold.decided_at))
)
_INTENT: Final = insert(tables.Intent)
_NEW_RUN: Final = insert(tables.Run)
_RUN: Final = update(tables.Run).where(col(tables.Run.id) == bindparam("of"))

_ZONE: Final = upsert(tables.ServiceZone)
_NEWER_ZONE: Final = _ZONE.on_conflict_do_update(
    ["service_id"], set_={"zone": _ZONE.excluded.zone, "read_at": _ZONE.excluded.read_at}
)


class Store:
    """An open database. Every method raises StoreError when the database cannot be used.

    `backup` is the copy that was made before an older schema was migrated, None when there was no need. `usage` is
    about requests, `profiles` about names, `schedules` about what the daemon means to do next, `customers` about those
    who are on their way to the wait list.
    """

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        backup: Path | None = None,
        *,
        read_only: bool = False,
        patience: float = PATIENCE,
    ) -> None:
        self.backup = backup
        self.read_only = read_only
        self.usage = Usage(engine)
        self.profiles = Profiles(engine)
        self.schedules = Schedules(engine)
        self.customers = Customers(engine)
        self._engine = engine
        self._clock = clock
        self._file = Path(engine.url.database) if engine.url.database else None
        self._identity = Identity(self._file, patience) if self._file is not None else None

    @classmethod
    def open(cls, url: str, *, clock: Clock, patience: float = PATIENCE) -> Store:
        """Opens the database; creates it where there is none, backs up and migrates one of an older slotbridge.

        `patience` are the seconds that a method waits for another program to let go of it; nothing else goes on then.
        Raises StoreError for a file of a newer slotbridge or of another program, which is left as it is.
        """
        file = database_file(url)
        if file is not None:
            make_private(file)
        engine = working_engine(file, patience)
        try:
            backup = bring_up(engine if file is None else plain_engine(file))
            with transaction(engine):
                return cls(engine, clock, backup, patience=patience)
        except StoreError:
            engine.dispose()
            raise

    @classmethod
    def open_existing(cls, url: str, *, clock: Clock) -> Store | None:
        """Opens a database for reading only; None when there is none. Creates no file and changes none.

        Raises StoreError for a file of an older or a newer slotbridge or of another program.
        """
        file = database_file(url)
        if file is None or not is_made(file):
            return None
        engine = read_only_engine(file)
        return cls(engine, clock, read_only=True) if is_current(engine) else None

    def close(self) -> None:
        """Lets go of the file."""
        self._engine.dispose()

    def recall(self, pairs: Sequence[str]) -> dict[str, Memory]:
        """What is remembered of each of these pairs."""
        with transaction(self._engine) as connection:
            return recall(connection, pairs)

    def begin_run(self, trigger: str) -> int:
        """Notes that a run begins, and what started it; returns its number.

        Raises StoreError, too, where the disk has no room for what the run may have to remember, and where the
        database is not the one any more that was opened.
        """
        if self._file is not None:
            require_room(self._file)
        self.require_identity()
        row = {
            "started_by": trigger,
            "started_at": self._clock.now(),
            "bitrix24_requests": 0,
            "reservekit_requests": 0,
        }
        with transaction(self._engine) as connection:
            return connection.execute(_NEW_RUN, row).lastrowid

    def require_identity(self) -> None:
        """Raises StoreError where the file was deleted, replaced, damaged or migrated since it was opened."""
        if self._identity is not None:
            self._identity.require()

    def finish_run(self, run: int, *, requests: Mapping[Side, int], pairs: Mapping[str, int]) -> None:
        """Notes that a run ended, how many requests it took, and how many pairs ended with which status."""
        row = {
            "finished_at": self._clock.now(),
            "bitrix24_requests": requests.get("bitrix24", 0),
            "reservekit_requests": requests.get("reservekit", 0),
            "pairs": dict(pairs),
        }
        with transaction(self._engine) as connection:
            connection.execute(_RUN, row | {"of": run})

    def remember(self, run: int, outcomes: Sequence[Outcome]) -> HoldsMoved:
        """Stores what a run did to some pairs, all of it or nothing (W4); says which holds began and ended."""
        with transaction(self._engine) as connection:
            return remember(connection, run, outcomes)

    def note_intent(self, pair: str, intent: Intent) -> None:
        """Notes that time slots are about to be created. When this returns, no power loss can undo it."""
        row = {
            "pair": pair,
            "sent_at": intent.sent_at,
            "wait_until": intent.wait_until,
            "windows": [[*window, capacity] for window, capacity in intent.windows],
            "known_ids": list(intent.known_ids),
        }
        with transaction(self._engine, durable=True) as connection:
            connection.execute(_INTENT, row)

    def note_overruled(self, run: int, pair: str, lost: Sequence[Overruled | LostName]) -> None:
        """Keeps edits that are about to be written over, whole (M3)."""
        with transaction(self._engine) as connection:
            note_overruled(connection, run, pair, self._clock.now(), lost)

    def decide(self, hold_id: str, decision: Decision) -> Hold | None:
        """Stores a person's decision about an open hold, in place of an earlier one; None if there is no such hold."""
        table = tables.Hold
        here = (col(table.hold_id) == hold_id, col(table.ended_at).is_(None))
        decided = update(table).where(*here).values(decision=decision, decided_at=self._clock.now())
        with transaction(self._engine) as connection:
            found = connection.execute(tables.rows_of(table).where(*here)).first()
            connection.execute(decided)
        return hold_of(found) if found else None

    def decided(self) -> dict[str, datetime]:
        """The pairs with open holds that a person has decided, and when the last decision of each was made."""
        with transaction(self._engine) as connection:
            return {row.pair: row.decided_at for row in connection.execute(_DECIDED)}

    def holds(self, pairs: Sequence[str] | None = None) -> list[HoldRecord]:
        """The open holds of these pairs, or of all, the oldest first."""
        with transaction(self._engine) as connection:
            return open_holds(connection, pairs)

    def zones(self) -> dict[int, tuple[str | None, datetime]]:
        """The zone of every known service, and when it was read."""
        with transaction(self._engine) as connection:
            rows = connection.execute(tables.rows_of(tables.ServiceZone))
            return {service: (zone, at) for service, zone, at in rows}

    def store_zones(self, zones: Mapping[int, str | None], at: datetime) -> None:
        """Notes the zones of these services, read just now."""
        rows = [{"service_id": service, "zone": zone, "read_at": at} for service, zone in zones.items()]
        with transaction(self._engine) as connection:
            if rows:
                connection.execute(_NEWER_ZONE, rows)

    def history(self, pair: str | None = None, run: int | None = None, limit: int = 100) -> list[ChangeRecord]:
        """What was changed and what was overruled, the newest first; of one pair or one run, if named."""
        table = tables.Change
        statement = tables.rows_of(table).order_by(col(table.id).desc()).limit(limit)
        if pair is not None:
            statement = statement.where(col(table.pair) == pair)
        if run is not None:
            statement = statement.where(col(table.run) == run)
        with transaction(self._engine) as connection:
            return [ChangeRecord(**row) for row in connection.execute(statement).mappings()]

    def base_before(self, run: int, pair: str) -> tuple[Agreement, tuple[Link, ...]] | None:
        """The pair's base as it was before that run; None if nothing has changed it since, or there was none before."""
        table = tables.PastBase
        here = (col(table.pair) == pair, col(table.run) >= run)
        earliest = tables.rows_of(table).where(*here).order_by(col(table.id)).limit(1)
        with transaction(self._engine) as connection:
            row = connection.execute(earliest).first()
        if row is None or row.links is None:
            return None
        return Agreement(**row.agreement), tuple(Link(Window(*link[:3]), *link[3:]) for link in row.links)

    def prune(self, history_days: int) -> Pruned:
        """Forgets a batch of what is older than so many days; worth calling again as long as `total` is not 0."""
        now = self._clock.now()
        with transaction(self._engine) as connection:
            return prune(connection, now, history_days)

    def prune_due(self) -> bool:
        """Whether the present run is the first of the day (UTC)."""
        with transaction(self._engine) as connection:
            return is_due(connection, self._clock.now())

    def runs(self, limit: int = 20) -> list[RunRecord]:
        """The last runs, the newest first."""
        table = tables.Run
        statement = tables.rows_of(table).order_by(col(table.id).desc()).limit(limit)
        with transaction(self._engine) as connection:
            return [_run(row) for row in connection.execute(statement)]


def _run(row: Any) -> RunRecord:
    requests: dict[Side, int] = {"bitrix24": row.bitrix24_requests, "reservekit": row.reservekit_requests}
    return RunRecord(row.id, row.started_by, row.started_at, row.finished_at, requests, row.pairs or {})
