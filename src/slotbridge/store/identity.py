"""Whether the database is still the one that was opened.

A file can be deleted, replaced or damaged under a program that has it open, and SQLite goes on in what nobody will find
again (sqlite.org/howtocorrupt.html, "Unlinking or renaming a database file while in use").
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from slotbridge.errors import StoreError
from slotbridge.store.engine import read_only
from slotbridge.store.failures import translated
from slotbridge.store.migrate import holds_present

_PUT_BACK: Final = (
    "Put it back; or stop slotbridge, put a copy back with `slotbridge db restore`, and start it again. "
    "Nothing is written to either service until then"
)


class Identity:
    """Which file was opened, as a program that goes on for months has to ask. `patience` is in seconds."""

    def __init__(self, file: Path, patience: float) -> None:
        self._file = file
        self._patience = patience
        self._opened = _node(file)

    def require(self) -> None:
        """Raises StoreError where the file is gone, another one, damaged at its beginning, or of another schema."""
        node = _node(self._file)
        if node is None:
            raise self._not_ours("the database was deleted while it was in use")
        if node != self._opened:
            raise self._not_ours("another file has taken the place of the database while it was in use")
        if not self._begins_well():
            raise self._not_ours("the database is damaged at its beginning")
        if not self._holds_our_tables():
            raise self._not_ours("the database was emptied while it was in use")

    def _not_ours(self, what: str) -> StoreError:
        return StoreError(what, item=str(self._file), hint=_PUT_BACK)

    def _begins_well(self) -> bool:
        """Whether the file itself begins as a database does, whatever newer pages the write-ahead log has.

        SQLite looks, since closing a descriptor of our own would drop its locks on the file
        (sqlite.org/howtocorrupt.html, "Posix advisory locks canceled by a separate thread doing close()").
        """
        with closing(_without_log(self._file)) as connection:
            try:
                connection.execute("PRAGMA schema_version")
            except sqlite3.DatabaseError as error:
                # Anything else may be a log that was copied back in part when its writer died, which SQLite mends.
                return error.sqlite_errorcode != sqlite3.SQLITE_NOTADB
        return True

    def _holds_our_tables(self) -> bool:
        place = str(self._file)
        with translated(place), closing(read_only(self._file, self._patience)) as connection:
            connection.execute("BEGIN")
            return holds_present(connection, place)


def _without_log(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{file.as_uri()}?mode=ro&immutable=1", uri=True)


def _node(file: Path) -> tuple[int, int] | None:
    """What tells a file from another one of its name; None where there is none."""
    try:
        found = file.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        hint = "It has to be a file in a folder that exists and that slotbridge may read"
        raise StoreError(f"the database cannot be looked at ({error.strerror})", item=str(file), hint=hint) from error
    return found.st_dev, found.st_ino
