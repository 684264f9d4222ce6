"""A pair's configuration in the words of the merge: its terms, its options, the agreement they make."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from slotbridge.lenses import reservekit as slots
from slotbridge.lenses.terms import Terms
from slotbridge.reconcile.agreement import Agreement, disagreement
from slotbridge.reconcile.earlier import approved, waiting
from slotbridge.reconcile.model import Options, Snapshot
from slotbridge.settings import PairSettings, ReserveKitSettings
from slotbridge.store import Intent, Memory
from slotbridge.week import Window, find_zone


def terms_of(
    pair: PairSettings, api: ReserveKitSettings, zone: str, now: datetime, agreement: Agreement | None = None
) -> Terms:
    """How the pair's items are read and written; `zone` is a known one, `now` an aware instant.

    Of the last `agreement` a service that is empty by now still has how its server writes times.
    """
    return Terms(
        zone=zone,
        today=now.astimezone(find_zone(zone)).date(),
        slots=pair.slots,
        day_zero=api.day_zero,
        time_basis=api.time_basis,
        end_of_day=api.end_of_day,
        time_format=api.time_format,
        time_form=agreement.time_form if agreement is not None else None,
    )


def agreement_of(pair: PairSettings, terms: Terms, snapshot: Snapshot) -> Agreement:
    """The terms of today. A service without slots shows no form of times: the one it had is kept."""
    return Agreement(
        resource_id=pair.resource_id,
        service_id=pair.service_id,
        zone=terms.zone,
        slots=pair.slots,
        capacity=_capacity(pair),
        day_zero=terms.day_zero,
        time_basis=terms.time_basis,
        time_form=slots.time_form(snapshot.reservekit, terms, terms.time_form),
    )


def _capacity(pair: PairSettings) -> str:
    if pair.capacity == "derive":
        return "derive"
    return f"fixed ({pair.max_bookings} bookings, {pair.slot_minutes} minutes)"


def options_of(pair: PairSettings, memory: Memory, agreement: Agreement, **circumstances: Any) -> Options:
    """The pair's options together with what this run knows: see `Options` for the circumstances."""
    changed = disagreement(memory.agreement, agreement) if memory.agreement is not None else None
    rows, reason = waiting(memory.holds)
    options = Options(
        pair=pair.name,
        direction=pair.direction,
        conflict=pair.conflict,
        initial=pair.initial,
        slots=pair.slots,
        capacity=pair.capacity,
        max_bookings=pair.max_bookings,
        slot_minutes=pair.slot_minutes,
        booked_slots=pair.booked_slots,
        max_delete_ratio=pair.max_delete_ratio,
        max_delete_count=pair.max_delete_count,
        disagreement=changed,
        decisions=memory.decisions,
        suspects=memory.suspects,
        streaks=memory.streaks,
        waiting=rows,
        waiting_for=reason,
        approved=approved(memory.holds, memory.decisions),
        pending=frozenset(window for window, _ in unseen(memory, memory.intents)),
    )
    return replace(options, **circumstances)


def unseen(memory: Memory, intents: Iterable[Intent]) -> tuple[tuple[Window, frozenset[int]], ...]:
    """The windows whose creation nobody has seen, each with the slots that were there before it was sent.

    One that the base has by a slot which came later is confirmed, whatever else of the same note is not.
    """
    found: list[tuple[Window, frozenset[int]]] = []
    for intent in intents:
        before = frozenset(intent.known_ids)
        sent = Counter(window for window, _ in intent.windows)
        sent -= Counter(link.window for link in memory.links if link.slot_id and link.slot_id not in before)
        found += [(window, before) for window in sent]
    return tuple(found)
