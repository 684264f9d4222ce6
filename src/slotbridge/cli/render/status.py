"""The status, as a table and as a document."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from rich.text import Text

from slotbridge.cli.render.status_data import PairStatus, Status
from slotbridge.cli.render.status_table import Row, Turn, reason_lines, rows_taken, table_lines
from slotbridge.cli.render.words import clean, moment, plural
from slotbridge.errors import SIDE_NAMES, Side
from slotbridge.reconcile.model import SIDES
from slotbridge.store import Memory
from slotbridge.store.holder import Holder
from slotbridge.store.schedule import Planned
from slotbridge.sync.metering import used_up
from slotbridge.sync.report import hold_as_json


def status_lines(status: Status, width: int | None = None, height: int | None = None) -> Iterator[Text]:
    """The status for people, in a table that fits `width` columns; None is for no terminal.

    Where it takes more than `height` rows, the last pairs that are in step are counted instead of shown.
    """
    lines = list(_lines(status, width))
    if width is not None and height is not None and (over := rows_taken(lines, width) - height) > 0:
        calm = [pair for pair in status.pairs if pair.state == "in step"]
        hidden = {pair.name for pair in calm[-over - 1 :]}
        shown = [pair for pair in status.pairs if pair.name not in hidden]
        lines = list(_lines(replace(status, pairs=shown), width, hidden=len(hidden)))
    yield from lines


def _lines(status: Status, width: int | None, hidden: int = 0) -> Iterator[Text]:
    if not status.remembered:
        yield _no_database(status)
    elif status.pairs or hidden:
        yield from _table(status, width)
        if hidden:
            yield Text(f"… and {hidden} more in step", "dim")
        yield Text()
    for pair in (*status.pairs, *status.types):
        yield from _details(pair, status.now)
    if not status.pairs and not hidden:
        yield Text(f"No pairs are configured. `{status.program} discover` lists what could be paired.")
    yield from _whole(status)


def _no_database(status: Status) -> Text:
    if status.daemon:
        gone = "The database is gone, and the daemon runs without it: it writes nothing."
        return Text(f"{gone} Stop it, put a copy back with `{status.program} db restore`, and start it again.", "red")
    return Text(f"Nothing has run yet: there is no database. Begin with `{status.program} sync --dry-run`.")


def _table(status: Status, width: int | None) -> Iterator[Text]:
    turns = {clean(pair.name): turn_of(status, pair) for pair in status.pairs}
    rows = [_row(pair, status.now, turns[clean(pair.name)], brief=width is not None) for pair in status.pairs]
    lines, reasons_shown = table_lines(rows, width)
    yield from lines
    if not reasons_shown:
        yield from reason_lines(turns)


def turn_of(status: Status, pair: PairStatus) -> Turn:
    """When the pair runs next and why then, in words."""
    planned = status.next_run(pair)
    if planned is None:
        return Turn("unplanned", "the running daemon does not know the pair") if status.daemon else Turn("no daemon")
    if status.is_overdue(planned):
        return Turn("overdue", f"its turn was {moment(planned.next_at, status.now)}")
    return Turn.at(planned.next_at, status.now, planned.why)


def _row(pair: PairStatus, now: datetime, turn: Turn, *, brief: bool) -> Row:
    memory = pair.memory
    same = memory.last_attempt == memory.last_success is not None
    success, attempt = (
        moment(at, now).partition(" (")[0] if brief else moment(at, now)
        for at in (memory.last_success, memory.last_attempt)
    )
    counts = (str(len(memory.links)), str(len(pair.holds)))
    return Row(clean(pair.name), pair.state, *counts, success, "the same" if same else attempt, turn)


def _details(pair: PairStatus, now: datetime) -> Iterator[Text]:
    memory = pair.memory
    if memory.failures:
        since = f" since {moment(memory.failing_since, now)}" if memory.failing_since else ""
        yield Text(f"{clean(pair.name)}: {plural(memory.failures, 'failure')} in a row{since}", "red")
        yield from _errors(memory)
    for record in pair.holds:
        decided = f"; decided ({record.decision}), the next run applies it" if record.decision else ""
        reason = f"{clean(record.hold.reason)}, since {moment(record.since, now)}{decided}"
        yield Text(f"{clean(pair.name)}: held {record.hold.id}: {reason}", "yellow")
    if pair.names != "off" and memory.names is None:
        yield Text(f"{clean(pair.name)}: its name follows {SIDE_NAMES[pair.names]}; no run has brought it over yet")


def _errors(memory: Memory) -> Iterator[Text]:
    first, latest = memory.first_error, memory.last_error
    if first in (None, latest):
        yield Text(f"  {clean(latest or 'no reason was noted')}")
    else:
        yield Text(f"  first: {clean(first or '')}")
        yield Text(f"  latest: {clean(latest or 'no reason was noted')}")


def _whole(status: Status) -> Iterator[Text]:
    """What is not about one pair."""
    if status.remembered or status.daemon:
        yield _daemon(status)
    used = "; ".join(f"{SIDE_NAMES[side]} {_budget(status, side)}" for side in SIDES)
    yield Text(f"Requests in {status.now:%B %Y} (UTC): {used}.")
    for side, at in status.spent.items():
        yield Text(f"{SIDE_NAMES[side]} {used_up(at)}; it is asked once in six hours until the month turns.", "red")
    if status.advice is not None:
        yield Text(f"{status.advice.text}.", "" if status.advice.fits else "yellow")


def _daemon(status: Status) -> Text:
    holder = status.holder
    if holder is None:
        return Text("No daemon is running; `slotbridge run` starts one.", "dim")
    who = f"process {holder.pid} on {clean(holder.host)}, since {moment(holder.since, status.now)}"
    command = clean(holder.command)
    if holder.holds is None:
        return Text(f"The lock was taken by `slotbridge {command}`, {who}; from here nobody can tell if it still runs.")
    if command != "run":
        no_daemon = "No daemon is running"
        return Text(f"{no_daemon}; `slotbridge {command}` is at work: {who}." if holder.holds else f"{no_daemon}.")
    if not holder.holds:
        return Text(f"No daemon is running: the last one was killed, {who}. `slotbridge run` goes on.", "red")
    if status.silent is not None:
        return Text(f"The daemon's process is there, but it hangs: {clean(status.silent)}; {who}. Restart it.", "red")
    return Text(f"The daemon is running: {who}.", "green")


def _budget(status: Status, side: Side) -> str:
    used, limit = f"{status.used.get(side, 0):,}", status.per_month.get(side)
    return used if limit is None else f"{used} of {limit:,}, {status.left(side):,} left"


def status_json(status: Status) -> dict[str, Any]:
    """The `status --json` document."""
    requests = {
        side: {
            "used": status.used.get(side, 0),
            "per_month": status.per_month.get(side),
            "left": status.left(side),
            "used_up_since": _iso(status.spent.get(side)),
        }
        for side in SIDES
    }
    advice, holder = status.advice, status.holder
    return {
        "version": 1,
        "at": status.now.isoformat(),
        "pairs": [_pair_json(pair, status.next_run(pair)) for pair in status.pairs],
        "resource_types": [{"name": kind.name, **_failing_json(kind.memory)} for kind in status.types],
        "requests": {"month": f"{status.now:%Y-%m}", **requests},
        "advice": advice and {"text": advice.text, "fits": advice.fits},
        "daemon": status.daemon,
        "daemon_silent": status.silent,
        "lock": holder and _holder_json(holder),
    }


def _holder_json(holder: Holder) -> dict[str, Any]:
    who = {"command": holder.command, "pid": holder.pid, "host": holder.host}
    return {"held": holder.holds, **who, "since": holder.since.isoformat()}


def _pair_json(pair: PairStatus, planned: Planned | None) -> dict[str, Any]:
    memory = pair.memory
    return {
        "name": pair.name,
        "state": pair.state.replace(" ", "-"),
        "last_attempt": _iso(memory.last_attempt),
        "last_success": _iso(memory.last_success),
        "next_run": planned and {"at": _iso(planned.next_at), "interval": planned.interval, "why": planned.why},
        "windows": len(memory.links),
        "holds": [
            {**hold_as_json(record.hold), "since": _iso(record.since), "decision": record.decision}
            for record in pair.holds
        ],
        **_failing_json(memory),
        "names": _names_json(pair),
    }


def _failing_json(memory: Memory) -> dict[str, Any]:
    return {
        "failures": memory.failures,
        "failing_since": _iso(memory.failing_since),
        "first_error": memory.first_error,
        "error": memory.last_error,
    }


def _names_json(pair: PairStatus) -> dict[str, Any] | None:
    """Which side leads, and what each side stored when they last agreed."""
    if pair.names == "off":
        return None
    agreed = pair.memory.names
    return {"leader": pair.names, **{side: agreed and agreed.of(side)._asdict() for side in SIDES}}


def _iso(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant else None
