"""A write that ReserveKit answers with 200 and the words of an error: done, or refused, as reading back shows (W5)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import closing

import pytest

from slotbridge.sandbox.traffic import Fault
from slotbridge.store import Intent, Store
from tests.sync.decided import kinds
from tests.sync.rig import Rig
from tests.sync.test_refused import FIVE, SUNDAY, days
from tests.sync.test_writing import behave, in_step

WEEK = ("Mon Tue Wed", 540, 1080, 30)
WORDS = "day 6 is not bookable"
SAID = {
    "guide": f'{{"error": {{"code": "day_closed", "message": "{WORDS}"}}}}',
    "API schema": f'{{"error": "{WORDS}", "data": null}}',
    "Go SDK": f'{{"status": 409, "message": "{WORDS}", "code": "day_closed"}}',
    "JavaScript SDK": f'{{"status": "error", "error": "{WORDS}"}}',
    "no success": f'{{"success": false, "message": "{WORDS}"}}',
}
PLAIN = SAID["API schema"]
WRITES: dict[str, tuple[str, tuple[tuple[str, int, int, int], ...]]] = {
    "creation": ("PATCH", (WEEK, SUNDAY)),
    "edit": ("PATCH", (("Mon Tue", 540, 1080, 30), ("Wed", 480, 1080, 30))),
    "deletion": ("DELETE", (("Mon Tue", 540, 1080, 30),)),
}


def refuse(rig: Rig, match: str = '"day_of_week": 6', *, said: str = PLAIN, times: int = 1000) -> None:
    rig.world.faults.append(Fault(match, "answer", times=times, status=200, body=said, api="reservekit"))


def sent_to_reservekit(rig: Rig) -> int:
    """How many writes one run sends, which fails with the server's own words."""
    before = rig.writes()
    report = rig.run().pairs[0]
    assert (report.status, WORDS in str(report.error)) == ("failed", True), report
    return rig.writes() - before


def intents(rig: Rig) -> tuple[Intent, ...]:
    with closing(Store.open(f"sqlite:///{rig.database}", clock=rig.clock)) as store:
        return store.recall(["pair1"])["pair1"].intents


def at(rig: Rig, moment: float, happen: Callable[[], object]) -> None:
    """Lets something happen before the first request that comes at that moment of the clock or later."""

    def hook(_world: object, _api: str, _method: str, _path: str) -> None:
        if rig.clock.monotonic() >= moment:
            rig.world.on_request.remove(hook)
            happen()

    rig.world.on_request.append(hook)


@pytest.mark.parametrize("said", SAID.values(), ids=SAID)
@pytest.mark.parametrize("write", WRITES)
def test_W5_what_nothing_came_of_is_sent_once_more_and_then_once_an_hour(rig: Rig, write: str, said: str) -> None:
    in_step(rig)
    match, ranges = WRITES[write]
    refuse(rig, match, said=said)
    rig.ranges(*ranges)
    there, told = rig.in_reservekit(), []
    for _ in range(12):
        told.append(sent_to_reservekit(rig))
        rig.clock.time += 240
    assert told[:2] == [1, 1]
    assert sum(told[2:]) <= 1, "the hour of the clock may turn once"
    assert rig.in_reservekit() == there
    rig.clock.time += 3600
    assert sent_to_reservekit(rig) == 1
    rig.world.faults.clear()
    rig.clock.time += 3600
    assert rig.sync().status == "changed"
    assert sorted(rig.in_bitrix24()) == sorted(ranges)
    assert intents(rig) == ()


def test_W5_a_day_of_a_refused_slot_costs_few_requests(rig: Rig) -> None:
    in_step(rig)
    refuse(rig)
    rig.ranges(WEEK, SUNDAY)
    before = rig.writes()
    for _ in range(288):
        assert rig.run().pairs[0].status == "failed"
        rig.clock.time += 300
    assert 24 <= rig.writes() - before <= 27


def test_W7_it_keeps_no_other_slot_back(rig: Rig) -> None:
    in_step(rig)
    refuse(rig)
    rig.ranges(WEEK, ("Thu Fri Sat Sun", 600, 660, 30))
    sent_to_reservekit(rig)
    assert days(rig) == {*range(6)}
    assert len(rig.base()) == 6, "what was written is agreed on"
    rig.ranges(("Tue Wed", 540, 1080, 30), ("Thu Fri Sat Sun", 600, 660, 30))
    sent_to_reservekit(rig)
    assert days(rig) == {*range(1, 6)}
    rig.world.reservations.edit_slot(rig.slot_ids()[0], end=1020)
    sent_to_reservekit(rig)
    assert ("Tue", 540, 1020, 30) in rig.in_bitrix24()
    assert [sent_to_reservekit(rig) for _ in range(4)][-2:] == [0, 0]
    rig.world.faults.clear()
    rig.clock.time += 3600
    assert rig.sync().status == "changed"
    assert Counter(day for day, *_ in rig.in_reservekit()) == dict.fromkeys(range(1, 7), 1)


