"""The calls that a key can make to ReserveKit.

Left out on purpose: deleting by day (also hits slots that are not ours), deleting a service (takes its bookings along),
creating slots through the service (documented in one sentence, absent from the parameters), and writing a service's
time zone (may move all its slots).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from slotbridge.errors import BadAnswer, NotFound, OutcomeUnknown, Rejected, WriteRefused
from slotbridge.http.transport import Response
from slotbridge.lenses.items import Odd, TimeSlot
from slotbridge.reservekit import bodies
from slotbridge.reservekit.answers import bad_answer
from slotbridge.reservekit.calls import Calls
from slotbridge.reservekit.codes import BOOKING_NOT_FOUND, SLOT_NOT_FOUND
from slotbridge.reservekit.failures import Surface, refused_write
from slotbridge.reservekit.kinds import Row, ValidationError, identity, problem, whole
from slotbridge.reservekit.models import (
    CANCELLED,
    Booking,
    Customer,
    Service,
    read_booking,
    read_customer,
    read_service,
    read_time_slot,
)

T = TypeVar("T")

_POLLED: Final = ("/services", "/time-slots")
"""The listings that runs read again and again."""


class ReserveKitClient:
    """One account of ReserveKit, seen with one key.

    Reads are repeated when an answer got lost, writes never are. Whatever goes wrong is raised as an
    ApiError: AccessRefused, NotFound, LimitReached or BudgetSpent, NotSent, OutcomeUnknown, BadAnswer,
    Rejected. Every write can raise WriteRefused, if this key may not write, and OutcomeUnknown, if no answer came;
    values that ReserveKit is known to refuse are Rejected before anything is sent.
    """

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    @property
    def requests(self) -> int:
        """How many requests were sent, repeated ones included: each of them counts against the month."""
        return self._calls.requests

    @property
    def pages(self) -> dict[int, int]:
        """How many requests each service's time slots took when they were last listed; under 0, the services."""
        return {service: asked for (path, service), asked in self._calls.pages.items() if path in _POLLED}

    def require_room(self, requests: int) -> None:
        """Raises BudgetSpent if the month has no room for so many requests: what is begun shall be finished."""
        self._calls.require_room(requests)

    async def list_services(self) -> list[Service]:
        """All services of the account."""
        item = "services"
        rows = await self._calls.listing("/services", "services", {}, item)
        return [_read(read_service, row, item) for row in rows]

    async def get_service(self, service_id: int) -> Service:
        """One service. Raises NotFound if there is none, or the key belongs to another account."""
        item = f"service {service_id}"
        return _about(service_id, read_service, await self._calls.read(f"/services/{service_id}", item), item)

    async def create_service(self, name: str, timezone: str, *, description: str | None = None) -> Service:
        """Creates a service without time slots and returns it. `timezone` is an IANA name."""
        item = "the new service"
        body = bodies.new_service(name, timezone, description, item=item)
        return self._made(read_service, await self._calls.write("POST", "/services", item, "services", json=body), item)

    async def update_service(self, service_id: int, *, name: str | None = None, description: str | None = None) -> None:
        """Changes what is not None; the answer's content is not looked at.

        An empty description may be taken for none at all, since the server is written in Go: read again what it made
        of it. Raises NotFound if there is no such service.
        """
        item = f"service {service_id}"
        if body := bodies.service_changes(name, description, item=item):
            await self._calls.write("PATCH", f"/services/{service_id}", item, "services", json=body)

    async def list_time_slots(self, service_id: int, *, thorough: bool = False) -> tuple[TimeSlot | Odd, ...]:
        """All time slots of a service, in the server's order: the complete list, or BadAnswer.

        `thorough` asks for one page more where nothing but the absence of page numbers says that there is none.
        """
        item = _slots_of(service_id)
        rows = await self._list_of_service("/time-slots", "time_slots", service_id, item, thorough=thorough)
        return tuple(read_time_slot(row) for row in rows)

    async def list_nested_time_slots(self, service_id: int) -> tuple[TimeSlot | Odd, ...]:
        """The same list by the path below the service, which has no pages in the guide, and may have them by now.

        Only the guide has this path, so that slotbridge itself uses the other.
        """
        path, item = f"/services/{service_id}/time-slots", _slots_of(service_id)
        rows = await self._calls.listing(path, "time_slots", {}, item)
        return tuple(read_time_slot(row) for row in _owned(service_id, rows, item))

    async def save_time_slots(self, service_id: int, slots: Sequence[TimeSlot | Odd]) -> bool:
        """Creates the slots without an id and updates the others, in one request that is sent once.

        Returns whether the answer says anything; what it says is not looked at, because the documented one leaves out
        what was created. Raises NotFound if the service, or a slot that was to be updated, is no longer there.
        """
        if not slots:  # a server that replaces the list instead of merging into it would delete everything
            return True
        body = {"service_id": service_id, "time_slots": [bodies.time_slot(slot) for slot in slots]}
        return _says_something(
            await self._calls.write("PATCH", "/time-slots", _slots_of(service_id), "time slots", json=body)
        )

    async def delete_time_slot(self, slot_id: int) -> bool:
        """Deletes one time slot; one that is already gone is a success. Returns whether the answer says anything."""
        return await self._delete(f"/time-slots/{slot_id}", f"time slot {slot_id}", "time slots", gone=SLOT_NOT_FOUND)

    async def require_deletions(self) -> None:
        """Raises WriteRefused if this key may not delete time slots, as far as that shows without deleting one.

        Ids start above zero, so nothing can be lost. A 404 may as well be about the missing slot, and a refusal of
        the value about the zero.
        """
        try:
            await self.delete_time_slot(0)
        except (WriteRefused, Rejected) as error:
            if error.status not in (400, 404, 422):
                raise

    async def list_bookings(self, service_id: int) -> tuple[Booking, ...]:
        """All bookings of a service, past and cancelled ones included: the complete list, or BadAnswer.

        The API has no filter by slot, date or status.
        """
        item = f"bookings of service {service_id}"
        rows = await self._list_of_service("/bookings", "bookings", service_id, item)
        return tuple(_read(read_booking, row, item) for row in rows)

    async def get_booking(self, booking_id: int) -> Booking:
        """One booking. Raises NotFound if there is none."""
        item = f"booking {booking_id}"
        return _about(booking_id, read_booking, await self._calls.read(f"/bookings/{booking_id}", item), item)

    async def create_booking(
        self, service_id: int, slot_id: int, date: str, customer: Customer | None = None, *, message: str | None = None
    ) -> Booking:
        """Books a time slot on a date, YYYY-MM-DD, and returns the booking.

        Raises Rejected with the code `time_slot_full` or `duplicate_booking`, and NotFound if there is no such slot.
        """
        item = f"the new booking of time slot {slot_id}"
        body = bodies.new_booking(slot_id, date, customer or Customer(), message, item=item)
        # The guide leaves the service out, the API schema wants it in the query, and both SDKs put it there.
        params = {"service_id": service_id}
        answer = await self._calls.write("POST", "/bookings", item, "bookings", params=params, json=body)
        return self._made(read_booking, answer, item)

    async def update_booking(
        self,
        booking_id: int,
        *,
        status: str | None = None,
        date: str | None = None,
        message: str | None = None,
        cancel_reason: str | None = None,
    ) -> None:
        """Changes what is not None; the answer's content is not looked at. Raises NotFound if there is no such booking.

        `status` is pending, confirmed or cancelled. What is cancelled stays so: Rejected, `invalid_status_transition`.
        """
        item = f"booking {booking_id}"
        if body := bodies.booking_changes(status, date, cancel_reason, message, item=item):
            await self._calls.write("PATCH", f"/bookings/{booking_id}", item, "bookings", json=body)

    async def cancel_booking(self, booking_id: int, reason: str) -> bool:
        """Cancels a booking; False for one that somebody has cancelled already, which keeps its own reason.

        Raises NotFound with the code `booking_not_found` if it was deleted.
        """
        try:
            await self.update_booking(booking_id, status=CANCELLED, cancel_reason=reason)
        except Rejected as error:
            if error.status is None or not (await self.get_booking(booking_id)).is_cancelled:
                raise
            return False
        return True

    async def delete_booking(self, booking_id: int) -> None:
        """Deletes a booking, which leaves no trace of it; one that is already gone is a success."""
        await self._delete(f"/bookings/{booking_id}", f"booking {booking_id}", "bookings", gone=BOOKING_NOT_FOUND)

    async def get_booking_customer(self, booking_id: int) -> Customer:
        """Who made a booking. Raises NotFound if there is no such booking."""
        item = f"customer of booking {booking_id}"
        return read_customer(_object(await self._calls.read(f"/bookings/{booking_id}/customer", item), item))

    async def update_booking_customer(self, booking_id: int, customer: Customer) -> None:
        """Changes what is not None of name, e-mail address and phone number; the answer's content is not looked at."""
        item = f"customer of booking {booking_id}"
        if body := bodies.customer_changes(customer, item=item):
            await self._calls.write("PATCH", f"/bookings/{booking_id}/customer", item, "bookings", json=body)

    async def _list_of_service(
        self, path: str, name: str, service_id: int, item: str, *, thorough: bool = False
    ) -> list[Row]:
        rows = await self._calls.listing(path, name, {"service_id": service_id}, item, thorough=thorough)
        return _owned(service_id, rows, item)

    async def _delete(self, path: str, item: str, surface: Surface, *, gone: str) -> bool:
        try:
            return _says_something(await self._calls.write("DELETE", path, item, surface))
        except NotFound as error:
            if error.code != gone:
                raise refused_write(error, surface) from error
            return True

    def _made(self, reader: Callable[[Row], T], response: Response, item: str) -> T:
        """What was created. An answer that does not show it proves nothing: it may well be there."""
        try:
            row = _object(self._calls.content(response, item), item)
            if identity(row) is None:
                raise bad_answer(f"answered {response.status} without an id", item=item, status=response.status)
            return _read(reader, row, item)
        except BadAnswer as error:
            hint = "It may have been created: look for it before you create another one"
            raise OutcomeUnknown(error.what, side="reservekit", item=item, hint=hint, status=response.status) from error


