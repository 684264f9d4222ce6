"""Going back to an earlier base: what stands in the way of it, and what stays agreed where it does not go back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from slotbridge.lenses.terms import Seen
from slotbridge.reconcile.guards import Guarded, held, hold_of
from slotbridge.reconcile.model import SIDES, Link, Options, Row, Side, Value, Verdict


def hold_unsaved(verdicts: Sequence[Verdict], links: Sequence[Link], options: Options) -> Guarded:
    """The whole pair waits where going back would write over what a side got since the last run (M3).

    `links` are the present base. No history has such an edit, so that undoing the undo would not bring it back.
    """
    lost = _lost(verdicts, links, options)
    if not lost:
        return list(verdicts), []
    hold = hold_of("conflict", "edited since the last run, and lost if the pair went back now", lost, options)
    # What these rows know as agreed is what they would go back to.
    hold = replace(
        hold, items=tuple({name: said for name, said in item.items() if name != "base"} for item in hold.items)
    )
    return [held(verdict) if verdict.state in ("write", "delete") else verdict for verdict in verdicts], [hold]


def as_agreed_now(verdicts: Sequence[Verdict], links: Sequence[Link]) -> list[Verdict]:
    """What is held stays as both sides agreed on it last: its rows know only what they had agreed on before."""
    left = list(links)
    kept: list[Verdict] = []
    for verdict in verdicts:
        if verdict.state == "held":
            link = next((link for link in left if _is_of(link, verdict.row)), None)
            if link is not None:
                left.remove(link)
            verdict = verdict._replace(row=verdict.row._replace(link=link))
        kept.append(verdict)
    return kept


def _is_of(link: Link, row: Row) -> bool:
    if row.reservekit is not None:
        return (link.slot_id, link.part) == row.reservekit.key
    return row.bitrix24 is not None and link.window == row.bitrix24.window


def _lost(verdicts: Sequence[Verdict], links: Sequence[Link], options: Options) -> list[Verdict]:
    """The verdicts that write over what the present base does not know of a side."""
    lost: dict[int, Verdict] = {}
    for side in SIDES:
        known = Counter(_value(side, link, options) for link in links)
        seen = [(n, found) for n, verdict in enumerate(verdicts) if (found := verdict.row.seen(side)) is not None]
        # Of equal windows those that stay are the known ones.
        for number, found in sorted(seen, key=lambda one: verdicts[one[0]].writes(side)):
            value = _value(side, found, options)
            if known[value]:
                known[value] -= 1
            elif verdicts[number].writes(side):
                lost[number] = verdicts[number]
    return [lost[number] for number in sorted(lost)]


def _value(side: Side, of: Link | Seen, options: Options) -> Value:
    """What a side stores for a window. A range that is split into steps has no capacity of its own (C4)."""
    bare = side == "bitrix24" and options.slots == "split"
    capacity = of.capacity(side) if isinstance(of, Link) else of.capacity
    return Value(of.window, 0 if bare else capacity)
