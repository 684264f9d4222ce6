"""Engines and transactions.

The sqlite3 module would begin a transaction at the first write only, so that of two programs that read and then write
one would undo the other without an error. Here every transaction begins when it begins, and takes the write lock.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, NullPool, StaticPool, create_engine, event

from slotbridge.store.failures import translated
from slotbridge.store.location import beside

PATIENCE: Final = 5.0
"""Seconds that a transaction waits for another program's to end."""

_INDEX: Final = 32 * 1024
"""Bytes of the file next to a WAL database, at least, while anybody has it open (sqlite.org/walformat.html)."""

_BEGIN: Final = "slotbridge_begin"
"""The option of an engine that says how its transactions begin, where that is not with the write lock."""

_BUSY: Final = f"busy_timeout={PATIENCE * 1000:.0f}"
_WORKING: Final = ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON")


def working_engine(file: Path | None, patience: float = PATIENCE) -> Engine:
    """The engine for everyday work on a file, or on a database in memory."""
    pragmas = (_busy(patience), *_WORKING)
    if file is None:
        return _hooked(_engine("sqlite://", poolclass=StaticPool), pragmas)
    return _hooked(_engine(_url(file)), pragmas)


def plain_engine(file: Path) -> Engine:
    """The engine for creating and migrating.

    Without foreign keys: a batch migration rebuilds a table, and dropping the old one would delete the rows that
    refer to it. Without WAL: the file may turn out not to be ours, and is left as it is then.
    """
    return _hooked(_engine(_url(file), poolclass=NullPool), (_BUSY,))


def read_only_engine(file: Path, patience: float = PATIENCE) -> Engine:
    """The engine for those that must leave no trace: it neither writes the file nor makes one next to it."""

    engine = _engine(
        _url(file), creator=lambda: read_only(file), poolclass=NullPool, execution_options={_BEGIN: "BEGIN"}
    )
    return _hooked(engine, (_busy(patience),))


def read_only(file: Path, patience: float = PATIENCE) -> sqlite3.Connection:
    """One connection of that kind, on which each statement is a transaction unless one is begun."""
    # SQLite reads a WAL database by way of files next to it, and a reader would make them and leave them behind
    # (sqlite.org/wal.html, "Read-Only Databases"). Where there are none nobody has the database open, and it
    # can be read as it stands. Connections last no longer than one transaction, so this stays true.
    address = f"{file.as_uri()}?mode=ro{'' if _is_used(file) else '&immutable=1'}"
    return sqlite3.connect(address, uri=True, timeout=patience, isolation_level=None)


def _is_used(file: Path) -> bool:
    """Whether somebody has it open, or died with something in a log. On a full disk SQLite leaves two files behind that
    hold nothing, and that nobody can use.
    """
    log, index = _size(beside(file, "-wal")), _size(beside(file, "-shm"))
    return _size(beside(file, "-journal")) is not None or bool(log) or (log is not None and (index or 0) >= _INDEX)


def _size(file: Path) -> int | None:
    """In bytes; None where there is no such file, or it has just gone."""
    try:
        return file.stat().st_size
    except OSError:
        return None


@contextmanager
def transaction(engine: Engine, *, durable: bool = False) -> Iterator[Connection]:
    """One transaction: all of it or nothing. Raises StoreError for whatever SQLite complains about.

    A `durable` one outlives a power loss right after it. In WAL mode with synchronous=NORMAL the last transactions
    may be lost then, though never a part of one (sqlite.org/pragma.html, "synchronous").
    """
    with translated(place_of(engine)), engine.connect() as connection:
        if durable:
            driver(connection).execute("PRAGMA synchronous=FULL")
        try:
            with connection.begin():
                # Not by a listener of SQLAlchemy's: while there is one, it looks for more of them with every statement.
                driver(connection).execute(engine.get_execution_options().get(_BEGIN, "BEGIN IMMEDIATE"))
                yield connection
        finally:
            if durable:
                driver(connection).execute("PRAGMA synchronous=NORMAL")


def place_of(engine: Engine) -> str:
    """The file, for messages."""
    return engine.url.database or "in memory"


def driver(connection: Connection) -> sqlite3.Connection:
    """The connection below SQLAlchemy's, on which a statement begins no transaction."""
    below: Any = connection.connection.driver_connection
    found: sqlite3.Connection = below
    return found


def _busy(patience: float) -> str:
    return f"busy_timeout={round(patience * 1000)}"


def _url(file: Path) -> URL:
    return URL.create("sqlite", database=str(file))


def _engine(url: URL | str, **how: Any) -> Engine:
    """Its errors show no values of ours: some are tokens."""
    return create_engine(url, hide_parameters=True, **how)


def _hooked(engine: Engine, pragmas: tuple[str, ...]) -> Engine:
    def on_connect(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")

    event.listen(engine, "connect", on_connect)
    return engine
