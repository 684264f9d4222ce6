"""The daemon's address: what it answers, what it takes, and what nobody can do to it."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from slotbridge.daemon import endpoint
from slotbridge.daemon.endpoint import MAX_BODY, MAX_CONNECTIONS, is_here, outside, serving
from slotbridge.daemon.hooks import Hooks
from slotbridge.daemon.metrics import Metrics, Traffic
from slotbridge.errors import ConfigurationError, SlotbridgeError, StoreError
from tests.daemon.rig import Rig

TOKEN = "51856fefc120afa4"
FORM = f"event=ONBOOKINGRESOURCEUPDATE&data%5BID%5D=1&auth%5Bapplication_token%5D={TOKEN}"
BOOKING = {"id": 1, "service_id": 1, "time_slot": {"id": 7}}


class Outside:
    """The endpoint of a rig's daemon, and what its hooks passed on."""

    def __init__(self, rig: Rig) -> None:
        self.noticed: list[tuple[str, str]] = []
        self.counts: Counter[tuple[str, str]] = rig.daemon.condition.counters.notices
        hooks = Hooks(
            rig.pairs,
            SecretStr(TOKEN),
            notice=lambda name, why: self.noticed.append((name, why)),
            counts=self.counts,
        )
        condition = rig.daemon.condition
        self.app = outside(condition, Metrics(condition, Traffic(), rig.clock), hooks)


@pytest.fixture
def app(rig: Rig) -> Starlette:
    return Outside(rig).app


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
        yield client