def _says_something(response: Response) -> bool:
    """Whether a success is more than a bare 200, which a proxy may send that has passed nothing on."""
    return response.status == 204 or bool(response.body.strip())


def _slots_of(service_id: int) -> str:
    return f"time slots of service {service_id}"


def _owned(service_id: int, rows: list[Row], item: str) -> list[Row]:
    if not all(_belongs_to(service_id, row) for row in rows):
        raise bad_answer("the listing has rows of another service", item=item)
    return rows


def _belongs_to(service_id: int, row: Row) -> bool:
    """Whether a row names this service, or none (Go's 0 and "" are none)."""
    try:
        return not row.get("service_id") or whole(row["service_id"]) == service_id
    except ValueError:
        return False


def _object(answer: dict[str, Any], item: str) -> Row:
    row = answer["data"]
    if not isinstance(row, dict):
        raise bad_answer("the answer's data is not an object", item=item)
    return row


def _about(number: int, reader: Callable[[Row], T], answer: dict[str, Any], item: str) -> T:
    row = _object(answer, item)
    if identity(row) != number:
        raise bad_answer(f"the answer is not about {item}", item=item)
    return _read(reader, row, item)


def _read(reader: Callable[[Row], T], row: Row, item: str) -> T:
    try:
        return reader(row)
    except ValidationError as error:
        raise bad_answer(f"{identity(row)} in it cannot be read: {problem(error)}", item=item) from None
