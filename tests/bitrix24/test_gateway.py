"""Envelopes, batches, failures: what is sent, and what each answer becomes."""

from __future__ import annotations

import logging
import traceback
from random import Random
from typing import Any

import httpx
import pytest

from slotbridge.bitrix24.access import WebhookAccess
from slotbridge.bitrix24.gateway import Command, Gateway
from slotbridge.errors import AccessRefused, ApiError, BadAnswer, LimitReached, NotFound, NotSent, OutcomeUnknown
from tests.bitrix24.portal import SECRET, WEBHOOK, Portal, failed, ok

READ = Command("booking.v1.resource.get", {"id": 15}, "resource 15")
LIST = Command("booking.v1.resource.slots.list", {"resourceId": 15}, "resource 15")
WRITE = Command("booking.v1.resource.slots.unset", {"resourceId": 15}, "resource 15", write=True)


def html(status: int = 200, text: str = "<html><h1>Maintenance</h1></html>") -> httpx.Response:
    return httpx.Response(status, text=text, headers={"Content-Type": "text/html"})


async def error_of(portal: Portal, command: Command) -> ApiError:
    with pytest.raises(ApiError) as caught:
        await portal.gateway.call(command)
    return caught.value


async def test_a_call_is_a_json_post_to_the_webhook_address() -> None:
    seen: list[httpx.Request] = []

    class Watching(Portal):
        def handle(self, request: httpx.Request) -> httpx.Response:
            seen.append(request)
            return ok({"resource": {}})

    await Watching().gateway.call(READ)
    (request,) = seen
    assert (request.method, str(request.url)) == ("POST", f"{WEBHOOK}booking.v1.resource.get")
    assert request.content == b'{"id": 15}'
    assert request.headers["content-type"] == "application/json"


async def test_the_slash_at_the_end_of_the_webhook_may_be_missing(portal: Portal) -> None:
    portal.names[15] = "A"
    gateway = Gateway(WebhookAccess(WEBHOOK.rstrip("/")), portal.transport, clock=portal.clock, random=Random(1))
    assert await gateway.call(READ)
    assert portal.methods == ["booking.v1.resource.get"]


@pytest.mark.parametrize("result", [True, 0, None, [], {}, "text"])
async def test_a_result_may_be_anything(portal: Portal, result: object) -> None:
    portal.script = [ok(result)]
    assert await portal.gateway.call(READ) == result


@pytest.mark.parametrize("code", ["1009", 1009])
async def test_codes_are_read_as_text_and_as_number(portal: Portal, code: object) -> None:
    portal.script = [failed(code)]
    error = await error_of(portal, READ)
    assert isinstance(error, NotFound)
    assert error.item == "resource 15"


@pytest.mark.parametrize("status", [200, 400, 401, 403, 503])
async def test_the_code_decides_and_not_the_status(portal: Portal, status: int) -> None:
    portal.script = [failed("insufficient_scope", status)]
    assert type(await error_of(portal, READ)) is AccessRefused
    assert len(portal.sent) == 1


async def test_an_empty_error_next_to_a_result_is_no_error(portal: Portal) -> None:
    portal.script = [ok(True, error="")]
    assert await portal.gateway.call(WRITE) is True


def again(answer: httpx.Response) -> httpx.Response:
    return httpx.Response(answer.status_code, content=answer.content)


@pytest.mark.parametrize(
    "answer",
    [
        html(404),
        httpx.Response(200, json=[]),
        httpx.Response(200, json="text"),
        httpx.Response(200, json={}),
        httpx.Response(200, json={"error": {"code": "X"}}),
    ],
    ids=str,
)
async def test_an_answer_that_is_none_is_bad_to_a_read_and_open_to_a_write(
    portal: Portal, answer: httpx.Response
) -> None:
    portal.script = [answer, again(answer)]
    assert type(await error_of(portal, READ)) is BadAnswer
    assert type(await error_of(portal, WRITE)) is OutcomeUnknown
    assert len(portal.sent) == 2


@pytest.mark.parametrize(
    "answer",
    [
        html(),
        httpx.Response(200, content=b""),
        httpx.Response(200, content=b'{"result": {"resource": {"id"'),
        httpx.Response(200, content=b'{"result": NaN}'),
        httpx.Response(200, content=b"[" * 100_000),
        httpx.Response(200, content=b"\xff\xfe"),
    ],
    ids=str,
)
async def test_a_success_that_is_no_json_is_asked_for_once_more_by_reads_alone(
    portal: Portal, answer: httpx.Response
) -> None:
    portal.script = [answer, ok(7)]
    assert await portal.gateway.call(READ) == 7
    portal.script = [answer, again(answer)]
    assert type(await error_of(portal, READ)) is BadAnswer
    portal.script = [answer]
    assert type(await error_of(portal, WRITE)) is OutcomeUnknown
    assert len(portal.sent) == 5


