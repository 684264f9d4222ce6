"""What ReserveKit refuses, loses or changes of what is sent: the rest goes on, and nothing is there twice (W3, S8)."""

from __future__ import annotations

from collections import Counter

import pytest

from slotbridge.sandbox.traffic import Fault
from slotbridge.sync.report import PairReport
from tests.sync.decided import decide, kinds, only_hold
from tests.sync.rig import ZONE, Rig
from tests.sync.test_writing import behave, in_step

NO_SUNDAYS = '{"error": {"code": "invalid_request", "message": "day 6 is not bookable"}}'
NOTHING_FOUND = '{"error": "record not found", "data": null}'
FIVE = [
    ("Mon", 540, 1080, 30),
    ("Tue", 540, 1020, 30),
    ("Wed", 540, 960, 30),
    ("Thu", 540, 900, 30),
    ("Fri", 540, 840, 30),
]


def refuse_sundays(rig: Rig) -> None:
    rig.world.faults.append(Fault('"day_of_week": 6', "answer", times=1000, status=400, body=NO_SUNDAYS))


def failing(rig: Rig) -> PairReport:
    """A run that is refused something, and others that try once more; then it is let be."""
    report: PairReport = rig.sync(quiet_after=False)
    assert report.status == "failed"
    rig.run()  # once more, and once more again if the first one has changed Bitrix24
    assert rig.sync().status == "failed"
    return report


def patches(rig: Rig) -> int:
    return sum(logged.write and logged.api == "reservekit" for logged in rig.world.log)


def test_W7_a_slot_that_is_refused_keeps_no_other_back_and_is_not_sent_again(rig: Rig) -> None:
    in_step(rig)
    refuse_sundays(rig)
    rig.ranges(("Mon Tue Wed", 540, 1080, 30), ("Thu Fri Sat Sun", 600, 660, 30))
    report = failing(rig)
    assert {day for day, start, *_ in rig.in_reservekit() if start == 600} == {3, 4, 5}
    assert [change.op for change in report.changes] == ["create"] * 3
    rig.world.faults.clear()
    rig.run()
    assert {day for day, *_ in rig.in_reservekit()} == {0, 1, 2, 3, 4, 5}, "not within the hour"
    rig.clock.time += 3600
    assert rig.sync().status == "changed"
    assert {day for day, *_ in rig.in_reservekit()} == {*range(7)}


@pytest.mark.parametrize("status", [400, 402, 409, 413, 418, 422, 451])
def test_W5_what_was_refused_once_is_sent_once_more(rig: Rig, status: int) -> None:
    in_step(rig)
    rig.world.faults.append(Fault("PATCH", "answer", status=status, body="{}"))
    rig.ranges(("Mon Tue Wed", 540, 1080, 30), ("Thu", 600, 660, 30))
    assert rig.sync(quiet_after=False).status == "failed"
    assert rig.sync().status == "changed"
    assert (3, 600, 660, 2) in rig.in_reservekit()


def test_W4_a_creation_that_was_refused_is_not_waited_for(rig: Rig) -> None:
    in_step(rig)
    refuse_sundays(rig)
    rig.ranges(("Mon Tue Wed", 540, 1080, 30), ("Sun", 600, 660, 30))
    rig.run()
    began, asked = rig.clock.monotonic(), len(rig.world.log)
    rig.run()
    assert rig.clock.monotonic() - began < 10, "a run that reads, is refused, and reads twice"
    of_reservekit = [logged.write for logged in rig.world.log[asked:] if logged.api == "reservekit"]
    assert of_reservekit == [False, True, False, False]


def test_W4_a_creation_without_an_answer_beside_a_refused_one_is_not_doubled(rig: Rig) -> None:
    in_step(rig)
    rig.reservekit["max_batch"] = 2
    rig.ranges(("Mon Tue Wed", 540, 1080, 30), ("Thu Fri Sat Sun", 600, 660, 30))
    rig.world.faults.append(Fault('"day_of_week": 3', "answer", times=1000, status=400, body=NO_SUNDAYS))
    rig.world.faults.append(Fault('"day_of_week": 5', "late", times=1, after=6))
    rig.run()
    for _ in range(4):
        rig.clock.time += 60
        rig.run()
    assert Counter(day for day, start, *_ in rig.in_reservekit() if start == 600) == {4: 1, 5: 1, 6: 1}


