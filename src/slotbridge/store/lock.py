"""The lock that lets one process at a time work on a database."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import socket
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from slotbridge.clock import Clock
from slotbridge.errors import LockHeld, StoreError
from slotbridge.store.location import beside, database_file


class DatabaseLock:
    """The lock of one database, held through an open file next to it: the kernel frees it when the process dies.

    The file is never deleted, because then two processes could each hold the lock of a file of that name. What is
    written inside is for people. A database in memory needs no lock. Leaving the context frees it:

        with DatabaseLock(url, "sync") as lock:
            await lock.acquire(10, clock)
    """

    def __init__(self, url: str, command: str) -> None:
        database = database_file(url)
        self.file: Path | None = None if database is None else beside(database, ".lock")
        self._command = command
        self._descriptor: int | None = None

    def is_ours(self) -> bool:
        """Whether nobody else can take the lock: it is held, by way of the file that has its name now.

        One that was deleted or replaced keeps nobody out. A database in memory is always ours.
        """
        if self.file is None:
            return True
        try:
            return self._descriptor is not None and os.path.samestat(os.fstat(self._descriptor), self.file.stat())
        except OSError:
            return False

    @property
    def held(self) -> bool:
        """Whether this one holds the lock now; that of a database in memory is never held."""
        return self._descriptor is not None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    async def acquire(self, wait: float, clock: Clock, poll: float = 0.2) -> None:
        """Takes the lock, trying again every `poll` seconds for `wait` seconds; 0 is one attempt.

        Raises LockHeld, which says who holds it, or StoreError when there can be no lock file.
        """
        until = clock.monotonic() + wait
        while True:
            try:
                self.take(clock.now())
            except LockHeld:
                if (left := until - clock.monotonic()) <= 0:
                    raise
                await clock.sleep(min(poll, left))
            else:
                return

    def take(self, now: datetime) -> None:
        """Takes the lock at the first attempt, or takes it again if it was lost. Raises what `acquire` does."""
        if self.file is None or self.is_ours():
            return
        descriptor = _open(self.file)
        try:
            if not _taken(descriptor, self.file):
                raise _held(descriptor, self.file)
            _sign(descriptor, self.file, self._command, now)
        except BaseException:
            os.close(descriptor)
            raise
        self.release()
        self._descriptor = descriptor

    def release(self) -> None:
        """Frees the lock, if it is held."""
        if self._descriptor is not None:
            with suppress(OSError):  # on a disk that has become read-only the signature stays; it frees nothing
                os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None


def _open(file: Path) -> int:
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _unusable(error, file) from error
    _hand_over(descriptor, file.parent)
    return descriptor


def _hand_over(descriptor: int, folder: Path) -> None:
    """Root's file would lock out the user whose folder this is; SQLite treats its own files the same way."""
    if os.geteuid() == 0 and os.fstat(descriptor).st_uid == 0:
        owner = folder.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)


def _taken(descriptor: int, file: Path) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise _unusable(error, file) from error
    return True


def _unusable(error: OSError, file: Path) -> StoreError:
    if error.errno == errno.ENOENT and not file.parent.is_dir():
        hint = "Make it, or name another place in [store] url; a relative path begins where slotbridge was started"
        return StoreError("the folder of the database does not exist", item=str(file.parent), hint=hint)
    hint = "The database's folder has to exist, on a local disk, and slotbridge has to be allowed to write there"
    if error.errno == errno.ENOSPC:
        hint = "Free some space; nothing that was stored is lost"
    return StoreError(f"the lock file cannot be used ({error.strerror})", item=str(file), hint=hint)


def _sign(descriptor: int, file: Path, command: str, now: datetime) -> None:
    holder = {"pid": os.getpid(), "host": socket.gethostname(), "command": command, "since": now.isoformat()}
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(holder).encode(), 0)
    except OSError as error:
        raise _unusable(error, file) from error


def _held(descriptor: int, file: Path) -> LockHeld:
    who, command = _holder(descriptor)
    hint = "Wait until it is done, or stop it; two at a time would write the same changes twice"
    if command == "run":
        hint = (
            "That is the daemon: it keeps the pairs in step by itself and does not end. `slotbridge status` shows how "
            "it goes; to work by hand, stop it first, as it was started (`systemctl stop slotbridge`, or SIGTERM)"
        )
    return LockHeld(f"another slotbridge works on this database{who}", item=str(file), hint=hint)


def _holder(descriptor: int) -> tuple[str, str]:
    """Who holds it, and by which command, as far as the file says; it is empty for a moment after the lock is taken."""
    try:
        said = json.loads(os.pread(descriptor, 4096, 0))
        since = datetime.fromisoformat(said["since"]).astimezone(UTC)
        who = f"`slotbridge {said['command']}`, process {said['pid']} on {said['host']}"
        return f": {who}, since {since:%Y-%m-%d %H:%M:%S} UTC", str(said["command"])
    except (ValueError, KeyError, TypeError):
        return "", ""
