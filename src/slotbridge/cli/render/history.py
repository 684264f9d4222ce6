"""The history in words: run by run, the newest first, each change in its side's own terms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from rich.text import Text

from slotbridge.cli.render.decisions import Counsel
from slotbridge.cli.render.fields import is_fields
from slotbridge.cli.render.plan import change_line, overruled_words, run_lines
from slotbridge.cli.render.words import DayZero, clean, moment, plural
from slotbridge.reconcile.model import Change, Overruled, Value
from slotbridge.reconcile.names import LostName, Profile
from slotbridge.store import ChangeRecord, RunRecord
from slotbridge.sync.report import RunReport
from slotbridge.week import Window


@dataclass(frozen=True, slots=True)
class History:
    """Changes, the newest first, with the runs that they were made in.

    `asked` is the run that was asked for, if one was; `more` says that there are older changes than these.
    """

    changes: Sequence[ChangeRecord]
    runs: Mapping[int, RunRecord]
    asked: int | None = None
    more: bool = False


def history_lines(history: History, now: datetime, day_zero: DayZero) -> Iterator[Text]:
    """A block for each run: its pairs, and within them the changes in the order in which they were noted."""
    for number, changes in groupby(history.changes, key=lambda change: change.run):
        yield _run_line(number, history.runs.get(number), now)
        yield from _run_block(list(changes)[::-1], day_zero)
        yield Text()
    if not history.changes:
        yield _nothing(history, now)
    elif history.more:
        shown = len(history.changes)
        these = "this one change" if shown == 1 else f"these {shown} changes"
        yield Text(f"There are more than {these}; --limit shows more of them.")
    else:
        yield Text(f"{plural(len(history.changes), 'change')} in all.")


def _nothing(history: History, now: datetime) -> Text:
    if history.asked is None:
        return Text("Nothing was changed yet.")
    return Text.assemble(_run_line(history.asked, history.runs.get(history.asked), now), ": nothing was changed")


def _run_line(number: int, run: RunRecord | None, now: datetime) -> Text:
    if run is None:
        return Text(f"run {number}", "bold")
    ended = "" if run.finished_at else ", under way or broken off"
    return Text.assemble((f"run {number}", "bold"), f", {clean(run.trigger)}, {moment(run.started_at, now)}{ended}")


def _run_block(changes: Sequence[ChangeRecord], day_zero: DayZero) -> Iterator[Text]:
    by_pair = sorted(changes, key=lambda change: change.pair)
    for pair, records in groupby(by_pair, key=lambda change: change.pair):
        yield Text(f"  {clean(pair)}")
        for record in records:
            yield Text.assemble("  ", _record_line(record, day_zero))


def _record_line(record: ChangeRecord, day_zero: DayZero) -> Text:
    if record.kind == "overruled":
        return Text(f"  overruled: {overruled_words(_overruled(record))}", style="dim")
    return change_line(Change(record.side, record.op, record.before, record.after, record.why), day_zero)


def _overruled(record: ChangeRecord) -> Overruled | LostName:
    lost = record.before
    if lost is not None and "weekday" not in lost:
        return LostName(record.side, lost, record.why)
    value = lost and Value(Window(lost["weekday"], lost["start"], lost["end"]), lost["capacity"])
    return Overruled(record.side, value or None, record.why)


def undo_lines(
    report: RunReport,
    run: int,
    names: Sequence[str],
    day_zero: DayZero,
    counsel: Counsel,
    done: Sequence[ChangeRecord] = (),
) -> Iterator[Text]:
    """What undoing a run did, or would do and how to have it done. `done` is what that run had changed."""
    if not report.pairs:
        what = "no hours" if done else "nothing"
        yield Text(f"Run {run} changed {what} in the pairs of the configuration: there is nothing to undo.")
        yield from _stays(done)
        return
    yield Text(f"Back to before run {run}:", "bold")
    yield from run_lines(report, day_zero, counsel, undoing=run)
    yield from _stays(done)
    if report.dry_run and any(pair.changes for pair in report.pairs):
        chosen = [word for name in names for word in ("--pair", name)]
        way = counsel.call("history", str(run), "--undo", "--apply", *chosen)
        yield Text.assemble("To carry it out: ", (way, "cyan"))


def _stays(done: Sequence[ChangeRecord]) -> Iterator[Text]:
    """What undoing a run leaves as that run has made it."""
    fields = {name for change in done for name in change.after or () if is_fields(change.after)}
    if fields & {*Profile._fields}:
        yield Text("Names and descriptions stay as they are.", "yellow")
    if "booking" in fields:
        yield Text("Customers stay on the wait list, and their bookings stay cancelled.", "yellow")


def history_json(history: History) -> dict[str, Any]:
    """The `history --json` document: the changes, the newest first, each with its run and what started that."""
    changes = [_change_json(change, history.runs.get(change.run)) for change in history.changes]
    return {"version": 1, "changes": changes, "more": history.more}


def _change_json(change: ChangeRecord, run: RunRecord | None) -> dict[str, Any]:
    return asdict(change) | {"at": change.at.isoformat(), "trigger": run.trigger if run else None}
