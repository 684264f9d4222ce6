"""The client and the product's own sandbox, in each form of answer that the documentation knows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx
import pytest

from slotbridge.errors import BudgetSpent, NotFound, OutcomeUnknown, WriteRefused
from slotbridge.lenses.items import TimeSlot
from slotbridge.reservekit import ReserveKitClient
from slotbridge.sandbox.reservations import Reservations
from slotbridge.sandbox.traffic import Fault
from tests.reservekit.kit import Server

NEW = TimeSlot(None, 0, "2024-01-01 09:00:00", "2024-01-01 10:00:00", 2)

FORMS: dict[str, dict[str, Any]] = {
    "guide": {},
    "schema": {"pagination": "page", "envelope": "null-error", "extras": True, "booking_date": "timestamp"},
    "metadata": {"pagination": "metadata", "envelope": "status", "ids": "text"},
    "null": {"pagination": "null", "zones": "null"},
    "bare list": {"pagination": "list", "zones": "missing"},
    "clamped": {"max_page_size": 7, "order": "reversed"},
}


class Pair:
    """A sandbox account with one service, and a client that talks to it."""

    def __init__(self, **behaviour: Any) -> None:
        self.server = Server(self._answer)
        self.account = Reservations(self.server.clock)
        self.account.behaviour = replace(self.account.behaviour, limiter=False, **behaviour)
        self.service = self.account.add_service("Dental", "Europe/Berlin")
        self.client: ReserveKitClient = self.server.client(key="sk_rsv_sandbox")

    def _answer(self, request: httpx.Request) -> httpx.Response | Exception:
        url = request.url
        answer = self.account.answer(
            request.method, url.path, url.query.decode(), dict(request.headers.items()), request.content
        )
        if answer.dropped:
            return httpx.RemoteProtocolError("closed")
        return httpx.Response(answer.status, headers=dict(answer.headers), content=answer.body)

    def fill(self, count: int) -> list[int]:
        return [self.account.add_slot(self.service, n % 7, n, n + 30) for n in range(count)]


@pytest.mark.parametrize("count", [0, 1, 7, 99, 100, 101])
@pytest.mark.parametrize("form", FORMS)
async def test_every_slot_is_listed_in_every_form(form: str, count: int) -> None:
    pair = Pair(**FORMS[form])
    numbers = pair.fill(count)
    slots = await pair.client.list_time_slots(pair.service)
    assert sorted(slot.id or 0 for slot in slots) == numbers
    assert all(isinstance(slot, TimeSlot) for slot in slots)


@pytest.mark.parametrize("form", FORMS)
async def test_services_and_bookings_are_read_in_every_form(form: str) -> None:
    pair = Pair(**FORMS[form])
    (slot,) = pair.fill(1)
    pair.account.add_booking(slot, "2025-03-10", status="cancelled")
    (service,) = await pair.client.list_services()
    assert service == await pair.client.get_service(pair.service)
    assert service.timezone == (None if "zones" in FORMS[form] else "Europe/Berlin")
    (booking,) = await pair.client.list_bookings(pair.service)
    assert (booking.time_slot_id, booking.date) == (slot, "2025-03-10")


@pytest.mark.parametrize("behaviour", [{}, {"patch_answer": "empty"}, {"strict_fields": True}, {"delete_status": 204}])
async def test_what_is_saved_is_there_and_what_is_deleted_is_gone(behaviour: dict[str, Any]) -> None:
    pair = Pair(**behaviour)
    await pair.client.save_time_slots(pair.service, [NEW])
    (created,) = await pair.client.list_time_slots(pair.service)
    assert isinstance(created, TimeSlot)
    assert replace(created, id=None) == NEW
    await pair.client.save_time_slots(pair.service, [replace(created, max_bookings=5)])
    assert await pair.client.list_time_slots(pair.service) == (replace(created, max_bookings=5),)
    await pair.client.delete_time_slot(created.id or 0)
    await pair.client.delete_time_slot(created.id or 0)
    assert await pair.client.list_time_slots(pair.service) == ()


@pytest.mark.parametrize("errors", ["object", "text", "status", "status-text"])
async def test_errors_are_understood_in_every_shape(errors: str) -> None:
    pair = Pair(errors=errors, requests_per_month=3)
    with pytest.raises(NotFound) as caught:
        await pair.client.list_time_slots(99)
    assert caught.value.code == "service_not_found"
    await pair.client.delete_time_slot(99)
    with pytest.raises(NotFound) as caught:
        await pair.client.save_time_slots(pair.service, [replace(NEW, id=99)])
    assert caught.value.code == "time_slot_not_found"
    with pytest.raises(BudgetSpent):
        await pair.client.list_services()


@pytest.mark.parametrize("errors", ["object", "text"])
@pytest.mark.parametrize("status", [401, 403, 404, 405])
async def test_W6_closed_writes_are_understood_and_reads_go_on(status: int, errors: str) -> None:
    pair = Pair(writes_refused=status, errors=errors)
    (slot,) = pair.fill(1)
    with pytest.raises(WriteRefused):
        await pair.client.save_time_slots(pair.service, [NEW])
    with pytest.raises(WriteRefused):
        await pair.client.delete_time_slot(slot)
    assert len(await pair.client.list_time_slots(pair.service)) == 1


@pytest.mark.parametrize("kind", ["drop-after", "bad-gateway"])
async def test_W5_a_creation_whose_answer_is_lost_is_not_doubled(kind: Any) -> None:
    pair = Pair()
    pair.account.traffic.faults.append(Fault("PATCH", kind, executed=True))
    with pytest.raises(OutcomeUnknown):
        await pair.client.save_time_slots(pair.service, [NEW])
    assert len(pair.account.slots(pair.service)) == 1


async def test_the_rate_limit_of_the_server_is_waited_for() -> None:
    pair = Pair()
    pair.account.behaviour = replace(pair.account.behaviour, limiter=True, rate=1.0, burst=2)
    for _ in range(6):
        await pair.client.list_time_slots(pair.service)
    assert pair.server.clock.monotonic() >= 4
