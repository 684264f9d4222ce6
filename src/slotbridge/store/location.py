"""Where a database lies."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
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


def is_made(file: Path) -> bool:
    """Whether there is a database: a file without a byte is one that is yet to be made, as SQLite sees it, too."""
    try:
        return file.stat().st_size > 0
    except OSError:
        return False


def make_private(file: Path) -> None:
    """Makes an empty file that nobody else can read, where there is none yet: a database may hold tokens.

    Where it cannot be made, nothing is: whoever opens it then is told why.
    """
    with suppress(OSError):
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def private(mode: int) -> int:
    """The permissions for a database that has these. What everybody may do, a default allowed and nobody decided."""
    return 0o600 if mode & 0o007 else mode


def close_to_others(file: Path) -> None:
    """Gives a database and the files beside it such permissions, as far as they are ours to give."""
    for each in (file, beside(file, "-wal"), beside(file, "-shm")):
        with suppress(OSError):
            if (wanted := private(mode := stat.S_IMODE(each.stat().st_mode))) != mode:
                each.chmod(wanted)
