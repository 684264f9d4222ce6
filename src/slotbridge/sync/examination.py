"""What `doctor` finds, as data: the findings about the configuration, the database and the clocks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from slotbridge.errors import SIDE_NAMES, Side, SlotbridgeError
from slotbridge.settings import Settings
from slotbridge.store import inspection
from slotbridge.store.holder import Holder

State = Literal["ok", "warning", "problem"]

SKEW: Final = 60.0
"""Seconds by which clocks may differ before it matters."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A line for the configuration, and the table that it belongs into."""

    table: str
    line: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `id` is a room and a word, and stays what it is for machines.

    `pair` is the name of the pair that it is about, if it is about one. `hint` is the next step, `setting` what to put
    into the configuration: needed where it is a problem, on offer where it is ok.
    """

    id: str
    state: State
    what: str
    hint: str | None = None
    setting: Setting | None = None
    pair: str | None = None


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """A database file. `looked_at` is what is in it, or why it cannot be told; None where there is no database yet.

    `folder` says for that case what the folder is like that it would be made in.
    """

    file: Path
    looked_at: Sequence[inspection.Finding] | SlotbridgeError | None
    folder: Literal["writable", "closed", "missing"]
    holder: Holder | None = None


def failed(name: str, error: SlotbridgeError, *, pair: str | None = None, setting: Setting | None = None) -> Finding:
    """The problem that an error is."""
    what = f"{error.item}: {error.what}" if error.item else error.what
    return Finding(name, "problem", what, error.hint, setting, pair)


def counted(number: int, word: str) -> str:
    """`1 pair`, `2 pairs`."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def configuration(settings: Settings) -> Iterator[Finding]:
    """That it can be read is known by now; what is left is whether it asks for anything."""
    if settings.pairs:
        yield Finding("configuration.pairs", "ok", f"it is complete, with {counted(len(settings.pairs), 'pair')}")
    else:
        hint = "`slotbridge discover` lists what could be paired, ready to paste"
        yield Finding("configuration.pairs", "warning", "no pairs are configured, so nothing is kept in step", hint)


def database(facts: DatabaseFacts) -> Iterator[Finding]:
    """Whether it is there, sound and ours, may be written, and who works on it."""
    match facts.looked_at:
        case None:
            yield _absent(facts)
        case SlotbridgeError() as error:
            yield failed("database.file", error)
        case found:
            yield Finding("database.file", "ok", f"it is {facts.file}")
            yield from (_inside(finding) for finding in found)
    yield _lock(facts.holder)


def clocks(side: Side, ahead: float | None) -> Iterator[Finding]:
    """Whether the server's clock and ours agree; nothing if it did not tell. `ahead` is by how many seconds it is."""
    if ahead is None:
        return
    name, who = f"{side}.clock", SIDE_NAMES[side]
    if abs(ahead) <= SKEW:
        yield Finding(name, "ok", f"its clock and this machine's agree within {SKEW:.0f} s")
        return
    way = "behind" if ahead > 0 else "ahead of"
    hint = (
        "Let this machine set its clock by the network (NTP): which day is today, when the month turns and how long "
        "to wait are read from it"
    )
    yield Finding(name, "warning", f"this machine's clock is {_span(abs(ahead))} {way} that of {who}", hint)


def _absent(facts: DatabaseFacts) -> Finding:
    if facts.folder == "writable":
        return Finding(
            "database.file", "ok", f"there is none at {facts.file} yet; the first `slotbridge sync` makes it"
        )
    why = "does not exist" if facts.folder == "missing" else "may not be written by this user"
    hint = f"Make the folder {facts.file.parent} and let slotbridge write there, or name another file"
    place = Setting("[store]", 'url = "sqlite:////var/lib/slotbridge/slotbridge.db"')
    return Finding("database.file", "problem", f"its folder {why}: {facts.file.parent}", hint, place)


def _inside(found: inspection.Finding) -> Finding:
    return Finding(f"database.{found.about}", "ok" if found.ok else "problem", f"it {found.says}", found.hint)


def _lock(holder: Holder | None) -> Finding:
    if holder is None:
        return Finding("database.lock", "ok", "nobody works on it")
    who = f"`slotbridge {holder.command}`, process {holder.pid} on {holder.host}"
    if holder.holds is False:
        return Finding("database.lock", "ok", f"nobody works on it: {who}, ended without a word, and its lock with it")
    says = f"{who}, works on it since {holder.since:%Y-%m-%d %H:%M:%S} UTC"
    return Finding("database.lock", "ok", says, "Another run on it waits, or ends with exit code 5")


def _span(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
