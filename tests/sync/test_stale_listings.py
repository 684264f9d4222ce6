"""A listing that for once lacks a time slot which is there: no loss, and no double (M5, G4)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sync.called import in_step
from tests.sync.rig import Rig

EDITS = {
    "nobody": ("Mon", 540, 1080, 30),
    "hours": ("Mon", 560, 1080, 30),
    "capacity": ("Mon", 540, 1080, 60),
}


def lack_once(rig: Rig) -> None:
    """The next listing of time slots comes from a copy that does not know Monday's yet."""
    stored = rig.world.reservations.time_slots
    slot_id = rig.slot_ids()[0]

    def lack() -> None:
        slot = stored.pop(slot_id)
        rig.before_request("", lambda: stored.update({slot_id: slot}))

    rig.before_request("GET /v1/time-slots", lack)


@pytest.mark.parametrize("options", [{}, {"conflict": "bitrix24"}, {"direction": "to-reservekit"}])
@pytest.mark.parametrize("edit", EDITS)
def test_M5_a_slot_that_one_listing_lacks_is_not_created_once_more(
    edit: str, options: dict[str, Any], rig: Rig
) -> None:
    rig.options |= options
    in_step(rig)
    slots = rig.slot_ids()
    rig.ranges(EDITS[edit], ("Tue Wed", 540, 1080, 30))
    lack_once(rig)
    report = rig.sync()
    _, start, end, size = EDITS[edit]
    assert sorted(rig.slot_ids()) == sorted(slots)
    assert (0, start, end, (end - start) // size) in rig.in_reservekit()
    assert report.status == ("quiet" if edit == "nobody" else "changed")


def test_M2_a_slot_that_is_gone_indeed_is_created_for_the_edit(rig: Rig) -> None:
    in_step(rig)
    rig.world.reservations.remove_slot(rig.slot_ids()[0])
    rig.ranges(EDITS["hours"], ("Tue Wed", 540, 1080, 30))
    assert rig.sync().status == "changed"
    assert [start for _, start, *_ in rig.in_reservekit()] == [560, 540, 540]
