"""Customers who are not asked for at present, because that was refused not long ago (W5, W6).

Their slot is held meanwhile, so that none of the requests before the refused one is sent either.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from slotbridge.errors import AccessRefused, ApiError, OutcomeUnknown, impersonal, is_final
from slotbridge.reconcile.guards import ANY_SLOT
from slotbridge.store.customers import Moved
from slotbridge.sync.repetition import held_off, marked, what
from slotbridge.sync.work import Work

TURNED_AWAY: Final = "customer:"
"""What the names of refused steps begin with, among those of the writes that are not to be sent again."""

CLOSED_FOR = timedelta(hours=1)
"""For how long a refusal is believed where nobody watches."""


def note_refused_step(work: Work, way: Moved, error: ApiError, now: datetime) -> None:
    """Remembers that the next step of this customer was refused, if that is what happened.

    An error that came with a success needs no look at what it has done: the next run reads the bookings anyway.
    """
    final = error.refusal if isinstance(error, OutcomeUnknown) else error
    if is_final(final):
        denied = isinstance(final, AccessRefused)
        name = marked(_next_step(way), work.memory.refused, now, denied=denied)
        work.turned_away[name] = str(impersonal(error))


def refused_steps(work: Work) -> dict[str, str]:
    """What is remembered of refused steps after this run; nothing of who is not on the way any more."""
    on_the_way = {_next_step(way) for way in work.memory.customers if way.booking_id not in work.seen_off}
    older = on_the_way - set(map(what, work.turned_away))
    return {name: why for name, why in work.memory.refused.items() if what(name) in older} | work.turned_away


def resting(work: Work, now: datetime) -> dict[int, str]:
    """The slots whose customers are not asked for by now, and why. Only a booking that is there keeps its slot."""
    booked = {(booking.id, booking.time_slot_id or ANY_SLOT) for booking in work.bookings}
    ways = [way for way in work.memory.customers if (way.booking_id, way.slot_id) in booked]
    found: dict[int, str] = {}
    for way in ways:
        name = held_off(_next_step(way), work.memory.refused, now, patient=work.patient)
        if name is not None:
            why = stays(way.booking_id, work.memory.refused[name])
            found.setdefault(way.slot_id, f"{why}. It is tried again once an hour has passed")
    for way in ways:
        if work.patient and way.step == "listed" and way.at > now - CLOSED_FOR:
            found.setdefault(way.slot_id, _told_before(work, way.booking_id))
    return found


def stays(booking_id: int, why: str) -> str:
    """Why a slot stays: a booking on it does."""
    return f"booking {booking_id} stays for now: {why}"


def _told_before(work: Work, booking_id: int) -> str:
    """The same, in the words in which the open hold has it."""
    told = [part for hold in work.memory.holds for part in hold.reason.split("; ", 1) if stays(booking_id, "") in part]
    return told[0] if told else stays(booking_id, "ReserveKit would not cancel it, and is asked again within the hour")


def _next_step(way: Moved) -> str:
    """A name for what is to be sent next for a customer."""
    return f"{TURNED_AWAY}{way.booking_id}:{way.step.replace(' ', '-')}"
