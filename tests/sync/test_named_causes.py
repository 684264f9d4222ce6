"""Where writes do not read back as they were sent the error names the likely cause, whatever the server does (W3)."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import time, timedelta
from typing import Any

import pytest

from slotbridge.sandbox.traffic import Fault
from slotbridge.sandbox.world import World
from tests.sync.rig import Rig
from tests.sync.test_writing import behave

ZONES = ("Asia/Tokyo", "Pacific/Auckland", "America/Los_Angeles", "Europe/Berlin")
STARTS = ("first sync", "edit")

OLD = [("Mon Tue Wed", 540, 1080, 30), ("Sat", 1200, 1380, 60)]
NEW = [("Mon Tue Wed", 540, 1020, 30), ("Sat", 1200, 1440, 60), ("Thu", 300, 420, 30)]
UNEVEN = [("Mon Tue Wed", 545, 1075, 30), ("Sat", 1200, 1430, 60)]

Slots = list[dict[str, Any]]


def spoil_requests(rig: Rig, spoil: Callable[[Slots], Slots]) -> None:
    """The server makes something else of every list of slots that it is sent."""
    answer = rig.world.answer

    def spoiled(method: str, path: str, query: str, headers: Any, body: bytes) -> Any:
        if method == "PATCH":
            sent = json.loads(body)
            body = json.dumps(sent | {"time_slots": spoil(sent["time_slots"])}).encode()
        return answer(method, path, query, headers, body)

    rig.world.answer = spoiled  # type: ignore[method-assign]


def cut_before_midnight(sent: Slots) -> Slots:
    """A server that knows hours and minutes of one day only."""
    for slot in sent:
        day, until = slot["start_time"][:11], slot["end_time"]
        if until[:11] != day:
            slot["end_time"] = f"{day}23:59:00"
    return sent


def a_day_later(sent: Slots) -> Slots:
    return [slot | {"day_of_week": (slot["day_of_week"] + 1) % 7} for slot in sent]


def for_one_booking(sent: Slots) -> Slots:
    return [slot | {"max_bookings": 1} for slot in sent]


def the_first(sent: Slots) -> Slots:
    return sent[:1]


def none(_sent: Slots) -> Slots:
    return []


@pytest.fixture(params=ZONES)
def zoned(request: pytest.FixtureRequest, make_rig: Callable[..., Rig]) -> Rig:
    rig = make_rig(zone=request.param)
    rig.zone = request.param
    return rig


def named(
    rig: Rig,
    start: str,
    spoil: Callable[[Slots], Slots] | None = None,
    hours: Sequence[tuple[str, int, int, int]] = NEW,
    **behaviour: Any,
) -> str:
    """The error, once hours were sent to a server that is like that from then on."""
    if start == "edit":
        rig.ranges(*OLD)
        rig.sync()
    behave(rig, **behaviour)
    if spoil is not None:
        spoil_requests(rig, spoil)
    rig.ranges(*hours)
    report = rig.sync(quiet_after=False)
    assert report.status == "failed"
    return str(report.error)


@pytest.mark.parametrize(
    ("behaviour", "configured"),
    [
        ({"text_form": "rfc3339", "basis": "utc"}, {}),
        ({"text_form": "offset", "basis": "utc"}, {}),
        ({"text_form": "rfc3339", "basis": "utc", "naive_input": "wall"}, {"time_basis": "wall"}),
        ({"overnight": True}, {"time_format": "rfc3339"}),
    ],
    ids=["instants", "instants with an offset", "naive text by the wall", "wall times, instants taken"],
)
def test_W3_a_first_copy_by_another_clock(behaviour: dict[str, Any], configured: dict[str, Any], zoned: Rig) -> None:
    zoned.reservekit = dict(configured)
    error = named(zoned, "first sync", **behaviour)
    assert "shifted. The likely setting is [reservekit] time_basis or time_format" in error


@pytest.mark.parametrize(
    ("behaviour", "configured"),
    [
        ({"text_form": "rfc3339", "basis": "utc", "naive_input": "wall"}, {}),
        ({"overnight": True}, {"time_format": "rfc3339"}),
    ],
    ids=["naive text by the wall", "wall times, instants taken"],
)
def test_W3_an_edit_by_another_clock(behaviour: dict[str, Any], configured: dict[str, Any], zoned: Rig) -> None:
    behave(zoned, **behaviour)
    for day in (0, 1, 2):
        zoned.slot(day, 540, 1080, 18)
    zoned.reservekit = dict(configured)
    zoned.sync()
    zoned.ranges(("Mon Tue Wed", 540, 1020, 30), ("Thu", 300, 420, 30), ("Sat", 1080, 1380, 30))
    report = zoned.sync(quiet_after=False)
    assert "shifted. The likely setting is [reservekit] time_basis or time_format" in str(report.error)


@pytest.mark.parametrize("start", STARTS)
def test_V4_a_server_without_a_last_minute(start: str, zoned: Rig) -> None:
    error = named(zoned, start, cut_before_midnight)
    assert "came back as Sat 20:00–23:59" in error
    assert "The likely setting is [reservekit] end_of_day" in error
    zoned.reservekit["end_of_day"] = "23:59:59"
    cut = next(row for row in zoned.world.reservations.rows(zoned.ids["pair1"][1]) if row.day == 5)
    zoned.world.reservations.remove_slot(cut.id)
    assert zoned.sync().status == "changed"
    assert zoned.in_bitrix24() == sorted(NEW)


@pytest.mark.parametrize("start", STARTS)
def test_W3_a_server_that_counts_days_otherwise(start: str, zoned: Rig) -> None:
    zoned.ranges(("Sun", 600, 660, 30))
    if start == "edit":
        zoned.sync()
    spoil_requests(zoned, a_day_later)
    zoned.ranges(*NEW, ("Sun", 600, 660, 30))
    error = str(zoned.sync(quiet_after=False).error)
    assert "a day off. The likely setting is [reservekit] day_zero" in error


@pytest.mark.parametrize("start", STARTS)
def test_W3_a_server_that_stores_a_part_of_each_request(start: str, zoned: Rig) -> None:
    error = named(zoned, start, the_first)
    assert "stored only part of what was sent: 1 of 5 time slots" in error
    assert "The likely setting is [reservekit] max_batch" in error
    zoned.reservekit["max_batch"] = 1
    assert zoned.sync().status == "changed"
    assert zoned.in_reservekit() == [
        (0, 540, 1020, 16),
        (1, 540, 1020, 16),
        (2, 540, 1020, 16),
        (3, 300, 420, 4),
        (5, 1200, 1440, 4),
    ]


@pytest.mark.parametrize("start", STARTS)
def test_W3_a_server_that_stores_none_of_it(start: str, zoned: Rig) -> None:
    error = named(zoned, start, none)
    assert "Look whether the key may write" in error
    assert "[reservekit]" not in error


@pytest.mark.parametrize("start", STARTS)
def test_W3_a_server_that_rounds(start: str, zoned: Rig) -> None:
    error = named(zoned, start, hours=UNEVEN, round_minutes=15)
    assert "came back as Mon 09:00–18:00; the server seems to round times" in error
    assert "[reservekit]" not in error


@pytest.mark.parametrize("start", STARTS)
def test_W3_a_server_with_its_own_max_bookings(start: str, zoned: Rig) -> None:
    error = named(zoned, start, for_one_booking)
    assert "came back with max_bookings 1; the server, or somebody, changed it" in error
    assert "[reservekit]" not in error


@pytest.mark.parametrize("start", STARTS)
def test_W4_a_server_that_shows_what_cannot_be_read(start: str, zoned: Rig) -> None:
    def show_half_minutes(world: World, _api: str, _method: str, _path: str) -> None:
        for slot in world.reservations.time_slots.values():
            slot.end -= timedelta(seconds=30 if slot.end.time() == time() else 0)

    zoned.world.on_request.append(show_half_minutes)
    error = named(zoned, start)
    assert "cannot be read: 2024-01-06 20:00:00 to 2024-01-06 23:59:30 is not in whole minutes" in error
    assert "The likely setting is [reservekit] end_of_day" in error


def test_W7_what_somebody_changed_meanwhile_was_not_sent_and_no_setting_is_named(rig: Rig) -> None:
    rig.ranges(*OLD)
    rig.sync()
    rig.ranges(*OLD, ("Thu", 300, 420, 30))

    def edit() -> None:
        rig.world.reservations.edit_slot(rig.slot_ids()[0], end=1140)

    rig.before_request("PATCH", lambda: rig.before_request("GET", edit))
    error = str(rig.sync(quiet_after=False).error)
    assert "Mon 09:00–18:00 was to be there and is not" in error
    assert "[reservekit]" not in error


def test_W3_what_was_deleted_and_stays_is_told_beside_what_was_sent(rig: Rig) -> None:
    rig.ranges(*OLD)
    rig.sync()
    spoil_requests(rig, for_one_booking)
    rig.world.faults.append(Fault("DELETE", "answer", status=200, body='{"data": "ok"}'))
    rig.ranges(("Mon", 540, 1020, 30), ("Tue Wed", 540, 1080, 30))
    error = str(rig.sync(quiet_after=False).error)
    assert "Mon 09:00–17:00 with max_bookings 16 was sent and did not come back as sent; Sat 20:00–23:00" in error
    assert "Sat 20:00–23:00 was deleted and is still there. It came back with max_bookings 1;" in error
    assert error.endswith("Look whether bookings, or another program, keep it")


def test_V3_a_slot_past_midnight_is_told_in_one_piece(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(capacity="fixed", max_bookings=1, slot_minutes=60)
    behave(rig, overnight=True)
    rig.slot(4, 1200, 1680)
    rig.sync()
    spoil_requests(rig, none)
    rig.ranges(("Fri", 1260, 1440, 60), ("Sat", 0, 240, 60))
    error = str(rig.sync(quiet_after=False).error)
    assert "Fri 21:00–04:00 with max_bookings 1 was sent and did not come back as sent. Look" in error
