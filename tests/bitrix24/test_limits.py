"""Limits: who waits, for how long, what is sent again and what never is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slotbridge.bitrix24.commands import Command, to_repeat, with_company
from slotbridge.bitrix24.operating import BRAKE, OperatingTime
from slotbridge.bitrix24.pending import Pending
from slotbridge.errors import BadAnswer, LimitReached, NotFound, NotSent, OutcomeUnknown
from tests.bitrix24.portal import Portal, failed, ok
from tests.http.clock import FakeClock

LIST, SET, UPDATE = "booking.v1.resource.slots.list", "booking.v1.resource.slots.set", "booking.v1.resource.update"

OPERATING = {"error": "OPERATION_TIME_LIMIT", "error_description": "Method is blocked"}
RATE = {"error": "QUERY_LIMIT_EXCEEDED", "error_description": "Too many requests"}
GONE = {"error": "1009", "error_description": "Resource not found"}


def read(number: int = 15, method: str = LIST) -> Command:
    return Command(method, {"resourceId": number}, f"resource {number}")


def write(number: int = 15, method: str = SET) -> Command:
    return Command(method, {"resourceId": number}, f"resource {number}", write=True)


def answer(
    results: Mapping[str, object], errors: Mapping[str, object] = {}, times: Mapping[str, object] = {}
) -> httpx.Response:
    return ok({"result": results or [], "result_error": errors or [], "result_time": times or []})


def frees_itself(portal: Portal, seconds: float, operating: float = 3.0) -> dict[str, float]:
    now = portal.clock.now().timestamp()
    return {"finish": now, "operating": operating, "operating_reset_at": now + seconds}


def rounds(portal: Portal) -> list[list[str]]:
    """The keys of the commands in each batch that was sent."""
    return [list(parameters["cmd"]) for method, parameters in portal.sent if method == "batch"]


async def batch(portal: Portal, commands: list[Command], *script: Any) -> list[Any]:
    portal.script = list(script)
    outcomes = await portal.gateway.batch(commands, "the batch")
    assert portal.script == []
    return outcomes


def elapsed(portal: Portal) -> float:
    return portal.clock.time - 1000


# Operating time of direct calls


@pytest.mark.parametrize("command", [read(), write()])
async def test_a_refused_method_is_waited_for_as_long_as_the_portal_said_before(
    portal: Portal, command: Command
) -> None:
    portal.script = [ok(1, time=frees_itself(portal, 90)), failed("OPERATION_TIME_LIMIT", 429), ok(2)]
    assert [await portal.gateway.call(command), await portal.gateway.call(command)] == [1, 2]
    assert elapsed(portal) == pytest.approx(90)


async def test_a_wait_that_nobody_told_is_the_documented_window_and_left_to_the_next_run(portal: Portal) -> None:
    portal.script = [ok(1, time=frees_itself(portal, 90)), failed("OPERATION_TIME_LIMIT", 429)]
    await portal.gateway.call(read())
    with pytest.raises(LimitReached) as caught:
        await portal.gateway.call(read(method="booking.v1.resource.get"))
    assert caught.value.retry_after == 600
    assert elapsed(portal) == 0


async def test_a_portal_whose_clock_is_wrong_says_the_right_wait_all_the_same(portal: Portal) -> None:
    wrong = {name: value - 86400 for name, value in frees_itself(portal, 60).items() if name != "operating"}
    portal.script = [ok(1, time=wrong), failed("OPERATION_TIME_LIMIT", 429), ok(2)]
    await portal.gateway.call(read())
    assert await portal.gateway.call(read()) == 2
    assert elapsed(portal) == pytest.approx(60)


async def test_what_reads_goes_on_until_the_portal_refuses_it(portal: Portal) -> None:
    portal.script = [ok(1, time=frees_itself(portal, 300, operating=479)), ok(2)]
    assert [await portal.gateway.call(read()), await portal.gateway.call(read())] == [1, 2]
    outcomes = await batch(portal, [read(1), read(2)], answer({"c0": 1, "c1": 2}))
    assert outcomes == [1, 2]
    assert elapsed(portal) == 0


async def test_a_write_close_to_its_limit_waits_instead_of_running_into_it(portal: Portal) -> None:
    portal.script = [ok(1, time=frees_itself(portal, 100, operating=BRAKE)), ok(2), ok(3)]
    await portal.gateway.call(write())
    assert await portal.gateway.call(read()) == 2
    assert elapsed(portal) == 0
    assert await portal.gateway.call(write()) == 3
    assert elapsed(portal) == pytest.approx(100)


async def test_a_write_close_to_its_limit_for_long_is_not_sent_at_all(portal: Portal) -> None:
    portal.script = [ok(1, time=frees_itself(portal, 300, operating=BRAKE))]
    await portal.gateway.call(write())
    with pytest.raises(LimitReached) as caught:
        await portal.gateway.call(write())
    assert caught.value.retry_after == pytest.approx(300)
    assert caught.value.item == "resource 15"
    assert "nearly used up" in caught.value.what
    assert len(portal.sent) == 1


async def test_a_method_that_was_refused_is_not_sent_before_it_is_free(portal: Portal) -> None:
    portal.script = [ok(1, time=frees_itself(portal, 300)), failed("OPERATION_TIME_LIMIT", 429)]
    await portal.gateway.call(read())
    for _ in range(2):
        with pytest.raises(LimitReached, match="used up for some minutes"):
            await portal.gateway.call(read())
    assert len(portal.sent) == 2
    portal.clock.time += 300
    portal.script = [ok(2)]
    assert await portal.gateway.call(read()) == 2


async def test_a_write_that_is_not_close_to_its_limit_does_not_wait(portal: Portal) -> None:
    portal.script = [ok(1, time=frees_itself(portal, 100, operating=BRAKE - 1)), ok(2)]
    assert [await portal.gateway.call(write()), await portal.gateway.call(write())] == [1, 2]
    assert elapsed(portal) == 0


async def test_a_refused_method_waits_for_its_reset_even_if_less_is_asked_for(portal: Portal) -> None:
    portal.script = [
        ok(1, time=frees_itself(portal, 90)),
        failed("OPERATION_TIME_LIMIT", 429, Retry_After="5"),
        ok(2),
    ]
    assert [await portal.gateway.call(read()) for _ in range(2)] == [1, 2]
    assert elapsed(portal) == pytest.approx(90)


async def test_a_refusal_that_tells_the_reset_itself_is_heeded(portal: Portal) -> None:
    refusal = {**OPERATING, "time": frees_itself(portal, 20)}
    portal.script = [httpx.Response(429, json=refusal), ok(2)]
    assert await portal.gateway.call(read()) == 2
    assert elapsed(portal) == pytest.approx(20)


def test_of_a_batch_the_last_answer_of_each_method_counts_that_tells_its_time() -> None:
    operating = OperatingTime(FakeClock())
    spent, less = ({"operating": BRAKE + n, "operating_reset_at": 91, "finish": 1} for n in (0, -1))
    operating.note_last([(LIST, None), (LIST, spent), ("scope", less), (LIST, less)])
    assert operating.brake(LIST, writing=True) == 90
    assert operating.brake(LIST, writing=False) == 0
    assert operating.brake("scope", writing=True) == 0


@pytest.mark.parametrize("time", [None, [], 5, {}, {"operating": BRAKE}, {"operating_reset_at": "soon"}])
def test_what_own_servers_leave_out_is_not_needed(time: object) -> None:
    operating = OperatingTime(FakeClock())
    operating.note(LIST, time)
    assert (operating.brake(LIST, writing=True), operating.refused(LIST, None)) == (0, 600)


@pytest.mark.parametrize("reset", [1e300, 10**400, float("inf"), True, -1e18])
def test_no_wait_is_longer_than_the_window(reset: float) -> None:
    operating = OperatingTime(FakeClock())
    operating.note(LIST, {"operating": 1e9, "operating_reset_at": reset, "finish": 0})
    assert 0 <= operating.brake(LIST, writing=True) <= 600
    assert 0 < operating.refused(LIST, None) <= 600


# Batches: what is sent again


async def test_only_the_refused_commands_wait_and_are_sent_again(portal: Portal) -> None:
    times = {"c0": frees_itself(portal, 50)}
    first = answer({"c0": "a"}, {"c1": OPERATING}, times)
    assert await batch(portal, [read(1), read(2)], first, answer({"c1": "b"})) == ["a", "b"]
    assert rounds(portal) == [["c0", "c1"], ["c1"]]
    assert elapsed(portal) == pytest.approx(50)


async def test_a_refused_method_that_is_not_free_soon_is_left_to_the_next_run(portal: Portal) -> None:
    times = {"c0": frees_itself(portal, 300)}
    first, second = await batch(portal, [read(1), read(2)], answer({"c0": "a"}, {"c1": OPERATING}, times))
    assert first == "a"
    assert isinstance(second, LimitReached)
    assert second.retry_after == pytest.approx(300)
    assert second.item == "resource 2"
    assert elapsed(portal) == 0


async def test_without_a_known_end_the_documented_window_is_waited_out_by_the_next_run(portal: Portal) -> None:
    (error,) = await batch(portal, [write()], answer({}, {"c0": OPERATING}))
    assert isinstance(error, LimitReached)
    assert error.retry_after == 600


async def test_one_method_waits_and_another_one_goes_on(portal: Portal) -> None:
    commands = [read(1), read(2), read(3, "booking.v1.resource.get")]
    times = {"c0": frees_itself(portal, 60)}
    script = [answer({"c0": 0}, {"c1": OPERATING, "c2": RATE}, times), answer({"c2": 2}), answer({"c1": 1})]
    assert await batch(portal, commands, *script) == [0, 1, 2]
    assert rounds(portal) == [["c0", "c1", "c2"], ["c2"], ["c1"]]


async def test_too_many_requests_inside_a_batch_slows_everything_down(portal: Portal) -> None:
    assert await batch(portal, [read(1), write(2)], answer({"c0": 0}, {"c1": RATE}), answer({"c1": True})) == [0, True]
    assert rounds(portal)[1] == ["c1"]
    portal.script = [ok(1), ok(2)]
    assert [await portal.gateway.call(read()), await portal.gateway.call(read())] == [1, 2]
    assert elapsed(portal) >= 1 + 0.5  # in the second of waiting the bucket has made room for two


async def test_a_command_is_sent_four_times_at_most(portal: Portal) -> None:
    (error,) = await batch(portal, [write()], *[answer({}, {"c0": RATE}) for _ in range(4)])
    assert isinstance(error, LimitReached)
    assert rounds(portal) == [["c0"]] * 4


async def test_a_read_that_was_left_out_is_asked_again_and_a_write_is_not(portal: Portal) -> None:
    commands = [read(1), write(2), read(3)]
    outcomes = await batch(portal, commands, answer({"c2": 3}), answer({"c0": 1}))
    assert (outcomes[0], outcomes[2]) == (1, 3)
    assert type(outcomes[1]) is OutcomeUnknown
    assert rounds(portal)[1] == ["c0"]


async def test_a_read_that_is_left_out_again_is_an_error_of_its_own(portal: Portal) -> None:
    (error,) = await batch(portal, [read()], answer({}), answer({}))
    assert type(error) is BadAnswer
    assert error.item == "resource 15"


async def test_one_bad_command_never_takes_the_other_49_with_it_and_is_sent_once(portal: Portal) -> None:
    commands = [read(number) for number in range(50)]
    results = {f"c{number}": number for number in range(50) if number != 20}
    outcomes = await batch(portal, commands, answer(results, {"c20": GONE}))
    assert isinstance(outcomes.pop(20), NotFound)
    assert outcomes == [number for number in range(50) if number != 20]


# Batches: the order about one thing


async def test_a_write_that_is_sent_again_takes_the_reads_around_it_along(portal: Portal) -> None:
    first = answer({"c0": "old", "c2": "old", "c3": "x"}, {"c1": RATE})
    second = answer({"c0": "newer", "c1": True, "c2": "newest"})
    outcomes = await batch(portal, [read(), write(), read(), read(7)], first, second)
    assert outcomes == ["newer", True, "newest", "x"]
    assert rounds(portal)[1] == ["c0", "c1", "c2"]


async def test_a_read_that_came_before_an_executed_write_is_not_asked_again(portal: Portal) -> None:
    outcomes = await batch(portal, [read(), write(), read()], answer({"c1": True, "c2": "after"}, {"c0": RATE}))
    assert isinstance(outcomes[0], LimitReached)
    assert outcomes[1:] == [True, "after"]


async def test_an_executed_write_is_never_sent_again_though_the_one_after_it_is(portal: Portal) -> None:
    commands = [read(), write(method=UPDATE), write(), read()]
    first = answer({"c0": "before", "c1": True, "c3": "wiped"}, {"c2": RATE})
    outcomes = await batch(portal, commands, first, answer({"c2": True, "c3": "after"}))
    assert outcomes == ["before", True, True, "after"]
    assert rounds(portal)[1] == ["c2", "c3"]


async def test_a_write_whose_turn_has_passed_is_not_sent_again(portal: Portal) -> None:
    """It would undo the one after it: an update of a resource deletes the ranges that were set."""
    commands = [read(), write(method=UPDATE), write(), read()]
    outcomes = await batch(portal, commands, answer({"c0": 0, "c2": True, "c3": "after"}, {"c1": RATE}))
    assert isinstance(outcomes[1], LimitReached)
    assert outcomes[2:] == [True, "after"]


async def test_two_refused_writes_about_one_thing_wait_for_the_slower_one(portal: Portal) -> None:
    commands = [write(method=UPDATE), write(), read(7, SET)]
    first = answer({"c2": 0}, {"c0": RATE, "c1": OPERATING}, {"c2": frees_itself(portal, 40)})
    assert await batch(portal, commands, first, answer({"c0": 1, "c1": 2})) == [1, 2, 0]
    assert rounds(portal)[1] == ["c0", "c1"]
    assert elapsed(portal) == pytest.approx(40)


async def test_where_one_write_cannot_wait_none_about_the_same_thing_is_sent_again(portal: Portal) -> None:
    commands = [write(method=UPDATE), write()]
    outcomes = await batch(portal, commands, answer({}, {"c0": RATE, "c1": OPERATING}))
    assert [type(outcome) for outcome in outcomes] == [LimitReached, LimitReached]


async def test_a_thing_whose_method_is_close_to_its_limit_is_not_begun(portal: Portal) -> None:
    portal.script = [ok(1, time=frees_itself(portal, 500, operating=BRAKE))]
    await portal.gateway.call(read(99, SET))
    outcomes = await batch(portal, [read(), write(), read(), read(7)], answer({"c3": "x"}))
    assert outcomes[3] == "x"
    assert [type(outcome) for outcome in outcomes[:3]] == [LimitReached] * 3
    assert [outcome.retry_after for outcome in outcomes[:3]] == pytest.approx([500] * 3)


async def test_a_batch_with_a_method_close_to_its_limit_goes_in_two_parts(portal: Portal) -> None:
    portal.script = [ok(1, time=frees_itself(portal, 30, operating=BRAKE))]
    await portal.gateway.call(read(99, SET))
    outcomes = await batch(portal, [read(7), read(), write()], answer({"c0": 0}), answer({"c1": 1, "c2": 2}))
    assert outcomes == [0, 1, 2]
    assert elapsed(portal) == pytest.approx(30)


# Batches: a later round fails as a whole


async def test_what_was_answered_before_is_kept_when_a_later_round_is_lost(portal: Portal) -> None:
    first = answer({"c0": True}, {"c1": RATE})
    outcomes = await batch(portal, [write(1), write(2)], first, httpx.ReadTimeout("slow"))
    assert outcomes[0] is True
    assert type(outcomes[1]) is OutcomeUnknown
    assert outcomes[1].item == "resource 2"


async def test_the_first_round_fails_the_batch_as_a_whole(portal: Portal) -> None:
    portal.script = [httpx.ConnectError("refused")] * 4
    with pytest.raises(NotSent) as caught:
        await portal.gateway.batch([write()], "the batch")
    assert caught.value.item == "the batch"


# Retry-After


async def test_a_wait_that_is_asked_for_as_a_date_is_kept(portal: Portal) -> None:
    date = format_datetime(portal.clock.now() + timedelta(seconds=40), usegmt=True)
    portal.script = [failed("QUERY_LIMIT_EXCEEDED", 503, Retry_After=date), ok(1)]
    await portal.gateway.call(read())
    assert elapsed(portal) == 40


@pytest.mark.parametrize("said", ["soon", "-5", "", "1e3", "99999999999999999999"])
async def test_a_wait_that_cannot_be_kept_or_read_is_no_crash(portal: Portal, said: str) -> None:
    portal.script = [failed("QUERY_LIMIT_EXCEEDED", 503, Retry_After=said), ok(1)]
    try:
        await portal.gateway.call(read())
    except LimitReached as error:
        assert error.retry_after == float(said)


# The order, for any batch and any refusals

COMMANDS = st.lists(st.builds(lambda n, w: Command("m", {}, f"resource {n}", w), st.integers(1, 3), st.booleans()))


@given(COMMANDS, st.sets(st.integers(0, 20)))
def test_nothing_before_an_executed_write_is_sent_again(commands: list[Command], picked: set[int]) -> None:
    refused = picked & set(range(len(commands)))
    again = to_repeat(commands, range(len(commands)), refused)
    for index in again:
        same = [i for i, command in enumerate(commands) if command.item == commands[index].item and command.write]
        assert all(i in refused for i in same if i >= index)
    assert {index for index in again if commands[index].write} <= refused


@given(COMMANDS, st.sets(st.integers(0, 20)))
def test_what_is_refused_and_in_turn_is_sent_again(commands: list[Command], picked: set[int]) -> None:
    refused = picked & set(range(len(commands)))
    again = to_repeat(commands, range(len(commands)), refused)
    for index in refused - again:
        later = [c for i, c in enumerate(commands) if i > index and i not in refused]
        assert any(command.write and command.item == commands[index].item for command in later)


def test_reads_of_different_things_are_blocked_one_by_one_and_writes_together() -> None:
    assert with_company([read(1), read(2), read(1)], {0}) == {0}
    assert with_company([read(1), write(1), read(2)], {0}) == {0, 1}


async def test_what_a_method_keeps_waiting_goes_together_on_a_clock_that_never_stands_still() -> None:
    class Running(FakeClock):
        def monotonic(self) -> float:
            self.time += 1e-6
            return self.time

    clock = Running()
    operating = OperatingTime(clock)
    freed = clock.time + operating.refused(LIST, 5)
    pending = Pending([read(number) for number in range(50)], operating, clock)

    assert await pending.next_round() == list(range(50))
    assert clock.time >= freed
    assert await pending.next_round() == []
