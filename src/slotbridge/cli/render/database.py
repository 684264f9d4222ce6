"""The database and copies of it, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.text import Text

from slotbridge.cli.render.decisions import Counsel
from slotbridge.cli.render.words import moment
from slotbridge.store.inspection import Contents, Finding
from slotbridge.store.migrate import HEAD
from slotbridge.store.room import size_words


def copied_lines(copy: Contents, now: datetime, counsel: Counsel) -> Iterator[Text]:
    """Where the copy is, what is in it, and how to put it back."""
    yield Text.assemble(("Copied ", "bold green"), f"to {copy.file}, {size_words(copy.size)}.")
    yield from _contents_lines(copy, now)
    yield Text.assemble("To put it back: ", (counsel.call("db restore", str(copy.file)), "cyan"))


def restored_lines(put: Contents, file: Path, kept: Path | None, now: datetime, counsel: Counsel) -> Iterator[Text]:
    """What took whose place, and what the next run will make of it."""
    yield Text.assemble(("Restored ", "bold green"), f"{file} from {put.file}.")
    yield from _contents_lines(put, now)
    if kept is not None:
        yield Text(f"  what was there before is {kept}")
    yield Text("What was edited since then counts as new edits. Look at what a run would do before it does it:")
    upgrade = [] if put.schema == HEAD else [counsel.call("db upgrade")]
    yield Text(f"  {' && '.join((*upgrade, counsel.call('sync --dry-run')))}", "cyan")


def checked_lines(file: Path, found: Sequence[Finding], inside: Contents | None, now: datetime) -> Iterator[Text]:
    """Every finding, with what to do about it, and the outcome in the last line."""
    yield Text(str(file), "bold")
    for finding in found:
        mark, style = ("✓", "green") if finding.ok else ("✗", "red")
        yield Text.assemble((f"  {mark} ", style), finding.says)
        if finding.hint:
            yield Text(f"    {finding.hint}")
    if inside is not None:
        yield from _contents_lines(inside, now)
    yield Text("The database is sound." if all(finding.ok for finding in found) else "Something has to be done.")


def upgraded_lines(file: Path, schema: str | None, head: str, backup: Path | None) -> Iterator[Text]:
    """From which schema to which, and where the copy from before is."""
    if schema is None:
        yield Text(f"There is no database at {file} yet: the first `slotbridge sync` makes it. Nothing to do.")
    elif backup is None:
        yield Text(f"{file} has the schema of this version ({head}). Nothing to do.")
    else:
        yield Text.assemble(("Migrated ", "bold green"), f"{file} from schema {schema} to {head}.")
        yield Text(f"  what was there before is {backup}")


def copied_json(copy: Contents) -> dict[str, Any]:
    """The `db backup --json` document."""
    return {"version": 1, "copy": contents_json(copy)}


def restored_json(put: Contents, file: Path, kept: Path | None) -> dict[str, Any]:
    """The `db restore --json` document."""
    return {"version": 1, "file": str(file), "restored": contents_json(put), "kept": _path(kept)}


def checked_json(file: Path, found: Sequence[Finding], inside: Contents | None) -> dict[str, Any]:
    """The `db check --json` document."""
    told = [{"about": finding.about, "ok": finding.ok, "says": finding.says, "hint": finding.hint} for finding in found]
    inner = None if inside is None else contents_json(inside)
    return {
        "version": 1,
        "file": str(file),
        "ok": all(finding.ok for finding in found),
        "findings": told,
        "contents": inner,
    }


def upgraded_json(file: Path, schema: str | None, head: str, backup: Path | None) -> dict[str, Any]:
    """The `db upgrade --json` document."""
    return {
        "version": 1,
        "file": str(file),
        "from": schema,
        "to": None if schema is None else head,
        "backup": _path(backup),
    }


def contents_json(inside: Contents) -> dict[str, Any]:
    """What a database holds, as a member of a document."""
    counts = {name.replace(" ", "_"): count for name, count in inside.counts.items()}
    last = None if inside.last_run is None else inside.last_run.isoformat()
    return {
        "file": str(inside.file),
        "bytes": inside.size,
        "schema": inside.schema,
        **counts,
        "last_run": last,
    }


def _contents_lines(inside: Contents, now: datetime) -> Iterator[Text]:
    counts = ", ".join(f"{name} {count:,}" for name, count in inside.counts.items())
    yield Text(f"  {counts}; schema {inside.schema}")
    yield Text(f"  last run {moment(inside.last_run, now)}")


def _path(file: Path | None) -> str | None:
    return None if file is None else str(file)
