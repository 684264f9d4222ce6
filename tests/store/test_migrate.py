"""Migrations: the schema they make, the copy before them, what happens when one fails."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from slotbridge.errors import StoreError
from slotbridge.store import Outcome, Store, migrate
from slotbridge.store.engine import plain_engine, transaction
from slotbridge.store.migrate import HEAD, LOCATION, bring_up, draft
from slotbridge.store.tables import Table
from tests.store.samples import AGREEMENT, MONDAY, START, StillClock, change, execute, select

NEXT = f"{int(HEAD) + 1:04d}"

SCHEMA = "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name"

REBUILD_RUN = """
    with op.batch_alter_table("run", recreate="always") as batch:
        batch.add_column(sa.Column("host", sa.String(), nullable=True))
"""
FAIL_HALFWAY = f'{REBUILD_RUN}    op.drop_table("nonesuch")\n'
LOSE_RUNS = """
    op.execute("DELETE FROM run")
"""


@pytest.fixture
def migrations(tmp_path: Path) -> Path:
    """A copy of the migrations, to be added to."""
    folder = Path(migrate.__file__).parent / "migrations"
    return Path(shutil.copytree(folder, tmp_path / "migrations", ignore=shutil.ignore_patterns("__*")))


@pytest.fixture
def old(url: str, file: Path, clock: StillClock) -> Path:
    """A database of the schema before the one that the test adds, with something in it."""
    store = Store.open(url, clock=clock)
    outcome = Outcome("dental", START, "changed", base=(AGREEMENT, (MONDAY,)), changes=(change(),))
    store.remember(store.begin_run("test"), [outcome])
    store.close()
    return file


def add(migrations: Path, body: str, revision: str = NEXT, after: str = HEAD) -> None:
    head = f'import sqlalchemy as sa\nfrom alembic import op\n\nrevision = "{revision}"\ndown_revision = "{after}"\n'
    (migrations / "versions" / f"{revision}_added.py").write_text(f"{head}\n\ndef upgrade() -> None:\n{body}")


def test_the_code_knows_the_last_migration() -> None:
    config = Config()
    config.set_main_option("script_location", LOCATION)

    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def migrated(migrations: Path, file: Path) -> None:
    """Makes a database by migrations alone: from one that has no table but the version's."""
    execute(file, migrate._VERSION_TABLE, "CREATE TABLE slot_link (id INTEGER)")
    (migrations / "versions" / "0000_nothing.py").write_text(
        'from alembic import op\nrevision = "0000"\ndown_revision = None\n'
        'def upgrade() -> None:\n    op.create_table("slot_link")\n'
    )
    first = next((migrations / "versions").glob("0001_*.py"))
    text = first.read_text().replace("down_revision = None", 'down_revision = "0000"')
    first.write_text(text.replace("    _links()\n", '    op.drop_table("slot_link")\n    _links()\n'))
    execute(file, "INSERT INTO alembic_version VALUES ('0000')")
    bring_up(plain_engine(file), location=str(migrations))


def test_migrations_make_what_a_new_database_has(url: str, file: Path, clock: StillClock, migrations: Path) -> None:
    Store.open(url, clock=clock).close()
    other = file.with_name("migrated.db")
    migrated(migrations, other)

    def shape(database: Path) -> list[tuple[str, str, str]]:
        return [(kind, name, "".join(sql.split())) for kind, name, sql in select(database, SCHEMA)]

    assert shape(other) == shape(file)
    assert select(other, "SELECT * FROM alembic_version") == select(file, "SELECT * FROM alembic_version")


def test_migrations_do_not_drift_from_the_tables(file: Path, migrations: Path) -> None:
    migrated(migrations, file)
    engine = plain_engine(file)
    with transaction(engine) as connection:
        context = MigrationContext.configure(connection, opts={"target_metadata": Table.metadata})
        assert compare_metadata(context, Table.metadata) == []


def test_an_older_database_is_copied_and_migrated(old: Path, migrations: Path) -> None:
    add(migrations, REBUILD_RUN)

    backup = bring_up(plain_engine(old), head=NEXT, location=str(migrations))

    assert backup == old.with_name(f"slotbridge.db.before-{NEXT}")
    assert select(old, "SELECT version_num FROM alembic_version") == [(NEXT,)]
    assert select(old, "SELECT host FROM run") == [(None,)]
    assert select(backup, "SELECT version_num FROM alembic_version") == [(HEAD,)]
    assert select(backup, "SELECT count(*) FROM slot_link") == [(1,)]


