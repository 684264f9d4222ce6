"""Where the tokens of a Bitrix24 application are kept: in the database, which nobody else may read from then on."""

from __future__ import annotations

import fcntl
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlmodel import col

from slotbridge.clock import Clock
from slotbridge.errors import StoreError
from slotbridge.http.tokens import TokenPair
from slotbridge.store import tables
from slotbridge.store.engine import plain_engine, read_only_engine, transaction, working_engine
from slotbridge.store.location import beside, database_file
from slotbridge.store.migrate import bring_up, is_current

PRIVATE: Final = 0o600
PATIENCE: Final = 120.0
"""Seconds to wait for another process that renews tokens: more than its request may take."""

PERSISTENCE: Final = 120.0
"""Seconds for which a new pair is tried to be stored: who backs up or vacuums a database may lock it for long."""


class Tokens:
    """The tokens in one database. Needs no lock on it, and writes them from a dry run, too: unstored they are lost.

    Every method raises StoreError when the database cannot be used.
    """

    def __init__(self, url: str, clock: Clock) -> None:
        self._file = database_file(url)
        self._clock = clock

    def prepare(self) -> None:
        """Makes sure that tokens can be stored: the database is there, up to date, and private."""
        file = self._needed()
        with _disposed(plain_engine(file)) as engine:
            bring_up(engine)
        _make_private(file)

    def load(self, client_id: str) -> TokenPair | None:
        """The pair that was stored last; None if there is none. Creates no file and changes none."""
        if self._file is None or not self._file.exists():
            return None
        table = tables.OAuthToken
        with _disposed(read_only_engine(self._file)) as engine:
            if not is_current(engine):
                return None
            with transaction(engine) as connection:
                row = connection.execute(tables.rows_of(table).where(col(table.client_id) == client_id)).first()
        if row is None:
            return None
        return TokenPair(row.access_token, row.refresh_token, row.expires_at, row.endpoint, row.member_id)

    def save(self, client_id: str, pair: TokenPair) -> None:
        """Stores a pair in place of the last one. When this returns, no power loss can undo it."""
        row = {
            "access_token": pair.access_token,
            "refresh_token": pair.refresh_token,
            "expires_at": pair.expires_at,
            "endpoint": pair.endpoint,
            "member_id": pair.member_id,
            "stored_at": self._clock.now(),
        }
        self.prepare()
        newer = upsert(tables.OAuthToken).values(client_id=client_id, **row)
        with _disposed(working_engine(self._needed())) as engine, transaction(engine, durable=True) as connection:
            connection.execute(newer.on_conflict_do_update(["client_id"], set_=row))

    async def keep(self, client_id: str, pair: TokenPair) -> None:
        """Stores a pair in place of one that is good no more: unstored, whoever granted access is locked out.

        Where the database takes nothing it tries for two minutes, and raises StoreError then.
        """
        until = self._clock.monotonic() + PERSISTENCE
        while True:
            try:
                return self.save(client_id, pair)
            except StoreError:
                if self._clock.monotonic() >= until:
                    raise
                await self._clock.sleep(1.0)

    @asynccontextmanager
    async def exclusive(self) -> AsyncIterator[None]:
        """As long as this lasts, no other process renews tokens. The kernel frees it when a process dies."""
        file = beside(self._needed(), ".oauth-lock")
        with _opened(file) as descriptor:
            until = self._clock.monotonic() + PATIENCE
            while not _taken(descriptor):
                if self._clock.monotonic() >= until:
                    hint = "Look for one that hangs, and stop it"
                    raise StoreError(
                        "another slotbridge is renewing the tokens all the time", item=str(file), hint=hint
                    )
                await self._clock.sleep(0.2)
            yield

    def _needed(self) -> Path:
        if self._file is None:
            raise StoreError("a database in memory cannot keep tokens", hint="Name a file in [store] url")
        return self._file


@contextmanager
def _disposed(engine: Engine) -> Iterator[Engine]:
    try:
        yield engine
    finally:
        engine.dispose()


def _make_private(file: Path) -> None:
    # SQLite gives the files next to it the permissions of the database when it makes them, but not later.
    for each in (file, beside(file, "-wal"), beside(file, "-shm")):
        try:
            if each.exists() and each.stat().st_mode & 0o077:
                each.chmod(PRIVATE)
        except FileNotFoundError:
            continue  # the last of those who had it open removed it meanwhile
        except OSError as error:
            hint = "It belongs to another user; run slotbridge as that user, or hand the file over"
            what = f"the database holds tokens and cannot be closed to others ({error.strerror})"
            raise StoreError(what, item=str(each), hint=hint) from error


@contextmanager
def _opened(file: Path) -> Iterator[int]:
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE)
    except OSError as error:
        hint = "slotbridge has to be allowed to write into the database's folder"
        raise StoreError(f"the lock file cannot be used ({error.strerror})", item=str(file), hint=hint) from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
