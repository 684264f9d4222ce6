"""What slotbridge relies on in ReserveKit, method by method.

It runs against the sandbox in each of its forms, and against a real account if SLOTBRIDGE_CONTRACT_RESERVEKIT_API_KEY
is in the environment (another address in …_BASE_URL). The real account is only read, unless …_SERVICE names a service
that may be written to: a time slot is made there and removed, and one cancelled booking is left behind.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from slotbridge.errors import ApiError, NotFound, Rejected
from slotbridge.lenses.items import TimeSlot
from slotbridge.reservekit import Customer
from slotbridge.sandbox.server import running_sandbox
from tests.reservekit.accounts import ENVIRONMENT, Account, may_write, names, opened

NOBODY = 2**31 - 1
NEW = TimeSlot(None, 6, "2024-01-07 03:00:00", "2024-01-07 03:30:00", 2)
ADA = Customer(None, "slotbridge contract", "contract@example.com", "+4930123456")
# Deleting by day takes slots that are not ours, deleting a service takes customers.
ONLY_DELETION = re.compile(r"/v1/time-slots/\d+")

reading = pytest.mark.parametrize("name", names())
writing = pytest.mark.parametrize("name", [name for name in names() if may_write(name)])


@pytest.fixture
async def account(name: str) -> AsyncIterator[Account]:
    async with opened(name) as account:
        if account.sandbox:
            account.sandbox.account.add_slot(account.writable, 0, 540, 720)
            booked = account.sandbox.account.add_slot(account.writable, 1, 540, 720, 3)
            account.sandbox.account.add_booking(booked, "2025-03-11", email="ada@example.com", phone="+4930123456")
        yield account
        if account.sandbox:
            log = account.sandbox.account.traffic.log
            assert all(ONLY_DELETION.fullmatch(entry.path) for entry in log if entry.method == "DELETE")


def coming_sunday() -> str:
    today = datetime.now(UTC).date()
    return (today + timedelta(days=6 - today.weekday() + 7)).isoformat()


@reading
async def test_services_are_listed_and_got_alike(account: Account) -> None:
    services = await account.client.list_services()
    assert services
    assert len({service.id for service in services}) == len(services)
    assert await account.client.get_service(services[0].id) == services[0]


@reading
async def test_time_slots_are_listed_completely_and_twice_alike(account: Account) -> None:
    service = account.service or (await account.client.list_services())[0].id
    slots = await account.client.list_time_slots(service)
    assert all(isinstance(slot, TimeSlot) for slot in slots)
    assert len({slot.id for slot in slots}) == len(slots)
    assert set(await account.client.list_time_slots(service)) == set(slots)


@reading
async def test_bookings_are_listed_and_got_alike_with_their_customers(account: Account) -> None:
    service = account.service or (await account.client.list_services())[0].id
    for booking in (await account.client.list_bookings(service))[:1]:
        assert await account.client.get_booking(booking.id) == booking
        customer = await account.client.get_booking_customer(booking.id)
        assert booking.customer in (None, customer)


@reading
async def test_what_does_not_exist_is_not_found(account: Account) -> None:
    for call in (
        account.client.get_service(NOBODY),
        account.client.list_time_slots(NOBODY),
        account.client.get_booking(NOBODY),
        account.client.get_booking_customer(NOBODY),
    ):
        with pytest.raises(NotFound):
            await call


@writing
async def test_a_time_slot_is_created_changed_and_deleted(account: Account) -> None:
    client, service = account.client, account.writable
    before = await client.list_time_slots(service)
    await client.save_time_slots(service, [NEW])
    (created,) = set(await client.list_time_slots(service)) - set(before)
    assert isinstance(created, TimeSlot)
    assert created.id is not None
    await client.save_time_slots(service, [replace(created, max_bookings=5)])
    (changed,) = set(await client.list_time_slots(service)) - set(before)
    assert changed == replace(created, max_bookings=5)
    await client.delete_time_slot(created.id)
    await client.delete_time_slot(created.id)
    assert set(await client.list_time_slots(service)) == set(before)


@writing
async def test_a_service_is_renamed_and_named_back(account: Account) -> None:
    client, before = account.client, await account.client.get_service(account.writable)
    await client.update_service(before.id, name="slotbridge contract", description="For a moment")
    during = await client.get_service(before.id)
    assert during == replace(before, name="slotbridge contract", description="For a moment")
    await client.update_service(before.id, name=before.name, description=before.description)
    after = await client.get_service(before.id)
    assert after == replace(before, description=before.description or "For a moment")


@writing
async def test_a_booking_is_made_changed_and_cancelled_for_good(account: Account) -> None:
    client, service = account.client, account.writable
    known = {slot.id for slot in await client.list_time_slots(service)}
    await client.save_time_slots(service, [NEW])
    (slot_id,) = {slot.id or 0 for slot in await client.list_time_slots(service)} - known
    day = coming_sunday()

    made = await client.create_booking(service, slot_id, day, ADA, message="A test")
    assert (made.time_slot_id, made.date, made.is_cancelled) == (slot_id, day, False)
    with pytest.raises(Rejected) as refused:
        await client.create_booking(service, slot_id, day, ADA)
    assert refused.value.code == "duplicate_booking"

    await client.update_booking(made.id, status="confirmed", message="Still a test")
    await client.update_booking_customer(made.id, Customer(phone="+4930654321"))
    booking = await client.get_booking(made.id)
    assert (booking.status, booking.message) == ("confirmed", "Still a test")
    assert (await client.get_booking_customer(made.id)).phone == "+4930654321"
    assert made.id in {each.id for each in await client.list_bookings(service)}

    await client.cancel_booking(made.id, "Only a test")
    await client.cancel_booking(made.id, "Again")
    booking = await client.get_booking(made.id)
    assert (booking.is_cancelled, booking.cancel_reason) == (True, "Only a test")
    with pytest.raises(Rejected):
        await client.update_booking(made.id, status="confirmed")
    await client.delete_time_slot(slot_id)


@writing
async def test_writing_to_what_does_not_exist_is_an_error(account: Account) -> None:
    client = account.client
    for call in (
        client.save_time_slots(NOBODY, [NEW]),
        client.update_service(NOBODY, name="Nobody"),
        client.create_booking(account.writable, NOBODY, coming_sunday()),
        client.cancel_booking(NOBODY, "gone"),
        client.update_booking_customer(NOBODY, ADA),
    ):
        with pytest.raises(ApiError):
            await call


@pytest.mark.parametrize("name", [name for name in names() if name != "real"])
async def test_a_service_is_created(account: Account) -> None:
    """Not in a real account: nothing that slotbridge may call would remove it again."""
    made = await account.client.create_service("Cleaning", "Asia/Kuala_Lumpur", description="Teeth")
    assert (made.name, made.description) == ("Cleaning", "Teeth")
    assert made in await account.client.list_services()


async def test_an_account_is_found_by_the_environment() -> None:
    with running_sandbox() as sandbox:
        environ = {f"{ENVIRONMENT}API_KEY": sandbox.api_key, f"{ENVIRONMENT}BASE_URL": sandbox.base_url}
        assert "real" in names(environ)
        assert not may_write("real", environ)
        async with opened("real", environ) as account:
            assert account.service is None
            assert 123 in {service.id for service in await account.client.list_services()}
        assert may_write("real", environ | {f"{ENVIRONMENT}SERVICE": "123"})