@pytest.mark.parametrize(("before", "after"), [(0o644, 0o600), (0o640, 0o640)])
def test_what_everybody_could_read_is_private_once_it_is_migrated(
    old: Path, migrations: Path, before: int, after: int
) -> None:
    add(migrations, REBUILD_RUN)
    old.chmod(before)

    backup = bring_up(plain_engine(old), head=NEXT, location=str(migrations))

    assert backup is not None
    assert [file.stat().st_mode & 0o777 for file in (old, backup)] == [after, after]


def test_a_copy_has_what_was_only_in_the_log(old: Path, url: str, clock: StillClock, migrations: Path) -> None:
    add(migrations, REBUILD_RUN)
    open_elsewhere = Store.open(url, clock=clock)
    open_elsewhere.begin_run("written to the log")

    backup = bring_up(plain_engine(old), head=NEXT, location=str(migrations))
    open_elsewhere.close()

    assert backup is not None
    assert select(backup, "SELECT count(*) FROM run") == [(2,)]


def test_a_copy_can_be_put_back(old: Path, url: str, clock: StillClock, migrations: Path) -> None:
    add(migrations, REBUILD_RUN)
    backup = bring_up(plain_engine(old), head=NEXT, location=str(migrations))
    with pytest.raises(StoreError, match="newer slotbridge"):
        Store.open(url, clock=clock)

    assert backup is not None
    backup.replace(old)
    store = Store.open(url, clock=clock)

    assert store.recall(["dental"])["dental"].links == (MONDAY,)
    store.close()


def test_rebuilding_a_table_keeps_the_rows_that_refer_to_it(old: Path, migrations: Path) -> None:
    add(migrations, REBUILD_RUN)
    bring_up(plain_engine(old), head=NEXT, location=str(migrations))

    assert select(old, "SELECT change.why FROM change JOIN run ON run.id = change.run") == [("new in Bitrix24",)]


@pytest.mark.parametrize(("body", "said"), [(FAIL_HALFWAY, "no such table"), (LOSE_RUNS, "refer to nothing")])
def test_a_migration_that_fails_changes_nothing(old: Path, migrations: Path, body: str, said: str) -> None:
    add(migrations, body)
    before = select(old, SCHEMA)

    with pytest.raises(StoreError, match=said) as caught:
        bring_up(plain_engine(old), head=NEXT, location=str(migrations))

    assert f"from schema {HEAD} to {NEXT}" in str(caught.value)
    assert f"{old}.before-{NEXT}" in str(caught.value)
    assert select(old, SCHEMA) == before
    assert select(old, "SELECT version_num FROM alembic_version") == [(HEAD,)]
    assert select(old, "SELECT count(*) FROM run") == [(1,)]


def test_failing_again_and_again_makes_one_copy(old: Path, migrations: Path) -> None:
    add(migrations, FAIL_HALFWAY)
    for _ in range(3):
        with pytest.raises(StoreError):
            bring_up(plain_engine(old), head=NEXT, location=str(migrations))

    assert {path.name for path in old.parent.glob("slotbridge.db*")} == {
        "slotbridge.db",
        f"slotbridge.db.before-{NEXT}",
    }


def test_a_current_database_is_not_copied(old: Path) -> None:
    assert bring_up(plain_engine(old)) is None
    assert [path.name for path in old.parent.glob("slotbridge.db*")] == ["slotbridge.db"]


def test_W8_an_older_database_is_not_migrated_by_reading(
    old: Path, url: str, clock: StillClock, migrations: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(migrations, REBUILD_RUN)
    monkeypatch.setattr(migrate, "HEAD", NEXT)
    monkeypatch.setattr(migrate, "LOCATION", str(migrations))
    before = old.read_bytes()

    with pytest.raises(StoreError, match=r"older slotbridge.*slotbridge db upgrade"):
        Store.open_existing(url, clock=clock)

    assert old.read_bytes() == before
    assert [path.name for path in old.parent.glob("slotbridge.db*")] == ["slotbridge.db"]


def test_the_next_migration_is_drafted_from_the_tables(migrations: Path, capsys: pytest.CaptureFixture[str]) -> None:
    draft("nothing yet", str(migrations))

    (drafted,) = (migrations / "versions").glob(f"{NEXT}_*.py")
    assert f"down_revision = '{HEAD}'" in drafted.read_text()
    assert f"{NEXT}_nothing_yet.py" in capsys.readouterr().out


def test_a_drafted_migration_holds_what_is_missing(migrations: Path) -> None:
    first = next((migrations / "versions").glob("0001_*.py"))
    first.write_text(first.read_text().replace("    _zones()\n", ""))

    draft("zones", str(migrations))

    (drafted,) = (migrations / "versions").glob(f"{NEXT}_*.py")
    assert "op.create_table('service_zone'" in drafted.read_text()