@pytest.mark.parametrize("request_", ["PATCH", "DELETE"])
def test_W5_a_bare_200_of_which_nothing_came_is_sent_again(rig: Rig, request_: str) -> None:
    in_step(rig)
    rig.world.faults.append(Fault(request_, "empty", executed=False))
    rig.ranges(("Mon Tue", 540, 1080, 30), ("Wed", 480, 1080, 30), ("Thu", 600, 660, 30))
    if request_ == "DELETE":
        rig.ranges(("Mon Tue", 540, 1080, 30))
    report = rig.sync(quiet_after=False)
    assert (report.status, "answered with an empty body" in str(report.error)) == ("failed", True)
    rig.clock.time += 60
    assert rig.sync().status == "changed"
    assert len(rig.in_reservekit()) == (2 if request_ == "DELETE" else 4)


def test_W3_what_came_different_is_not_sent_again_although_the_answer_says_nothing(rig: Rig) -> None:
    in_step(rig)
    behave(rig, patch_answer="empty", round_minutes=15)
    rig.ranges(("Mon Tue Wed", 540, 1080, 30), ("Thu", 545, 1080, 30))
    assert rig.run().pairs[0].status == "failed"
    before = patches(rig)
    assert [rig.run().pairs[0].status for _ in range(3)] == ["held"] * 3, "the rounded window is nobody's edit"
    assert patches(rig) == before
    assert len(rig.in_reservekit()) == 4


@pytest.mark.parametrize("start", ["first sync", "pair with a base"])
def test_W3_what_waits_says_that_it_came_otherwise_than_it_was_sent(start: str, rig: Rig) -> None:
    if start == "pair with a base":
        in_step(rig)
    behave(rig, round_minutes=15)
    rig.ranges(("Mon Tue Wed", 540, 1080, 30), ("Thu", 545, 1080, 30))
    assert rig.run().pairs[0].status == "failed"
    hold = only_hold(rig.sync())
    assert "Thu 09:05–18:00 with max_bookings 17 was sent and did not come back as sent" in hold.reason
    rig.clock.time += 7200
    assert only_hold(rig.sync()) == hold
    rig.world.reservations.edit_slot(rig.slot_ids()[-1], start=600)
    assert "came back" not in only_hold(rig.sync()).reason


def test_what_is_not_sent_again_can_be_looked_at(rig: Rig) -> None:
    in_step(rig)
    refuse_sundays(rig)
    rig.ranges(("Mon Tue Wed", 540, 1080, 30), ("Sun", 600, 660, 30))
    failing(rig)
    assert [change.op for change in rig.look().plan.changes] == ["create"]


def test_W7_edits_travel_both_ways_beside_a_slot_that_is_refused(rig: Rig) -> None:
    in_step(rig)
    refuse_sundays(rig)
    rig.ranges(("Mon Tue Wed", 540, 1080, 30), ("Sun", 600, 660, 30))
    failing(rig)
    rig.world.reservations.edit_slot(rig.slot_ids()[0], end=1020)
    failing(rig)
    assert ("Mon", 540, 1020, 30) in rig.in_bitrix24()
    rig.world.reservations.edit_slot(rig.slot_ids()[0], end=1080)
    failing(rig)
    assert ("Mon Tue Wed", 540, 1080, 30) in rig.in_bitrix24(), "going back is a change (M10)"
    rig.ranges(("Tue Wed", 540, 1080, 30), ("Sun", 600, 660, 30))
    failing(rig)
    assert {day for day, *_ in rig.in_reservekit()} == {1, 2}
    rig.world.faults.clear()
    rig.ranges(("Tue Wed", 540, 1080, 30), ("Sun", 600, 720, 30))
    assert rig.sync().status == "changed"
    assert (6, 600, 720, 4) in rig.in_reservekit()


def test_where_everything_is_refused_it_is_not_taken_apart_to_the_end(rig: Rig) -> None:
    in_step(rig)
    before = patches(rig)
    rig.world.faults.append(Fault("PATCH", "answer", times=1000, status=400, body=NO_SUNDAYS))
    rig.ranges(*[("Mon Tue Wed Thu Fri Sat Sun", 420 + 60 * hour, 480 + 60 * hour, 30) for hour in range(7)])
    rig.run()
    assert patches(rig) - before <= 9


