"""Copies of the database: made while it is in use, put back whole, and never in the place of something better."""

from __future__ import annotations

import errno
import os
import re
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from slotbridge.errors import StoreError
from slotbridge.store import Outcome, Store, care, inspection
from slotbridge.store.care import back_up, backup_name, kept_name, restore
from slotbridge.store.inspection import Finding, contents, findings
from slotbridge.store.migrate import HEAD
from slotbridge.store.room import ROOM, require_room, size_words
from tests.store.samples import AGREEMENT, MONDAY, START, TUESDAY, StillClock, change, execute, hold, select


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def mode(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


def agree(store: Store, *links: object) -> None:
    """One run that ends with these links."""
    run = store.begin_run("test")
    outcome = Outcome("dental", START, "changed", base=(AGREEMENT, links), changes=(change(),), holds=(hold(),))  # type: ignore[arg-type]
    store.remember(run, [outcome])


def links(url: str, clock: StillClock) -> tuple[object, ...]:
    store = Store.open(url, clock=clock)
    found = store.recall(["dental"])["dental"].links
    store.close()
    return found


@pytest.fixture
def copy(file: Path) -> Path:
    return file.with_name("copy.db")


@pytest.fixture
def kept(file: Path) -> Path:
    return file.with_name("kept.db")


@pytest.fixture
def filled(url: str, file: Path, clock: StillClock) -> Path:
    """A closed database that knows Monday."""
    store = Store.open(url, clock=clock)
    agree(store, MONDAY)
    store.close()
    return file


@pytest.fixture
def later(filled: Path, copy: Path, url: str, clock: StillClock) -> Path:
    """The same, copied, and by now it knows Tuesday instead."""
    back_up(filled, copy)
    store = Store.open(url, clock=clock)
    agree(store, TUESDAY)
    store.close()
    return filled


# Copies


def test_a_copy_tells_what_is_in_it(filled: Path, copy: Path) -> None:
    made = back_up(filled, copy)

    assert made.file == copy
    assert made.size == copy.stat().st_size
    assert (made.schema, made.last_run) == (HEAD, START)
    assert made.counts == {"pairs": 1, "windows": 1, "open holds": 1, "runs": 1, "changes": 1}


def test_a_copy_made_in_the_middle_of_work_has_all_that_was_stored_by_then(
    url: str, file: Path, copy: Path, clock: StillClock
) -> None:
    store = Store.open(url, clock=clock)
    agree(store, MONDAY)
    with closing(sqlite3.connect(file, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM slot_link")
        made = back_up(file, copy)
        writer.execute("ROLLBACK")
    agree(store, TUESDAY)
    store.close()

    assert made.counts["windows"] == 1
    assert links(f"sqlite:///{copy}", clock) == (MONDAY,)
    assert links(url, clock) == (TUESDAY,)


def test_a_copy_is_for_its_owner_alone(filled: Path, copy: Path) -> None:
    back_up(filled, copy)

    assert mode(copy) == 0o600


def test_a_copy_leaves_nothing_else_behind(filled: Path, copy: Path) -> None:
    before = filled.read_bytes()
    back_up(filled, copy)

    assert names(filled.parent) == {filled.name, copy.name}
    assert filled.read_bytes() == before


def test_a_copy_replaces_nothing(filled: Path, copy: Path) -> None:
    copy.write_text("precious")
    with pytest.raises(StoreError, match=r"exists already.*name another file"):
        back_up(filled, copy)

    assert copy.read_text() == "precious"


def test_the_names_that_nobody_chose_tell_when(file: Path) -> None:
    assert backup_name(file, START).name == "slotbridge.db.backup-20260514T090000Z"
    assert kept_name(file, START).name == "slotbridge.db.before-restore-20260514T090000Z"


def test_what_an_earlier_attempt_left_is_in_nobodys_way(filled: Path, copy: Path) -> None:
    Path(f"{copy}.part").write_text("half a copy of a process that was killed")
    back_up(filled, copy)

    assert names(filled.parent) == {filled.name, copy.name}


def test_a_copy_that_cannot_be_finished_is_no_copy(filled: Path, copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_space(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", no_space)
    with pytest.raises(StoreError, match="No space left on device"):
        back_up(filled, copy)

    assert names(filled.parent) == {filled.name}


def test_without_a_database_there_is_nothing_to_copy(file: Path, copy: Path) -> None:
    with pytest.raises(StoreError, match=r"no database yet.*slotbridge sync") as caught:
        back_up(file, copy)

    assert caught.value.item == str(file)
    assert names(file.parent) == set()


def test_a_folder_that_is_not_there_is_named(filled: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="in a folder that exists") as caught:
        back_up(filled, tmp_path / "nowhere" / "copy.db")

    assert caught.value.item == str(tmp_path / "nowhere" / "copy.db")


# Putting one back


def test_a_copy_takes_the_place_of_the_database_which_is_kept(
    later: Path, copy: Path, kept: Path, url: str, clock: StillClock
) -> None:
    put = restore(later, copy, kept)

    assert put.file == copy
    assert put.counts["runs"] == 1
    assert links(url, clock) == (MONDAY,)
    assert links(f"sqlite:///{kept}", clock) == (TUESDAY,)
    assert names(later.parent) == {later.name, copy.name, kept.name}


def test_a_restore_can_be_taken_back(later: Path, copy: Path, kept: Path, url: str, clock: StillClock) -> None:
    restore(later, copy, kept)
    restore(later, kept, kept.with_name("kept2.db"))

    assert links(url, clock) == (TUESDAY,)


def test_a_copy_can_be_put_where_nothing_is(later: Path, copy: Path, kept: Path, url: str, clock: StillClock) -> None:
    later.unlink()
    restore(later, copy, kept)

    assert links(url, clock) == (MONDAY,)
    assert not kept.exists()
    assert mode(later) == 0o600


def test_a_log_that_outlived_its_database_is_not_taken_for_the_restored_ones(
    later: Path, copy: Path, kept: Path, url: str, clock: StillClock
) -> None:
    crashed(later, "INSERT INTO service_zone VALUES (7, 'Europe/Kyiv', '2026-05-14')")
    later.unlink()
    assert Path(f"{later}-wal").exists()

    restore(later, copy, kept)

    assert select(later, "SELECT zone FROM service_zone") == []
    assert all(finding.ok for finding in findings(later))
    assert links(url, clock) == (MONDAY,)


def test_the_permissions_of_the_database_stay(later: Path, copy: Path, kept: Path) -> None:
    later.chmod(0o640)
    restore(later, copy, kept)

    assert mode(later) == 0o640


def test_a_database_that_everybody_could_read_is_private_from_then_on(later: Path, copy: Path, kept: Path) -> None:
    later.chmod(0o644)
    restore(later, copy, kept)

    assert mode(later) == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_root_puts_it_back_for_the_user_whose_it_was(later: Path, copy: Path, kept: Path) -> None:
    os.chown(later, 10001, 10002)
    restore(later, copy, kept)

    assert (later.stat().st_uid, later.stat().st_gid) == (10001, 10002)


def crashed(file: Path, *statements: str) -> None:
    """Writes by a process that dies before it closes the database: what it stored is in the log only."""
    child = os.fork()
    if child == 0:
        connection = sqlite3.connect(file, isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        for statement in statements:
            connection.execute(statement)
        os._exit(0)
    os.waitpid(child, 0)


def test_what_is_in_the_log_of_a_crashed_process_is_kept_and_not_taken_for_the_new_ones(
    later: Path, copy: Path, kept: Path, url: str, clock: StillClock
) -> None:
    crashed(later, "INSERT INTO service_zone VALUES (7, 'Europe/Kyiv', '2026-05-14')")
    assert Path(f"{later}-wal").stat().st_size > 0

    restore(later, copy, kept)

    assert select(kept, "SELECT zone FROM service_zone") == [("Europe/Kyiv",)]
    assert select(later, "SELECT zone FROM service_zone") == []
    assert links(url, clock) == (MONDAY,)


def test_a_copy_with_a_log_of_its_own_is_put_back_with_it(later: Path, copy: Path, kept: Path) -> None:
    crashed(copy, "INSERT INTO service_zone VALUES (7, 'Europe/Kyiv', '2026-05-14')")

    restore(later, copy, kept)

    assert select(later, "SELECT zone FROM service_zone") == [("Europe/Kyiv",)]


def ruined(file: Path) -> None:
    whole = file.read_bytes()
    file.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))


def no_database(file: Path) -> None:
    file.write_text("pairs = []\n" * 100)


@pytest.mark.parametrize("spoil", [ruined, no_database])
def test_a_ruined_database_is_replaced_and_kept_as_it_is(
    later: Path, copy: Path, kept: Path, url: str, clock: StillClock, spoil: Callable[[Path], None]
) -> None:
    spoil(later)
    before = later.read_bytes()

    restore(later, copy, kept)

    assert links(url, clock) == (MONDAY,)
    assert kept.read_bytes() == before


def test_a_log_that_could_not_be_taken_in_stays_with_its_database(
    later: Path, copy: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crashed(later, "INSERT INTO service_zone VALUES (7, 'Europe/Kyiv', '2026-05-14')")
    monkeypatch.setattr(care, "_close", lambda _file: None)

    restore(later, copy, kept)

    assert select(kept, "SELECT zone FROM service_zone") == [("Europe/Kyiv",)]
    assert select(later, "SELECT zone FROM service_zone") == []


def newer(file: Path) -> None:
    execute(file, "UPDATE alembic_version SET version_num = '0999'")


def of_somebody_else(file: Path) -> None:
    file.unlink()
    execute(file, "CREATE TABLE invoices (id INTEGER)")


def emptied(file: Path) -> None:
    """A database without a table; a file without a byte is none yet."""
    file.unlink()
    execute(file, "PRAGMA user_version=1")


def torn(file: Path) -> None:
    execute(file, "DELETE FROM run")


def named(*schemas: str) -> Callable[[Path], None]:
    """What makes a database name these schemas."""

    def spoil(file: Path) -> None:
        rows = [f"INSERT INTO alembic_version VALUES ('{schema}')" for schema in schemas]  # noqa: S608 - ours
        execute(file, "DELETE FROM alembic_version", *rows)

    return spoil


def untimely(file: Path) -> None:
    execute(file, "UPDATE run SET started_at = 'soon'")


ODD_SCHEMAS = [
    (named(), "names 0 schemas"),
    (named("0001", HEAD), "names 2 schemas"),
    (named("0000"), r"no slotbridge made \(0000\)"),
    (named("zzz"), r"no slotbridge made \(zzz\)"),
    (named(""), r"no slotbridge made \(\)"),
]


@pytest.mark.parametrize(("spoil", "said"), ODD_SCHEMAS)
def test_a_schema_that_is_none_of_ours_is_refused_wherever_it_is_met(
    filled: Path, url: str, clock: StillClock, spoil: Callable[[Path], None], said: str
) -> None:
    spoil(filled)
    before = filled.read_bytes()

    assert re.search(said, found(filled)["schema"].says)
    for opening in (Store.open, Store.open_existing):
        with pytest.raises(StoreError, match=f"{said}.*slotbridge db restore"):
            opening(url, clock=clock)
    assert filled.read_bytes() == before


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        *ODD_SCHEMAS,
        (untimely, "a run began at 'soon', which is no time"),
        (newer, rf"newer slotbridge \(schema 0999; this version knows up to {HEAD}\)"),
        (of_somebody_else, "another program's tables"),
        (emptied, "is empty"),
        (no_database, "is not an SQLite database"),
        (ruined, "is damaged"),
        (torn, "refer to nothing"),
        (Path.unlink, "no such file"),
        (lambda copy: copy.write_bytes(b""), "is empty"),
    ],
)
def test_a_copy_that_is_of_no_use_replaces_nothing(
    later: Path, copy: Path, kept: Path, url: str, clock: StillClock, spoil: Callable[[Path], None], said: str
) -> None:
    spoil(copy)
    before = names(later.parent)
    with pytest.raises(StoreError, match=said) as caught:
        restore(later, copy, kept)

    assert caught.value.item == str(copy)
    assert caught.value.hint
    assert names(later.parent) == before
    assert links(url, clock) == (TUESDAY,)


def test_an_older_copy_is_put_back_and_migrated_when_it_is_opened(later: Path, copy: Path, kept: Path) -> None:
    execute(copy, "UPDATE alembic_version SET version_num = '0001'")

    assert restore(later, copy, kept).schema == "0001"


def test_the_database_is_not_restored_from_itself(filled: Path, kept: Path) -> None:
    alias = filled.with_name("alias.db")
    alias.symlink_to(filled)
    with pytest.raises(StoreError, match="the database itself"):
        restore(filled, alias, kept)


def test_nothing_is_replaced_under_a_program_that_has_it_open(
    later: Path, copy: Path, kept: Path, url: str, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("slotbridge.store.engine._BUSY", "busy_timeout=1")
    with closing(sqlite3.connect(later, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode=WAL")
        other.execute("SELECT * FROM run").fetchone()
        with pytest.raises(StoreError, match="locked by another program"):
            restore(later, copy, kept)

    assert links(url, clock) == (TUESDAY,)
    assert not kept.exists()


@pytest.mark.parametrize("broken_at", ["hardlink_to", "replace"])
def test_a_restore_that_dies_on_the_way_leaves_the_old_database(
    later: Path, copy: Path, kept: Path, url: str, clock: StillClock, broken_at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """As by kill -9."""

    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(Path, broken_at, die)
        restore(later, copy, kept)

    assert links(url, clock) == (TUESDAY,)


# Looking at it


def found(file: Path, **how: int) -> dict[str, Finding]:
    free = how.get("free")
    told = findings(file) if free is None else findings(file, free=lambda _: free)
    return {finding.about: finding for finding in told}


def test_a_sound_database_is_called_so(filled: Path) -> None:
    filled.chmod(0o600)
    told = found(filled)

    assert set(told) == {"integrity", "references", "schema", "permissions", "space"}
    assert all(finding.ok and finding.hint is None for finding in told.values())


def test_looking_at_it_waits_for_no_writer(filled: Path) -> None:
    with closing(sqlite3.connect(filled, isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode=WAL")
        writer.execute("BEGIN IMMEDIATE")
        assert found(filled)["integrity"].ok


@pytest.mark.parametrize(
    ("spoil", "about", "said"),
    [
        (ruined, "integrity", "is damaged"),
        (no_database, "integrity", "is not an SQLite database"),
        (torn, "references", "refer to nothing"),
        (newer, "schema", "newer slotbridge"),
        (of_somebody_else, "schema", "another program's tables"),
        (emptied, "schema", "is empty"),
    ],
)
def test_what_is_wrong_is_told_with_what_to_do(
    filled: Path, spoil: Callable[[Path], None], about: str, said: str
) -> None:
    spoil(filled)
    finding = found(filled)[about]

    assert not finding.ok
    assert said in finding.says
    assert finding.hint


def test_damage_inside_an_index_is_found(filled: Path) -> None:
    with closing(sqlite3.connect(filled, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema=ON")
        connection.execute("DELETE FROM sqlite_master WHERE name = 'ix_slot_link_pair'")

    assert "is damaged" in found(filled)["integrity"].says


def test_an_older_schema_is_no_fault(filled: Path) -> None:
    execute(filled, "UPDATE alembic_version SET version_num = '0001'")
    finding = found(filled)["schema"]

    assert finding.ok
    assert "slotbridge db upgrade" in str(finding.hint)


def test_a_database_that_others_can_read_is_advised_against(filled: Path) -> None:
    filled.chmod(0o644)
    finding = found(filled)["permissions"]

    assert finding.ok
    assert f"chmod 600 {filled}" in str(finding.hint)


def test_a_disk_that_has_become_read_only_is_told_although_the_permissions_are_well(
    filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(inspection, "TemporaryFile", refuse)
    finding = found(filled)["permissions"]

    assert not finding.ok
    assert finding.says == "cannot be written: Read-only file system"
    assert finding.hint


def test_a_disk_without_room_for_a_copy_is_told(filled: Path) -> None:
    finding = found(filled, free=ROOM - 1)["space"]

    assert not finding.ok
    assert size_words(ROOM) in str(finding.hint)


def test_a_large_database_needs_as_much_again(filled: Path) -> None:
    with filled.open("ab") as grown:
        grown.truncate(10 * ROOM)

    assert not found(filled, free=9 * ROOM)["space"].ok
    assert found(filled, free=10 * ROOM)["space"].ok


def test_without_a_database_there_is_nothing_to_look_at(file: Path) -> None:
    for _ in range(2):
        with pytest.raises(StoreError, match="there is no database yet"):
            findings(file)
        with pytest.raises(StoreError, match="there is no database yet"):
            contents(file)
        file.touch()  # one without a byte is none yet, either


def test_a_copy_takes_the_place_of_a_database_that_is_yet_to_be_made(
    later: Path, copy: Path, kept: Path, url: str, clock: StillClock
) -> None:
    later.write_bytes(b"")

    restore(later, copy, kept)

    assert kept.stat().st_size == 0
    assert links(url, clock) == (MONDAY,)


def test_a_run_has_to_have_room(file: Path) -> None:
    require_room(file)
    require_room(file, free=lambda _: ROOM)
    with pytest.raises(StoreError, match=r"the disk is full: 8\.4 MB are left.*Nothing is written to either service"):
        require_room(file, free=lambda _: ROOM - 1)


def test_room_in_a_folder_that_is_not_there_is_an_error_of_ours(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="a folder that exists"):
        require_room(tmp_path / "nowhere" / "slotbridge.db")


@pytest.mark.parametrize(
    ("size", "told"), [(0, "0 kB"), (155_648, "156 kB"), (8_400_000, "8.4 MB"), (84_211_500_000, "84.2 GB")]
)
def test_sizes_are_told_in_the_unit_that_suits(size: int, told: str) -> None:
    assert size_words(size) == told


def test_a_copy_of_long_ago_tells_its_last_run(filled: Path) -> None:
    execute(filled, *(f"DELETE FROM {table}" for table in ("change", "past_base", "run")))  # noqa: S608 - names of ours
    assert inspection.contents(filled).last_run is None

    execute(filled, "INSERT INTO run VALUES (9, 'x', '2020-01-01 00:00:00.000000', NULL, 0, 0, NULL)")
    assert inspection.contents(filled).last_run == datetime(2020, 1, 1, tzinfo=UTC)