@pytest.mark.parametrize("webhook", ["limit", "exceeded", "query_limit_exceeded"])
async def test_a_code_that_is_known_is_itself_even_if_a_secret_is_a_part_of_it(webhook: str, portal: Portal) -> None:
    access = WebhookAccess(f"https://example.bitrix24.com/rest/1/{webhook}/")
    portal.gateway = Gateway(access, portal.transport, clock=portal.clock, random=Random(1))
    portal.script = [failed("QUERY_LIMIT_EXCEEDED", 503), ok(7)]
    assert await portal.gateway.call(READ) == 7


async def test_the_message_says_what_came_instead_and_no_more_than_80_characters(portal: Portal) -> None:
    portal.script = [html(404, "<html>" + "x" * 500)]
    error = await error_of(portal, READ)
    assert "no JSON object, but '<html>xxx" in error.what
    assert len(error.what) < 130


@pytest.mark.parametrize("answer", [html(502), html(503), html(429), failed("SOMETHING", 500)])
async def test_a_server_in_trouble_is_asked_again_for_reads_only(portal: Portal, answer: httpx.Response) -> None:
    portal.script = [answer, ok(1)]
    assert await portal.gateway.call(READ) == 1
    portal.script = [httpx.Response(answer.status_code, content=answer.content), ok(2)]
    assert type(await error_of(portal, WRITE)) is OutcomeUnknown
    assert len(portal.sent) == 3


@pytest.mark.parametrize("command", [READ, WRITE])
@pytest.mark.parametrize("first", [failed("QUERY_LIMIT_EXCEEDED", 503), httpx.ConnectError("refused")])
async def test_what_was_not_executed_is_sent_again(portal: Portal, command: Command, first: Any) -> None:
    portal.script = [first, ok(True)]
    assert await portal.gateway.call(command) is True
    assert len(portal.sent) == 2
    assert 1 <= portal.clock.time - 1000 <= 2


async def test_a_lost_answer_to_a_read_is_asked_for_again_four_times_at_most(portal: Portal) -> None:
    portal.script = [httpx.ReadTimeout("slow")] * 9
    assert type(await error_of(portal, READ)) is OutcomeUnknown
    assert len(portal.sent) == 4


@pytest.mark.parametrize("lost", [httpx.ReadTimeout("slow"), httpx.ReadError("reset"), failed("ERROR_CORE", 500)])
async def test_a_write_with_a_lost_answer_is_sent_once(portal: Portal, lost: Any) -> None:
    portal.script = [lost]
    assert type(await error_of(portal, WRITE)) is OutcomeUnknown
    assert len(portal.sent) == 1


async def test_no_connection_at_all_ends_as_not_sent(portal: Portal) -> None:
    portal.script = [httpx.ConnectError("refused")] * 4
    assert type(await error_of(portal, WRITE)) is NotSent


async def test_the_wait_that_the_server_asks_for_is_kept(portal: Portal) -> None:
    portal.script = [failed("QUERY_LIMIT_EXCEEDED", 503, Retry_After="30"), ok(1)]
    await portal.gateway.call(READ)
    assert portal.clock.time == 1030


async def test_a_full_portal_slows_down_everything_that_follows(portal: Portal) -> None:
    portal.script = [failed("QUERY_LIMIT_EXCEEDED", 503), *[ok(1)] * 4]
    for _ in range(4):
        await portal.gateway.call(READ)
    assert portal.clock.time >= 1001 + 2 * 0.5  # in the second of waiting the bucket has made room for two


async def test_a_wait_of_more_than_two_minutes_is_left_to_the_next_run(portal: Portal) -> None:
    portal.script = [failed("QUERY_LIMIT_EXCEEDED", 503, Retry_After="3600")]
    error = await error_of(portal, READ)
    assert isinstance(error, LimitReached)
    assert error.retry_after == 3600
    portal.script = [ok(1)]
    await portal.gateway.call(READ)
    assert portal.clock.time == 1060


async def test_a_manual_block_is_not_a_rate_limit(portal: Portal) -> None:
    portal.script = [failed("OVERLOAD_LIMIT", 503)]
    assert type(await error_of(portal, READ)) is AccessRefused
    assert portal.clock.slept == []


