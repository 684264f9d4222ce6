"""Customers of time slots that go: first on the wait list, then the booking is cancelled, then the slot may go.

Neither a contact nor an entry of the wait list has a key by which the portal would know one that is sent again. So each
step is noted before and after, and what may have been sent is looked for before it is sent once more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from slotbridge.bitrix24 import Bitrix24Client
from slotbridge.bitrix24.waitlist import ContactRef
from slotbridge.clock import Clock
from slotbridge.errors import ApiError, NotFound, OutcomeUnknown, Rejected, WriteRefused, impersonal
from slotbridge.lenses import reservekit as slots
from slotbridge.reconcile.guards import ANY_SLOT
from slotbridge.reconcile.model import Change
from slotbridge.reservekit import Booking, Customer, ReserveKitClient
from slotbridge.store import Store
from slotbridge.store.customers import Moved, Step
from slotbridge.sync.planning import Planner
from slotbridge.sync.reading import FRESH, SETTLES
from slotbridge.sync.resting import note_refused_step, stays
from slotbridge.sync.work import Stop, Work, never

ROUNDS = 4
"""How often bookings that come in meanwhile are treated alike before the next run has to do it."""

LATE = timedelta(seconds=30)
"""How long the portal may still execute a request whose sender died, or no longer waits for the answer."""

REASON = "This time is no longer offered. You are on our wait list, and we will get in touch with you"


class Usher:
    """Sees customers off, one after the other. A customer who cannot be moved keeps the time slot where it is."""

    def __init__(
        self,
        bitrix24: Bitrix24Client,
        reservekit: ReserveKitClient,
        planner: Planner,
        store: Store,
        clock: Clock,
        stop: Stop = never,
    ) -> None:
        self._bitrix24 = bitrix24
        self._reservekit = reservekit
        self._planner = planner
        self._store = store
        self._clock = clock
        self._stop = stop
        self._asking = asyncio.Lock()
        self._may_delete = False

    async def see_off(self, work: Work) -> None:
        """Moves all customers of the slots that the plan deletes; the plan holds those slots where that failed.

        A slot that nobody has approved is held, too, if it was booked after the plan was made. Raises ApiError where
        the bookings cannot be read, or slots cannot be deleted anyway.
        """
        if self._planner.frozen or not slots_to_clear(work):
            return
        work.begun = True
        work.leaving.update(_booked(work))
        for again in range(ROUNDS):
            if again:
                await self._clock.sleep(SETTLES)
            if again or self._clock.monotonic() - work.booked_at > FRESH:
                await self._planner.look_for_bookings(work)
            await self._planner.plan(work)
            booked = _booked(work)
            if not booked or not await self._slots_can_go():
                return
            service = await self._reservekit.get_service(work.pair.service_id)
            for slot_id, bookings in booked.items():
                await self._clear(work, bookings, f"{service.name}, {_hours(work, slot_id)}")
        for slot_id in _booked(work):
            work.stranded.setdefault(slot_id, "it was booked again each time its customers were moved")
        await self._planner.plan(work)

    async def _slots_can_go(self) -> bool:
        """Whether slots are deleted at all; asked once a run, before anybody's booking is cancelled for nothing."""
        async with self._asking:
            if not self._may_delete and not self._planner.frozen:
                await self._reservekit.require_deletions()
                self._may_delete = True
        return not self._planner.frozen

    async def look_back(self, work: Work) -> None:
        """Before slots are deleted, if something was sent since they were cleared. Raises ApiError if one is booked."""
        if not slots_to_clear(work):
            return
        await self._planner.look_for_bookings(work)
        for slot_id in _booked(work):
            hint = "The next run holds the slot, so that somebody sees the new booking"
            raise ApiError("it was booked right before it was to go", side="reservekit", item=_slot(slot_id), hint=hint)

    def conclude(self, work: Work) -> None:
        """Nobody is on the way any more from slots that are gone, or that stay after all."""
        away = {moved.slot_id for moved in work.memory.customers} | work.leaving
        if not away or work.plan is None or work.error is not None:
            return
        there = {item.id for item in work.reservekit}
        rows = [(v.row.reservekit.key[0], v.state) for v in work.plan.verdicts if v.row.reservekit is not None]
        undecided = {slot_id for slot_id, state in rows if slot_id in there and state not in ("same", "write")}
        if concluded := away - undecided:
            self._store.customers.conclude(work.name, concluded, self._clock.now())

    async def _clear(self, work: Work, bookings: Sequence[Booking], what: str) -> None:
        """Moves the customers of one slot, until one of them cannot be moved or the run is to stop."""
        for booking, way in zip(bookings, self._set_out(work, bookings), strict=True):
            if self._stop():
                work.stranded[way.slot_id] = stays(booking.id, "the run was told to stop")
                return
            try:
                customer = booking.customer or await self._reservekit.get_booking_customer(booking.id)
                await self._move(work, booking, way, customer, what)
            except ApiError as error:
                work.stranded[way.slot_id] = stays(booking.id, str(impersonal(error)))
                (come,) = self._store.customers.of([booking.id]).values()
                note_refused_step(work, come, error, self._clock.now())
                return

    async def _move(self, work: Work, booking: Booking, way: Moved, customer: Customer, what: str) -> None:
        listed = await self._listed(way, customer, _note_text(way, customer, what))
        if listed is not way:
            work.note_applied([_listing(booking)])
        cancelling = self._note(listed, step="cancelling")
        try:
            ours = await self._reservekit.cancel_booking(booking.id, REASON)
        except (WriteRefused, Rejected):
            self._note(cancelling, step="listed")
            raise
        self._note(cancelling, step="cancelled")
        work.seen_off.add(booking.id)
        if ours:  # a customer who was faster has done it
            work.note_applied([_cancellation(booking)])

    def _set_out(self, work: Work, bookings: Sequence[Booking]) -> list[Moved]:
        """Where these customers are, all of them noted before the first request is sent for any."""
        known = self._store.customers.of([booking.id for booking in bookings])
        ways = []
        for booking in bookings:
            way, slot_id = known.get(booking.id), booking.time_slot_id or ANY_SLOT
            if way is None or way.slot_id != slot_id:
                way = Moved(work.name, booking.id, slot_id, booking.date, "noted", self._clock.now())
            elif way.step == "done":
                # The slot was to go before and stayed: whoever is on the wait list since then is not put there twice.
                way = replace(way, step="noted" if way.waitlist_id is None else "entry")
            ways.append(replace(way, pair=work.name, date=booking.date))
        self._store.customers.note(ways)
        return ways

    async def _listed(self, way: Moved, customer: Customer, note: str) -> Moved:
        """The customer on the wait list: once, however often this was broken off before."""
        way = await self._recovered(way)
        if way.waitlist_id is None:
            way = await self._with_contact(way, customer)
            way, entry = await self._once(way, "adding entry", lambda: self._bitrix24.waitlist.add(note))
            way = self._note(way, step="entry", waitlist_id=entry)
        if way.step == "entry" and way.waitlist_id is not None:
            if way.contact_id is not None:
                await self._bitrix24.waitlist.set_clients(way.waitlist_id, [ContactRef(way.contact_id)])
            way = self._note(way, step="listed")
        return way

    async def _recovered(self, way: Moved) -> Moved:
        """What an earlier run has added, or may have added, to the wait list; `waitlist_id` is None if it is not there.

        An entry that does not begin with the mark is another one: the portal may be another one by now.
        """
        if way.waitlist_id is not None:
            there = await self._note_of(way.waitlist_id)
            return (
                way if there.startswith(_mark(way)) else replace(way, step="noted", contact_id=None, waitlist_id=None)
            )
        if way.step == "adding entry":
            await self._let_land(way)
            entries = await self._bitrix24.waitlist.list()
            found = next((entry.id for entry in entries if entry.note.startswith(_mark(way))), None)
            return way if found is None else self._note(way, step="entry", waitlist_id=found)
        return way

    async def _note_of(self, entry_id: int) -> str:
        try:
            return (await self._bitrix24.waitlist.get(entry_id)).note
        except NotFound:
            return ""

    async def _with_contact(self, way: Moved, customer: Customer) -> Moved:
        """With the customer's contact, found or added. Who left no way to be reached gets none: it could not be found
        again, and what is known of this customer is in the note."""
        phone, email = customer.phone or "", customer.email or ""
        if way.contact_id is not None or not (phone or email):
            return way
        if way.step == "adding contact":
            await self._let_land(way)
        contact = await self._found(phone, email)
        if contact is None:
            contacts, name = self._bitrix24.contacts, customer.name or phone or email
            way, contact = await self._once(way, "adding contact", lambda: contacts.add(name, phone=phone, email=email))
        return self._note(way, step="contact", contact_id=contact)

    async def _found(self, phone: str, email: str) -> int | None:
        """The contact with this phone number, else the one with this address."""
        found = await self._bitrix24.contacts.find(phone=phone) if phone else ()
        if not found and email:
            found = await self._bitrix24.contacts.find(email=email)
        return found[0] if found else None

    async def _once(self, way: Moved, about_to: Step, send: Callable[[], Awaitable[int]]) -> tuple[Moved, int]:
        """Sends what must not be sent twice, noted before. The note is taken back if it certainly was not executed."""
        noted = self._note(way, step=about_to)
        try:
            return noted, await send()
        except OutcomeUnknown:
            self._note(noted)  # it has the time to land from now on
            raise
        except ApiError:
            self._note(way)
            raise

    async def _let_land(self, way: Moved) -> None:
        wait = way.at + LATE - self._clock.now()
        if wait > timedelta():
            await self._clock.sleep(wait.total_seconds())

    def _note(self, way: Moved, **changes: Any) -> Moved:
        way = replace(way, at=self._clock.now(), **changes)
        self._store.customers.note([way])
        return way


