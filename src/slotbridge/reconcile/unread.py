"""What waits behind an item that cannot be read, since that may stand for the same hours (S5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from slotbridge.lenses.terms import Problem, View
from slotbridge.reconcile.guards import Guarded, held, hold_of
from slotbridge.reconcile.model import NAMES, SIDES, Options, Row, Side, Verdict, fingerprint, other

Views = Mapping[Side, View]

UNREAD_CREATION = fingerprint("unsupported", "creation")
"""Stands for the hold of `hold_unread_creations`: nobody can approve it, so it is about no certain window."""


def may_still_stand(row: Row, views: Views) -> bool:
    """Whether a base window vanished from a side where an unreadable item may stand for it."""
    if row.link is None or (row.bitrix24 is not None and row.reservekit is not None):
        return False
    return any(_in_its_place(row, side, views) for side in SIDES if row.seen(side) is None)


def _in_its_place(row: Row, side: Side, views: Views) -> Problem | None:
    link = row.link
    if link is None:
        return None
    found = (p for p in views[side].problems if link.window.weekday in p.weekdays or p.slot_id == link.slot_id)
    return next(found, None)


def hold_behind(verdicts: Sequence[Verdict], views: Views, options: Options) -> Guarded:
    """An edit that cannot travel since nobody knows what it would meet there waits for a person, and is told.

    That a window vanished beside such an item is none: the item may be all that became of it.
    """
    waiting = {side: [v for v in verdicts if v.state == "kept" and _edited(v.row, side, options)] for side in SIDES}
    holds = []
    for side, behind in waiting.items():
        problem = _in_its_place(behind[0].row, other(side), views) if behind else None
        if problem is not None:
            where = f"{NAMES[other(side)]}'s {problem.item}"
            reason = f"{where} cannot be read, and what {NAMES[side]} has new may belong to it: {problem.reason}"
            hold = hold_of("unsupported", reason, behind, options)
            # Nobody can approve it, so it stands for the item and not for what happens to wait.
            holds.append(replace(hold, fingerprint=fingerprint("unsupported", side)))
    return list(verdicts), holds


def hold_unread_creations(verdicts: Sequence[Verdict], views: Views, options: Options) -> Guarded:
    """What was created and came back as a time slot that cannot be read is not created once more (W4).

    That is an item of the same day which was not there before. Edited meanwhile, the window overlaps the one sent.
    """
    if not options.unseen:
        return list(verdicts), []
    found = [(verdict, _came_of(verdict, views["reservekit"], options)) for verdict in verdicts]
    waiting = [(verdict, problem) for verdict, problem in found if problem is not None]
    if not waiting:
        return list(verdicts), []
    problem = waiting[0][1]
    reason = f"ReserveKit's {problem.item} cannot be read, and may be what was created there: {problem.reason}"
    hold = hold_of("unsupported", reason, [verdict for verdict, _ in waiting], options)
    kept = [held(verdict) if problem is not None else verdict for verdict, problem in found]
    return kept, [replace(hold, fingerprint=UNREAD_CREATION)]


def _came_of(verdict: Verdict, view: View, options: Options) -> Problem | None:
    """The item that may be what came of the creation that a verdict is about to repeat."""
    want = verdict.reservekit
    if want is None or verdict.row.reservekit is not None or verdict.state != "write":
        return None
    known = [before for window, before in options.unseen if window == want.window or window.overlap(want.window)]
    return next(
        (
            problem
            for problem in view.problems
            if want.window.weekday in problem.weekdays and any(problem.slot_id not in before for before in known)
        ),
        None,
    )


def _edited(row: Row, side: Side, options: Options) -> bool:
    """Whether that side has an edit to carry over. The target of a one-way pair has none (M7)."""
    seen, link = row.seen(side), row.link
    if seen is None or link is None or options.source == other(side):
        return False
    return seen.window != link.window or (options.capacity_travels and seen.capacity != link.capacity(side))
