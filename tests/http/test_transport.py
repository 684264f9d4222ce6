"""One attempt: what is sent, what comes back, and what each way of failing is called."""

from __future__ import annotations

import asyncio
import json
import logging
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from slotbridge import __version__
from slotbridge.clock import SystemClock
from slotbridge.errors import ApiError, ConfigurationError, NotSent, OutcomeUnknown
from slotbridge.http.limiter import Limiter
from slotbridge.http.transport import MAX_BODY, Transport, _trusted
from tests.http.clock import FakeClock

URL = "https://example.bitrix24.com/rest/1/s3cr3tC0de/method"

Handler = Callable[[httpx.Request], httpx.Response] | Callable[[httpx.Request], Awaitable[httpx.Response]]


def transport(handler: Handler, *, timeout: float = 30.0, clock: FakeClock | None = None) -> Transport:
    clock = clock or FakeClock()
    mock = httpx.MockTransport(handler)  # type: ignore[arg-type]  # it takes both kinds of function
    return Transport("bitrix24", Limiter(2, 5, clock), clock, timeout=timeout, handler=mock)


def raising(error: Exception) -> Handler:
    def handler(request: httpx.Request) -> httpx.Response:
        raise error

    return handler


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_certificates_that_cannot_be_read_are_a_configuration_problem(
    content: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "trusted.pem"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    # As in a process that has just begun.
    monkeypatch.setattr("slotbridge.http.transport._trusted", _trusted.__wrapped__)
    with pytest.raises(ConfigurationError, match="certificates cannot be read") as caught:
        Transport("bitrix24", Limiter(1, 1, SystemClock()), SystemClock())
    assert "SSL_CERT_FILE" in str(caught.value.hint)


@pytest.mark.parametrize(
    "address", ["foo://user:pa55word@proxy", "http://user:pa55word@proxy:port", "socks5://pa55word@x"]
)
def test_a_proxy_that_cannot_be_used_is_a_configuration_problem_that_shows_no_password(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", address)
    with pytest.raises(ConfigurationError, match="HTTPS_PROXY") as caught:
        Transport("bitrix24", Limiter(1, 1, FakeClock()), FakeClock())

    assert "pa55word" not in "".join(traceback.format_exception(caught.value))


async def test_a_request_carries_json_headers_and_parameters() -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, text="fine")

    sender = transport(handler)
    await sender.send("POST", URL, item="a call", headers={"X-Key": "k"}, params={"page": 2}, json={"a": "é"})
    (request,) = seen
    assert (request.method, str(request.url)) == ("POST", f"{URL}?page=2")
    assert json.loads(request.content) == {"a": "é"}
    assert request.headers["content-type"] == "application/json"
    assert request.headers["x-key"] == "k"
    assert request.headers["user-agent"] == f"slotbridge/{__version__}"


async def test_without_json_there_is_neither_body_nor_content_type() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        assert request.content == b""
        assert "content-type" not in request.headers
        return httpx.Response(204)

    assert (await transport(handler).send("GET", URL, item="a call")).body == b""


async def test_an_empty_json_list_is_a_body() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=request.content)

    assert (await transport(handler).send("POST", URL, item="a call", json=[])).body == b"[]"


async def test_a_redirect_to_an_address_that_cannot_be_read_leaves_the_outcome_unknown() -> None:
    """Found by fuzzing: httpx reads the address even where it does not follow it."""
    link = transport(lambda _request: httpx.Response(307, headers={"Location": "A:0"}))
    with pytest.raises(OutcomeUnknown, match="redirect") as caught:
        await link.send("PATCH", URL, item="the slots")
    assert link.requests == 1
    assert "s3cr3t" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("status", [200, 302, 404, 429, 503])
async def test_every_status_is_an_answer_and_no_redirect_is_followed(status: int) -> None:
    headers = {"Location": "https://elsewhere.example/", "Retry-After": "7"}
    sender = transport(lambda request: httpx.Response(status, headers=headers, text="body"))
    answer = await sender.send("POST", URL, item="a call")
    assert (answer.status, answer.body, answer.headers["retry-after"]) == (status, b"body", "7")
    assert sender.requests == 1


async def test_no_cookie_is_sent_back() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        assert "cookie" not in request.headers
        return httpx.Response(200, headers={"Set-Cookie": "PHPSESSID=abc; path=/"})

    sender = transport(handler)
    await sender.send("GET", URL, item="a call")
    await sender.send("GET", URL, item="a call")


@pytest.mark.parametrize(
    "error",
    [
        httpx.ConnectError("Name or service not known"),
        httpx.ConnectTimeout("slow"),
        httpx.PoolTimeout("busy"),
        httpx.ProxyError("403 Forbidden"),
    ],
)
async def test_no_connection_means_not_sent_and_is_not_counted(error: Exception) -> None:
    sender = transport(raising(error))
    with pytest.raises(NotSent) as caught:
        await sender.send("POST", URL, item="resource 15")
    assert caught.value.item == "resource 15"
    assert type(error).__name__ in caught.value.what
    assert sender.requests == 0


