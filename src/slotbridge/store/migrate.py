"""The schema: made, recognised, migrated.

alembic is slow to import and needed only for a schema that is not the present one, so it is imported there.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, Engine

from slotbridge.errors import StoreError
from slotbridge.store.engine import driver, place_of, transaction, working_engine
from slotbridge.store.failures import translated
from slotbridge.store.location import beside, close_to_others
from slotbridge.store.tables import Table

if TYPE_CHECKING:
    from alembic.config import Config

HEAD: Final = "0006"
"""The last migration: the schema that this code works with."""

MENDED: Final = "Put a copy back with `slotbridge db restore`"

LOCATION: Final = "slotbridge.store:migrations"

# As alembic writes it.
_VERSION_TABLE: Final = (
    "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, "
    "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
)


def bring_up(engine: Engine, *, head: str = HEAD, location: str = LOCATION) -> Path | None:
    """Creates the schema or migrates it to `head`; returns the copy made before a migration, if there was one.

    Raises StoreError for a newer schema and for another program's file; both are left as they are.
    """
    with transaction(engine) as connection:
        schema = _schema(driver(connection), place_of(engine))
        if schema is None:
            _create(connection)
    return None if schema in (None, head) else _upgrade(engine, str(schema), head, location)


def is_current(engine: Engine) -> bool:
    """Whether there is anything to be read yet. Raises StoreError for any schema but the present one."""
    with transaction(engine) as connection:
        return holds_present(driver(connection), place_of(engine))


def holds_present(connection: sqlite3.Connection, place: str) -> bool:
    """The same, by a connection to the file at `place`."""
    schema = _schema(connection, place)
    if schema in (None, HEAD):
        return schema is not None
    if not is_known(schema):
        raise _unknown(schema, place)
    hint = "Run `slotbridge db upgrade`, which copies it and migrates it; then try again"
    raise StoreError("the database is of an older slotbridge", item=place, hint=hint)


def is_known(schema: str, location: str = LOCATION) -> bool:
    """Whether it is the present schema or one that can be migrated to it."""
    return schema == HEAD or schema in _known(_config(location))


def is_newer(schema: str) -> bool:
    """Whether a schema that is not known is one of a later version: migrations are numbered as they come."""
    return schema.isdecimal() and int(schema) > int(HEAD)


def draft(message: str, location: str = LOCATION) -> None:
    """For developers: writes the next migration, from what `tables` and the migrations so far do not share."""
    from alembic import command

    config, engine = _config(location), working_engine(None)
    with transaction(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        number = len(_known(config)) + 1
        command.revision(config, message, autogenerate=True, rev_id=f"{number:04d}")
    engine.dispose()


def _schema(connection: sqlite3.Connection, place: str) -> str | None:
    """The revision of an existing schema, None where there are no tables at all."""
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables:
        return None
    if {"alembic_version", "slot_link"} <= tables:
        revisions = [str(row[0]) for row in connection.execute("SELECT version_num FROM alembic_version")]
        if len(revisions) != 1:
            what = f"the database names {len(revisions)} schemas instead of one"
            raise StoreError(what, item=place, hint=MENDED)
        return revisions[0]
    hint = "Name a file of its own in [store] url"
    raise StoreError("the database holds another program's tables", item=place, hint=hint)


def _create(connection: Connection) -> None:
    Table.metadata.create_all(connection)
    connection.exec_driver_sql(_VERSION_TABLE)
    connection.exec_driver_sql("INSERT INTO alembic_version VALUES (?)", (HEAD,))


def _upgrade(engine: Engine, schema: str, head: str, location: str) -> Path:
    from alembic import command

    place, config = place_of(engine), _config(location)
    if schema not in _known(config):
        raise _unknown(schema, place)
    close_to_others(Path(place))
    backup = _back_up(engine, beside(Path(place), f".before-{head}"))
    try:
        with transaction(engine) as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, head)
            _check_references(connection)
    except StoreError as error:
        hint = f"It is as it was before, and a copy of it is {backup}; go on with the version that worked"
        what = f"the database could not be migrated from schema {schema} to {head}: {error.what}"
        raise StoreError(what, item=place, hint=hint) from error
    return backup


def _back_up(engine: Engine, target: Path) -> Path:
    """Copies the database as of now. One copy per migration, so that attempts repeated for ever fill no disk."""
    draft = beside(target, ".part")
    with translated(place_of(engine)), engine.connect() as connection:
        draft.unlink(missing_ok=True)
        draft.touch(Path(place_of(engine)).stat().st_mode & 0o777)  # it may hold tokens
        # Unlike a copy of the file it has what is still in the write-ahead log.
        driver(connection).execute("VACUUM INTO ?", (str(draft),))
    with draft.open("rb") as written:
        # SQLite leaves this out (sqlite.org/lang_vacuum.html).
        os.fsync(written.fileno())
    return draft.replace(target)


def _check_references(connection: Connection) -> None:
    broken: Any = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if broken is not None:
        raise StoreError(f"a row of {broken[0]} would refer to nothing in {broken[2]}")


def _config(location: str) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", location)
    return config


def _known(config: Config) -> set[str]:
    from alembic.script import ScriptDirectory

    return {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}


def _unknown(schema: str, place: str) -> StoreError:
    if not is_newer(schema):
        return StoreError(f"the database has a schema that no slotbridge made ({schema})", item=place, hint=MENDED)
    copies = Path(place).name + ".before-…"
    hint = f"Install the newer version again, or put back the copy that it made before it migrated ({copies})"
    what = f"the database is of a newer slotbridge (schema {schema}; this version knows up to {HEAD})"
    return StoreError(what, item=place, hint=hint)
