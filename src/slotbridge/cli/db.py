"""`db`: copies of the database, and whether it is sound. Neither service is asked."""

from __future__ import annotations

import asyncio
from pathlib import Path

from slotbridge.cli.invocation import Invocation
from slotbridge.cli.render.database import (
    checked_json,
    checked_lines,
    copied_json,
    copied_lines,
    restored_json,
    restored_lines,
    upgraded_json,
    upgraded_lines,
)
from slotbridge.errors import ConfigurationError
from slotbridge.store import DatabaseLock, Store
from slotbridge.store.care import back_up, backup_name, kept_name, restore
from slotbridge.store.inspection import contents, findings
from slotbridge.store.location import database_file, is_made
from slotbridge.store.migrate import HEAD


def make_backup(invocation: Invocation, target: Path | None) -> int:
    """Makes a copy, whoever else is at work. Raises StoreError where there can be none."""
    file = _file(invocation.settings().store.url)
    named = backup_name(file, invocation.clock.now())
    copy = named if target is None else (target / named.name if target.is_dir() else target)
    made = back_up(file, copy.absolute())
    if invocation.as_json:
        invocation.emit(copied_json(made))
    else:
        invocation.say(copied_lines(made, invocation.clock.now(), invocation.counsel()))
    return 0


def restore_backup(invocation: Invocation, source: Path, wait: float) -> int:
    """Puts a copy in the place of the database. Raises LockHeld, or StoreError for a copy that is of no use."""
    url = invocation.settings().store.url
    return asyncio.run(_restore(invocation, url, source.absolute(), wait))


async def _restore(invocation: Invocation, url: str, source: Path, wait: float) -> int:
    file, now = _file(url), invocation.clock.now()
    with DatabaseLock(url, "db restore") as lock:
        await lock.acquire(wait, invocation.clock)
        kept = kept_name(file, now) if file.exists() else None
        put = restore(file, source, kept or kept_name(file, now))
    if invocation.as_json:
        invocation.emit(restored_json(put, file, kept))
    else:
        invocation.say(restored_lines(put, file, kept, now, invocation.counsel()))
    return 0


def check_database(invocation: Invocation) -> int:
    """Tells everything that can be said about the database; 1 if something has to be done about it."""
    file = _file(invocation.settings().store.url)
    found = findings(file)
    sound = all(finding.ok for finding in found)
    inside = contents(file) if sound else None
    if invocation.as_json:
        invocation.emit(checked_json(file, found, inside))
    else:
        invocation.say(checked_lines(file, found, inside, invocation.clock.now()))
    return 0 if sound else 1


def upgrade_database(invocation: Invocation, wait: float) -> int:
    """Migrates the database now. Raises LockHeld, or StoreError where it cannot be migrated."""
    return asyncio.run(_upgrade(invocation, invocation.settings().store.url, wait))


async def _upgrade(invocation: Invocation, url: str, wait: float) -> int:
    file, schema, backup = _file(url), None, None
    if is_made(file):
        with DatabaseLock(url, "db upgrade") as lock:
            await lock.acquire(wait, invocation.clock)
            schema = contents(file).schema
            store = Store.open(url, clock=invocation.clock)
            backup = store.backup
            store.close()
    if invocation.as_json:
        invocation.emit(upgraded_json(file, schema, HEAD, backup))
    else:
        invocation.say(upgraded_lines(file, schema, HEAD, backup))
    return 0


def _file(url: str) -> Path:
    file = database_file(url)
    if file is None:
        raise ConfigurationError("the database is in memory", hint="[store] url has to name a file for this")
    return file