def test_W3_what_came_back_shifted_is_not_sent_again_after_an_unrelated_edit(rig: Rig) -> None:
    in_step(rig)

    def shift() -> None:
        rig.world.reservations.edit_slot(rig.slot_ids()[-1], start=660, end=720)

    rig.ranges(("Mon Tue Wed", 540, 1080, 30), ("Thu", 60, 120, 30))
    rig.before_request("PATCH", lambda: rig.before_request("GET", shift))
    assert rig.sync().status == "failed"
    for end in (1020, 960):
        rig.ranges(("Tue Wed", 540, 1080, 30), ("Mon", 540, end, 30), ("Thu", 60, 120, 30))
        assert rig.sync().status == "failed"
        assert [slot for slot in rig.in_reservekit() if slot[0] == 3] == [(3, 660, 720, 2)]
    rig.world.reservations.remove_slot(rig.slot_ids()[-1])
    assert rig.sync().status == "changed"
    assert (3, 60, 120, 2) in rig.in_reservekit()
    assert (0, 540, 960, 14) in rig.in_reservekit()


def test_S8_a_server_that_replaces_is_found_out_over_several_requests(rig: Rig) -> None:
    rig.reservekit["max_batch"] = 2
    rig.ranges(*FIVE)
    rig.sync()
    behave(rig, patch="replace")
    rig.ranges(*[(day, start + 60, end, size) for day, start, end, size in FIVE])
    report = rig.sync(quiet_after=False)
    assert 'patch = "full"' in str(report.error)
    assert [(day, start) for day, start, *_ in rig.in_reservekit()] == [(day, 600) for day in range(5)]
    rig.reservekit["patch"] = "full"
    rig.sync()


def test_S8_so_it_is_with_a_first_copy(rig: Rig) -> None:
    rig.reservekit["max_batch"] = 2
    behave(rig, patch="replace")
    rig.ranges(*FIVE)
    report = rig.sync(quiet_after=False)
    assert 'patch = "full"' in str(report.error)
    assert [(day, start) for day, start, *_ in rig.in_reservekit()] == [(day, 540) for day in range(5)]
    rig.sync()


def break_off_a_first_copy(rig: Rig) -> None:
    """Two of five windows have arrived."""
    rig.reservekit["max_batch"] = 2
    rig.ranges(*FIVE)
    rig.world.faults.append(Fault("PATCH", "drop-before", times=1000, skip=1))
    assert rig.sync(quiet_after=False).status == "failed"
    assert len(rig.in_reservekit()) == 2
    rig.world.faults.clear()


def test_W4_a_first_copy_that_was_broken_off_goes_on(rig: Rig) -> None:
    break_off_a_first_copy(rig)
    rig.ranges(*FIVE[:2], ("Wed", 600, 1020, 30), *FIVE[3:])
    assert rig.sync().status == "changed"
    assert [start for _, start, *_ in rig.in_reservekit()] == [540, 540, 600, 540, 540]


def test_M6_what_a_first_sync_may_not_delete_is_not_carried_back(rig: Rig) -> None:
    rig.ranges(("Mon", 540, 1080, 30))
    rig.slot(6, 600, 660)
    rig.world.faults.append(Fault("DELETE", "answer", times=99, status=422, body=NO_SUNDAYS))
    assert rig.run(initial="bitrix24").pairs[0].status == "failed"
    for _ in range(3):
        assert rig.run().pairs[0].status == "failed"
    assert rig.in_bitrix24() == [("Mon", 540, 1080, 30)]
    rig.world.faults.clear()
    rig.clock.time += 3600
    assert rig.sync().status == "changed"
    assert (rig.in_bitrix24(), rig.in_reservekit()) == ([("Mon", 540, 1080, 30)], [(0, 540, 1080, 18)])


def test_M6_where_somebody_edited_what_it_was_a_copy_of_they_are_asked(rig: Rig) -> None:
    break_off_a_first_copy(rig)
    rig.ranges(*FIVE[1:])
    assert rig.sync().status == "held"


def test_M6_a_copy_that_was_broken_off_is_none_any_more_once_somebody_added_to_it(rig: Rig) -> None:
    break_off_a_first_copy(rig)
    rig.slot(6, 600, 660)
    assert rig.sync().status == "held"
    assert len(rig.in_reservekit()) == 3


