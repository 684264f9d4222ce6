"""The client and the product's own sandbox, in each form of answer that the documentation knows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from slotbridge.errors import BadAnswer, BudgetSpent, NotFound, OutcomeUnknown, Rejected, WriteRefused
from slotbridge.lenses.items import TimeSlot
from slotbridge.sandbox.traffic import Fault
from tests.reservekit.accounts import FORMS, Sandbox

NEW = TimeSlot(None, 0, "2024-01-01 09:00:00", "2024-01-01 10:00:00", 2)


@pytest.mark.parametrize("count", [0, 1, 7, 100, 101])
@pytest.mark.parametrize("form", FORMS)
async def test_every_slot_is_listed_in_every_form(form: str, count: int) -> None:
    sandbox = Sandbox(**FORMS[form])
    numbers = sandbox.fill(count)
    slots = await sandbox.client.list_time_slots(sandbox.service)
    assert sorted(slot.id or 0 for slot in slots) == numbers
    assert all(isinstance(slot, TimeSlot) for slot in slots)


@pytest.mark.parametrize("count", [0, 1, 100, 101])
@pytest.mark.parametrize("paged", [False, True])
@pytest.mark.parametrize("form", FORMS)
async def test_the_list_below_a_service_is_the_same(form: str, paged: bool, count: int) -> None:
    sandbox = Sandbox(**FORMS[form], nested_paged=paged)
    sandbox.fill(count)
    one = await sandbox.client.list_time_slots(sandbox.service)
    assert set(await sandbox.client.list_nested_time_slots(sandbox.service)) == set(one)
    with pytest.raises(NotFound):
        await sandbox.client.list_nested_time_slots(99)


@pytest.mark.parametrize("errors", ["object", "text", "status", "status-text"])
@pytest.mark.parametrize("delete_status", [200, 204])
async def test_a_booking_that_is_deleted_is_gone_and_may_be_deleted_again(errors: str, delete_status: int) -> None:
    sandbox = Sandbox(errors=errors, delete_status=delete_status)
    (slot,) = sandbox.fill(1)
    booking = sandbox.account.add_booking(slot, "2025-03-10")
    await sandbox.client.delete_booking(booking)
    await sandbox.client.delete_booking(booking)
    assert await sandbox.client.list_bookings(sandbox.service) == ()


async def test_a_booking_that_this_key_may_not_delete_is_a_refusal() -> None:
    sandbox = Sandbox(closed=("DELETE /bookings/{id}",))
    with pytest.raises(WriteRefused, match="booking 7"):
        await sandbox.client.delete_booking(7)


@pytest.mark.parametrize("form", FORMS)
async def test_services_and_bookings_are_read_in_every_form(form: str) -> None:
    sandbox = Sandbox(**FORMS[form])
    (slot,) = sandbox.fill(1)
    sandbox.account.add_booking(slot, "2025-03-10", status="cancelled")
    (service,) = await sandbox.client.list_services()
    assert service == await sandbox.client.get_service(sandbox.service)
    assert service.timezone == (None if "zones" in FORMS[form] else "Europe/Berlin")
    (booking,) = await sandbox.client.list_bookings(sandbox.service)
    assert (booking.time_slot_id, booking.date) == (slot, "2025-03-10")


@pytest.mark.parametrize("behaviour", [{}, {"patch_answer": "empty"}, {"strict_fields": True}, {"delete_status": 204}])
async def test_what_is_saved_is_there_and_what_is_deleted_is_gone(behaviour: dict[str, Any]) -> None:
    sandbox = Sandbox(**behaviour)
    await sandbox.client.save_time_slots(sandbox.service, [NEW])
    (created,) = await sandbox.client.list_time_slots(sandbox.service)
    assert isinstance(created, TimeSlot)
    assert replace(created, id=None) == NEW
    await sandbox.client.save_time_slots(sandbox.service, [replace(created, max_bookings=5)])
    assert await sandbox.client.list_time_slots(sandbox.service) == (replace(created, max_bookings=5),)
    await sandbox.client.delete_time_slot(created.id or 0)
    await sandbox.client.delete_time_slot(created.id or 0)
    assert await sandbox.client.list_time_slots(sandbox.service) == ()


@pytest.mark.parametrize("errors", ["object", "text", "status", "status-text"])
async def test_errors_are_understood_in_every_shape(errors: str) -> None:
    sandbox = Sandbox(errors=errors, requests_per_month=3)
    with pytest.raises(NotFound) as caught:
        await sandbox.client.list_time_slots(99)
    assert caught.value.code == "service_not_found"
    await sandbox.client.delete_time_slot(99)
    with pytest.raises(NotFound) as caught:
        await sandbox.client.save_time_slots(sandbox.service, [replace(NEW, id=99)])
    assert caught.value.code == "time_slot_not_found"
    with pytest.raises(BudgetSpent):
        await sandbox.client.list_services()


@pytest.mark.parametrize("errors", ["object", "text"])
@pytest.mark.parametrize("status", [401, 403, 404, 405])
async def test_W6_closed_writes_are_understood_and_reads_go_on(status: int, errors: str) -> None:
    sandbox = Sandbox(writes_refused=status, errors=errors)
    (slot,) = sandbox.fill(1)
    with pytest.raises(WriteRefused):
        await sandbox.client.save_time_slots(sandbox.service, [NEW])
    with pytest.raises(WriteRefused):
        await sandbox.client.delete_time_slot(slot)
    assert len(await sandbox.client.list_time_slots(sandbox.service)) == 1


@pytest.mark.parametrize("kind", ["drop-after", "bad-gateway"])
async def test_W5_a_creation_whose_answer_is_lost_is_not_doubled(kind: Any) -> None:
    sandbox = Sandbox()
    sandbox.account.traffic.faults.append(Fault("PATCH", kind, executed=True))
    with pytest.raises(OutcomeUnknown):
        await sandbox.client.save_time_slots(sandbox.service, [NEW])
    assert len(sandbox.account.slots(sandbox.service)) == 1


async def test_the_rate_limit_of_the_server_is_waited_for() -> None:
    sandbox = Sandbox()
    sandbox.account.behaviour = replace(sandbox.account.behaviour, limiter=True, rate=1.0, burst=2)
    for _ in range(6):
        await sandbox.client.list_time_slots(sandbox.service)
    assert sandbox.server.clock.monotonic() >= 4


async def test_G4_rows_that_move_from_page_to_page_are_a_failed_read() -> None:
    sandbox = Sandbox(order="restless", max_page_size=3)
    sandbox.fill(7)
    with pytest.raises(BadAnswer, match="unstable listing"):
        await sandbox.client.list_time_slots(sandbox.service)


async def test_an_edit_between_two_pages_is_read_in_full_by_the_next_attempt() -> None:
    sandbox = Sandbox(max_page_size=3)
    numbers = sandbox.fill(7)
    calls = iter(range(100))

    def remove_one(_call: object) -> None:
        if next(calls) == 1:
            sandbox.account.remove_slot(numbers.pop(0))

    sandbox.account.traffic.before.append(remove_one)
    slots = await sandbox.client.list_time_slots(sandbox.service)
    assert sorted(slot.id or 0 for slot in slots) == numbers


@pytest.mark.parametrize("not_found", ["named", "resource", "bare"])
async def test_whatever_a_404_says_nothing_is_taken_for_empty_or_done(not_found: str) -> None:
    sandbox = Sandbox(not_found=not_found)
    for call in (sandbox.client.list_time_slots(99), sandbox.client.get_service(99), sandbox.client.get_booking(99)):
        with pytest.raises(NotFound):
            await call
    expected = NotFound if not_found == "named" else WriteRefused
    with pytest.raises(expected):
        await sandbox.client.cancel_booking(99, "gone")


async def test_a_booking_in_the_form_of_the_schema_has_its_slot_and_no_status() -> None:
    sandbox = Sandbox(booking_form="schema")
    (slot,) = sandbox.fill(1)
    number = sandbox.account.add_booking(slot, "2025-03-10")
    booking = await sandbox.client.get_booking(number)
    assert (booking.time_slot_id, booking.status, booking.customer) == (slot, "", None)
    await sandbox.client.cancel_booking(number, "gone")
    with pytest.raises(Rejected):  # nothing shows that it is cancelled
        await sandbox.client.cancel_booking(number, "gone")


@pytest.mark.parametrize("again", [True, False])
async def test_a_cancelled_booking_keeps_being_cancelled(again: bool) -> None:
    sandbox = Sandbox(cancelled_again=again)
    number = sandbox.account.add_booking(sandbox.fill(1)[0], "2025-03-10")
    for _ in range(2):
        await sandbox.client.cancel_booking(number, "gone")
    assert sandbox.account.bookings[number].status == "cancelled"


async def test_W6_services_and_bookings_can_be_closed_while_slots_are_open() -> None:
    sandbox = Sandbox(closed=("PATCH /services/{id}", "PATCH /bookings/{id}"))
    (slot,) = sandbox.fill(1)
    number = sandbox.account.add_booking(slot, "2025-03-10")
    with pytest.raises(WriteRefused):
        await sandbox.client.update_service(sandbox.service, name="Dentist")
    with pytest.raises(WriteRefused):
        await sandbox.client.cancel_booking(number, "gone")
    await sandbox.client.save_time_slots(sandbox.service, [NEW])


@pytest.mark.parametrize("form", ["seconds", "date", "body"])
@pytest.mark.parametrize("errors", ["object", "text"])
async def test_a_429_is_waited_out_in_each_form(errors: str, form: str) -> None:
    sandbox = Sandbox(errors=errors, retry_after_form=form, rate_headers="none")
    limited = replace(sandbox.account.behaviour, limiter=True, rate=0.2, burst=1)
    sandbox.account.behaviour = limited
    for _ in range(3):
        await sandbox.client.list_time_slots(sandbox.service)
    assert sandbox.server.clock.monotonic() >= 10


async def test_with_the_headers_of_the_bucket_no_request_runs_into_a_429() -> None:
    sandbox = Sandbox()
    sandbox.account.behaviour = replace(sandbox.account.behaviour, limiter=True, rate=0.5, burst=3)
    for _ in range(9):
        await sandbox.client.list_time_slots(sandbox.service)
    assert len(sandbox.server.asked) == 9


@pytest.mark.parametrize("form", ["millis", "seconds"])
async def test_headers_of_another_form_are_ignored(form: str) -> None:
    sandbox = Sandbox(rate_headers=form)
    sandbox.account.behaviour = replace(sandbox.account.behaviour, limiter=True, rate=0.5, burst=1)
    await sandbox.client.list_time_slots(sandbox.service)
    assert sandbox.server.clock.monotonic() == 0
    await sandbox.client.list_time_slots(sandbox.service)
    assert len(sandbox.server.asked) == 3


@pytest.mark.parametrize("wait", [None, 1, 86400])
@pytest.mark.parametrize("errors", ["object", "text", "status", "status-text", "message"])
async def test_a_spent_month_is_recognised_in_every_shape_and_not_waited_for(errors: str, wait: int | None) -> None:
    sandbox = Sandbox(errors=errors, requests_per_month=0, month_retry_after=wait)
    with pytest.raises(BudgetSpent):
        await sandbox.client.list_time_slots(sandbox.service)
    assert (len(sandbox.server.asked), sandbox.server.clock.slept) == (1, [])
