"""Looking into a database file: whether it is whole and ours, and what it holds. Older and newer ones, too."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final

from slotbridge.errors import StoreError
from slotbridge.store.engine import driver, plain_engine, read_only_engine
from slotbridge.store.failures import translated
from slotbridge.store.location import beside, is_made
from slotbridge.store.migrate import HEAD, MENDED, is_known, is_newer
from slotbridge.store.room import ROOM, free_beside, size_words

_COUNTS: Final[Mapping[str, str]] = {
    "pairs": "SELECT count(*) FROM pair_state WHERE agreement IS NOT NULL",
    "windows": "SELECT count(*) FROM slot_link",
    "open holds": "SELECT count(*) FROM hold WHERE ended_at IS NULL",
    "runs": "SELECT count(*) FROM run",
    "changes": "SELECT count(*) FROM change",
}
_OURS: Final = {"alembic_version", "pair_state", "slot_link", "hold", "run", "change"}


@dataclass(frozen=True, slots=True)
class Contents:
    """What a database holds: its schema, its size in bytes, how many rows of what, and when its last run began."""

    file: Path
    size: int
    schema: str
    counts: Mapping[str, int]
    last_run: datetime | None


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `hint` is what to do about it: needed where it is not `ok`, advice where it is."""

    about: str
    ok: bool
    says: str
    hint: str | None = None


@contextmanager
def opened(file: Path) -> Iterator[sqlite3.Connection]:
    """A connection on which no transaction begins by itself; it needs no lock of ours and waits for no writer.

    Raises StoreError for whatever SQLite complains about, and where there is no database yet.
    """
    if not is_made(file):
        raise StoreError("there is no database yet", item=str(file), hint="The first `slotbridge sync` makes it")
    # In a folder that may be written SQLite has to make the files of its own that tell others that it is reading.
    engine = (plain_engine if os.access(file.parent, os.W_OK) else read_only_engine)(file)
    with translated(str(file)), engine.connect() as connection:
        yield driver(connection)


def contents(file: Path) -> Contents:
    """What a database of ours holds, whatever its schema. Raises StoreError for one that is damaged, or not ours."""
    with opened(file) as connection:
        for finding in (_whole(connection), _references(connection), _schema(connection)):
            if not finding.ok:
                raise StoreError(f"the database {finding.says}", item=str(file), hint=finding.hint)
        ((schema,),) = connection.execute("SELECT version_num FROM alembic_version")
        last = _last_run(connection, file)
        counts = {name: connection.execute(query).fetchone()[0] for name, query in _COUNTS.items()}
    return Contents(file, file.stat().st_size, schema, counts, last)


def _last_run(connection: sqlite3.Connection, file: Path) -> datetime | None:
    ((last,),) = connection.execute("SELECT max(started_at) FROM run")
    try:
        return None if last is None else datetime.fromisoformat(f"{last}+00:00")
    except ValueError:
        what = f"the database is damaged (a run began at {last!r}, which is no time)"
        raise StoreError(what, item=str(file), hint=MENDED) from None


def findings(file: Path, *, free: Callable[[Path], int] = free_beside) -> tuple[Finding, ...]:
    """Everything that can be said about a database without asking anybody else. Raises StoreError if there is none."""
    try:
        with opened(file) as connection:
            inside = [_whole(connection), _references(connection), _schema(connection)]
    except StoreError as error:
        if not is_made(file):
            raise
        inside = [Finding("integrity", ok=False, says=error.what.removeprefix("the database "), hint=error.hint)]
    return (*inside, _permissions(file), _space(file, free(file)))


def _whole(connection: sqlite3.Connection) -> Finding:
    said = [row[0] for row in connection.execute("PRAGMA integrity_check(3)")]
    if said == ["ok"]:
        return Finding("integrity", ok=True, says="is whole")
    told = "; ".join(" ".join(line.split()) for line in said)
    return Finding("integrity", ok=False, says=f"is damaged ({told})", hint=MENDED)


def _references(connection: sqlite3.Connection) -> Finding:
    broken = connection.execute("PRAGMA foreign_key_check").fetchall()
    if not broken:
        return Finding("references", ok=True, says="has all rows that others refer to")
    table, _, parent, _ = broken[0]
    says = f"has rows that refer to nothing: {len(broken)}, the first in {table}, to {parent}"
    return Finding("references", ok=False, says=says, hint=MENDED)


def _schema(connection: sqlite3.Connection) -> Finding:
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables >= _OURS:
        says = "holds another program's tables" if tables else "is empty"
        return Finding("schema", ok=False, says=says, hint="It has to be one that slotbridge made")
    schemas = [str(row[0]) for row in connection.execute("SELECT version_num FROM alembic_version")]
    if len(schemas) != 1:
        return Finding("schema", ok=False, says=f"names {len(schemas)} schemas instead of one", hint=MENDED)
    return _version(schemas[0])


def _version(schema: str) -> Finding:
    if schema == HEAD:
        return Finding("schema", ok=True, says=f"has the schema of this version ({HEAD})")
    if is_known(schema):
        hint = "The next run migrates it, and `slotbridge db upgrade` does so now"
        return Finding("schema", ok=True, says=f"is of an older slotbridge (schema {schema})", hint=hint)
    if is_newer(schema):
        says = f"is of a newer slotbridge (schema {schema}; this version knows up to {HEAD})"
        return Finding("schema", ok=False, says=says, hint="Install the version that wrote it, or a newer one")
    return Finding("schema", ok=False, says=f"has a schema that no slotbridge made ({schema})", hint=MENDED)


def _permissions(file: Path) -> Finding:
    ours = [path for path in (file, *(beside(file, end) for end in ("-wal", "-shm", ".lock"))) if path.exists()]
    closed = [path.name for path in ours if not os.access(path, os.R_OK | os.W_OK)]
    closed += [] if os.access(file.parent, os.W_OK | os.X_OK) else ["its folder"]
    if closed:
        hint = "Run this as the user that slotbridge runs as; if it is, check owner and permissions"
        return Finding("permissions", ok=False, says=f"cannot be written: {', '.join(closed)}", hint=hint)
    if refused := _refused(file.parent):
        hint = "See the system's log: a disk with an error is often made read-only"
        return Finding("permissions", ok=False, says=f"cannot be written: {refused}", hint=hint)
    if file.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        hint = f"It may hold tokens of the portal: chmod 600 {file}"
        return Finding("permissions", ok=True, says="can be written, and read by other users", hint=hint)
    return Finding("permissions", ok=True, says="can be written, and read by its owner only")


def _refused(folder: Path) -> str | None:
    """Why nothing can be written into a folder whatever its permissions are: a disk may refuse all the same."""
    try:
        with TemporaryFile(dir=folder):
            return None
    except OSError as error:
        return error.strerror


def _space(file: Path, free: int) -> Finding:
    used = sum(path.stat().st_size for path in (file, beside(file, "-wal")) if path.exists())
    says = f"takes {size_words(used)}; {size_words(free)} are free"
    if free >= max(used, ROOM):
        return Finding("space", ok=True, says=says)
    hint = f"Free some: a copy of it, as before a migration, needs {size_words(max(used, ROOM))}"
    return Finding("space", ok=False, says=says, hint=hint)
