"""The calls that slotbridge makes to ReserveKit, and no other.

Never used on purpose: deleting by day (also hits slots that are not ours), deleting a service (takes its
bookings along), creating slots through the service (documented in one sentence, absent from the parameters).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from random import Random
from typing import TypeVar

from pydantic import ValidationError

from slotbridge.clock import Clock
from slotbridge.errors import ApiError, BudgetSpent, ConfigurationError, LimitReached, NotFound, OutcomeUnknown
from slotbridge.http.retry import LONGEST_WAIT_ASKED_FOR, retried
from slotbridge.http.transport import Response, Transport
from slotbridge.lenses.items import Odd, TimeSlot
from slotbridge.reservekit.answers import appearance, bad_answer, envelope, parsed
from slotbridge.reservekit.failures import SLOT_NOT_FOUND, failure, refused_write
from slotbridge.reservekit.models import (
    Booking,
    Row,
    Service,
    identity,
    problem,
    read_booking,
    read_service,
    read_time_slot,
    whole,
    write_time_slot,
)
from slotbridge.reservekit.pages import PAGE_SIZE, Page, list_completely, read_page

T = TypeVar("T")


class ReserveKitClient:
    """One account of ReserveKit, seen with one key.

    Reads are repeated when an answer got lost, writes never are. Whatever goes wrong is raised as an
    ApiError: AccessRefused, NotFound, LimitReached or BudgetSpent, NotSent, OutcomeUnknown, BadAnswer,
    Rejected.
    """

    def __init__(self, base_url: str, api_key: str, transport: Transport, *, clock: Clock, random: Random) -> None:
        if not re.fullmatch(r"[!-~]+", key := api_key.strip()):
            raise ConfigurationError(
                "[reservekit] api_key is empty or has characters that no key has",
                hint="Copy it again, without spaces",
            )
        self._base_url = base_url.rstrip("/")
        self._key = key
        # No Origin: whether a key bound to a domain then passes is documented nowhere.
        self._headers = {
            "Authorization": f"Bearer {key}",
            "Accept": "application/json",
            "Content-Type": "application/json",
        }
        self._transport = transport
        self._clock = clock
        self._random = random

    @property
    def requests(self) -> int:
        """How many requests were sent, repeated ones included: each of them counts against the month."""
        return self._transport.requests

    async def list_services(self) -> list[Service]:
        """All services of the account."""
        item = "services"
        rows = await self._list("/services", "services", {}, item)
        return [_read(read_service, row, item) for row in rows]

    async def get_service(self, service_id: int) -> Service:
        """One service. Raises NotFound if there is none, or the key belongs to another account."""
        item = f"service {service_id}"
        response = await self._call("GET", f"/services/{service_id}", item)
        row = envelope(response, item=item, secret=self._key)["data"]
        if not isinstance(row, dict) or identity(row) != service_id:
            raise bad_answer("the answer is not about this service", item=item)
        return _read(read_service, row, item)

    async def list_time_slots(self, service_id: int) -> tuple[TimeSlot | Odd, ...]:
        """All time slots of a service, in the server's order: the complete list, or BadAnswer."""
        rows = await self._list_of_service("/time-slots", "time_slots", service_id, _slots_of(service_id))
        return tuple(read_time_slot(row) for row in rows)

    async def list_bookings(self, service_id: int) -> tuple[Booking, ...]:
        """All bookings of a service, past and cancelled ones included: the complete list, or BadAnswer.

        The API has no filter by slot, date or status.
        """
        item = f"bookings of service {service_id}"
        rows = await self._list_of_service("/bookings", "bookings", service_id, item)
        return tuple(_read(read_booking, row, item) for row in rows)

    async def save_time_slots(self, service_id: int, slots: Sequence[TimeSlot | Odd]) -> None:
        """Creates the slots without an id and updates the others, in one request that is sent once.

        The answer's content is not looked at, because the documented one leaves out what was created.
        Raises OutcomeUnknown if no answer came, WriteRefused if this key may not write, and NotFound if the
        service, or a slot that was to be updated, is no longer there.
        """
        if not slots:  # a server that replaces the list instead of merging into it would delete everything
            return
        body = {"service_id": service_id, "time_slots": [write_time_slot(slot) for slot in slots]}
        await self._call("PATCH", "/time-slots", _slots_of(service_id), json=body)

    async def delete_time_slot(self, slot_id: int) -> None:
        """Deletes one time slot; one that is already gone is a success.

        Raises OutcomeUnknown if no answer came, WriteRefused if this key may not write.
        """
        try:
            await self._call("DELETE", f"/time-slots/{slot_id}", f"time slot {slot_id}")
        except NotFound as error:
            if error.code != SLOT_NOT_FOUND:
                raise refused_write(error) from error

    async def _list_of_service(self, path: str, name: str, service_id: int, item: str) -> list[Row]:
        rows = await self._list(path, name, {"service_id": service_id}, item)
        if not all(_belongs_to(service_id, row) for row in rows):
            raise bad_answer("the listing has rows of another service", item=item)
        return rows

    async def _list(self, path: str, name: str, params: dict[str, int], item: str) -> list[Row]:
        async def fetch(number: int) -> Page:
            response = await self._call("GET", path, item, params={**params, "page": number, "page_size": PAGE_SIZE})
            return read_page(envelope(response, item=item, secret=self._key), name, item=item)

        return await list_completely(fetch, item=item)

    async def _call(
        self, method: str, path: str, item: str, *, params: dict[str, int] | None = None, json: object = None
    ) -> Response:
        """An answer with a status of success. A write is repeated only if it certainly was not executed."""
        writing = method != "GET"

        async def attempt() -> Response:
            url = self._base_url + path
            response = await self._transport.send(
                method, url, item=item, headers=self._headers, params=params, json=json
            )
            if 200 <= response.status < 300:
                if writing and not _acknowledges(response):
                    what = f"answered {response.status} with {appearance(response.body)}"
                    hint = "It may or may not be executed; it is looked at before anything is sent again"
                    raise OutcomeUnknown(what, side="reservekit", item=item, hint=hint, status=response.status)
                return response
            error = failure(response, item=item, writing=writing, now=self._clock.now(), secret=self._key)
            self._slow_down(error)
            raise error

        return await retried(attempt, clock=self._clock, repeatable=not writing, random=self._random)

    def _slow_down(self, error: ApiError) -> None:
        """Keeps everybody who shares this key from running into the same refusal."""
        if isinstance(error, LimitReached) and not isinstance(error, BudgetSpent):
            wait = 1.0 if error.retry_after is None else error.retry_after
            if wait <= LONGEST_WAIT_ASKED_FOR:
                self._transport.limiter.penalize(wait)


def _acknowledges(response: Response) -> bool:
    """Whether a success comes from the API itself: a page of some proxy says nothing about a write."""
    if response.status == 204:
        return True
    return isinstance(parsed(response.body), dict)


def _slots_of(service_id: int) -> str:
    return f"time slots of service {service_id}"


def _belongs_to(service_id: int, row: Row) -> bool:
    """Whether a row names this service, or none (Go's 0 and "" are none)."""
    try:
        return not row.get("service_id") or whole(row["service_id"]) == service_id
    except ValueError:
        return False


def _read(reader: Callable[[Row], T], row: Row, item: str) -> T:
    try:
        return reader(row)
    except ValidationError as error:
        raise bad_answer(f"{identity(row)} in it cannot be read: {problem(error)}", item=item) from None
