"""From what was read to a plan, with the one thing that is read only when it is needed: upcoming bookings (G3)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from slotbridge.clock import Clock
from slotbridge.errors import ApiError, impersonal
from slotbridge.lenses.items import Ranges
from slotbridge.reconcile.agreement import Agreement, disagreement
from slotbridge.reconcile.guards import ANY_SLOT, slots_at_risk
from slotbridge.reconcile.model import FirstSync, Initial, Link, Side
from slotbridge.reconcile.plan import plan
from slotbridge.reservekit import Booking, ReserveKitClient
from slotbridge.settings import ReserveKitSettings
from slotbridge.sync.refusals import still_refused, still_refused_ranges, tell_not_kept
from slotbridge.sync.resting import resting
from slotbridge.sync.terms import agreement_of, options_of, terms_of, unseen
from slotbridge.sync.work import Work, keeping_to

Base = tuple[Agreement, tuple[Link, ...]]
"""What a pair agreed on, and on which terms."""


class Planner:
    """Plans works. `frozen` are sides that turned out to be closed to writing in this run (W6).

    `targets` are earlier bases, by pair, that both sides shall go back to instead of being merged. `patient` is that
    of `Work`.
    """

    def __init__(
        self,
        reservekit: ReserveKitClient,
        settings: ReserveKitSettings,
        clock: Clock,
        *,
        initial: Initial | None = None,
        accept_deletes: bool = False,
        targets: Mapping[str, Base] | None = None,
        patient: bool = False,
    ) -> None:
        self._reservekit = reservekit
        self._settings = settings
        self._clock = clock
        self._initial = initial
        self._accept_deletes = accept_deletes
        self._targets = targets or {}
        self.patient = patient
        self.frozen: dict[Side, str] = {}

    def set_zone(self, work: Work, zone: str) -> None:
        """Fixes the terms of a work for this run."""
        work.terms = terms_of(work.pair, self._settings, zone, self._clock.now(), work.memory.agreement)

    def undoes(self, pair: str) -> bool:
        """Whether the pair goes back to an earlier base: what is held then is no hold of the ordinary runs."""
        return pair in self._targets

    async def plan(self, work: Work, *, even_refused: bool = False, underway: FirstSync | None = None) -> None:
        """Plans a work that was read, or read again. What a booking stands on is looked up before it may go.

        With `even_refused`, which is for showing, what is not to be sent again is planned as well. `underway` is that
        of `Options`.
        """
        if work.error is not None:
            return
        with keeping_to(work):
            self._decide(work, underway)
            if work.booked is None and work.pair.booked_slots != "proceed" and self._moves_slots(work):
                await self.look_for_bookings(work)
                self._decide(work, underway)
            tell_not_kept(work)
            if not even_refused:
                self._refuse_repetition(work)

    async def look_for_bookings(self, work: Work) -> None:
        """Reads which bookings are ahead of the pair's service, without planning anew. Raises ApiError."""
        today = self._today(work)
        try:
            listed = await self._reservekit.list_bookings(work.pair.service_id)
        except ApiError as error:
            raise impersonal(error) from None
        work.booked_at = self._clock.monotonic()
        work.bookings = tuple(booking for booking in listed if is_upcoming(booking, today))
        work.booked = upcoming(work.bookings, today)

    def holds_deletions(self, work: Work, ranges: Ranges) -> bool:
        """Whether a guard would keep deletions back if this were what Bitrix24 holds, whatever is booked."""
        trial = replace(work, bitrix24=ranges, booked=None)
        self._decide(trial, None)
        return trial.plan is not None and any(hold.kind == "deletions" for hold in trial.plan.holds)

    def _decide(self, work: Work, underway: FirstSync | None) -> None:
        if work.terms is None:
            return
        work.agreement = agreement_of(work.pair, work.terms, work.snapshot)
        # A slot that rested while customers were moved must not go because the hour is over before the run is.
        work.stranded = resting(work, self._clock.now()) | work.stranded
        target = self._targets.get(work.name)
        circumstances: dict[str, Any] = {
            "booked": work.booked or {},
            "leaving": work.leaving | _still_leaving(work),
            "stranded": work.stranded,
            "frozen": dict(self.frozen),
            "outage": work.outage,
            "doubt": work.doubt,
            "accept_deletes": self._accept_deletes,
            "insisted": self._initial is not None,
            "initial": self._initial or work.pair.initial,
            "underway": underway,
            "unseen": unseen(work.memory, (*work.memory.intents, *work.noted)),
        }
        if target is not None:
            circumstances["target"] = target[1]
        options = options_of(work.pair, work.memory, work.agreement, **circumstances)
        if target is not None and options.disagreement is None:
            # What was agreed on other terms is nothing to go back to.
            options = replace(options, disagreement=disagreement(target[0], work.agreement))
        base = None if work.memory.agreement is None else work.memory.links
        work.plan = plan(base, work.snapshot, work.terms, options)

    def _moves_slots(self, work: Work) -> bool:
        """Whether slots would go or move, now or once a hold is approved: what is shown then is what is approved."""
        if work.plan is None:
            return False
        waiting = [item for hold in work.plan.holds if hold.kind == "deletions" for item in hold.items]
        held = any("reservekit" in item.get("would_delete", ()) for item in waiting)
        return held or bool(slots_at_risk(work.plan.verdicts))

    def _today(self, work: Work) -> date:
        return work.terms.today if work.terms else self._clock.now().date()

    def _refuse_repetition(self, work: Work) -> None:
        """What did not read back as it was sent is not sent again, unless a person has decided so (W3).

        Ranges that Bitrix24 refused keep from ReserveKit nothing that is due there: then it is the writer who sees.
        """
        if work.plan is None or not work.memory.refused:
            return
        now, error = self._clock.now(), None
        if not any(verdict.decided for verdict in work.plan.verdicts):
            error = still_refused(work, self._settings, now)
        # What a write of ours has taken away is put back in any case.
        if error is None and work.sets_bitrix24 and work.actual is None and not work.planned("reservekit"):
            error = still_refused_ranges(work, work.plan.bitrix24.items, now)
            if error is not None:
                work.go_on()
        if error is not None:
            work.fail(error)


def _still_leaving(work: Work) -> set[int]:
    """The slots that an earlier run was allowed to clear, as long as nobody has booked them since: that was not shown
    to whoever approved (G6)."""
    noted = {moved.booking_id for moved in work.memory.customers}
    new = {booking.time_slot_id for booking in work.bookings if booking.id not in noted}
    return {moved.slot_id for moved in work.memory.customers if moved.is_listed} - new


def is_upcoming(booking: Booking, today: date) -> bool:
    """Whether it is for today or later and not cancelled; a status that we do not know counts as active."""
    return not booking.is_cancelled and booking.date >= today.isoformat()


def upcoming(bookings: Iterable[Booking], today: date) -> dict[int, str]:
    """For each time slot with upcoming bookings, a phrase about them (G3)."""
    dates: dict[int, list[str]] = {}
    for booking in bookings:
        if is_upcoming(booking, today):
            dates.setdefault(booking.time_slot_id or ANY_SLOT, []).append(booking.date)
    return {
        slot: f"{len(days)} upcoming booking{'s' if len(days) > 1 else ''}, the next on {min(days)}"
        for slot, days in dates.items()
    }
