"""What was created by one clock and is read by another: it waits, and nothing is copied or sent twice (W3, S8)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from slotbridge.sandbox.traffic import Fault
from tests.sync.called import Doomed, killed
from tests.sync.decided import only_hold
from tests.sync.rig import Rig
from tests.sync.test_writing import behave

ZONES = ("Asia/Tokyo", "Europe/Berlin", "America/Los_Angeles")
WEEK = [("Mon Tue Wed", 540, 1080, 30), ("Sat", 0, 720, 30)]
MEANT = [(0, 540, 1080, 18), (1, 540, 1080, 18), (2, 540, 1080, 18), (5, 0, 720, 24)]

# What the server does, a configuration that does not fit it, and whether its dashboard shows the hours as we list them.
MISFITS: dict[str, tuple[dict[str, Any], dict[str, Any], bool]] = {
    "instants": ({"text_form": "rfc3339", "basis": "utc"}, {}, True),
    "instants with an offset": ({"text_form": "offset", "basis": "utc"}, {}, True),
    "instants, naive ones by the wall": (
        {"text_form": "rfc3339", "basis": "utc", "naive_input": "wall"},
        {"time_basis": "wall"},
        False,
    ),
    "wall times, instants taken": ({}, {"time_format": "rfc3339"}, True),
    "wall times with a decorative Z": ({"text_form": "rfc3339"}, {}, False),
}


def follow_advice(rig: Rig, reason: str, *, as_listed: bool) -> None:
    """Puts into the configuration what the hold says."""
    one, _, two = reason.partition(", else ")
    rig.reservekit |= dict(re.findall(r'(time_\w+) = "(\w+)"', one if as_listed else two))


@pytest.fixture(params=[(case, zone) for case in MISFITS for zone in ZONES[:2]], ids=" ".join)
def misfit(request: pytest.FixtureRequest, make_rig: Callable[..., Rig]) -> Rig:
    case, zone = request.param
    rig = make_rig(zone=zone)
    rig.zone = zone
    behaviour, configured, _ = MISFITS[case]
    rig.reservekit = dict(configured)
    behave(rig, **behaviour)
    return rig


@pytest.mark.parametrize(
    ("start", "conflict"),
    [
        ("base", "hold"),
        ("base", "bitrix24"),
        ("base", "reservekit"),
        ("hold", "hold"),
        ("merge", "reservekit"),
        ("bitrix24", "hold"),
        ("reservekit", "hold"),
    ],
)
def test_W3_it_is_neither_copied_nor_sent_again(start: str, conflict: str, misfit: Rig) -> None:
    misfit.options = {"conflict": conflict, "initial": "hold" if start == "base" else start}
    if start == "base":
        misfit.run()
    misfit.ranges(*WEEK)
    wanted = misfit.in_bitrix24()
    report = misfit.sync(quiet_after=False)
    assert (report.status, "did not come back as sent" in str(report.error)) == ("failed", True)
    came, writes = misfit.in_reservekit(), misfit.writes()
    hold = only_hold(misfit.sync())
    assert (hold.kind, "[reservekit] time_basis" in hold.reason) == ("agreement", True)
    misfit.clock.time += 7200
    misfit.sync()
    assert (misfit.in_bitrix24(), misfit.in_reservekit(), misfit.writes()) == (wanted, came, writes)


def test_W4_nor_after_a_death_before_it_was_read_back(misfit: Rig) -> None:
    misfit.run()
    misfit.ranges(*WEEK)
    wanted = misfit.in_bitrix24()
    deaths = 0
    while killed(misfit, Doomed(misfit, 3 + deaths)) and not misfit.in_reservekit():
        deaths += 1
    came = misfit.in_reservekit()
    assert only_hold(misfit.sync()).kind == "agreement"
    assert (misfit.in_bitrix24(), misfit.in_reservekit()) == (wanted, came)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("case", MISFITS)
def test_M12_once_the_setting_is_corrected_a_person_names_the_side(
    case: str, zone: str, make_rig: Callable[..., Rig]
) -> None:
    rig = make_rig(zone=zone, initial="merge")
    rig.zone = zone
    behaviour, configured, as_listed = MISFITS[case]
    rig.reservekit = dict(configured)
    behave(rig, **behaviour)
    rig.ranges(*WEEK)
    rig.run()
    follow_advice(rig, only_hold(rig.sync()).reason, as_listed=as_listed)
    report = rig.sync(quiet_after=False)
    if report.holds:  # else all is there as it was sent, by that clock
        assert only_hold(report).kind == "agreement"
        assert rig.sync(initial="bitrix24", accept_deletes=True).status == "changed"
    assert rig.sync().status == "quiet"
    assert (rig.in_bitrix24(), rig.in_reservekit()) == (sorted(WEEK), MEANT)
    rig.ranges(*WEEK, ("Sun", 600, 660, 30))
    assert rig.sync().status == "changed"
    assert (6, 600, 660, 2) in rig.in_reservekit()


@pytest.mark.parametrize("zone", ZONES)
def test_what_a_person_corrects_by_hand_is_no_misreading(zone: str, make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(zone=zone)
    rig.zone = zone
    behave(rig, **MISFITS["instants"][0])
    rig.run()
    rig.ranges(*WEEK)
    rig.run()
    for slot_id, (_, start, end, _) in zip(rig.slot_ids(), MEANT, strict=True):
        rig.world.reservations.edit_slot(slot_id, start=start, end=end)
    assert rig.sync().holds == ()
    assert (rig.in_reservekit(), rig.in_bitrix24()) == (MEANT, sorted(WEEK))


def test_M6_an_emptied_resource_is_not_filled_with_it(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(zone="Asia/Tokyo")
    rig.zone = "Asia/Tokyo"
    behave(rig, **MISFITS["instants"][0])
    rig.run()
    rig.ranges(*WEEK)
    rig.run()
    rig.ranges()
    assert only_hold(rig.sync()).kind == "agreement"
    assert rig.in_bitrix24() == []


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("case", ["instants", "instants with an offset"])
def test_S8_a_service_that_was_emptied_has_shown_its_form(case: str, zone: str, make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(zone=zone)
    rig.zone = zone
    behave(rig, **MISFITS[case][0])
    rig.slot(0, 600, 660, 2)
    rig.sync()
    rig.world.reservations.remove_slot(rig.slot_ids()[0])
    rig.sync(accept_deletes=True)
    shown = rig.in_bitrix24()
    assert shown == []
    rig.ranges(*WEEK)
    assert rig.sync().status == "changed"
    assert rig.in_bitrix24() == sorted(WEEK)
    assert rig.in_reservekit() == MEANT


def test_W7_beside_a_refused_slot_what_came_otherwise_is_not_sent_in_smaller_requests(rig: Rig) -> None:
    behave(rig, text_form="micro", basis="utc", round_minutes=60)
    rig.world.faults.append(Fault('"day_of_week": 6', "answer", times=1000, status=400, body="{}"))
    rig.zone = "Asia/Tokyo"
    rig.run()
    rig.ranges(("Mon Tue Wed", 545, 1080, 30), ("Sat", 600, 660, 30))
    for _ in range(4):
        rig.run()
        rig.clock.time += 3600
    assert len(rig.in_reservekit()) == 4


def test_S8_what_was_created_is_told_by_its_hours_and_not_by_the_clock_of_its_text(
    make_rig: Callable[..., Rig],
) -> None:
    rig = make_rig(zone="Asia/Tokyo")
    rig.zone = "Asia/Tokyo"
    behave(rig, text_form="rfc3339", basis="utc", patch="replace")
    rig.slot(0, 600, 660, 2)
    rig.sync()
    rig.ranges(("Mon", 600, 660, 30), *[(day, 600, 660, 30) for day in ("Wed", "Thu", "Fri")])
    rig.reservekit["max_batch"] = 2
    report = rig.sync(quiet_after=False)
    assert "3 were put back" in str(report.error)
    assert [day for day, *_ in rig.in_reservekit()] == [0, 2, 3, 4]
    assert rig.sync().status == "quiet"
