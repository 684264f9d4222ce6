"""Windows that are written run after run and undone each time: another program, or a server that rounds (G7, S12)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from slotbridge.reconcile.model import SIDES, Plan, Side, Verdict

LIMIT = 3
"""So many rewrites of one window in as many consecutive runs; then the pair waits."""


class Streak(NamedTuple):
    """How often a window was written in consecutive runs. By side, what was written last, and what it showed before;
    "" is no window."""

    times: int
    written: Mapping[str, str]
    before: Mapping[str, str] = {}


def streaks(plan: Plan, before: Mapping[str, Streak]) -> dict[str, Streak]:
    """The streaks after this plan was carried out. One that is not continued ends."""
    found: dict[str, Streak] = {}
    for verdict in plan.verdicts:
        written: dict[str, str] = {side: _text(verdict.want(side)) for side in SIDES if verdict.writes(side)}
        if not written or verdict.state not in ("write", "delete"):
            continue
        for name in _names(verdict):
            old = before.get(name)
            undone = old is not None and _undone(verdict, old)
            before_it: dict[str, str] = {side: _seen(verdict, side) for side in SIDES if side in written}
            found[name] = Streak(old.times + 1 if old is not None and undone else 1, written, before_it)
    return found


def oscillation(verdicts: Sequence[Verdict], before: Mapping[str, Streak]) -> str | None:
    """Why a pair should wait instead of being written once more, or None."""
    for verdict in verdicts:
        if verdict.state not in ("write", "delete"):
            continue
        for name in _names(verdict):
            old = before.get(name)
            if old is not None and old.times >= LIMIT and _undone(verdict, old):
                return f"{_window(verdict)} was written {old.times} runs in a row and undone each time"
    return None


def _names(verdict: Verdict) -> Iterator[str]:
    """What a window is known by from run to run: its time slot, and where it stands in the week."""
    row = verdict.row
    slot_id = row.link.slot_id if row.link else row.reservekit.key[0] if row.reservekit else None
    if slot_id:
        yield f"slot {slot_id}"
    if row.link is None or row.bitrix24 is None or row.reservekit is None:
        yield _window(verdict)


def _window(verdict: Verdict) -> str:
    row = verdict.row
    shown = row.link or row.bitrix24 or row.reservekit
    return str(shown.window) if shown else ""


def _undone(verdict: Verdict, old: Streak) -> bool:
    """Whether a side that was written last time does not show any more what was written there.

    People may take turns in editing it on either side: beyond the first time, a side that is not written again, but
    followed, counts only if it shows what it showed before it was written.
    """
    return any(
        (seen := _seen(verdict, side)) != old.written[side]
        and (old.times < 2 or verdict.writes(side) or seen == old.before.get(side))
        for side in SIDES
        if side in old.written
    )


def _seen(verdict: Verdict, side: Side) -> str:
    seen = verdict.row.seen(side)
    return _text((seen.window, seen.capacity) if seen else None)


def _text(value: tuple[object, int] | None) -> str:
    return f"{value[0]}, {value[1]}" if value else ""
