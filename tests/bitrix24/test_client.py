"""The client as the engine sees it, against a small portal."""

from __future__ import annotations

from random import Random
from typing import Any

import httpx
import pytest
import respx

from slotbridge.bitrix24 import Bitrix24Client, Resource, SlotsWritten
from slotbridge.bitrix24.access import WebhookAccess
from slotbridge.errors import (
    AccessRefused,
    ApiError,
    BadAnswer,
    LimitReached,
    NotFound,
    NotSent,
    OutcomeUnknown,
    Rejected,
)
from slotbridge.http.limiter import Limiter
from slotbridge.http.transport import Transport
from slotbridge.lenses.items import Odd, Range
from tests.bitrix24.portal import WEBHOOK, Portal, failed, ok
from tests.http.clock import FakeClock

STORED = {
    "from": 540,
    "id": 171,
    "slotSize": 30,
    "timezone": "Europe/Berlin",
    "to": 1080,
    "weekDays": ["Mon"],
}
RANGE = Range(540, 1080, "Europe/Berlin", ("Mon",), 30)
NIGHT = Range(0, 120, "Europe/Berlin", ("Sat", "Sun"), 0)
ODD = Odd(raw='{"from": true, "note": null, "to": 60}', problem="from is true, not a number")


async def test_exactly_what_is_sent_over_the_wire_to_list_one_resource() -> None:
    clock = FakeClock()
    transport = Transport("bitrix24", Limiter(2, 50, clock), clock)
    client = Bitrix24Client(WebhookAccess(WEBHOOK), transport, clock=clock, random=Random(1))
    with respx.mock:
        route = respx.post(f"{WEBHOOK}batch").respond(json={"result": {"result": {"c0": {"slots": [STORED]}}}})
        assert await client.list_slots([15]) == {15: (RANGE,)}
    request = route.calls.last.request
    assert request.content == b'{"halt": 0, "cmd": {"c0": "booking.v1.resource.slots.list?resourceId=15"}}'
    assert client.requests == 1
    await transport.aclose()


async def test_listing_nothing_costs_nothing(portal: Portal) -> None:
    assert await portal.client.list_slots([]) == {}
    assert await portal.client.set_slots({}) == {}
    assert portal.client.requests == 0


@pytest.mark.parametrize(("number", "requests"), [(1, 1), (50, 1), (51, 2), (100, 2), (101, 3)])
async def test_fifty_resources_are_listed_by_one_request(portal: Portal, number: int, requests: int) -> None:
    ids = list(range(number, 0, -1))
    portal.slots = {each: [{**STORED, "from": each}] for each in ids}
    found = await portal.client.list_slots(ids)
    assert list(found) == ids
    assert {each: value[0] for each, value in found.items() if isinstance(value, tuple)} == {
        each: Range(each, 1080, "Europe/Berlin", ("Mon",), 30) for each in ids
    }
    assert portal.client.requests == requests


async def test_a_resource_named_twice_is_listed_once(portal: Portal) -> None:
    portal.slots = {15: []}
    assert await portal.client.list_slots([15, 15]) == {15: ()}
    assert len(portal.commands()) == 1


async def test_one_resources_error_is_its_own(portal: Portal) -> None:
    portal.slots = {1: [STORED], 3: "broken", 4: [], 5: []}
    portal.refuse["list", 4] = 1009
    portal.skip.add(("list", 5))
    found = await portal.client.list_slots([1, 2, 3, 4, 5])
    assert found[1] == (RANGE,)
    missing = found[2]
    assert isinstance(missing, NotFound)
    assert missing.item == "resource 2"
    assert "discover" in (missing.hint or "")
    assert [type(found[each]) for each in (3, 4, 5)] == [BadAnswer, NotFound, BadAnswer]


async def test_operating_time_used_up_is_that_resources_alone(portal: Portal) -> None:
    portal.slots = {1: [], 2: []}
    portal.refuse["list", 2] = "OPERATION_TIME_LIMIT"
    found = await portal.client.list_slots([1, 2])
    assert found[1] == ()
    assert isinstance(found[2], LimitReached)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (failed("INVALID_CREDENTIALS", 401), AccessRefused),
        (httpx.Response(200, text="<html>"), BadAnswer),
        (httpx.ConnectError("refused"), NotSent),
        (httpx.ReadTimeout("slow"), OutcomeUnknown),
    ],
)
async def test_what_fails_the_whole_listing_is_raised(portal: Portal, answer: Any, error: type[ApiError]) -> None:
    portal.script = [answer] * 4
    with pytest.raises(error):
        await portal.client.list_slots([1, 2])


