"""Holds in words: what waits, since when, what each side has, how to decide it, and what a decision will do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.text import Text

from slotbridge.cli.render.decisions import Counsel, ways_out
from slotbridge.cli.render.plan import hold_item_words, hold_lines
from slotbridge.cli.render.words import clean, moment, plural
from slotbridge.reconcile.model import NAMES, Hold, HoldKind, as_side, other
from slotbridge.store import HoldRecord
from slotbridge.sync.report import hold_as_json

_APPROVED: Mapping[HoldKind, str] = {
    "deletions": "these windows are deleted",
    "booked": "the time slot is deleted or moved, although it has bookings",
    "duplicate": "the second slot is taken for a real one, and carried to Bitrix24",
    "oscillation": "these hours are written once more",
}


def holds_lines(records: Sequence[HoldRecord], now: datetime, counsel: Counsel) -> Iterator[Text]:
    """Every open hold, a block each, and how many there are in the last line."""
    for record in records:
        yield from _record_lines(record, now, counsel)
        yield Text()
    yield Text(_summary(records))


def _summary(records: Sequence[HoldRecord]) -> str:
    if not records:
        return "Nothing is held."
    pairs = plural(len({record.hold.pair for record in records}), "pair")
    decided = sum(record.decision is not None for record in records)
    return f"{plural(len(records), 'hold')} in {pairs}" + (f", {decided} decided." if decided else ".")


def _record_lines(record: HoldRecord, now: datetime, counsel: Counsel) -> Iterator[Text]:
    hold = record.hold
    yield Text.assemble((clean(hold.pair), "bold"), f": {hold.kind}, since {moment(record.since, now)}")
    yield from hold_lines(hold, counsel)
    if record.decision is not None:
        when = moment(record.decided_at, now)
        yield Text(f"    decided: {decision_words(record.decision)}, {when}; the next run applies it", "green")


def decision_words(decision: str) -> str:
    """A decision as its option is called: `keep bitrix24`, `approve`."""
    return f"keep {decision}" if as_side(decision) else decision


def decided_lines(
    record: HoldRecord, earlier: str | None, counsel: Counsel, *, daemon: bool | None = False
) -> Iterator[Text]:
    """What was decided, in place of what, what the next run makes of it, and how to run it now.

    `daemon` says whether one is at work, None where nobody can tell: it heeds the decision by itself, and as long as it
    is there no other run can begin.
    """
    hold, decision = record.hold, record.decision or ""
    instead = f", instead of {decision_words(earlier)}" if earlier not in (None, decision) else ""
    yield Text.assemble(
        (f"Decided: {decision_words(decision)}", "bold green"),
        f"{instead}, for hold {hold.id} of {clean(hold.pair)}: {clean(hold.reason)}",
    )
    yield from (Text(f"  {hold_item_words(item)}") for item in hold.items)
    yield Text(f"At the next run {_effect(hold, decision)}. If anything of this is edited before, it is held again.")
    if daemon:
        yield Text("The daemon is running and applies it within seconds.")
    else:
        unless = "" if daemon is False else ", unless a daemon is running, which applies it within seconds"
        yield Text.assemble(f"To run it now{unless}: ", (_run_now(hold, counsel), "cyan"))


def _effect(hold: Hold, decision: str) -> str:
    kept = as_side(decision)
    if kept is None:
        customers = next((item["customers"] for item in hold.items if "customers" in item), None)
        return _APPROVED[hold.kind] if customers is None else f"its customers are {customers}; then the time slot goes"
    if hold.kind == "conflict":
        return f"{NAMES[other(kept)]} gets what {NAMES[kept]} has; what is overruled stays in the history"
    loser = NAMES[other(kept)]
    return f"{loser} is made equal to {NAMES[kept]}, and what only {loser} has is deleted"


def _run_now(hold: Hold, counsel: Counsel) -> str:
    return counsel.call("sync", "--pair", hold.pair)


def holds_json(records: Sequence[HoldRecord], counsel: Counsel) -> dict[str, Any]:
    """The `holds --json` document."""
    holds = [record_json(record) | {"ways_out": ways_out(record.hold, counsel)} for record in records]
    return {"version": 1, "holds": holds}


def decided_json(record: HoldRecord, counsel: Counsel, *, daemon: bool | None = False) -> dict[str, Any]:
    """The `resolve --json` document; `next` is None where a daemon applies the decision by itself."""
    following = None if daemon else _run_now(record.hold, counsel)
    return {"version": 1, "hold": record_json(record), "next": following, "daemon": daemon}


def record_json(record: HoldRecord) -> dict[str, Any]:
    """A hold with its beginning and the decision about it."""
    decided = record.decided_at.isoformat() if record.decided_at else None
    when = {"since": record.since.isoformat(), "decision": record.decision, "decided_at": decided}
    return hold_as_json(record.hold) | when