def calling(app: Starlette) -> httpx.AsyncClient:
    """A client of the application itself, without a server in between."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://daemon")


async def connected(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    parts = urlsplit(url)
    return await asyncio.open_connection(parts.hostname, parts.port)


async def rest(reader: asyncio.StreamReader) -> bytes:
    """What still comes until the other end closes, however it does."""
    try:
        return await asyncio.wait_for(reader.read(), 5)
    except ConnectionResetError:
        return b""


async def test_a_daemon_that_works_is_alive_and_ready(rig: Rig, app: Starlette) -> None:
    await rig.pass_by(5)
    async with calling(app) as client:
        alive, ready = await client.get("/healthz"), await client.get("/readyz")

    assert (alive.status_code, alive.json()) == (200, {"alive": True, "reasons": []})
    assert (ready.status_code, ready.json()) == (200, {"ready": True, "reasons": []})
    assert ready.headers["cache-control"] == "no-store"
    assert "server" not in ready.headers


async def test_a_daemon_without_ticks_is_not_alive(rig: Rig, app: Starlette) -> None:
    await rig.pass_by(5)
    rig.clock.time += 20
    async with calling(app) as client:
        answer = await client.get("/healthz")

    assert (answer.status_code, answer.json()) == (503, {"alive": False, "reasons": ["no tick for 20 seconds"]})


async def test_a_daemon_that_cannot_remember_is_alive_but_not_ready(rig: Rig, app: Starlette) -> None:
    rig.engine.raises = StoreError("the disk is full", hint="Free some space")
    await rig.pass_by(5)
    async with calling(app) as client:
        alive, ready = await client.get("/healthz"), await client.get("/readyz")

    assert alive.status_code == 200
    assert (ready.status_code, ready.json()["ready"]) == (503, False)
    assert ready.json()["reasons"] == ["cannot remember: the disk is full"]


async def test_a_daemon_that_stops_is_not_ready(rig: Rig, app: Starlette) -> None:
    await rig.pass_by(5)
    await rig.daemon.drain(1)
    async with calling(app) as client:
        answer = await client.get("/readyz")

    assert (answer.status_code, answer.json()["reasons"]) == (503, ["draining"])


async def test_metrics_are_prometheus_text(app: Starlette) -> None:
    async with calling(app) as client:
        answer = await client.get("/metrics")

    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "slotbridge_build_info" in {family.name for family in text_string_to_metric_families(answer.text)}


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
async def test_what_is_shown_is_only_shown(path: str, app: Starlette) -> None:
    async with calling(app) as client:
        head = await client.head(path)
        refused = [(await client.request(verb, path)).status_code for verb in ("POST", "PUT", "DELETE")]

    assert head.content == b""
    assert head.status_code in (200, 503)
    assert refused == [405, 405, 405]


async def test_hooks_take_posts_and_pass_them_on(rig: Rig) -> None:
    it = Outside(rig)
    async with calling(it.app) as client:
        taken = [
            await client.post("/hooks/bitrix24", content=FORM),
            await client.post("/hooks/reservekit", json=BOOKING),
            await client.post("/hooks/bitrix24", content="event=x"),
            await client.post("/hooks/reservekit", content="x"),
            await client.get("/hooks/bitrix24"),
        ]

    assert [answer.status_code for answer in taken] == [200, 200, 403, 400, 405]
    assert it.noticed == [("a", "bitrix24 event"), ("a", "reservekit event")]
    assert it.counts["bitrix24", "refused"] == it.counts["reservekit", "unreadable"] == 1


async def test_a_hook_answers_within_milliseconds(app: Starlette, client: httpx.AsyncClient) -> None:
    async with serving("127.0.0.1:0", app) as url:
        await client.post(f"{url}/hooks/bitrix24", content=FORM)
        began = time.perf_counter()
        for _ in range(20):
            await client.post(f"{url}/hooks/bitrix24", content=FORM)

    assert (time.perf_counter() - began) / 20 < 0.1


@pytest.mark.parametrize("path", ["/hooks/bitrix24", "/hooks/reservekit"])
async def test_a_body_without_end_is_not_read_to_its_end(path: str, rig: Rig, client: httpx.AsyncClient) -> None:
    it = Outside(rig)
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 100 * MAX_BODY:
            sent += 4096
            yield b"x" * 4096

    async with serving("127.0.0.1:0", it.app) as url:
        try:
            status = (await client.post(f"{url}{path}", content=endless())).status_code
        except httpx.TransportError:  # it may be closed before the answer is read
            status = 413
        exact = await client.post(f"{url}{path}", content=b"x" * MAX_BODY)

    assert status == 413
    assert sent < 100 * MAX_BODY
    assert exact.status_code in (400, 403)


@pytest.mark.parametrize(
    "beginning", ["", "GET /heal", "POST /hooks/bitrix24 HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx"]
)
async def test_a_client_that_sends_slowly_is_hung_up_on(
    beginning: str, app: Starlette, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(endpoint, "LONGEST", 0.2)
    async with serving("127.0.0.1:0", app) as url:
        reader, writer = await connected(str(url))
        writer.write(beginning.encode())
        assert await rest(reader) == b""
        writer.close()
        await asyncio.sleep(0.05)

    assert caplog.records == []


async def test_a_connection_serves_one_request(app: Starlette) -> None:
    async with serving("127.0.0.1:0", app) as url:
        reader, writer = await connected(str(url))
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = await rest(reader)
        writer.close()

    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert b"connection: close" in answer.lower()


@pytest.mark.parametrize("beginning", ["", "POST /hooks/bitrix24 HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx"])
async def test_a_flood_of_requests_without_end_shuts_nobody_out(
    beginning: str, app: Starlette, client: httpx.AsyncClient
) -> None:
    async with serving("127.0.0.1:0", app) as url:
        flood = [await connected(str(url)) for _ in range(MAX_CONNECTIONS + 50)]
        for _, writer in flood:
            writer.write(beginning.encode())
        health = await client.get(f"{url}/healthz")
        event = await client.post(f"{url}/hooks/bitrix24", content=FORM)
        closed = [reader.at_eof() or reader.exception() is not None for reader, _ in flood]
        for _, writer in flood:
            writer.close()

    assert (health.status_code, event.status_code) == (200, 200)
    assert closed == [True] * 51 + [False] * (MAX_CONNECTIONS - 1)


async def test_a_request_that_is_being_answered_is_no_unfinished_one(client: httpx.AsyncClient) -> None:
    asked, answered = asyncio.Event(), asyncio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        asked.set()
        await answered.wait()
        await Response("done")(scope, receive, send)

    async with serving("127.0.0.1:0", slow) as url:
        request = asyncio.create_task(client.get(str(url)))
        await asked.wait()
        flood = [await connected(str(url)) for _ in range(MAX_CONNECTIONS + 50)]
        await asyncio.sleep(0.05)
        answered.set()

        assert (await request).text == "done"
        for _, writer in flood:
            writer.close()


async def test_strangers_take_no_place_from_this_machine(app: Starlette, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "is_here", lambda host: host == "127.0.0.2")
    async with serving("127.0.0.1:0", app) as url:
        parts = urlsplit(str(url))
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port, local_addr=("127.0.0.2", 0))
        writer.write(b"GET /healthz HTTP/1.1\r\n")
        flood = [await connected(str(url)) for _ in range(MAX_CONNECTIONS + 50)]
        await asyncio.sleep(0.05)
        writer.write(b"Host: x\r\n\r\n")

        assert (await rest(reader)).startswith(b"HTTP/1.1 200 OK")
        for _, other in (*flood, (reader, writer)):
            other.close()


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("10.0.0.1", False),
        ("2001:db8::1", False),
        ("::ffff:10.0.0.1", False),
        ("localhost", False),
    ],
)
def test_which_addresses_are_this_machine(host: str, here: bool) -> None:
    assert is_here(host) is here


async def test_who_does_not_come_to_the_point_is_hung_up_on_sooner(
    app: Starlette, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint, "HEAD", 0.1)
    async with serving("127.0.0.1:0", app) as url:
        (silent, one), (begun, two) = await connected(str(url)), await connected(str(url))
        one.write(b"POST /hooks/bitrix24 HTTP/1.1\r\n")
        two.write(f"POST /hooks/bitrix24 HTTP/1.1\r\nHost: x\r\nContent-Length: {len(FORM)}\r\n\r\n".encode())
        assert await rest(silent) == b""
        await asyncio.sleep(0.1)
        two.write(FORM.encode())

        assert (await rest(begun)).startswith(b"HTTP/1.1 200 OK")
        one.close()
        two.close()


async def test_garbage_does_no_harm(app: Starlette, client: httpx.AsyncClient) -> None:
    async with serving("127.0.0.1:0", app) as url:
        reader, writer = await connected(str(url))
        writer.write(os.urandom(2000) + b"\r\n\r\n")
        await rest(reader)
        writer.close()

        assert (await client.get(f"{url}/healthz")).status_code == 200


@pytest.mark.parametrize("begun", [b"", b"POST /hooks/bitrix24 HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx"])
async def test_it_stops_at_once_also_with_open_connections(
    begun: bytes, app: Starlette, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving("127.0.0.1:0", app) as url:
        _, writer = await connected(str(url))
        writer.write(begun)
        await asyncio.sleep(0.05)
        began = time.perf_counter()
    taken = time.perf_counter() - began
    writer.close()

    assert taken < 0.9
    assert [record for record in caplog.records if record.levelno > logging.INFO] == []
    with pytest.raises(OSError):
        await connected(str(url))


async def test_it_stops_also_when_its_user_is_cancelled(app: Starlette) -> None:
    at: list[str] = []

    async def use() -> None:
        async with serving("127.0.0.1:0", app) as url:
            at.append(str(url))
            await asyncio.sleep(60)

    user = asyncio.create_task(use())
    while not at:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    user.cancel()
    with pytest.raises(asyncio.CancelledError):
        await user
    with pytest.raises(OSError):
        await connected(at[0])
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_signals_are_left_alone(app: Starlette, client: httpx.AsyncClient) -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    async with serving("127.0.0.1:0", app) as url:
        await client.get(f"{url}/healthz")

        assert {number: signal.getsignal(number) for number in before} == before


async def test_no_address_serves_nothing(app: Starlette) -> None:
    async with serving("", app) as url:
        assert url is None


async def test_a_port_that_is_taken_says_what_to_do_and_is_tried_again_by_whoever_restarts_us(app: Starlette) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        listen = f"127.0.0.1:{other.getsockname()[1]}"
        with pytest.raises(SlotbridgeError) as raised:
            async with serving(listen, app):
                pass

    # config/slotbridge.service restarts after any failure but 2, which is for what only an edit can mend.
    assert raised.value.exit_code == 1
    assert f"[daemon] listen: {listen}: the daemon cannot listen (Address already in use)" in str(raised.value)
    assert "another port" in str(raised.value)
    async with serving(listen, app) as url:
        assert url == f"http://{listen}"


@pytest.mark.parametrize("listen", ["no-such-host.invalid:80", "192.0.2.1:8080"])
async def test_an_address_that_is_not_ours_is_a_configuration_problem(listen: str, app: Starlette) -> None:
    with pytest.raises(ConfigurationError):
        async with serving(listen, app):
            pass


@pytest.mark.parametrize(("listen", "host"), [("[::1]:0", "[::1]"), ("localhost:0", "127.0.0.1"), ("[::]:0", "[::]")])
async def test_other_ways_to_name_an_address(
    listen: str, host: str, app: Starlette, client: httpx.AsyncClient, having_ipv6: Callable[[str], Any]
) -> None:
    having_ipv6(listen)
    async with serving(listen, app) as url:
        assert str(url).startswith(f"http://{host}:")
        port = urlsplit(str(url)).port
        for address in ("127.0.0.1", "[::1]") if host == "[::]" else (host,):
            assert (await client.get(f"http://{address}:{port}/healthz")).status_code == 200


@pytest.fixture
def having_ipv6() -> Callable[[str], Any]:
    def check(listen: str) -> None:
        if not listen.startswith("["):
            return
        try:
            socket.create_server(("::1", 0), family=socket.AF_INET6).close()
        except OSError:
            pytest.skip("this machine has no IPv6")

    return check
