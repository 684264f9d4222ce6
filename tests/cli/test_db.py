"""`db`: over a real database, and its words."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config

from slotbridge.clock import SystemClock
from slotbridge.errors import LockHeld
from slotbridge.store import DatabaseLock, Store
from slotbridge.store.engine import plain_engine, transaction
from slotbridge.store.migrate import HEAD, LOCATION
from tests.store.samples import execute

from .conftest import Result, Shell


def names(shell: Shell, part: str) -> list[Path]:
    return sorted(path for path in shell.folder.iterdir() if part in path.name)


def url(shell: Shell) -> str:
    return f"sqlite:///{shell.database}"


def refused(done: Result, *said: str, code: int = 1) -> bool:
    return done.code == code and not done.out and all(words in done.err for words in said)


@pytest.fixture
def synced(shell: Shell) -> Shell:
    """The sample business, in step."""
    shell.call("sync")
    return shell


@pytest.fixture
def copy(synced: Shell) -> Path:
    assert synced.call("db", "backup", str(synced.folder / "copy.db")).code == 0
    return synced.folder / "copy.db"


def rows(file: Path) -> int:
    with closing(sqlite3.connect(file)) as connection:
        return int(connection.execute("SELECT count(*) FROM slot_link").fetchone()[0])


# backup


def test_a_backup_says_where_it_is_what_is_in_it_and_how_to_put_it_back(synced: Shell) -> None:
    done = synced.call("db", "backup")
    (made,) = names(synced, ".backup-")

    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"Copied to {made}, ")
    assert f"pairs 4, windows {rows(made)}, open holds 0, runs 1" in done.out
    assert done.last == f"To put it back: {synced.program} db restore {made}"
    assert stat.S_IMODE(made.stat().st_mode) == 0o600


def test_a_backup_needs_no_lock_and_asks_neither_service(synced: Shell) -> None:
    asked = len(synced.world.log)
    store = Store.open(url(synced), clock=SystemClock())
    store.begin_run("run")
    with DatabaseLock(url(synced), "run") as lock:
        asyncio.run(lock.acquire(0, SystemClock()))
        done = synced.call("db", "backup", "--json")
    store.close()

    assert done.document["copy"]["runs"] == 2
    assert done.document["copy"]["schema"] == HEAD
    assert len(synced.world.log) == asked


def test_a_folder_gets_a_backup_that_is_named_by_its_time(synced: Shell, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    done = synced.call("db", "backup", str(folder), "--json")

    (made,) = folder.iterdir()
    assert done.document["copy"]["file"] == str(made)
    assert made.name.startswith("slotbridge.db.backup-2")


def test_a_backup_replaces_nothing(synced: Shell, copy: Path) -> None:
    assert refused(synced.call("db", "backup", str(copy)), "exists already", "name another file")


def test_without_a_database_there_is_nothing_to_back_up(shell: Shell) -> None:
    assert refused(shell.call("db", "backup"), str(shell.database), "no database yet", "slotbridge sync")
    assert not shell.database.exists()


# restore


def test_a_restore_keeps_what_was_there_and_the_next_run_goes_on_from_it(synced: Shell, copy: Path) -> None:
    execute(synced.database, "DELETE FROM slot_link", "UPDATE pair_state SET agreement = NULL")
    done = synced.call("db", "restore", str(copy))
    (kept,) = names(synced, ".before-restore-")

    assert (done.code, done.err) == (0, "")
    assert f"what was there before is {kept}" in done.out
    assert done.last == f"  {synced.program} sync --dry-run"
    assert (rows(synced.database), rows(kept)) == (rows(copy), 0)
    assert synced.call("sync", "--json").document["requests"]["bitrix24"] == 1


def test_S13_a_restore_refuses_while_another_slotbridge_is_at_work(synced: Shell, copy: Path) -> None:
    before = synced.database.read_bytes()
    with DatabaseLock(url(synced), "run") as lock:
        asyncio.run(lock.acquire(0, SystemClock()))
        done = synced.call("db", "restore", str(copy))

    assert refused(done, "another slotbridge works on this database", "`slotbridge run`", code=LockHeld.exit_code)
    assert synced.database.read_bytes() == before


def test_a_lost_database_is_restored_as_well(synced: Shell, copy: Path) -> None:
    synced.database.unlink()
    done = synced.call("db", "restore", str(copy), "--json")

    assert done.document["kept"] is None
    assert rows(synced.database) == rows(copy)


def test_a_copy_of_a_newer_slotbridge_is_not_put_back(synced: Shell, copy: Path) -> None:
    execute(copy, "UPDATE alembic_version SET version_num = '0999'")
    before = rows(synced.database)

    assert refused(synced.call("db", "restore", str(copy)), "newer slotbridge (schema 0999", "Install the version")
    assert rows(synced.database) == before
    assert names(synced, ".before-restore-") == []


def test_a_copy_that_is_not_there_is_named(synced: Shell) -> None:
    done = synced.call("db", "restore", "nowhere.db", "--json")

    assert (done.code, done.err) == (1, "")
    assert done.document["error"]["item"].endswith("/nowhere.db")


# check


def test_a_sound_database_is_called_so(synced: Shell) -> None:
    done = synced.call("db", "check")

    assert (done.code, done.err) == (0, "")
    assert done.last == "The database is sound."
    assert f"windows {rows(synced.database)}" in done.out


def test_a_damaged_database_is_called_so_with_what_to_do(synced: Shell) -> None:
    whole = synced.database.read_bytes()
    synced.database.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    done = synced.call("db", "check")

    assert done.code == 1
    assert "is damaged" in done.out
    assert "slotbridge db restore" in done.out
    assert done.last == "Something has to be done."


def test_every_finding_is_in_the_document(synced: Shell) -> None:
    document = synced.call("db", "check", "--json").document

    assert document["version"] == 1
    assert document["ok"] is True
    about = {finding["about"]: finding["ok"] for finding in document["findings"]}
    assert about == dict.fromkeys(("integrity", "references", "schema", "permissions", "space"), True)
    assert document["contents"]["windows"] == rows(synced.database)


def test_without_a_database_there_is_nothing_to_check(shell: Shell) -> None:
    assert refused(shell.call("db", "check"), "no database yet", "slotbridge sync")


# upgrade


def test_a_current_database_needs_no_upgrade(synced: Shell) -> None:
    done = synced.call("db", "upgrade")

    assert (done.code, done.last) == (0, f"{synced.database} has the schema of this version ({HEAD}). Nothing to do.")
    assert names(synced, ".before-") == []


def test_an_upgrade_without_a_database_makes_none(shell: Shell) -> None:
    done = shell.call("db", "upgrade")

    assert done.code == 0
    assert "Nothing to do." in done.out
    assert not shell.database.exists()


def first_schema(shell: Shell) -> None:
    """The database as the first release made it."""
    config = Config()
    config.set_main_option("script_location", LOCATION)
    with transaction(plain_engine(shell.database)) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")


def test_an_older_database_is_migrated_and_its_copy_named(shell: Shell) -> None:
    first_schema(shell)
    assert "older slotbridge (schema 0001)" in shell.call("db", "check").out

    done = shell.call("db", "upgrade", "--json")

    (kept,) = names(shell, f".before-{HEAD}")
    assert done.document == {
        "version": 1,
        "file": str(shell.database),
        "from": "0001",
        "to": HEAD,
        "backup": str(kept),
    }
    assert shell.call("sync").code == 0


def test_S13_an_upgrade_refuses_while_another_slotbridge_is_at_work(synced: Shell) -> None:
    with DatabaseLock(url(synced), "run") as lock:
        asyncio.run(lock.acquire(0, SystemClock()))
        assert synced.call("db", "upgrade").code == LockHeld.exit_code


def test_no_secret_is_in_what_is_said(synced: Shell, copy: Path) -> None:
    execute(
        synced.database,
        "INSERT INTO oauth_token VALUES ('id', 'hush1', 'hush2', '2026-01-01', 'https://x', 'm', '2026-01-01')",
    )
    said = [synced.call("db", *argv) for argv in (["check"], ["backup"], ["check", "--json"], ["restore", str(copy)])]

    assert "hush" not in json.dumps(said)
