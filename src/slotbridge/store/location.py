"""Where a database lies."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from slotbridge.errors import StoreError

_SCHEME: Final = "sqlite:///"


def database_file(url: str) -> Path | None:
    """The file that a `sqlite:///` address names, links resolved; None for one in memory.

    Raises StoreError for any other address.
    """
    if not url.startswith(_SCHEME):
        hint = f'Write it as "{_SCHEME}slotbridge.db"; only SQLite is supported'
        raise StoreError("the address of the database is not one of SQLite", hint=hint)
    name = url.removeprefix(_SCHEME)
    return None if name in ("", ":memory:") else Path(name).resolve()


def beside(file: Path, suffix: str) -> Path:
    """The file next to a database whose name goes on with `suffix`."""
    return file.with_name(file.name + suffix)
