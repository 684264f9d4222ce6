"""A pair whose Monday is booked and about to go, the customers on it, and what became of them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

from slotbridge.store.customers import Moved, Step
from tests.sync.decided import decide, only_hold, opened
from tests.sync.rig import Rig

MakeRig = Callable[..., Rig]

WEEK = ("Mon Tue Wed", 540, 1080, 30)
WITHOUT_MONDAY = ("Tue Wed", 540, 1080, 30)
ADA: dict[str, Any] = {"name": "Ada Lovelace", "phone": "+4930123456", "email": "ada@example.com"}
BOB: dict[str, Any] = {"name": "Bob", "phone": "+4930999", "email": None}
NOBODY: dict[str, Any] = {"name": "Cora", "phone": None, "email": None}


def booked(make_rig: MakeRig, *customers: dict[str, Any], **options: Any) -> Rig:
    """In step, with these customers on Monday's slot, one week after the other."""
    rig = make_rig(**{"booked_slots": "waitlist", **options})
    rig.world.reservations.behaviour = replace(rig.world.reservations.behaviour, booked_slot="dangle")
    rig.ranges(WEEK)
    rig.run()
    for week, customer in enumerate(customers or (ADA,)):
        book(rig, customer, f"2026-05-{18 + 7 * week}")
    return rig


def book(rig: Rig, customer: dict[str, Any], day: str = "2026-05-18", slot: int = 0) -> int:
    return rig.world.reservations.add_booking(rig.slot_ids()[slot], day, **customer)


def approved(make_rig: MakeRig, *customers: dict[str, Any], **options: Any) -> Rig:
    """The same, Monday is gone from Bitrix24, and a person has approved that it goes from ReserveKit."""
    rig = booked(make_rig, *customers, **options)
    rig.ranges(WITHOUT_MONDAY)
    decide(rig, only_hold(rig.run().pairs[0]), "approve")
    return rig


def branch(rig: Rig, folder: Path) -> Rig:
    """The same state once more, to be spoilt."""
    folder.mkdir()
    other = deepcopy(rig)
    other.database = folder / rig.database.name
    shutil.copyfile(rig.database, other.database)
    return other


def entries(rig: Rig) -> list[str]:
    """The first line of every entry of the wait list."""
    return [entry.note.splitlines()[0] for entry in rig.world.portal.waitlist.values()]


def waiting(rig: Rig) -> list[tuple[str, ...]]:
    """The names of the contacts of every entry of the wait list."""
    contacts = rig.world.portal.contacts
    return [tuple(contacts[client.id].name for client in row.clients) for row in rig.world.portal.waitlist.values()]


def contacts(rig: Rig) -> list[str]:
    return sorted(contact.name for contact in rig.world.portal.contacts.values())


def statuses(rig: Rig) -> list[str]:
    return [booking.status for booking in rig.world.reservations.bookings.values()]


def ways(rig: Rig) -> list[Moved]:
    with opened(rig) as store:
        return list(store.customers.of(list(rig.world.reservations.bookings)).values())


def steps(rig: Rig) -> list[Step]:
    return [way.step for way in ways(rig)]


def all_moved(rig: Rig, *names: str) -> None:
    """Each customer is on the wait list exactly once, with exactly one contact, and Monday's slot is gone."""
    bookings = rig.world.reservations.bookings
    assert [entry.split(":")[0] for entry in entries(rig)] == [f"slotbridge booking {number}" for number in bookings]
    assert waiting(rig) == [(name,) for name in names]
    assert contacts(rig) == sorted(set(names))
    assert statuses(rig) == ["cancelled"] * len(names)
    assert len(rig.slot_ids()) == 2
    assert steps(rig) == ["done"] * len(names)


def none_moved(rig: Rig) -> None:
    """Every booking stands, and so does Monday's slot."""
    assert "cancelled" not in statuses(rig)
    assert len(rig.slot_ids()) == 3