def test_W6_a_404_without_a_name_is_no_closed_key_where_a_slot_was_deleted_meanwhile(rig: Rig) -> None:
    in_step(rig)
    rig.ranges(("Tue Wed", 540, 1080, 30), ("Mon", 540, 1020, 30))
    rig.world.faults.append(Fault("PATCH", "answer", status=404, body=NOTHING_FOUND))
    rig.before_request("PATCH", lambda: rig.world.reservations.remove_slot(rig.slot_ids()[0]))
    report = rig.sync(quiet_after=False)
    assert (report.status, report.holds) == ("failed", ())
    assert rig.sync().status == "changed"
    assert (0, 540, 1020, 18) in rig.in_reservekit(), "the edit beats the deletion (M2), with what the slot had (S4)"


SUNDAY = ("Sun", 600, 660, 30)


def days(rig: Rig) -> set[int]:
    return {day for day, *_ in rig.in_reservekit()}


def test_M6_a_slot_that_is_refused_keeps_nothing_else_of_a_first_copy_back(rig: Rig) -> None:
    refuse_sundays(rig)
    rig.ranges(*FIVE, SUNDAY)
    assert "day 6 is not bookable" in str(failing(rig).error)
    assert "day 6 is not bookable" in str(rig.sync().error)
    assert days(rig) == {*range(5)}
    rig.slot(5, 540, 600, 2)
    rig.ranges(("Mon", 480, 1080, 30), *FIVE[1:], SUNDAY)
    failing(rig)
    assert (0, 480, 1080, 20) in rig.in_reservekit()
    assert ("Sat", 540, 600, 30) in rig.in_bitrix24()
    rig.world.faults.clear()
    rig.clock.time += 3600
    assert rig.sync().status == "changed"
    assert days(rig) == {*range(7)}


def test_M6_of_a_first_copy_the_rest_is_sent_once_the_setting_is_right(rig: Rig) -> None:
    rig.world.faults.append(Fault('"2024-01-08 00:00:00"', "answer", times=1000, status=400, body=NO_SUNDAYS))
    rig.ranges(*FIVE, ("Sun", 1200, 1440, 30))
    failing(rig)
    assert days(rig) == {*range(5)}
    rig.reservekit["end_of_day"] = "23:59:59"
    assert rig.sync().status == "changed"
    assert days(rig) == {*range(5), 6}


def test_M6_a_first_copy_reaches_a_server_that_takes_few_slots_at_once(rig: Rig) -> None:
    behave(rig, max_batch=2, atomic=True)
    rig.ranges(*FIVE, ("Sat", 540, 600, 30), SUNDAY)
    assert rig.sync().status == "changed"
    assert days(rig) == {*range(7)}


def test_M6_what_a_person_decided_of_a_first_sync_goes_on_beside_a_slot_that_is_refused(rig: Rig) -> None:
    refuse_sundays(rig)
    rig.ranges(*FIVE, SUNDAY)
    rig.slot(5, 540, 600, 2)
    decide(rig, only_hold(rig.sync()), "bitrix24")
    assert "day 6 is not bookable" in str(failing(rig).error)
    assert days(rig) == {*range(5)}
    rig.world.faults.clear()
    rig.clock.time += 3600
    assert rig.sync().status == "changed"
    assert days(rig) == {*range(5), 6}


def test_M12_so_does_the_copy_of_a_new_agreement(rig: Rig) -> None:
    in_step(rig)
    rig.ids["pair1"] = (rig.ids["pair1"][0], rig.world.reservations.add_service("another", ZONE))
    refuse_sundays(rig)
    rig.ranges(*FIVE, SUNDAY)
    assert "day 6 is not bookable" in str(failing(rig).error)
    assert days(rig) == {*range(5)}


def test_M6_somebody_who_adds_to_a_first_copy_under_way_is_asked_and_told_of_the_refusal(rig: Rig) -> None:
    rig.reservekit["max_batch"] = 2
    refuse_sundays(rig)
    rig.ranges(*FIVE, SUNDAY)
    rig.before_request("PATCH", lambda: rig.slot(5, 540, 600, 2))
    report = rig.sync(quiet_after=False)
    assert (report.status, "day 6 is not bookable" in str(report.error)) == ("failed", True)
    assert kinds(rig.sync()) == ["first-sync"]
    rig.world.reservations.remove_slot(
        next(s.id for s in rig.world.reservations.slots(rig.ids["pair1"][1]) if s.day == 5)
    )
    assert "day 6 is not bookable" in str(failing(rig).error), "nobody has to be asked any more"
