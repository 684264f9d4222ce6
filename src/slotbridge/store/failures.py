"""SQLite's failures, as messages that say what to do."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy.exc import DBAPIError

from slotbridge.errors import StoreError

_DAMAGED: Final = (
    "Put a copy back with `slotbridge db restore`, or move it away: without a database the next run is a first sync, "
    "which relinks what is equal on both sides and writes nothing"
)

_FULL: Final = ("cannot grow: the disk is full", "Free some space; nothing that was stored is lost")

# The more exact codes that mean something else than the primary code of their low byte: sqlite.org/rescode.html.
_EXACT_MEANINGS: Final[dict[int, tuple[str, str]]] = {
    sqlite3.SQLITE_IOERR_SHMSIZE: _FULL,
    sqlite3.SQLITE_READONLY_DIRECTORY: (
        "cannot be written: its folder is read-only",
        "slotbridge keeps files of its own next to the database; check the owner and permissions of the folder",
    ),
}

_MEANINGS: Final[dict[int, tuple[str, str]]] = {
    sqlite3.SQLITE_NOTADB: ("is not an SQLite database", "Name another file in [store] url, or move this one away"),
    sqlite3.SQLITE_CORRUPT: ("is damaged", _DAMAGED),
    sqlite3.SQLITE_READONLY: (
        "cannot be written",
        "slotbridge needs to write the file and its folder; check their owner and permissions",
    ),
    sqlite3.SQLITE_PERM: ("cannot be used", "Check the owner and the permissions of the file and its folder"),
    sqlite3.SQLITE_CANTOPEN: (
        "cannot be opened",
        "It has to be a file in a folder that exists and that slotbridge may write",
    ),
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_IOERR: (
        "cannot be read or written: the disk failed",
        "It may be breaking, or read-only since an error: see the system's log. The file has to be on a local disk",
    ),
    sqlite3.SQLITE_BUSY: (
        "is locked by another program",
        "Close whatever else has it open; another slotbridge on it lets go after moments",
    ),
    sqlite3.SQLITE_LOCKED: ("is locked by another program", "Close whatever else has it open"),
}


@contextmanager
def translated(place: str) -> Iterator[None]:
    """Turns what SQLite or SQLAlchemy raise about the database at `place` into StoreError."""
    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        raise store_error(error, place) from error


def store_error(error: DBAPIError | sqlite3.Error, place: str) -> StoreError:
    """What a failure means to the person who runs slotbridge."""
    code = _code(error)
    # The low byte is the primary code; what is above it narrows it down.
    meaning = _EXACT_MEANINGS.get(code) or _MEANINGS.get(code & 0xFF)
    if meaning is None:
        return StoreError(f"the database cannot be used ({_cause(error)})", item=place)
    what, hint = meaning
    return StoreError(f"the database {what}", item=place, hint=hint)


def is_damage(error: StoreError) -> bool:
    """Whether an error says that the file itself is of no use: damaged, or no database at all."""
    cause = error.__cause__
    if not isinstance(cause, DBAPIError | sqlite3.Error):
        return False
    return _code(cause) & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _cause(error: DBAPIError | sqlite3.Error) -> BaseException | None:
    return error.orig if isinstance(error, DBAPIError) else error


def _code(error: DBAPIError | sqlite3.Error) -> int:
    code: int = getattr(_cause(error), "sqlite_errorcode", 0)
    return code