async def test_a_listing_is_repeated_after_the_rate_limit(portal: Portal) -> None:
    portal.slots = {1: [STORED]}
    portal.script = [failed("QUERY_LIMIT_EXCEEDED", 503)]
    assert await portal.client.list_slots([1]) == {1: (RANGE,)}
    assert portal.client.requests == 2


async def test_setting_lists_sets_and_lists_in_one_request(portal: Portal) -> None:
    portal.slots = {15: [STORED]}
    written = await portal.client.set_slots({15: [NIGHT, RANGE]})
    assert written == {15: SlotsWritten(before=(RANGE,), after=(NIGHT, RANGE))}
    assert portal.methods == ["batch"]
    night = {
        "from": "0",
        "to": "120",
        "timezone": "Europe/Berlin",
        "weekDays": ["Sat", "Sun"],
        "slotSize": "0",
    }
    day = {"from": "540", "to": "1080", "timezone": "Europe/Berlin", "weekDays": ["Mon"], "slotSize": "30"}
    assert portal.commands() == [
        ("booking.v1.resource.slots.list", {"resourceId": "15"}),
        ("booking.v1.resource.slots.set", {"resourceId": "15", "slots": [night, day]}),
        ("booking.v1.resource.slots.list", {"resourceId": "15"}),
    ]
    assert portal.sent[0][1]["halt"] == 0


async def test_no_ranges_at_all_is_unset(portal: Portal) -> None:
    portal.slots = {15: [STORED]}
    assert await portal.client.set_slots({15: []}) == {15: SlotsWritten(before=(RANGE,), after=())}
    assert portal.commands()[1] == ("booking.v1.resource.slots.unset", {"resourceId": "15"})


@pytest.mark.parametrize(("number", "requests"), [(1, 1), (16, 1), (17, 2), (33, 3)])
async def test_sixteen_resources_are_set_by_one_request(portal: Portal, number: int, requests: int) -> None:
    portal.slots = {each: [] for each in range(number)}
    written = await portal.client.set_slots({each: [RANGE] for each in range(number)})
    assert written == {each: SlotsWritten((), (RANGE,)) for each in range(number)}
    assert portal.client.requests == requests
    assert all(len(portal.commands(index)) <= 48 for index in range(requests))


@pytest.mark.parametrize(
    ("ranges", "methods"),
    [
        ([RANGE] * 80, ["batch"]),
        ([RANGE] * 81, ["list", "set", "list"]),
        ([RANGE, ODD], ["list", "set", "list"]),
        ([Range(0, 60, "$result[c0]", ("Mon",), 30)], ["list", "set", "list"]),
        ([Range(0, 60, "UTC", ("Mon", "$next"), 30)], ["list", "set", "list"]),
        ([Range(0, 60, "Zürich", ("Mon",), 30)], ["list", "set", "list"]),
        ([Range(0, 60, "UTC", (), 30)], ["list", "set", "list"]),
    ],
)
async def test_what_a_batch_would_distort_goes_by_calls_of_its_own(
    portal: Portal, ranges: list[Range | Odd], methods: list[str]
) -> None:
    portal.slots = {15: []}
    written = (await portal.client.set_slots({15: ranges}))[15]
    assert isinstance(written, SlotsWritten)
    assert [method.rpartition(".")[2] for method in portal.methods] == methods
    assert len(written.after) == len(ranges)


async def test_an_odd_range_goes_back_verbatim(portal: Portal) -> None:
    portal.slots = {15: []}
    await portal.client.set_slots({15: [ODD, RANGE]})
    kept = {name: value for name, value in STORED.items() if name != "id"}
    assert portal.sent[1][1] == {"resourceId": 15, "slots": [{"from": True, "note": None, "to": 60}, kept]}


async def test_the_order_of_the_answer_is_that_of_the_question(portal: Portal) -> None:
    portal.slots = {1: [], 2: [], 3: []}
    wanted: dict[int, list[Range | Odd]] = {3: [RANGE], 1: [ODD], 2: []}
    assert list(await portal.client.set_slots(wanted)) == [3, 1, 2]


async def test_a_refused_set_is_that_resources_alone(portal: Portal) -> None:
    portal.slots = {1: [STORED], 2: []}
    portal.refuse["set", 1] = "422"
    written = await portal.client.set_slots({1: [NIGHT], 2: [RANGE], 3: [RANGE]})
    refused, done, missing = written[1], written[2], written[3]
    assert isinstance(refused, Rejected)
    assert refused.item == "resource 1"
    assert done == SlotsWritten((), (RANGE,))
    assert isinstance(missing, NotFound)
    assert portal.slots[1] == [STORED]


