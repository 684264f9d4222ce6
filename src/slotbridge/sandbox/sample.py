"""A dental clinic in Berlin, as it might look on the day when slotbridge is tried for the first time."""

from __future__ import annotations

from datetime import timedelta

from slotbridge.clock import Clock
from slotbridge.lenses.items import Range
from slotbridge.sandbox.behaviour import ReserveKitBehaviour
from slotbridge.sandbox.world import World

ZONE = "Europe/Berlin"
WORKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri")
_MORNING = (9 * 60, 12 * 60)
_AFTERNOON = (14 * 60, 18 * 60)


def sample_world(clock: Clock | None = None, behaviour: ReserveKitBehaviour | None = None) -> World:
    """Four resources and the services they belong to, under the same names.

    Dental check-up (15, 123): hours on both sides, equal. Orthodontics (16, 124): hours only in Bitrix24.
    Teeth cleaning (17, 125): hours only in ReserveKit, one of them booked for next week. Emergency room (18, 126):
    equal, and open around the clock at the weekend.
    """
    world = World(clock)
    world.reservations.behaviour = behaviour or world.reservations.behaviour
    _check_up(world)
    _orthodontics(world)
    _cleaning(world)
    _emergency(world)
    return world


def _named(world: World, name: str, resource_id: int, service_id: int) -> None:
    world.portal.add_resource(name, resource_id=resource_id)
    world.reservations.add_service(name, ZONE, service_id=service_id)


def _check_up(world: World) -> None:
    _named(world, "Dental check-up", 15, 123)
    world.portal.put_slots(15, [Range(*hours, ZONE, WORKDAYS, 30) for hours in (_MORNING, _AFTERNOON)])
    for day in range(len(WORKDAYS)):
        world.reservations.add_slot(123, day, *_MORNING, 6)
        world.reservations.add_slot(123, day, *_AFTERNOON, 8)


def _orthodontics(world: World) -> None:
    _named(world, "Orthodontics", 16, 124)
    long_days = Range(10 * 60, 16 * 60, ZONE, ("Tue", "Thu"), 60)
    saturday = Range(9 * 60, 13 * 60, ZONE, ("Sat",), 60)
    world.portal.put_slots(16, [long_days, saturday])


def _cleaning(world: World) -> None:
    _named(world, "Teeth cleaning", 17, 125)
    slots = [world.reservations.add_slot(125, day, *_MORNING, 4) for day in (0, 2, 4)]
    world.reservations.add_slot(125, 2, 15 * 60, 19 * 60, 5)
    today = world.clock.now().date()
    next_monday = today + timedelta(days=7 - today.weekday())
    world.reservations.add_booking(slots[0], next_monday.isoformat(), name="Ada Lind")


def _emergency(world: World) -> None:
    _named(world, "Emergency room", 18, 126)
    world.portal.put_slots(18, [Range(0, 1440, ZONE, ("Sat", "Sun"), 60)])
    for day in (5, 6):
        world.reservations.add_slot(126, day, 0, 1440, 24)
