"""How often each code of the API's table has a request sent: alone, and as a command of a batch."""

from __future__ import annotations

import httpx
import pytest

from slotbridge.bitrix24.gateway import Command
from slotbridge.errors import ApiError, OutcomeUnknown
from tests.bitrix24.portal import Portal, failed, ok

READ = Command("booking.v1.resource.get", {"id": 15}, "resource 15")
WRITE = Command("booking.v1.resource.slots.unset", {"resourceId": 15}, "resource 15", write=True)
OTHER = Command("booking.v1.resource.get", {"id": 16}, "resource 16")

FINAL = (
    *("OVERLOAD_LIMIT", "ERROR_METHOD_NOT_FOUND", "NO_AUTH_FOUND", "INVALID_CREDENTIALS", "insufficient_scope"),
    *("user_access_error", "ACCESS_DENIED", "PORTAL_DELETED", "INVALID_REQUEST", "WRONG_AUTH_TYPE"),
    *("ERROR_BATCH_LENGTH_EXCEEDED", "ERROR_BATCH_METHOD_NOT_ALLOWED", "ERROR_ARGUMENT", "invalid_http_method"),
    *("WRONG_ENCODING", "ERROR_EVENT_NOT_FOUND", "invalid_token", "ERROR_OAUTH", "APPLICATION_NOT_FOUND"),
    *("PAYMENT_REQUIRED", "expired_token"),  # which a webhook cannot renew
    *("0", "100", "403", "422", "1006", "1007", "1008", "1009", "1010", "1011", "1012", "1013", "1017", "1018", "1019"),
    *("1020", "1021", "1024", "1025", "1026", "1034", "1035", "1036", "1037", "1038", "1040", "22002"),
)

# The code, and how often a read and a write are sent, alone and in a batch, to a portal that answers nothing else.
TIMES = [
    *((code, 1, 1, 1, 1) for code in FINAL),
    ("QUERY_LIMIT_EXCEEDED", 4, 4, 4, 4),
    ("OPERATION_TIME_LIMIT", 1, 1, 1, 1),  # until it frees itself, which is longer than a run waits
    ("INTERNAL_SERVER_ERROR", 4, 1, 2, 1),
    ("ERROR_UNEXPECTED_ANSWER", 4, 1, 2, 1),
    ("ERROR_CORE", 2, 1, 2, 1),
]


@pytest.mark.parametrize(("code", "read", "write", "_read", "_write"), TIMES)
@pytest.mark.parametrize("status", [200, 400, 401, 403, 503])
async def test_every_code_has_a_call_sent_as_often_as_the_table_says(
    code: str, read: int, write: int, _read: int, _write: int, status: int
) -> None:
    for command, times in ((READ, read), (WRITE, write)):
        portal = Portal()
        portal.script = [failed(code, status)] * 9
        with pytest.raises(ApiError) as caught:
            await portal.gateway.call(command)
        assert (caught.value.code, len(portal.sent)) == (code, times)


@pytest.mark.parametrize(("code", "_read", "_write", "read", "write"), TIMES)
async def test_every_code_has_a_command_of_a_batch_sent_as_often_as_the_table_says(
    code: str, _read: int, _write: int, read: int, write: int
) -> None:
    for command, times in ((READ, read), (WRITE, write)):
        portal = Portal()
        refusal = {"error": code, "error_description": ""}
        answer = {"result": {"c1": 1}, "result_error": {"c0": refusal}, "result_time": []}
        portal.script = [ok(answer) for _ in range(9)]
        first, second = await portal.gateway.batch([command, OTHER], "2 resources")
        assert second == 1
        assert isinstance(first, ApiError)
        assert first.code == code
        asked = [method for number in range(len(portal.sent)) for method, _ in portal.commands(number)]
        assert asked.count(OTHER.method) == 1 + (times if command is READ else 0)
        assert len(portal.sent) == times


@pytest.mark.parametrize(("status", "times"), [(400, 1), (404, 1), (500, 4), (503, 4)])
async def test_an_unknown_code_has_reads_repeated_from_500_on(portal: Portal, status: int, times: int) -> None:
    portal.script = [failed("SOMETHING_NEW", status)] * 9
    with pytest.raises(ApiError):
        await portal.gateway.call(READ)
    assert len(portal.sent) == times


async def test_a_read_that_is_worth_one_more_attempt_is_answered_by_it(portal: Portal) -> None:
    portal.script = [failed("ERROR_CORE", 500), ok(1)]
    assert await portal.gateway.call(READ) == 1


async def test_a_lost_answer_in_between_does_not_use_up_the_one_attempt(portal: Portal) -> None:
    portal.script = [httpx.ReadTimeout("slow"), failed("ERROR_CORE"), failed("ERROR_CORE"), ok(1)]
    with pytest.raises(OutcomeUnknown) as caught:
        await portal.gateway.call(READ)
    assert (caught.value.code, len(portal.sent)) == ("ERROR_CORE", 3)


async def test_the_list_of_handlers_is_asked_for_once_more_and_a_refused_handler_is_not(portal: Portal) -> None:
    portal.script = [failed("ERROR_CORE"), ok([])]
    assert await portal.client.events.get() == ()
    portal.script = [failed("ERROR_CORE"), ok(True)]
    with pytest.raises(ApiError, match="set up already"):
        await portal.client.events.bind("ONBOOKINGRESOURCEADD", "https://example.com/hooks/bitrix24")
    assert len(portal.sent) == 3
