"""Why what was read back differs from what was sent: the sentence that names the likely setting (W3, S8)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from slotbridge.errors import ApiError
from slotbridge.lenses.terms import Seen
from slotbridge.reconcile.model import NAMES, Value
from slotbridge.reconcile.settle import Missing
from slotbridge.week import WEEK, Window


def not_as_sent(missing: Sequence[Missing], shown: Iterable[Seen]) -> ApiError:
    """The error of a pair whose writes did not read back as they were sent."""
    first = missing[0]
    unsent = [seen for seen in shown if first.value is None or seen.window != first.value.window]
    if first.value is None:
        slot = first.row.reservekit
        what = f"{slot.window if slot else 'a window'} was deleted and is still there"
        hint = "Look whether bookings, or another program, keep it"
    else:
        what = f"{first.value.window} with capacity {first.value.capacity} was sent and did not come back as sent"
        hint = likely_setting(first.value, _own(first, unsent))
    more = f", and {len(missing) - 1} more" if len(missing) > 1 else ""
    return ApiError(f"{what}{more}", side=first.side, item=_item(first), hint=hint)


def _own(missing: Missing, shown: Sequence[Seen]) -> Seen | None:
    """What the same slot shows now, or what else of that length is there."""
    before = missing.row.reservekit
    same_slot = [seen for seen in shown if before is not None and seen.key[0] == before.key[0]]
    alike = [seen for seen in shown if missing.value is not None and seen.window.length == missing.value.window.length]
    return next(iter(same_slot or alike), None)


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
    if missing.side == "reservekit" and before is not None:
        return f"time slot {before.key[0]}"
    return f"{NAMES[missing.side]} window {missing.value.window}" if missing.value else "a window"