def test_W7_nor_any_other_deletion(rig: Rig) -> None:
    in_step(rig)
    gone = rig.slot_ids()[0]
    refuse(rig, f"DELETE /v1/time-slots/{gone}")
    rig.ranges(("Wed", 540, 1080, 30))
    assert sent_to_reservekit(rig) == 2
    assert days(rig) == {0, 2}
    assert [sent_to_reservekit(rig) for _ in range(3)] == [1, 0, 0]
    rig.world.faults.clear()
    rig.clock.time += 3600
    assert rig.sync().status == "changed"
    assert days(rig) == {2}


def test_M6_nor_the_rest_of_a_first_copy(rig: Rig) -> None:
    refuse(rig)
    rig.ranges(*FIVE, SUNDAY)
    sent_to_reservekit(rig)
    assert days(rig) == {*range(5)}
    sent_to_reservekit(rig)
    assert sent_to_reservekit(rig) == 0
    rig.world.faults.clear()
    rig.clock.time += 3600
    assert rig.sync().status == "changed"
    assert Counter(day for day, *_ in rig.in_reservekit()) == dict.fromkeys((*range(5), 6), 1)


def test_where_everything_is_answered_so_it_is_not_taken_apart_to_the_end(rig: Rig) -> None:
    in_step(rig)
    refuse(rig, "PATCH")
    rig.ranges(*[("Mon Tue Wed Thu Fri Sat Sun", 420 + 60 * hour, 480 + 60 * hour, 30) for hour in range(7)])
    assert sent_to_reservekit(rig) <= 9
    assert sent_to_reservekit(rig) <= 9
    assert [sent_to_reservekit(rig) for _ in range(3)] == [0, 0, 0]


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("said", SAID.values(), ids=SAID)
def test_W5_what_was_executed_nevertheless_is_done(rig: Rig, said: str, write: str) -> None:
    in_step(rig)
    match, ranges = WRITES[write]
    rig.world.faults.append(Fault(match, "answer", status=200, body=said, executed=True))
    rig.ranges(*ranges)
    before, began = rig.writes(), rig.clock.monotonic()
    assert rig.sync().status == "changed"
    assert (rig.writes() - before, rig.clock.monotonic() - began < 10) == (1, True)
    assert intents(rig) == ()


def test_W5_of_a_part_that_was_executed_only_the_rest_is_sent_again(rig: Rig) -> None:
    in_step(rig)
    refuse(rig)
    rig.before_request("PATCH", lambda: [rig.slot(day, 600, 660, 2) for day in (3, 4)])
    rig.ranges(WEEK, ("Thu Fri Sun", 600, 660, 30))
    assert sent_to_reservekit(rig) == 2, "all three, then the one that is missing"
    assert Counter(day for day, *_ in rig.in_reservekit()) == dict.fromkeys(range(5), 1)
    assert [sent_to_reservekit(rig) for _ in range(3)] == [1, 0, 0]


@pytest.mark.parametrize("seconds", [3, 12])
def test_W4_what_lands_late_is_not_created_again_in_smaller_requests(rig: Rig, seconds: int) -> None:
    in_step(rig)
    refuse(rig, "PATCH", times=1)
    at(rig, rig.clock.monotonic() + seconds, lambda: [rig.slot(day, 600, 660, 2) for day in (3, 4, 6)])
    rig.ranges(WEEK, ("Thu Fri Sun", 600, 660, 30))
    assert rig.sync().status == "changed"
    rig.clock.time += 60
    assert rig.sync().status == "quiet"
    assert Counter(day for day, *_ in rig.in_reservekit()) == dict.fromkeys((*range(5), 6), 1)


@pytest.mark.parametrize("seconds", [3, 12, 30, 299])
def test_W4_nor_by_the_next_run(rig: Rig, seconds: int) -> None:
    in_step(rig)
    refuse(rig, times=1)
    at(rig, rig.clock.monotonic() + seconds, lambda: rig.slot(6, 600, 660, 2))
    rig.ranges(WEEK, SUNDAY)
    assert rig.run().pairs[0].status == ("changed" if seconds < 15 else "failed")
    rig.clock.time += 300
    rig.run()
    assert rig.sync().status == "quiet"
    assert Counter(day for day, *_ in rig.in_reservekit()) == {0: 1, 1: 1, 2: 1, 6: 1}
    assert intents(rig) == ()


