from __future__ import annotations

from slotbridge.sandbox.behaviour import ReserveKitBehaviour
from slotbridge.sandbox.sample import sample_world

from .conftest import FakeClock


def test_a_clinic_with_every_kind_of_beginning(clock: FakeClock) -> None:
    world = sample_world(clock)
    ranges = {key: len(world.portal.slots(key)) for key in world.portal.resources}
    slots = {key: len(world.reservations.slots(key)) for key in world.reservations.services}
    assert ranges == {15: 2, 16: 2, 17: 0, 18: 1}
    assert slots == {123: 10, 124: 0, 125: 4, 126: 2}
    names = [resource.name for resource in world.portal.resources.values()]
    assert names == [service.name for service in world.reservations.services.values()]


def test_the_booking_is_on_a_monday_to_come(clock: FakeClock) -> None:
    [booking] = sample_world(clock).reservations.bookings.values()
    assert (booking.date, booking.service_id) == ("2026-03-09", 125)


def test_the_same_clinic_with_sunday_first_and_utc(clock: FakeClock) -> None:
    behaviour = ReserveKitBehaviour(day_base="sunday", basis="utc", text_form="rfc3339")
    odd, plain = sample_world(clock, behaviour), sample_world(clock)
    assert odd.reservations.slots(123) == plain.reservations.slots(123)
    assert odd.reservations.time_slots[1001].day == 1
    assert odd.reservations.time_slots[1001].start.hour == 8