@pytest.mark.parametrize(
    "error",
    [
        httpx.ReadTimeout("slow"),
        httpx.WriteTimeout("slow"),
        httpx.ReadError("reset by peer"),
        httpx.WriteError("broken pipe"),
        httpx.CloseError("closed"),
        httpx.RemoteProtocolError("peer closed connection without sending complete message body"),
        httpx.DecodingError("not gzip"),
        TimeoutError(),
    ],
)
async def test_what_breaks_later_has_an_unknown_outcome_and_is_counted(error: Exception) -> None:
    sender = transport(raising(error))
    with pytest.raises(OutcomeUnknown):
        await sender.send("POST", URL, item="a call")
    assert sender.requests == 1


@pytest.mark.parametrize(
    "error",
    [httpx.UnsupportedProtocol("ftp"), httpx.LocalProtocolError("Illegal header value b'sk s3cr3tC0de'")],
)
async def test_a_request_that_cannot_be_made_is_an_error_that_is_not_repeated(error: Exception) -> None:
    sender = transport(raising(error))
    with pytest.raises(ApiError) as caught:
        await sender.send("POST", URL, item="a call")
    assert type(caught.value) is ApiError
    assert "s3cr3tC0de" not in str(caught.value)
    assert sender.requests == 0


async def test_a_key_that_is_not_ascii_is_an_error_without_the_key() -> None:
    sender = transport(lambda request: httpx.Response(200))
    with pytest.raises(ApiError) as caught:
        await sender.send("GET", URL, item="a call", headers={"Authorization": "Bearer s3cr3tC0de–x"})
    assert "s3cr3tC0de" not in str(caught.value)
    assert caught.value.__context__ is None
    assert sender.requests == 0


async def test_a_server_that_drips_bytes_meets_the_time_limit_of_the_whole_call() -> None:
    async def drip() -> AsyncIterator[bytes]:
        while True:
            yield b"x"
            await asyncio.sleep(0.01)

    sender = transport(lambda request: httpx.Response(200, content=drip()), timeout=0.1)
    with pytest.raises(OutcomeUnknown, match=r"within 0\.1 seconds"):
        await asyncio.wait_for(sender.send("GET", URL, item="a call"), 5)


async def test_an_endless_answer_is_not_read_to_its_end() -> None:
    async def flood() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * (MAX_BODY // 4)

    sender = transport(lambda request: httpx.Response(200, content=flood()))
    with pytest.raises(OutcomeUnknown, match="larger than 16 MiB"):
        await sender.send("GET", URL, item="a call")


async def test_waiting_for_our_turn_is_not_part_of_the_time_limit() -> None:
    clock = FakeClock()
    sender = transport(lambda request: httpx.Response(200), timeout=1.0, clock=clock)
    for _ in range(8):
        await sender.send("GET", URL, item="a call")
    assert clock.time == 1001.5
    assert sender.requests == 8


@pytest.mark.parametrize("error", [httpx.ConnectError(f"no route to {URL}"), httpx.ReadError(URL)])
async def test_no_error_shows_the_address(error: Exception) -> None:
    sender = transport(raising(error))
    with pytest.raises(ApiError) as caught:
        await sender.send("POST", URL, item="a call")
    shown = [str(caught.value), repr(caught.value), *traceback.format_exception(caught.value)]
    assert not [text for text in shown if "s3cr3tC0de" in text]
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


async def test_no_log_shows_the_address(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("httpx").setLevel(logging.DEBUG)
    sender = transport(lambda request: httpx.Response(200))
    with caplog.at_level(logging.DEBUG):
        await sender.send("POST", URL, item="a call")
    assert "s3cr3tC0de" not in caplog.text
    assert logging.getLogger("httpcore").level == logging.WARNING


async def test_a_port_where_nobody_listens_is_not_sent() -> None:
    clock = SystemClock()
    sender = Transport("reservekit", Limiter(10, 10, clock), clock, timeout=2, trust_env=False)
    with pytest.raises(NotSent):
        await sender.send("GET", "http://127.0.0.1:1/", item="a call")
    await sender.aclose()


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"])
async def test_a_server_that_hangs_up_half_way_leaves_the_outcome_unknown(answer: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()

    clock = SystemClock()
    sender = Transport("reservekit", Limiter(10, 10, clock), clock, timeout=2, trust_env=False)
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(OutcomeUnknown):
            await sender.send("GET", f"http://127.0.0.1:{port}/", item="a call")
    await sender.aclose()
