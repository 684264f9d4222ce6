"""Who holds the lock of a database, seen from outside: the lock itself is not touched."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from slotbridge.store.location import beside, database_file

KERNEL_LOCKS: Final = Path("/proc/locks")


@dataclass(frozen=True, slots=True)
class Holder:
    """Who signed the lock file. `holds` is None where nobody can tell from here whether the lock is still held."""

    command: str
    pid: int
    host: str
    since: datetime
    holds: bool | None


def holder_of(url: str, locks: Path = KERNEL_LOCKS) -> Holder | None:
    """Who took the lock of this database and has not freed it since; None for nobody, or where it cannot be read.

    A process that was killed is still told, as one that holds nothing.
    """
    database = database_file(url)
    if database is None:
        return None
    try:
        file = beside(database, ".lock")
        said = json.loads(file.read_bytes())
        since = datetime.fromisoformat(said["since"]).astimezone(UTC)
        host = str(said["host"])
        holds = _is_locked(file, locks) if host == socket.gethostname() else None
        return Holder(str(said["command"]), int(said["pid"]), host, since, holds)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def is_daemon(holder: Holder | None) -> bool | None:
    """Whether a daemon is at work; None where that cannot be told from here."""
    return holder.holds if holder is not None and holder.command == "run" else False


def _is_locked(file: Path, locks: Path) -> bool | None:
    """Whether the kernel of this host lists a lock on the file; None where it has no such list.

    Only the inode is compared: some file systems have one device number there and another one in their answers.
    """
    try:
        # proc_locks(5): "1: FLOCK  ADVISORY  WRITE 1234 08:01:5678 0 EOF", the sixth field being the device and inode.
        listed = [line.split() for line in locks.read_text(encoding="ascii").splitlines()]
    except OSError:
        return None
    inode = str(file.stat().st_ino)
    return any(fields[5:] and fields[5].rpartition(":")[2] == inode for fields in listed)
