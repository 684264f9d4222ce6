"""Opening: made where there is none, refused where it must be, untouched when only read."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from slotbridge.errors import StoreError
from slotbridge.store import Memory, Outcome, Store
from slotbridge.store.migrate import HEAD
from tests.store.samples import AGREEMENT, MONDAY, START, StillClock, execute, select


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def filled(url: str, clock: StillClock) -> Store:
    store = Store.open(url, clock=clock)
    store.remember(store.begin_run("test"), [Outcome("dental", START, "changed", base=(AGREEMENT, (MONDAY,)))])
    return store


def test_a_new_database_is_made_and_leaves_one_file(url: str, file: Path, clock: StillClock) -> None:
    Store.open(url, clock=clock).close()

    assert names(file.parent) == {"slotbridge.db"}
    assert select(file, "SELECT version_num FROM alembic_version") == [(HEAD,)]


def test_an_empty_file_is_a_new_database(url: str, file: Path, clock: StillClock) -> None:
    file.touch()
    Store.open(url, clock=clock).close()

    assert select(file, "SELECT count(*) FROM slot_link") == [(0,)]


def test_a_name_with_special_characters_is_taken_as_it_is(tmp_path: Path, clock: StillClock) -> None:
    url = f"sqlite:///{tmp_path}/my? 100%#1.db"
    filled(url, clock).close()

    reader = Store.open_existing(url, clock=clock)

    assert reader is not None
    assert reader.recall(["dental"])["dental"].links == (MONDAY,)
    assert names(tmp_path) == {"my? 100%#1.db"}


def test_making_one_needs_no_alembic(tmp_path: Path) -> None:
    code = (
        "import sys; from slotbridge.clock import SystemClock; from slotbridge.store import Store\n"
        "Store.open(sys.argv[1], clock=SystemClock()).close(); print('alembic' in sys.modules)"
    )
    ran = [sys.executable, "-W", "error", "-c", code, f"sqlite:///{tmp_path}/a.db"]

    assert subprocess.run(ran, capture_output=True, text=True, check=True).stdout == "False\n"


def test_one_in_memory_works_as_well(clock: StillClock) -> None:
    store = filled("sqlite:///:memory:", clock)

    assert store.recall(["dental"])["dental"].links == (MONDAY,)
    assert Store.open_existing("sqlite:///:memory:", clock=clock) is None
    store.close()


def test_W8_reading_what_is_not_there_makes_nothing(url: str, file: Path, clock: StillClock) -> None:
    assert Store.open_existing(url, clock=clock) is None
    assert names(file.parent) == set()


def test_an_empty_file_holds_nothing_to_be_read(url: str, file: Path, clock: StillClock) -> None:
    file.touch()

    assert Store.open_existing(url, clock=clock) is None
    assert file.stat().st_size == 0


def test_W8_reading_leaves_no_trace(url: str, file: Path, clock: StillClock) -> None:
    filled(url, clock).close()
    before = file.read_bytes()

    reader = Store.open_existing(url, clock=clock)
    assert reader is not None
    assert reader.recall(["dental"])["dental"].links == (MONDAY,)
    assert names(file.parent) == {"slotbridge.db"}
    reader.close()

    assert names(file.parent) == {"slotbridge.db"}
    assert file.read_bytes() == before


def test_W8_what_is_opened_for_reading_cannot_be_written(url: str, file: Path, clock: StillClock) -> None:
    filled(url, clock).close()
    before = file.read_bytes()
    reader = Store.open_existing(url, clock=clock)
    assert reader is not None

    with pytest.raises(StoreError, match="cannot be written"):
        reader.begin_run("test")

    assert file.read_bytes() == before


def test_a_reader_sees_what_another_process_is_writing(url: str, clock: StillClock) -> None:
    writer = filled(url, clock)
    reader = Store.open_existing(url, clock=clock)
    assert reader is not None

    before = reader.recall(["dental"])["dental"]
    writer.remember(1, [Outcome("dental", START, "changed", base=(AGREEMENT, ()))])
    after = reader.recall(["dental"])["dental"]
    writer.close()

    assert (before.links, after.links) == ((MONDAY,), ())


def test_a_reader_waits_for_no_writer(url: str, file: Path, clock: StillClock) -> None:
    filled(url, clock).close()
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        reader = Store.open_existing(url, clock=clock)

        assert reader is not None
        assert reader.recall(["dental"])["dental"].links == (MONDAY,)


def refused(url: str, clock: StillClock) -> list[StoreError]:
    """What both ways of opening say."""
    errors = []
    for way in (Store.open, Store.open_existing):
        with pytest.raises(StoreError) as caught:
            way(url, clock=clock)
        errors.append(caught.value)
    return errors


def test_a_newer_schema_is_refused_and_left_alone(url: str, file: Path, clock: StillClock) -> None:
    filled(url, clock).close()
    execute(file, "UPDATE alembic_version SET version_num = '0999'")
    before = file.read_bytes()

    for error in refused(url, clock):
        assert f"newer slotbridge (schema 0999; this version knows up to {HEAD})" in str(error)
        assert error.item == str(file)
        assert "Install the newer version again" in str(error)

    assert file.read_bytes() == before
    assert names(file.parent) == {"slotbridge.db"}


def test_another_programs_database_is_refused_and_left_alone(url: str, file: Path, clock: StillClock) -> None:
    execute(file, "CREATE TABLE invoices (id INTEGER)")
    before = file.read_bytes()

    for error in refused(url, clock):
        assert "another program's tables" in str(error)
        assert "[store] url" in str(error)

    assert file.read_bytes() == before


def test_a_file_that_is_no_database_is_refused_and_left_alone(url: str, file: Path, clock: StillClock) -> None:
    file.write_text("pairs = []\n" * 100)

    for error in refused(url, clock):
        assert "is not an SQLite database" in str(error)

    assert file.read_text() == "pairs = []\n" * 100


def test_a_missing_folder_is_named(tmp_path: Path, clock: StillClock) -> None:
    with pytest.raises(StoreError, match="in a folder that exists") as caught:
        Store.open(f"sqlite:///{tmp_path}/nowhere/slotbridge.db", clock=clock)

    assert caught.value.item == f"{tmp_path}/nowhere/slotbridge.db"


def test_an_address_of_another_kind_is_refused(clock: StillClock) -> None:
    with pytest.raises(StoreError, match="only SQLite is supported") as caught:
        Store.open("postgresql://user:secret@host/db", clock=clock)

    assert "secret" not in str(caught.value)


def test_a_damaged_database_says_what_a_lost_one_means(url: str, file: Path, clock: StillClock) -> None:
    filled(url, clock).close()
    whole = file.read_bytes()
    file.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))

    for error in refused(url, clock):
        assert "is damaged" in str(error)
        assert "the next run is a first sync" in str(error)


def test_a_database_that_never_was_has_an_empty_memory(url: str, clock: StillClock) -> None:
    store = Store.open(url, clock=clock)

    assert store.recall(["dental"]) == {"dental": Memory()}
    assert store.backup is None
    store.close()
