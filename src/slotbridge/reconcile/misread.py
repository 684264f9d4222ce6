"""What was created by one clock and is read by another (S8): nobody made it so, and it is not sent again (W3)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from slotbridge.lenses import reservekit as slots
from slotbridge.lenses.items import Odd, TimeSlot
from slotbridge.lenses.terms import Terms, TimeBasis
from slotbridge.reconcile.model import Link
from slotbridge.week import Window

CLOCKS: tuple[TimeBasis, ...] = ("wall", "utc")

Unseen = Sequence[tuple[Window, frozenset[int]]]
"""Windows whose creation was sent and never confirmed, each with the slots that were there before."""


def misread(items: Sequence[TimeSlot | Odd], unseen: Unseen, base: Sequence[Link], terms: Terms) -> str | None:
    """Why what was created there may be read by another clock than it was written by; None where nothing says so.

    With no time slots to learn from, how a server means what we write is a guess; what it makes of it may be written in
    a form that is read otherwise. Where slots of the base are left there was nothing to guess.
    """
    known = {link.slot_id for link in base}
    if not unseen or any(item.id in known for item in items):
        return None
    found = max(_found(items, unseen, replace(terms, time_basis=clock)) for clock in CLOCKS)
    return _advice(items, terms) if found > _found(items, unseen, terms) else None


def _advice(items: Sequence[TimeSlot | Odd], terms: Terms) -> str:
    zoned = slots.time_forms(items) == {"zoned"}
    now: TimeBasis = ("utc" if zoned else "wall") if terms.time_basis == "auto" else terms.time_basis
    other: TimeBasis = "wall" if now == "utc" else "utc"
    as_shown, as_sent = (
        f'time_basis = "{clock}" and time_format = "{"rfc3339" if zoned and clock == "utc" else "naive"}"'
        for clock in (now, other)
    )
    return (
        "what was created in ReserveKit is read by another clock than it was written by: if its dashboard shows the "
        f"ReserveKit hours as they are listed here, set [reservekit] {as_shown}, else {as_sent}"
    )


def _found(items: Sequence[TimeSlot | Odd], unseen: Unseen, terms: Terms) -> int:
    """How many of the windows are there, in slots that came since."""
    count = 0
    for before in {known for _, known in unseen}:
        sent = Counter(window for window, known in unseen if known == before)
        fresh = [item for item in items if item.id not in before]
        count += (sent & Counter(seen.window for seen in slots.view(fresh, terms).windows)).total()
    return count
