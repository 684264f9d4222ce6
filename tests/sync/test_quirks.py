"""One story on every server that the documentation allows for: the weeks end equal, and a second run is quiet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.sync.rig import Rig

# What the server does, and what the configuration says of it.
RESERVEKIT: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "as the guide says": ({}, {}),
    "times with T": ({"text_form": "iso"}, {}),
    "wall times with a decorative Z": (
        {"text_form": "rfc3339", "naive_input": "wall"},
        {"time_basis": "wall", "time_format": "rfc3339"},
    ),
    "wall times with a decorative Z, written naive": ({"text_form": "rfc3339"}, {"time_basis": "wall"}),
    "instants": ({"text_form": "rfc3339", "basis": "utc"}, {"time_format": "rfc3339"}),
    "instants that take only naive text": (
        {"text_form": "rfc3339", "basis": "utc", "accepts": "naive"},
        {"time_basis": "utc"},
    ),
    "instants without a zone": ({"basis": "utc"}, {"time_basis": "utc"}),
    "instants with microseconds": ({"text_form": "micro", "basis": "utc"}, {"time_format": "rfc3339"}),
    "year 0": ({"text_form": "year0", "basis": "utc"}, {"time_format": "rfc3339"}),
    "another placeholder": ({"placeholder": "1970-01-01"}, {}),
    "a placeholder that loses the next day": ({"placeholder": "1970-01-01", "keeps_end_date": False}, {}),
    "the last second": ({}, {"end_of_day": "23:59:59"}),
    "Sunday is 0": ({"day_base": "sunday"}, {"day_zero": "sunday"}),
    "pages by page": ({"pagination": "page", "max_page_size": 3}, {}),
    "pages in metadata": ({"pagination": "metadata", "max_page_size": 3}, {}),
    "no pages": ({"pagination": "null"}, {}),
    "a bare list": ({"pagination": "list"}, {}),
    "small pages": ({"max_page_size": 3}, {}),
    "the newest last": ({"order": "updated", "max_page_size": 3}, {}),
    "reversed": ({"order": "reversed"}, {}),
    "ids as text": ({"ids": "text", "extras": True, "envelope": "null-error"}, {}),
    "status envelopes": ({"envelope": "status", "errors": "status-text"}, {}),
    "an empty PATCH answer": ({"patch_answer": "empty", "delete_status": 204}, {}),
    "batches as a whole": ({"atomic": True, "strict_fields": True}, {}),
    "small batches": ({"max_batch": 2}, {"max_batch": 2}),
    "a list that is replaced": ({"patch": "replace"}, {"patch": "full"}),
    "overnight slots": ({"overnight": True}, {}),
}

BITRIX24: dict[str, dict[str, Any]] = {
    "numbers as codes": {"error_code": "number"},
    "zeros as zeros": {"empty_as_null": False},
    "reversed": {"slots_order": "reversed"},
    "older": {"operating": False, "time_start": "float", "added_id": "object"},
}


def the_story(rig: Rig) -> None:
    """Copied, then edited, deleted and added to on either side; two days last until midnight."""
    rig.ranges(("Mon Tue Wed", 540, 1080, 30), ("Sat", 0, 1440, 60), ("Sun", 480, 1440, 30), ("Fri", 600, 660, 0))
    assert rig.sync().status == "changed"
    slots = {slot.day: slot.id for slot in rig.world.reservations.slots(rig.ids["pair1"][1])}
    rig.world.reservations.edit_slot(slots[0], start=480)
    rig.world.reservations.edit_slot(slots[6], end=1380, max_bookings=9)
    rig.world.reservations.remove_slot(slots[4])
    rig.slot(3, 1200, 1440, 4)
    rig.ranges(("Mon Tue", 540, 1080, 30), ("Sat", 0, 1380, 60), ("Sun", 480, 1440, 30), ("Fri", 600, 660, 0))
    rig.world.reservations.add_slot(rig.ids["pair1"][1], 0, 1200, 1260, 1)
    assert rig.sync().status == "changed"
    ids = {slot.id for slot in rig.world.reservations.slots(rig.ids["pair1"][1])}
    assert {slots[0], slots[1], slots[5], slots[6]} <= ids
    expected = {
        (0, 480, 1080, 18),
        (0, 1200, 1260, 1),
        (1, 540, 1080, 18),
        (3, 1200, 1440, 4),
        (5, 0, 1380, 23),
        (6, 480, 1380, 9),
    }
    assert set(rig.in_reservekit()) == expected
    days = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    shown = [(days.index(day), start, end) for names, start, end, _ in rig.in_bitrix24() for day in names.split()]
    assert sorted(shown) == sorted(row[:3] for row in expected)


ABOUT_TIMES = {"text_form", "basis", "naive_input", "accepts", "placeholder", "keeps_end_date", "day_base"}
ELSEWHERE = [case for case, (behaviour, settings) in RESERVEKIT.items() if ABOUT_TIMES & behaviour.keys() or settings]
STAGES = [(case, "Europe/Berlin") for case in RESERVEKIT]
STAGES += [(case, zone) for case in ELSEWHERE for zone in ("America/New_York", "Asia/Kathmandu")]


@pytest.mark.parametrize(("case", "zone"), STAGES)
def test_the_story_on_every_reservekit(case: str, zone: str, make_rig: Callable[..., Rig]) -> None:
    behaviour, settings = RESERVEKIT[case]
    rig = make_rig(zone=zone)
    rig.zone = zone
    rig.world.reservations.behaviour = replace(rig.world.reservations.behaviour, **behaviour)
    rig.reservekit = settings
    the_story(rig)


@pytest.mark.parametrize("case", BITRIX24)
def test_the_story_on_every_bitrix24(case: str, rig: Rig) -> None:
    rig.world.portal.behaviour = replace(rig.world.portal.behaviour, **BITRIX24[case])
    the_story(rig)