@pytest.mark.parametrize("ranges", [[RANGE], [ODD]])
async def test_operating_time_used_up_for_a_set_is_a_limit(portal: Portal, ranges: list[Range | Odd]) -> None:
    portal.slots = {1: []}
    portal.refuse["set", 1] = "OPERATION_TIME_LIMIT"
    assert isinstance((await portal.client.set_slots({1: ranges}))[1], LimitReached)


async def test_a_set_between_lists_that_fail_has_an_unknown_outcome(portal: Portal) -> None:
    portal.slots = {1: []}
    portal.refuse["list", 1] = "OPERATION_TIME_LIMIT"
    error = (await portal.client.set_slots({1: [RANGE]}))[1]
    assert type(error) is OutcomeUnknown
    assert error.item == "resource 1"


async def test_a_set_that_was_skipped_in_silence_has_an_unknown_outcome(portal: Portal) -> None:
    portal.slots = {1: []}
    portal.skip.add(("set", 1))
    assert type((await portal.client.set_slots({1: [RANGE]}))[1]) is OutcomeUnknown


@pytest.mark.parametrize(
    "answer",
    [
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("cut"),
        httpx.Response(200, text="<html>"),
        httpx.Response(502, text=""),
        httpx.Response(200, content=b'{"result": {"result": {"c0"'),
        ok([]),
        failed("INTERNAL_SERVER_ERROR", 500),
    ],
    ids=str,
)
async def test_a_lost_answer_leaves_every_resource_of_that_batch_unknown_and_is_not_repeated(
    portal: Portal, answer: Any
) -> None:
    portal.slots = {each: [] for each in range(18)}
    portal.script = [answer]
    written = await portal.client.set_slots({each: [RANGE] for each in range(18)})
    lost = [value for value in written.values() if isinstance(value, OutcomeUnknown)]
    assert [error.item for error in lost] == [f"resource {each}" for each in range(16)]
    assert written[16] == written[17] == SlotsWritten((), (RANGE,))
    assert portal.client.requests == 2


async def test_a_write_refused_for_its_rate_is_sent_again(portal: Portal) -> None:
    portal.slots = {1: []}
    portal.script = [failed("QUERY_LIMIT_EXCEEDED", 503), httpx.ConnectError("refused")]
    assert await portal.client.set_slots({1: [RANGE]}) == {1: SlotsWritten((), (RANGE,))}


async def test_one_batch_without_access_does_not_hide_what_was_written_before(portal: Portal) -> None:
    portal.slots = {each: [] for each in range(17)}
    done: dict[str, object] = {f"c{index}": True if index % 3 == 1 else {"slots": []} for index in range(48)}
    portal.script = [ok({"result": done, "result_error": []}), failed("ACCESS_DENIED", 401)]
    written = await portal.client.set_slots({each: [RANGE] for each in range(17)})
    assert written[0] == SlotsWritten((), ())
    last = written[16]
    assert isinstance(last, AccessRefused)
    assert last.item == "resource 16"


@pytest.mark.parametrize(
    ("answers", "error", "sent"),
    [
        ([failed(1009)], NotFound, 1),
        ([ok({"slots": []}), httpx.ReadTimeout("slow")], OutcomeUnknown, 2),
        ([ok({"slots": []}), failed(422)], Rejected, 2),
        ([ok({"slots": []}), ok(True), failed("ACCESS_DENIED")], OutcomeUnknown, 3),
    ],
)
async def test_a_long_list_stops_at_its_first_failure(
    portal: Portal, answers: list[Any], error: type[ApiError], sent: int
) -> None:
    portal.script = answers
    assert type((await portal.client.set_slots({15: [RANGE] * 81}))[15]) is error
    assert len(portal.sent) == sent


async def test_one_resource_is_read(portal: Portal) -> None:
    portal.names = {15: "Dr. Weiß"}
    assert await portal.client.get_resource(15) == Resource(15, "Dr. Weiß")
    assert portal.sent == [("booking.v1.resource.get", {"id": 15})]


async def test_an_unknown_resource_is_not_found(portal: Portal) -> None:
    with pytest.raises(NotFound, match="Bitrix24, resource 15: this resource does not exist"):
        await portal.client.get_resource(15)


async def test_the_answer_about_another_resource_is_bad(portal: Portal) -> None:
    portal.script = [ok({"resource": {"id": 16, "name": "B"}})]
    with pytest.raises(BadAnswer, match="resource 16"):
        await portal.client.get_resource(15)
