"""What `doctor` found, room by room, and the weeks for a person to compare with the dashboard."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby, islice
from typing import Any

from rich.text import Text

from slotbridge.cli.render.decisions import Counsel
from slotbridge.cli.render.week import week_lines
from slotbridge.cli.render.words import clean, plural
from slotbridge.errors import SIDE_NAMES
from slotbridge.lenses.terms import Seen
from slotbridge.reconcile.model import SIDES, Snapshot
from slotbridge.reconcile.plan import plan
from slotbridge.store import Memory
from slotbridge.sync.bridge import Look
from slotbridge.sync.examination import Finding, State
from slotbridge.sync.examination_weeks import Week
from slotbridge.sync.examining import Examination
from slotbridge.sync.terms import agreement_of, options_of
from slotbridge.week import DAY_NAMES, clock

_ROOMS: Mapping[str, str] = {
    "configuration": "Configuration",
    "database": "Database",
    "bitrix24": "Bitrix24",
    "reservekit": "ReserveKit",
}
_SIGNS: Mapping[State, tuple[str, str]] = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "problem": ("✗", "red")}
_BAD: tuple[State, ...] = ("warning", "problem")
_QUESTION = "Compare this with the ReserveKit dashboard: is Monday right, and are the hours?"
_DRAWING = 10
"""Lines of the picture that comes first in `week_lines`, with its headline."""


def examination_lines(found: Examination, *, picture: bool = False) -> Iterator[Text]:
    """Every finding with what to do about it, the weeks, and the sum of it in the last line."""
    for room, findings in groupby(sorted(found.findings, key=_room), key=_room):
        yield Text(list(_ROOMS.values())[room], "bold")
        for finding in findings:
            yield from _finding_lines(finding)
    if found.weeks:
        yield Text("The week in ReserveKit, as slotbridge understands it", "bold")
        for week in found.weeks:
            yield from _week_lines(week, picture=picture)
        yield Text(_QUESTION, "bold")
    yield Text(_summary(found))


def _room(finding: Finding) -> int:
    return list(_ROOMS).index(finding.id.partition(".")[0])


def _finding_lines(finding: Finding) -> Iterator[Text]:
    pair = f"{clean(finding.pair)}: " if finding.pair else ""
    yield Text.assemble("  ", _SIGNS[finding.state], f" {pair}{clean(finding.what)}")
    if finding.hint:
        yield Text(f"    {clean(finding.hint)}")
    if finding.setting is not None:
        line = (clean(finding.setting.line), "cyan")
        yield Text.assemble(f"    in {clean(finding.setting.table)}: ", line)


def _week_lines(week: Week, *, picture: bool) -> Iterator[Text]:
    yield Text.assemble("  ", (clean(week.pair.name), "bold"), f", service {week.pair.service_id}, {week.terms.zone}")
    windows = week.windows
    if not windows:
        yield Text("    no hours")
        return
    if picture and week.ranges is not None:
        yield from islice(week_lines(_look(week, week.ranges), Counsel(), picture=True), 1, _DRAWING)
    for weekday, seen in groupby(windows, key=lambda one: one.window.weekday):
        yield Text(f"    {DAY_NAMES[weekday]}  {', '.join(map(_hours, seen))}")


def _hours(seen: Seen) -> str:
    return f"{clock(seen.window.start)}–{clock(seen.window.end)} ({plural(seen.capacity, 'booking')})"


def _look(week: Week, ranges: Sequence[Any]) -> Look:
    """Both sides next to each other, as if they met for the first time."""
    snapshot, memory = Snapshot(tuple(ranges), week.slots), Memory()
    options = options_of(week.pair, memory, agreement_of(week.pair, week.terms, snapshot))
    return Look(week.pair, snapshot, plan(None, snapshot, week.terms, options))


def _summary(found: Examination) -> str:
    bad = (plural(found.count(state), state) for state in _BAD)
    counts = f"{found.count('ok')} ok, {', '.join(bad)}"
    spent = ", ".join(f"{SIDE_NAMES[side]} {found.requests.get(side, 0)}" for side in SIDES)
    return f"{counts}. Requests: {spent}. Nothing was changed."


def examination_json(found: Examination) -> dict[str, Any]:
    """The `doctor --json` document."""
    return {
        "version": 1,
        "findings": [_finding_json(finding) for finding in found.findings],
        "weeks": [_week_json(week) for week in found.weeks],
        "requests": dict(found.requests),
    }


def _finding_json(finding: Finding) -> dict[str, Any]:
    return {
        "id": finding.id,
        "state": finding.state,
        "what": finding.what,
        "hint": finding.hint,
        "setting": finding.setting.line if finding.setting else None,
        "table": finding.setting.table if finding.setting else None,
        "pair": finding.pair,
    }


def _week_json(week: Week) -> dict[str, Any]:
    windows = [{**seen.window._asdict(), "max_bookings": seen.capacity} for seen in week.windows]
    return {"pair": week.pair.name, "zone": week.terms.zone, "windows": windows}
