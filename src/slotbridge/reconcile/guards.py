"""What holds a plan back: deletions that look like an accident, booked slots, closed sides (G1–G7, W6).

Each guard takes the verdicts and returns them with what it keeps back turned into "held", and the holds that say so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from slotbridge.lenses.terms import Seen, View
from slotbridge.reconcile.earlier import DOUBTED, deleted_rows
from slotbridge.reconcile.merge import row_fingerprint
from slotbridge.reconcile.model import (
    NAMES,
    SIDES,
    Hold,
    HoldKind,
    Link,
    Options,
    Row,
    Side,
    Value,
    Verdict,
    fingerprint,
)

Guarded = tuple[list[Verdict], list[Hold]]

WAIT_LIST = "put on the Bitrix24 wait list, and their bookings cancelled"
"""What becomes of the customers of a slot that goes, once that is approved."""

ANY_SLOT = 0
"""The key of bookings that name no time slot: they may stand on any of them. Real ids start above zero."""


def hold_conflicts(verdicts: Sequence[Verdict], options: Options) -> Guarded:
    """Conflicts that nobody has decided wait, each window as it is on either side (M3)."""
    kept: list[Verdict] = []
    holds: list[Hold] = []
    groups: dict[int, list[Verdict]] = {}
    for verdict in verdicts:
        kept.append(verdict if not verdict.conflict or verdict.state != "write" or verdict.decided else held(verdict))
        if kept[-1].state != "held":
            continue
        if verdict.row.group is not None and verdict.row.link is None:
            groups.setdefault(verdict.row.group, []).append(verdict)
        else:
            holds.append(hold_of("conflict", verdict.why, [verdict], options))
    holds.extend(hold_of("conflict", group[0].why, group, options) for group in groups.values())
    return kept, holds


def hold_booked(verdicts: Sequence[Verdict], options: Options) -> Guarded:
    """A slot with upcoming bookings is neither deleted nor moved to hours that do not contain the old ones (G3).

    Where customers go on the wait list first, accepting deletions releases a slot that goes as a whole.
    """
    if options.booked_slots == "proceed" or not options.booked:
        return list(verdicts), []
    kept: list[Verdict] = []
    holds: list[Hold] = []
    at_risk, going = slots_at_risk(verdicts), slots_that_go(verdicts, options)
    for number, verdict in enumerate(verdicts):
        slot_id = at_risk.get(number)
        booking = None if slot_id is None else options.booked.get(slot_id) or options.booked.get(ANY_SLOT)
        if booking:
            hold = hold_of("booked", f"time slot {slot_id} has {booking}", [verdict], options, booking)
            if slot_id in going:
                hold = replace(hold, items=tuple({**item, "customers": WAIT_LIST} for item in hold.items))
            if slot_id in going and (why := _stranded(slot_id, options)):
                # The fingerprint is that of what was shown before: an approval stands until the cause is gone (G6).
                holds.append(replace(hold, reason=f"{hold.reason}; {why}"))
                verdict = held(verdict)
            elif slot_id in going and (options.accept_deletes or slot_id in options.leaving):
                verdict = _approved(verdict, hold)
            else:
                verdict = _kept_back(verdict, hold, holds, options)
        kept.append(verdict)
    return kept, holds


def slots_that_go(verdicts: Sequence[Verdict], options: Options) -> frozenset[int]:
    """The slots that no window stays of, where their customers are put on the wait list."""
    if options.booked_slots != "waitlist":
        return frozenset()
    seen = [(verdict.row.reservekit.key[0], verdict) for verdict in verdicts if verdict.row.reservekit is not None]
    staying = {slot_id for slot_id, verdict in seen if verdict.reservekit is not None}
    return frozenset(slot_id for slot_id, _ in seen) - staying


def _stranded(slot_id: int, options: Options) -> str | None:
    """Why the customers of a slot cannot be put on the wait list."""
    if ANY_SLOT in options.booked:
        return "a booking that names no time slot may stand on it, and has to be cancelled in ReserveKit first"
    return options.stranded.get(slot_id)


def slots_at_risk(verdicts: Sequence[Verdict]) -> dict[int, int]:
    """Which verdicts would take a customer's hours away, by their place, with the id of the time slot.

    That is a slot that goes, that moves to where its old hours are not contained, or that is parted at midnight, since
    its bookings would all stay with one part.
    """
    capacities: dict[int, set[int]] = {}
    for verdict in verdicts:
        if verdict.row.reservekit is not None and verdict.reservekit is not None:
            capacities.setdefault(verdict.row.reservekit.key[0], set()).add(verdict.reservekit.capacity)
    found: dict[int, int] = {}
    for number, verdict in enumerate(verdicts):
        seen, want = verdict.row.reservekit, verdict.reservekit
        if verdict.state not in ("write", "delete") or seen is None:
            continue
        parted = len(capacities.get(seen.key[0], ())) > 1 and verdict.writes("reservekit")
        if want is None or parted or not want.window.contains(seen.window):
            found[number] = seen.key[0]
    return found


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
            reason = f"time slot {slot.key[0]} may be the double of one whose creation got no answer"
            verdict = _kept_back(verdict, hold_of("duplicate", reason, [verdict], options), holds, options)
        kept.append(verdict)
    return kept, holds


def hold_deletions(
    verdicts: Sequence[Verdict], links: Sequence[Link], views: dict[Side, View], options: Options
) -> Guarded:
    """Deletions that look like an accident wait (G1, G2, G5), or that may be our own doing (W4)."""
    going = [verdict for verdict in verdicts if verdict.state == "delete" and not verdict.decided]
    alarm = _alarm(going, links, views, options) if going and not options.accept_deletes else None
    if alarm is None:
        return list(verdicts), []
    guard, reason = alarm
    hold = hold_of("deletions", reason, going, options)
    items = ({**item, "guard": guard, "row": _deletion(v)} for item, v in zip(hold.items, going, strict=True))
    hold = replace(hold, fingerprint=fingerprint(*map(_deletion, going)), items=tuple(items))
    if options.approved is not None and _is_rest(verdicts, going, options.approved):
        hold = replace(hold, fingerprint=options.approved.fingerprint)
    if options.decisions.get(hold.fingerprint) == "approve":
        return [_approved(verdict, hold) if verdict in going else verdict for verdict in verdicts], []
    return [held(verdict) if verdict in going else verdict for verdict in verdicts], [hold]


def _is_rest(verdicts: Sequence[Verdict], going: Sequence[Verdict], approved: Hold) -> bool:
    """Whether these are what a broken run has left of approved deletions: all the others have been executed (G6)."""
    shown, left = deleted_rows((approved,)), set(map(_deletion, going))
    done = {print_ for v in verdicts if v.state == "forgotten" and v.row.link for print_ in _deleted(v.row.link)}
    return left <= shown <= left | done


def _deleted(link: Link) -> tuple[str, str]:
    """What stood for the deletion of a window that is gone from both sides by now, from either of them."""
    one, two = (Seen(link.window, link.capacity(side), (0, 0)) for side in SIDES)
    return row_fingerprint(Row(bitrix24=one)), row_fingerprint(Row(reservekit=two))


def _deletion(verdict: Verdict) -> str:
    """Stands for a deletion. Without the base: a first sync makes one up for what it holds, which is no news."""
    return row_fingerprint(verdict.row._replace(link=None))


def _alarm(
    going: Sequence[Verdict], links: Sequence[Link], views: dict[Side, View], options: Options
) -> tuple[str, str] | None:
    """The guard that keeps these deletions back, and its reason."""
    if options.doubt and any(verdict.deletes("reservekit") for verdict in going):
        return DOUBTED, options.doubt
    if options.waiting and options.waiting <= set(map(_deletion, going)):
        # What was created meanwhile, by ourselves perhaps, is no reason to trust the same deletions more.
        return "G1 or G2", options.waiting_for
    if links:
        for side, view in views.items():
            if not view.windows:
                return "G1 or G2", f"{NAMES[side]} had {_windows(len(links))} and now has none"
    total = len(links) or max(len(view.windows) for side, view in views.items() if any(v.deletes(side) for v in going))
    if len(going) > options.max_delete_count and len(going) > options.max_delete_ratio * total:
        return "G1 or G2", _too_many(going, len(links), total)
    return ("G5", options.outage) if options.outage else None


def _too_many(going: Sequence[Verdict], agreed: int, total: int) -> str:
    """A side may have gained what goes since the base was made, so that it is no part of it."""
    if agreed and any(verdict.row.link is None for verdict in going):
        return f"{_windows(len(going))} would be deleted, and both sides last agreed on {agreed}"
    return f"{len(going)} of {_windows(total)} would be deleted"


def _windows(count: int) -> str:
    return f"{count} window" if count == 1 else f"{count} windows"


def hold_frozen(verdicts: Sequence[Verdict], frozen: dict[Side, tuple[HoldKind, str]], options: Options) -> Guarded:
    """What would be written to a side that cannot be written waits; the other side gets what it is due (W6, S5).

    Nobody can approve such a hold, so it stands for the state of the side and not for what happens to wait.
    """
    kept, holds = list(verdicts), []
    for side, (kind, reason) in frozen.items():
        waiting = {n: v for n, v in enumerate(kept) if v.state in ("write", "delete") and v.writes(side)}
        if waiting:
            hold = hold_of(kind, reason, list(waiting.values()), options)
            holds.append(replace(hold, fingerprint=fingerprint(kind, side)))
            kept = [_half_held(verdict, side) if n in waiting else verdict for n, verdict in enumerate(kept)]
    return kept, holds


def _half_held(verdict: Verdict, side: Side) -> Verdict:
    """The verdict held on one side alone; a deletion or a creation concerns no other anyway."""
    half = held(verdict)
    if side == "reservekit":
        return half._replace(bitrix24=verdict.bitrix24 if verdict.state == "write" else half.bitrix24)
    return half._replace(reservekit=verdict.reservekit if verdict.state == "write" else half.reservekit)


def hold_everything(verdicts: Sequence[Verdict], kind: HoldKind, reason: str, options: Options) -> Guarded:
    """The whole pair waits (M6, M12, G7). Rows that need no write are not affected."""
    waiting = [verdict for verdict in verdicts if verdict.state in ("write", "delete")]
    hold = hold_of(kind, reason, waiting, options)
    return [held(verdict) if verdict in waiting else verdict for verdict in verdicts], [hold] if waiting else []


def keep_decisions(verdicts: Sequence[Verdict], options: Options) -> Guarded:
    """What was decided and is kept back by another hold stays listed, since a decision ends with its hold (G6)."""
    waiting: dict[object, list[Verdict]] = {}
    approved: dict[str, Hold] = {}
    for verdict in verdicts:
        if verdict.state != "held":
            continue
        approved |= {hold.id: hold for hold in verdict.approved}
        if verdict.decided:
            row = verdict.row
            waiting.setdefault(row.group if row.link is None else row.link, []).append(verdict)
    why = "decided, and waiting for another hold"
    return list(verdicts), [
        *approved.values(),
        *(hold_of("conflict", why, group, options) for group in waiting.values()),
    ]


def _kept_back(verdict: Verdict, hold: Hold, holds: list[Hold], options: Options) -> Verdict:
    """The verdict held, and the hold listed, unless a person has approved exactly this."""
    if options.decisions.get(hold.fingerprint) == "approve":
        return _approved(verdict, hold)
    holds.append(hold)
    return held(verdict)


def _approved(verdict: Verdict, hold: Hold) -> Verdict:
    return verdict._replace(approved=(*verdict.approved, hold))


def held(verdict: Verdict) -> Verdict:
    """The verdict that leaves both sides as they are."""
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


def hold_of(kind: HoldKind, reason: str, verdicts: Sequence[Verdict], options: Options, *shown: str) -> Hold:
    """The hold of these verdicts. What is `shown` besides them is part of what is decided (G6)."""
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
