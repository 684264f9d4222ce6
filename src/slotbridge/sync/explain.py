"""Why what was read back differs from what was sent: the sentence that names the likely setting (W3, S8)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from slotbridge.errors import NotKept
from slotbridge.lenses.terms import Seen
from slotbridge.reconcile.model import Value
from slotbridge.reconcile.settle import Missing
from slotbridge.week import WEEK, Window


def not_as_sent(missing: Sequence[Missing], before: Iterable[Seen], after: Iterable[Seen]) -> NotKept:
    """The error of a pair whose writes did not read back as they were sent; the windows as shown before and after."""
    first = missing[0]
    known = set(before)
    moved = [seen for seen in after if seen not in known]
    if first.value is None:
        slot = first.row.reservekit
        what = f"{slot.window if slot else 'a window'} was deleted and is still there"
        hint = "Look whether bookings, or another program, keep it"
    else:
        what = f"{first.value.window} with max_bookings {first.value.capacity} was sent and did not come back as sent"
        hint = likely_setting(first.value, _own(first, moved))
    more = f", and {len(missing) - 1} more" if len(missing) > 1 else ""
    return NotKept(f"{what}{more}", side=first.side, item=_item(first), hint=hint)


def _own(missing: Missing, moved: Sequence[Seen]) -> Seen | None:
    """What the same slot shows now, or else what appeared."""
    before = missing.row.reservekit
    same_slot = [seen for seen in moved if before is not None and seen.key[0] == before.key[0]]
    return next(iter(same_slot or moved), None)


def likely_setting(sent: Value, found: Seen | None) -> str:
    """What to look at first, judging by how the answer differs from what was sent."""
    if found is None:
        return "Look whether the key may write, and whether another program changes this service"
    shift = (_start(found.window) - _start(sent.window)) % WEEK
    if found.window.length != sent.window.length:
        return f"It came back as {found.window}; the server seems to round times, or somebody edited it meanwhile"
    if shift in (1440, WEEK - 1440):
        return f"It came back as {found.window}: a day off. The likely setting is [reservekit] day_zero"
    if shift:
        return f"It came back as {found.window}: shifted. The likely setting is [reservekit] time_basis or time_format"
    return f"It came back with max_bookings {found.capacity}; the server, or somebody, changed it"


def _start(window: Window) -> int:
    return window.weekday * 1440 + window.start


def _item(missing: Missing) -> str:
    before = missing.row.reservekit
    return f"time slot {before.key[0]}" if before is not None else "a new time slot"
