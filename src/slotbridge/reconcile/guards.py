"""What holds a plan back: deletions that look like an accident, booked slots, closed sides (G1–G7, W6).

Each guard takes the verdicts and returns them with what it keeps back turned into "held", and the holds that say so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from slotbridge.lenses.terms import Seen, View
from slotbridge.reconcile.merge import row_fingerprint
from slotbridge.reconcile.model import NAMES, Hold, HoldKind, Link, Options, Side, Value, Verdict, fingerprint

Guarded = tuple[list[Verdict], list[Hold]]

ANY_SLOT = 0
"""The key of bookings that name no time slot: they may stand on any of them. Real ids start above zero."""


def hold_conflicts(verdicts: Sequence[Verdict], options: Options) -> Guarded:
    """Conflicts that nobody has decided wait, each window as it is on either side (M3)."""
    kept: list[Verdict] = []
    holds: list[Hold] = []
    groups: dict[int, list[Verdict]] = {}
    for verdict in verdicts:
        kept.append(verdict if not verdict.conflict or verdict.state != "write" or verdict.decided else _held(verdict))
        if kept[-1].state != "held":
            continue
        if verdict.row.group is not None and verdict.row.link is None:
            groups.setdefault(verdict.row.group, []).append(verdict)
        else:
            holds.append(_hold("conflict", verdict.why, [verdict], options))
    holds.extend(_hold("conflict", group[0].why, group, options) for group in groups.values())
    return kept, holds


def hold_booked(verdicts: Sequence[Verdict], options: Options) -> Guarded:
    """A slot with upcoming bookings is neither deleted nor moved to hours that do not contain the old ones (G3)."""
    if options.booked_slots == "proceed" or not options.booked:
        return list(verdicts), []
    kept: list[Verdict] = []
    holds: list[Hold] = []
    for verdict in verdicts:
        booking = _booking(slot_id, options) if (slot_id := uproots(verdict)) is not None else None
        hold = booking and _hold("booked", f"time slot {slot_id} has {booking}", [verdict], options, booking)
        if hold and options.decisions.get(hold.fingerprint) != "approve":
            holds.append(hold)
            verdict = _held(verdict)
        kept.append(verdict)
    return kept, holds


def hold_duplicates(verdicts: Sequence[Verdict], options: Options) -> Guarded:
    """A second slot equal to one that was created twice, since an answer got lost, may be ours: it is not carried on.

    Nor is it deleted: it may as well be the user's.
    """
    if not options.suspects:
        return list(verdicts), []
    kept: list[Verdict] = []
    holds: list[Hold] = []
    known = {v.row.reservekit.window for v in verdicts if v.row.link is not None and v.row.reservekit is not None}
    for verdict in verdicts:
        slot = verdict.row.reservekit
        alone = verdict.row.link is None and verdict.row.bitrix24 is None and verdict.state == "write"
        if alone and slot is not None and slot.window in options.suspects & known:
            reason = (
                f"time slot {slot.key[0]} equals one that was created when an answer got lost, and may be its double"
            )
            hold = _hold("duplicate", reason, [verdict], options)
            if options.decisions.get(hold.fingerprint) != "approve":
                holds.append(hold)
                verdict = _held(verdict)
        kept.append(verdict)
    return kept, holds


def _booking(slot_id: int, options: Options) -> str | None:
    return options.booked.get(slot_id) or options.booked.get(ANY_SLOT)


def uproots(verdict: Verdict) -> int | None:
    """The id of the time slot that a verdict deletes, or moves to where its old hours are not contained."""
    seen, want = verdict.row.reservekit, verdict.reservekit
    if (
        verdict.state in ("write", "delete")
        and seen is not None
        and (want is None or not want.window.contains(seen.window))
    ):
        return int(seen.key[0])
    return None


def hold_deletions(
    verdicts: Sequence[Verdict], links: Sequence[Link], views: dict[Side, View], options: Options
) -> Guarded:
    """Deletions that look like an accident wait (G1, G2, G5)."""
    going = [verdict for verdict in verdicts if verdict.state == "delete" and not verdict.decided]
    reason = going and _alarm(going, links, views, options)
    if not reason or options.accept_deletes:
        return list(verdicts), []
    hold = _hold("deletions", reason, going, options)
    if options.decisions.get(hold.fingerprint) == "approve":
        return list(verdicts), []
    return [_held(verdict) if verdict in going else verdict for verdict in verdicts], [hold]


def _alarm(going: Sequence[Verdict], links: Sequence[Link], views: dict[Side, View], options: Options) -> str | None:
    if links:
        for side, view in views.items():
            if not view.windows:
                return f"{NAMES[side]} had {_windows(len(links))} and now has none"
    total = len(links) or max(len(view.windows) for side, view in views.items() if any(v.deletes(side) for v in going))
    if len(going) > options.max_delete_count and len(going) > options.max_delete_ratio * total:
        return f"{len(going)} of {_windows(total)} would be deleted"
    return options.outage


def _windows(count: int) -> str:
    return f"{count} window" if count == 1 else f"{count} windows"


def hold_frozen(verdicts: Sequence[Verdict], frozen: dict[Side, tuple[HoldKind, str]], options: Options) -> Guarded:
    """What would be written to a side that cannot be written waits; the other side gets what it is due (W6, S5)."""
    kept, holds = list(verdicts), []
    for side, (kind, reason) in frozen.items():
        waiting = [verdict for verdict in kept if verdict.state in ("write", "delete") and verdict.writes(side)]
        if waiting:
            holds.append(_hold(kind, reason, waiting, options))
            kept = [_held(verdict) if verdict in waiting else verdict for verdict in kept]
    return kept, holds


def hold_everything(verdicts: Sequence[Verdict], kind: HoldKind, reason: str, options: Options) -> Guarded:
    """The whole pair waits (M6, M12, G7). Rows that need no write are not affected."""
    waiting = [verdict for verdict in verdicts if verdict.state in ("write", "delete")]
    hold = _hold(kind, reason, waiting, options)
    return [_held(verdict) if verdict in waiting else verdict for verdict in verdicts], [hold] if waiting else []


def _held(verdict: Verdict) -> Verdict:
    row = verdict.row
    found_alone = row.link is None and verdict.state == "delete"
    return verdict._replace(
        bitrix24=_as_it_is(row.bitrix24),
        reservekit=_as_it_is(row.reservekit),
        state="held",
        expected=found_alone,
        overruled=(),
    )


def _as_it_is(seen: Seen | None) -> Value | None:
    return None if seen is None else Value(seen.window, seen.capacity)


def group_fingerprint(verdicts: Sequence[Verdict]) -> str:
    """Stands for what both sides show of several rows."""
    if len(verdicts) == 1:
        return row_fingerprint(verdicts[0].row)
    return fingerprint(*(row_fingerprint(verdict.row) for verdict in verdicts))


def _hold(kind: HoldKind, reason: str, verdicts: Sequence[Verdict], options: Options, *shown: str) -> Hold:
    rows = group_fingerprint(verdicts)
    print_ = fingerprint(rows, *shown) if shown else rows
    return Hold(kind, reason, print_, options.pair, tuple(map(_shown, verdicts)))


def _shown(verdict: Verdict) -> dict[str, Any]:
    """A row as a person reads it: what each side has, and what waits to be done to it."""
    row = verdict.row
    has = {"bitrix24": row.bitrix24, "reservekit": row.reservekit}
    shown: dict[str, Any] = {side: _described(side, seen.window, seen.capacity) for side, seen in has.items() if seen}
    if row.link is not None:
        shown["base"] = str(row.link.window)
    if verdict.state == "delete":
        shown["would_delete"] = [side for side in ("bitrix24", "reservekit") if verdict.deletes(side)]
    elif not verdict.conflict:
        shown["would_become"] = {
            side: _described(side, *want) for side in ("bitrix24", "reservekit") if (want := verdict.want(side))
        }
    return shown | {"why": verdict.why}


def _described(side: str, window: object, capacity: int) -> str:
    return f"{window}, {'slotSize' if side == 'bitrix24' else 'max_bookings'} {capacity}"


Guard = Callable[[list[Verdict]], Guarded]


def passed(verdicts: Sequence[Verdict], *guards: Guard) -> Guarded:
    """The verdicts after one guard and the next, with all their holds."""
    kept, holds = list(verdicts), []
    for guard in guards:
        kept, more = guard(kept)
        holds.extend(more)
    return kept, holds
