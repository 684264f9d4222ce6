"""Names that travel with the hours, although their update deletes the hours."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from slotbridge.bitrix24 import Resource, SlotsWritten
from slotbridge.errors import AccessRefused, ApiError, LimitReached, NotFound, NotSent, OutcomeUnknown, Rejected
from slotbridge.lenses.items import Odd, Range
from tests.bitrix24.portal import Portal, failed, ok

STORED = {"from": 540, "id": 171, "slotSize": 30, "timezone": "UTC", "to": 1080, "weekDays": ["Mon"]}
DAY = Range(540, 1080, "UTC", ("Mon",), 30)
NIGHT = Range(0, 120, "UTC", ("Sun",), 30)
NAMED = ok({"resource": {"id": 15, "name": "Old"}})
ODD = Odd(raw='{"from": true}', problem="from is true, not a number")


def verbs(portal: Portal) -> list[str]:
    """The verbs sent, those of a batch as its commands."""
    sent = [(method, None) if method != "batch" else (method, index) for index, (method, _) in enumerate(portal.sent)]
    lines = [[method] if index is None else [line for line, _ in portal.commands(index)] for method, index in sent]
    return [method.rpartition(".")[2] for part in lines for method in part]


async def test_the_set_follows_the_update_in_the_same_request(portal: Portal) -> None:
    portal.slots, portal.names = {15: [STORED]}, {15: "Old"}
    old = Resource(15, "Old")
    profile = {"name": "Dr. Weiß & Söhne #1", "description": "50% off: $5"}
    written = await portal.client.set_slots({15: [NIGHT]}, {15: profile})
    assert written == {15: SlotsWritten((DAY,), (NIGHT,), None, old)}, "and what it replaced"
    assert portal.methods == ["batch"]
    assert verbs(portal) == ["list", "get", "update", "set", "list"]
    assert portal.commands()[2] == ("booking.v1.resource.update", {"id": "15", "fields": profile})
    assert portal.names[15] == "Dr. Weiß & Söhne #1"


async def test_no_hours_are_unset_after_the_update(portal: Portal) -> None:
    portal.slots = {15: [STORED]}
    assert await portal.client.set_slots({15: []}, {15: {"name": "B"}}) == {15: SlotsWritten((DAY,), ())}
    assert verbs(portal) == ["list", "get", "update", "unset", "list"]


async def test_a_profile_without_fields_is_none(portal: Portal) -> None:
    portal.slots = {15: [STORED]}
    await portal.client.set_slots({15: [DAY]}, {15: {}})
    assert verbs(portal) == ["list", "set", "list"]


async def test_a_profile_of_a_resource_that_is_not_set_is_not_sent(portal: Portal) -> None:
    portal.slots = {15: [STORED], 16: [STORED]}
    await portal.client.set_slots({15: [DAY]}, {16: {"name": "B"}})
    assert verbs(portal) == ["list", "set", "list"]
    assert portal.slots[16] == [STORED]


@pytest.mark.parametrize(("number", "sizes"), [(1, [5]), (10, [50]), (11, [50, 5]), (20, [50, 50])])
async def test_ten_resources_with_profiles_go_by_one_request(portal: Portal, number: int, sizes: list[int]) -> None:
    portal.slots = {each: [] for each in range(number)}
    profiles = {each: {"name": f"R{each}"} for each in range(number)}
    written = await portal.client.set_slots({each: [DAY] for each in range(number)}, profiles)
    assert written == dict.fromkeys(range(number), SlotsWritten((), (DAY,)))
    assert [len(portal.commands(index)) for index in range(len(portal.sent))] == sizes


async def test_a_batch_is_filled_with_whole_resources(portal: Portal) -> None:
    portal.slots = {each: [] for each in range(16)}
    profiles = {each: {"name": "R"} for each in range(8)}
    await portal.client.set_slots({each: [DAY] for each in range(16)}, profiles)
    assert [len(portal.commands(index)) for index in range(len(portal.sent))] == [8 * 5 + 3 * 3, 5 * 3]


@pytest.mark.parametrize(
    "text", ["$result[c0]", "a $total", "$NEXT", "$error", "$time", "half \ud83d", "$result[c0][resource][name]"]
)
async def test_what_a_batch_would_alter_goes_by_calls_of_its_own(portal: Portal, text: str) -> None:
    portal.slots, portal.names = {15: [STORED]}, {15: "Old"}
    written = await portal.client.set_slots({15: [NIGHT]}, {15: {"name": text}})
    assert written == {15: SlotsWritten((DAY,), (NIGHT,), None, Resource(15, "Old"))}
    assert "batch" not in portal.methods
    assert verbs(portal) == ["get", "list", "update", "list", "set", "list"]
    assert portal.sent[2][1] == {"id": 15, "fields": {"name": text}}


@pytest.mark.parametrize("text", ["costs $5", "$results", "result[c0]", "<b>&</b>", "", "日本"])
async def test_other_text_rides_in_the_batch(portal: Portal, text: str) -> None:
    portal.slots = {15: [STORED]}
    await portal.client.set_slots({15: [NIGHT]}, {15: {"name": text}})
    assert portal.methods == ["batch"]
    assert portal.names[15] == text


@pytest.mark.parametrize("ranges", [[NIGHT], [NIGHT, ODD]], ids=["batch", "alone"])
@pytest.mark.parametrize(
    ("code", "error"), [("422", Rejected), ("1013", ApiError), ("INTERNAL_SERVER_ERROR", OutcomeUnknown)]
)
async def test_the_hours_are_set_although_the_update_failed(
    portal: Portal, ranges: list[Range | Odd], code: str, error: type[ApiError]
) -> None:
    portal.slots, portal.names = {15: [STORED]}, {15: "Old"}
    portal.refuse["update", 15] = code
    written = (await portal.client.set_slots({15: ranges}, {15: {"name": "B"}}))[15]
    assert isinstance(written, SlotsWritten)
    assert written.before == (DAY,)
    assert len(written.after) == len(ranges)
    assert isinstance(written.profile, error)
    assert written.profile.item == "resource 15"
    assert len(portal.slots[15]) == len(ranges)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (failed("OPERATION_TIME_LIMIT", 429), LimitReached),
        (failed("insufficient_scope", 401), AccessRefused),
        (httpx.ConnectError("refused"), NotSent),
    ],
)
async def test_an_update_that_was_certainly_not_executed_ends_calls_of_its_own(
    portal: Portal, answer: Any, error: type[ApiError]
) -> None:
    portal.script = [NAMED, ok({"slots": [STORED]}), *[answer] * 4]
    written = (await portal.client.set_slots({15: [ODD]}, {15: {"name": "B"}}))[15]
    assert type(written) is error
    assert set(verbs(portal)) == {"list", "get", "update"}


@pytest.mark.parametrize("answer", [httpx.ReadTimeout("slow"), failed("0"), httpx.Response(200, text="<html>")])
async def test_an_update_that_may_have_been_executed_is_followed_by_the_set(portal: Portal, answer: Any) -> None:
    portal.slots = {15: []}
    portal.script = [NAMED, ok({"slots": [STORED]}), answer]
    written = (await portal.client.set_slots({15: [ODD, DAY]}, {15: {"name": "B"}}))[15]
    assert isinstance(written, SlotsWritten)
    assert written.profile is not None
    assert len(portal.slots[15]) == 2
    assert verbs(portal) == ["get", "list", "update", "list", "set", "list"]


@pytest.mark.parametrize(
    ("since", "before"),
    [
        (ok({"slots": []}), DAY),
        (ok({"slots": [STORED]}), DAY),
        (ok({"slots": [{**STORED, "to": 720}]}), Range(540, 720, "UTC", ("Mon",), 30)),
        (failed("100"), DAY),
    ],
    ids=["emptied", "as before", "edited", "unknown"],
)
async def test_hours_that_somebody_sets_between_calls_of_their_own_count_as_there_before(
    portal: Portal, since: httpx.Response, before: Range
) -> None:
    portal.slots = {15: []}
    portal.script = [NAMED, ok({"slots": [STORED]}), ok(True), since]
    written = (await portal.client.set_slots({15: [DAY]}, {15: {"name": "$total"}}))[15]
    assert isinstance(written, SlotsWritten)
    assert (written.before, written.after, written.called) == ((before,), (DAY,), Resource(15, "Old"))


async def test_what_somebody_puts_into_the_emptied_form_wishes_nothing_else_away(portal: Portal) -> None:
    days = [{**STORED, "from": 60 * hour, "to": 60 * hour + 30} for hour in range(9)]
    known = [Range(60 * hour, 60 * hour + 30, "UTC", ("Mon",), 30) for hour in range(9)]
    portal.slots = {15: []}
    portal.script = [NAMED, ok({"slots": days}), ok(True), ok({"slots": [{**STORED, "weekDays": ["Sun"]}]})]
    written = (await portal.client.set_slots({15: known}, {15: {"name": "$total"}}))[15]
    assert isinstance(written, SlotsWritten)
    assert written.before == (*known, Range(540, 1080, "UTC", ("Sun",), 30))


@pytest.mark.parametrize("ranges", [[NIGHT], [NIGHT, ODD]], ids=["batch", "alone"])
async def test_hours_that_cannot_be_set_after_the_update_are_no_plain_refusal(
    portal: Portal, ranges: list[Range | Odd]
) -> None:
    portal.slots, portal.names = {15: [STORED]}, {15: "Old"}
    portal.refuse["set", 15] = "422"
    error = (await portal.client.set_slots({15: ranges}, {15: {"name": "B"}}))[15]
    assert portal.slots[15] == []
    assert type(error) is OutcomeUnknown
    assert "empties the hours" in error.what
    assert error.code == "422"
    assert error.item == "resource 15"


async def test_a_resource_that_is_gone_is_not_found(portal: Portal) -> None:
    assert isinstance((await portal.client.set_slots({15: [DAY]}, {15: {"name": "B"}}))[15], NotFound)


@pytest.mark.parametrize(("code", "error"), [("1009", NotFound), ("100", Rejected)])
async def test_a_list_that_fails_first_sends_nothing_else(portal: Portal, code: str, error: type[ApiError]) -> None:
    portal.script = [NAMED, failed(code)]
    assert type((await portal.client.set_slots({15: [ODD]}, {15: {"name": "B"}}))[15]) is error
    assert verbs(portal) == ["get", "list"]


async def test_a_lost_batch_with_profiles_is_unknown_and_not_repeated(portal: Portal) -> None:
    portal.slots = {15: []}
    portal.script = [httpx.ReadTimeout("slow")]
    assert type((await portal.client.set_slots({15: [DAY]}, {15: {"name": "B"}}))[15]) is OutcomeUnknown
    assert len(portal.sent) == 1


async def test_an_update_refused_for_its_pace_is_not_executed_after_the_set(portal: Portal) -> None:
    """It would empty what was just set: an update goes ahead of a set, or not at all."""
    portal.slots = {15: [STORED]}
    portal.refuse["update", 15] = "QUERY_LIMIT_EXCEEDED"
    await portal.client.set_slots({15: [NIGHT]}, {15: {"name": "B"}})
    assert len(portal.slots[15]) == 1
    sent = verbs(portal)
    assert "set" in sent[len(sent) - sent[::-1].index("update") :]


async def test_an_update_is_not_begun_where_the_set_after_it_would_have_to_wait(portal: Portal) -> None:
    """By calls of its own: nothing would be bookable until then."""
    portal.slots, portal.names = {15: [STORED]}, {15: "Old"}
    now = portal.clock.now().timestamp()
    portal.script = [
        ok(
            {
                "result": {"c0": {"slots": []}, "c1": True, "c2": {"slots": []}},
                "result_error": [],
                "result_time": {"c1": {"finish": now, "operating": 470, "operating_reset_at": now + 300}},
            }
        )
    ]
    await portal.client.set_slots({1: [DAY]})
    (error,) = (await portal.client.set_slots({15: [NIGHT, ODD]}, {15: {"name": "B"}})).values()
    assert type(error) is LimitReached
    assert (portal.slots[15], portal.names[15]) == ([STORED], "Old")
    assert portal.methods == ["batch"]