def slots_to_clear(work: Work) -> list[int]:
    """The time slots that the plan deletes after their customers have been moved."""
    if work.error is not None or work.plan is None or work.pair.booked_slots != "waitlist":
        return []
    gone = [change.before for change in work.plan.reservekit.changes if change.after is None]
    return [item.id for item in gone if item is not None and item.id is not None]


def farewells(work: Work) -> list[Change]:
    """What becomes of the bookings on slots that the plan deletes: no more of a customer than the booking's number."""
    return [
        change
        for bookings in _booked(work).values()
        for booking in bookings
        for change in (_listing(booking), _cancellation(booking))
    ]


def _booked(work: Work) -> dict[int, list[Booking]]:
    """The upcoming bookings of the slots that are to be cleared, the next ones first; slots without any left out."""
    booked: dict[int, list[Booking]] = {slot_id: [] for slot_id in slots_to_clear(work)}
    # The API schema has bookings without a status: what we have cancelled there looks as it did before.
    gone = work.seen_off | {moved.booking_id for moved in work.memory.customers if moved.step == "cancelled"}
    for booking in sorted(work.bookings, key=lambda booking: (booking.date, booking.id)):
        if booking.time_slot_id in booked and (booking.status or booking.id not in gone):
            booked[booking.time_slot_id].append(booking)
    return {slot_id: bookings for slot_id, bookings in booked.items() if bookings}


def _listing(booking: Booking) -> Change:
    why = f"the customer goes on the wait list, since {_slot(booking.time_slot_id)} goes"
    return Change("bitrix24", "create", None, {"booking": booking.id, "date": booking.date}, why)


def _cancellation(booking: Booking) -> Change:
    before = {"booking": booking.id, "date": booking.date, "status": booking.status}
    why = f"{_slot(booking.time_slot_id)} goes, and the customer is on the wait list"
    return Change("reservekit", "update", before, {**before, "status": "cancelled"}, why)


def _slot(slot_id: int | None) -> str:
    return f"time slot {slot_id}"


def _hours(work: Work, slot_id: int) -> str:
    items = [item for item in work.reservekit if item.id == slot_id]
    return ", ".join(str(seen.window) for seen in slots.view(items, work.terms).windows) if work.terms else ""


def _note_text(way: Moved, customer: Customer, what: str) -> str:
    """What people read on the wait list. The mark comes first: nothing that a customer wrote can look like it."""
    known = ", ".join(filter(None, (customer.name, customer.phone, customer.email)))
    return f"{_mark(way)} {what}, on {way.date}\nCustomer: {known or 'unknown'}"


def _mark(way: Moved) -> str:
    return f"slotbridge booking {way.booking_id}:"