@pytest.mark.parametrize(
    ("location", "named"),
    [
        (f"https://renamed.bitrix24.com/rest/1/{SECRET}/method?auth=x", "renamed.bitrix24.com"),
        ("/login", "another address"),
        ("", "another address"),
    ],
)
async def test_a_redirect_names_the_new_host_and_nothing_else(portal: Portal, location: str, named: str) -> None:
    portal.script = [httpx.Response(302, headers={"Location": location}, text="<html>moved</html>")]
    error = await error_of(portal, WRITE)
    assert type(error) is ApiError
    assert error.what == f"the portal sends us on to {named}"
    assert len(portal.sent) == 1


async def test_a_batch_is_one_post_with_string_keys_and_encoded_commands(portal: Portal) -> None:
    portal.slots[15] = []
    slots = [{"from": 0, "to": 60, "timezone": "A&B+C#D%", "weekDays": ["Mon", "Tue"], "slotSize": 30}]
    parameters = {"resourceId": 15, "slots": slots}
    write = Command("booking.v1.resource.slots.set", parameters, "resource 15", write=True)
    assert await portal.gateway.batch([LIST, write], "1 resource") == [{"slots": []}, True]
    assert portal.sent == [
        (
            "batch",
            {
                "halt": 0,
                "cmd": {
                    "c0": "booking.v1.resource.slots.list?resourceId=15",
                    "c1": "booking.v1.resource.slots.set?resourceId=15&slots[0][from]=0&slots[0][to]=60"
                    "&slots[0][timezone]=A%26B%2BC%23D%25&slots[0][weekDays][0]=Mon&slots[0][weekDays][1]=Tue"
                    "&slots[0][slotSize]=30",
                },
            },
        )
    ]


async def batch(portal: Portal, result: object, commands: list[Command]) -> list[Any]:
    portal.script = [ok(result)]
    return await portal.gateway.batch(commands, "the batch")


async def test_one_command_fails_alone(portal: Portal) -> None:
    error = {"error": 1009, "error_description": "nicht gefunden"}
    first, second = await batch(portal, {"result": {"c0": None}, "result_error": {"c1": error}}, [LIST, READ])
    assert first is None
    assert isinstance(second, NotFound)
    assert (second.item, second.code) == ("resource 15", "1009")


async def test_an_error_without_a_code_is_an_error_all_the_same(portal: Portal) -> None:
    result = {"result": {"c0": 1}, "result_error": {"c0": "broken", "c1": {"error": None}}}
    assert [type(each) for each in await batch(portal, result, [LIST, LIST])] == [BadAnswer, BadAnswer]


@pytest.mark.parametrize("result", [None, True, [], {}, {"result": 1}, {"result": [], "result_error": "x"}])
async def test_an_answer_that_is_not_that_of_a_batch_fails_it_as_a_whole(portal: Portal, result: object) -> None:
    with pytest.raises(BadAnswer):
        await batch(portal, result, [LIST])
    with pytest.raises(OutcomeUnknown):
        await batch(portal, result, [LIST, WRITE])


async def test_a_read_batch_is_repeated_and_a_write_batch_is_not(portal: Portal) -> None:
    portal.slots[15] = []
    portal.script = [httpx.ReadTimeout("slow")]
    assert await portal.gateway.batch([LIST], "the batch") == [{"slots": []}]
    portal.script = [httpx.ReadTimeout("slow")]
    with pytest.raises(OutcomeUnknown):
        await portal.gateway.batch([LIST, WRITE], "the batch")
    assert len(portal.sent) == 3


LEAKS = [
    failed("INVALID_CREDENTIALS", 401, f"bad code {SECRET} in /rest/1/{SECRET}/"),
    failed(SECRET, 400, f"{WEBHOOK}"),
    html(200, f"<a href='{WEBHOOK}'>{SECRET}</a>"),
    html(200, "x" * 70 + SECRET),
    httpx.Response(301, headers={"Location": f"https://{SECRET}.example/rest/1/{SECRET}/"}),
    httpx.ReadError(WEBHOOK),
    httpx.ConnectError(WEBHOOK),
]


@pytest.mark.parametrize("answer", LEAKS, ids=str)
@pytest.mark.parametrize("command", [READ, WRITE])
async def test_the_secret_is_in_no_message_repr_or_log(
    portal: Portal, answer: Any, command: Command, caplog: pytest.LogCaptureFixture
) -> None:
    portal.script = [answer] * 4
    with caplog.at_level(logging.DEBUG):
        error = await error_of(portal, command)
    shown = "".join(traceback.format_exception(error)) + caplog.text
    shown += f"{error!r} {error.as_json()} {error.__dict__} {error.__context__}"
    shown += f"{portal.client!r} {portal.gateway!r} {portal.transport!r}"
    assert SECRET[:4].lower() not in shown.lower()
