"""Copies of the database: one made while it is in use, and one put in its place."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final

from slotbridge.errors import StoreError
from slotbridge.store.failures import is_damage
from slotbridge.store.inspection import Contents, contents, opened
from slotbridge.store.location import beside, is_made, private

_OWNER_ONLY: Final = 0o600
_STAMP: Final = "%Y%m%dT%H%M%SZ"


def backup_name(file: Path, now: datetime) -> Path:
    """What a copy is called that nobody named."""
    return beside(file, f".backup-{now:{_STAMP}}")


def kept_name(file: Path, now: datetime) -> Path:
    """What the database is called that a restored one replaced."""
    return beside(file, f".before-restore-{now:{_STAMP}}")


def back_up(file: Path, target: Path) -> Contents:
    """Makes a copy, also while others write; tells what is in the copy. It appears under its name when it is whole.

    Raises StoreError where there is no database of ours, the target exists, or the copy cannot be made.
    """
    if target.exists():
        hint = "A copy replaces nothing: name another file"
        raise StoreError("this file exists already", item=str(target), hint=hint)
    contents(file)
    with _draft(file, target) as draft:
        found = contents(draft)
        draft.rename(target)
    _settle_folder(target.parent)
    return replace(found, file=target)


def restore(file: Path, source: Path, kept: Path) -> Contents:
    """Puts what is in the copy `source` in the place of the database, and keeps that as `kept`; tells what was put.

    Whoever calls it holds the lock. The database is there at every moment: first the old one, then the new one.
    Raises StoreError for a copy that cannot take its place, and where another program has the database open.
    """
    if not is_made(source):
        what = "this file is empty" if source.exists() else "there is no such file"
        raise StoreError(what, item=str(source), hint="`slotbridge db backup` makes copies")
    if file.exists() and source.samefile(file):
        raise StoreError(
            "this is the database itself", item=str(source), hint="Name the copy that is to take its place"
        )
    found = contents(source)
    with _draft(source, file) as draft:
        _make_alike(draft, file)
        if file.exists():
            _close(file)
            _keep(file, kept)
        _drop_logs(file)
        draft.replace(file)
    _settle_folder(file.parent)
    return found


@contextmanager
def _draft(source: Path, target: Path) -> Iterator[Path]:
    """A copy next to the target, on the disk for good, and gone at the end unless it was renamed."""
    draft = beside(target, ".part")
    try:
        draft.unlink(missing_ok=True)
        # SQLite writes into an empty file as it stands, so that nobody else can read it at any moment.
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY))
    except OSError as error:
        hint = "It has to be a file in a folder that exists and that you may write"
        raise StoreError(f"nothing can be written here ({error.strerror})", item=str(target), hint=hint) from error
    try:
        _copy(source, draft)
        yield draft
    finally:
        draft.unlink(missing_ok=True)


def _copy(source: Path, draft: Path) -> None:
    try:
        with opened(source) as connection:
            # Unlike a copy of the file it has what is still in the write-ahead log.
            connection.execute("VACUUM INTO ?", (str(draft),))
        with draft.open("rb") as written:
            # SQLite leaves this out (sqlite.org/lang_vacuum.html).
            os.fsync(written.fileno())
    except StoreError as error:
        if is_damage(error):
            raise
        what = f"no copy could be made in {draft.parent}: {error.what}"
        raise StoreError(what, item=str(source), hint=error.hint) from error
    except OSError as error:
        what = f"no copy could be made in {draft.parent} ({error.strerror})"
        raise StoreError(what, item=str(source), hint="Free some space there, or name another place") from error


def _make_alike(draft: Path, file: Path) -> None:
    """Gives a copy the permissions of the database; root gives it its owner, too, who would be locked out otherwise."""
    owner = (file if file.exists() else file.parent).stat()
    if file.exists():
        draft.chmod(private(stat.S_IMODE(owner.st_mode)))
    if os.geteuid() == 0:
        os.chown(draft, owner.st_uid, owner.st_gid)


def _close(file: Path) -> None:
    """Takes what is in the log into the file. SQLite does so only if nobody else has it open (sqlite.org/wal.html).

    A damaged one stays as it is.
    """
    if not is_made(file):
        return
    try:
        with opened(file) as connection:
            connection.execute("PRAGMA journal_mode=DELETE")
    except StoreError as error:
        if not is_damage(error):
            raise


def _keep(file: Path, kept: Path) -> None:
    """Gives the database a second name; its log would be taken for that of the next file of its name."""
    try:
        kept.hardlink_to(file)
        for suffix in ("-wal", "-journal"):
            if (log := beside(file, suffix)).exists():
                log.rename(beside(kept, suffix))
        beside(file, "-shm").unlink(missing_ok=True)
    except OSError as error:
        hint = "Nothing was replaced; check the permissions of the folder"
        raise StoreError(f"the database cannot be kept aside ({error.strerror})", item=str(kept), hint=hint) from error


def _drop_logs(file: Path) -> None:
    """A log that outlived its database would be taken for that of the restored one, and ruin it."""
    try:
        for suffix in ("-wal", "-journal", "-shm"):
            beside(file, suffix).unlink(missing_ok=True)
    except OSError as error:
        hint = "Check the permissions of the folder"
        what = f"the log of an earlier database cannot be removed ({error.strerror})"
        raise StoreError(what, item=str(file), hint=hint) from error


def _settle_folder(folder: Path) -> None:
    """Makes a new name outlive a power loss."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