def test_W4_a_double_that_lands_even_later_is_held(rig: Rig) -> None:
    in_step(rig)
    refuse(rig, times=1)
    rig.ranges(WEEK, SUNDAY)
    sent_to_reservekit(rig)
    rig.clock.time += 300
    assert rig.sync().status == "changed"
    rig.slot(6, 600, 660, 2)
    assert kinds(rig.sync()) == ["duplicate"]
    assert sorted(rig.in_bitrix24()) == sorted([WEEK, SUNDAY])


def test_W4_after_a_refusal_no_note_is_left_to_take_later_hours_for_ours(rig: Rig) -> None:
    in_step(rig)
    refuse(rig)
    rig.ranges(WEEK, SUNDAY)
    for _ in range(3):
        sent_to_reservekit(rig)
        assert intents(rig) == ()


def test_W4_a_key_that_is_closed_right_after_it_leaves_the_note(rig: Rig) -> None:
    in_step(rig)
    refuse(rig, times=1)
    rig.world.faults.append(Fault("DELETE", "answer", status=403, body="{}"))
    rig.ranges(("Mon Tue", 540, 1080, 30), SUNDAY)
    assert kinds(rig.run().pairs[0]) == ["read-only"]
    assert len(intents(rig)) == 1


def test_S8_a_server_that_replaces_and_says_so_with_an_error_is_found_out(rig: Rig) -> None:
    in_step(rig)
    behave(rig, patch="replace")
    rig.world.faults.append(Fault("PATCH", "answer", status=200, body=PLAIN, executed=True))
    rig.ranges(("Tue Wed", 540, 1080, 30), ("Mon", 480, 1080, 30))
    assert 'patch = "full"' in str(rig.sync(quiet_after=False).error)
    assert days(rig) == {0, 1, 2}
    assert len(rig.in_bitrix24()) == 2


def test_S8_where_nothing_came_of_two_requests_it_is_none_that_replaces(rig: Rig) -> None:
    rig.reservekit["max_batch"] = 2
    refuse(rig, "PATCH")
    rig.ranges(*FIVE)
    assert [sent_to_reservekit(rig) for _ in range(3)] == [8, 8, 0], "two at a time, and then each by itself"
    assert rig.in_reservekit() == []


def test_W5_where_somebody_adds_hours_at_that_moment_the_next_run_decides(rig: Rig) -> None:
    in_step(rig)
    refuse(rig)
    rig.ranges(WEEK, SUNDAY)
    rig.before_request("PATCH", lambda: rig.slot(5, 600, 660, 2))
    sent_to_reservekit(rig)
    sent_to_reservekit(rig)
    assert ("Sat Sun", 600, 660, 30) in rig.in_bitrix24()
    assert [sent_to_reservekit(rig) for _ in range(4)][-2:] == [0, 0]


def test_W3_beside_what_nobody_meant_nothing_is_sent_in_smaller_requests(rig: Rig) -> None:
    in_step(rig)
    refuse(rig)
    rig.ranges(WEEK, ("Thu Sun", 600, 660, 30))
    rig.before_request("PATCH", lambda: [rig.slot(day, 600, 660, 2) for day in (4, 5)])
    assert sent_to_reservekit(rig) == 1, "it may be what came of it, with the day mistaken"


def test_who_waits_for_what_may_still_land_heeds_a_stop(rig: Rig) -> None:
    in_step(rig)
    refuse(rig)
    rig.ranges(WEEK, ("Thu Fri Sat Sun", 600, 660, 30))
    began, before = rig.clock.monotonic(), rig.writes()
    report = rig.run(stop=lambda: rig.clock.monotonic() > began + 4).pairs[0]
    assert (report.status, WORDS in str(report.error)) == ("failed", True)
    assert rig.clock.monotonic() - began < 8
    assert rig.writes() - before == 1
    assert len(intents(rig)) == 1, "it may still land"
    at(rig, rig.clock.monotonic() + 5, lambda: [rig.slot(day, 600, 660, 2) for day in (3, 4, 5)])
    sent_to_reservekit(rig)
    assert Counter(day for day, *_ in rig.in_reservekit()) == dict.fromkeys(range(6), 1)
