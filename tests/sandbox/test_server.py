"""The sandbox over a real socket."""

from __future__ import annotations

import logging
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from urllib.parse import quote_plus

import httpx
import pytest

from slotbridge.errors import ConfigurationError
from slotbridge.sandbox.app import ConnectionDropped
from slotbridge.sandbox.sample import sample_world
from slotbridge.sandbox.server import Sandbox, running_sandbox, serve
from slotbridge.sandbox.traffic import Fault, FaultKind
from slotbridge.sandbox.world import AUTHORIZE_PATH, CLIENT_ID, CLIENT_SECRET, World

KEY = {"Authorization": "Bearer sk_rsv_sandbox"}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox() as running:
        yield running


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=5, headers=KEY) as client:
        yield client


def test_both_sides_answer_at_their_addresses(sandbox: Sandbox, client: httpx.Client) -> None:
    params = {"resourceId": 18}
    answer = client.post(f"{sandbox.webhook_url}booking.v1.resource.slots.list", json=params)
    assert answer.json()["result"]["slots"][0]["from"] is None
    assert client.get(f"{sandbox.base_url}/services/123").json()["data"]["name"] == "Dental check-up"
    assert client.get(f"{sandbox.url}/_sandbox").status_code == 200
    assert sandbox.api_key == "sk_rsv_sandbox"


@pytest.mark.parametrize("kind", ["drop-before", "drop-after", "late", "cut"])
def test_a_dropped_connection_is_really_closed_and_nobody_complains(
    sandbox: Sandbox, client: httpx.Client, kind: FaultKind, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.world.faults.append(Fault("services", kind))
    with caplog.at_level(logging.WARNING), pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        client.get(f"{sandbox.base_url}/services")
    assert client.get(f"{sandbox.base_url}/services").status_code == 200
    assert caplog.records == []


def test_a_slow_answer_is_slow(sandbox: Sandbox, client: httpx.Client) -> None:
    sandbox.world.faults.append(Fault("services", "slow", seconds=0.3))
    begin = time.monotonic()
    assert client.get(f"{sandbox.base_url}/services").status_code == 200
    assert time.monotonic() - begin >= 0.3


def test_a_client_that_does_not_wait_keeps_nobody_waiting(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), running_sandbox() as sandbox:
        sandbox.world.faults.append(Fault("services", "slow", seconds=60))
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(f"{sandbox.base_url}/services", headers=KEY, timeout=0.05)
        begin = time.monotonic()
    assert time.monotonic() - begin < 0.9
    assert caplog.records == []


async def test_without_a_server_a_drop_is_an_exception(world: World, http: httpx.AsyncClient) -> None:
    world.faults.append(Fault("services", "drop-before"))
    with pytest.raises(ConnectionDropped):
        await http.get("/v1/services")


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "example.com", ""])  # noqa: S104
def test_only_loopback_is_served(host: str) -> None:
    with pytest.raises(ConfigurationError, match="does not listen") as caught:
        serve(host, 0, state=sample_world(), ready=lambda _url: None)
    assert caught.value.exit_code == 2


def test_a_port_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"Port {port}"):
            serve("localhost", port, state=sample_world(), ready=lambda _url: None)


def test_serve_tells_its_address_and_ends_on_an_interrupt() -> None:
    code = """
from slotbridge.sandbox.sample import sample_world
from slotbridge.sandbox.server import serve
try:
    serve("127.0.0.1", 0, state=sample_world(), ready=lambda url: print(url, flush=True))
except KeyboardInterrupt:
    print("interrupted")
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert httpx.get(f"{url}/_sandbox").status_code == 200
        process.send_signal(2)
        out, err = process.communicate(timeout=10)
    assert (out, err) == ("interrupted\n", "")


class Handler:
    """Somebody who listens: keeps the bodies that come in, and answers 200."""

    def __init__(self) -> None:
        self.bodies: list[str] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(5)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/hook"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        connection, _ = self._socket.accept()
        with connection, self._socket:
            head, _, body = connection.recv(65536).partition(b"\r\n\r\n")
            while b"Content-Length: %d\r\n" % len(body) not in head + b"\r\n":
                body += connection.recv(65536)
            self.bodies.append(body.decode())
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    def wait(self) -> str:
        self._thread.join(5)
        return self.bodies[0]


def test_an_edit_reaches_the_outgoing_webhook_in_the_background() -> None:
    handler = Handler()
    with running_sandbox() as sandbox, httpx.Client(base_url=f"{sandbox.url}/_sandbox") as control:
        control.patch("/behaviour", json={"bitrix24": {"event_delay": 0}})
        control.post("/bitrix24/outgoing-webhook", json={"url": handler.url, "token": "t0k"})
        control.put("/bitrix24/resources/15/slots", json=[])
        body = handler.wait()
    assert "event=ONBOOKINGRESOURCEUPDATE" in body
    assert "data%5BID%5D=15" in body
    assert f"auth%5Bclient_endpoint%5D={quote_plus(sandbox.rest_url)}" in body


def test_a_booking_reaches_the_webhook_in_the_background() -> None:
    handler = Handler()
    with running_sandbox() as sandbox, httpx.Client(base_url=f"{sandbox.url}/_sandbox/reservekit") as control:
        control.post("/webhook", json={"url": handler.url})
        slot_id = sandbox.world.reservations.slots(123)[0].id
        control.post("/bookings", json={"time_slot_id": slot_id, "date": "2026-03-09"})
        body = handler.wait()
    assert '"event_type": "bookings.create"' in body


def test_a_listener_that_is_not_there_disturbs_nobody(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        url = f"http://127.0.0.1:{gone.getsockname()[1]}/"
    with caplog.at_level(logging.WARNING), running_sandbox() as sandbox:
        events = sandbox.world.portal.events
        events.outgoing = events.listen(url, "t")
        events.add("ONBOOKINGADD", 1, 0)
        deadline = time.monotonic() + 5
        while not sandbox.world.delivered and time.monotonic() < deadline:
            time.sleep(0.01)
        assert [attempt.status for attempt in sandbox.world.delivered] == [None]
        assert httpx.get(f"{sandbox.url}/_sandbox").status_code == 200
    assert caplog.records == []


def test_the_application_at_its_addresses(sandbox: Sandbox, client: httpx.Client) -> None:
    page = client.get(f"{sandbox.url}{AUTHORIZE_PATH}", params={"client_id": CLIENT_ID})
    query = {
        "grant_type": "authorization_code",
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "code": page.text.removeprefix("code: ").strip(),
    }
    pair = client.get(sandbox.token_url, params=query).json()
    assert pair["client_endpoint"] == sandbox.rest_url
    answer = client.post(f"{pair['client_endpoint']}scope", json={"auth": pair["access_token"]}, headers={})
    assert answer.json()["result"] == ["booking", "crm"]


def test_the_thread_is_gone_afterwards() -> None:
    before = threading.active_count()
    with running_sandbox(sample_world()) as sandbox:
        assert httpx.get(f"{sandbox.url}/_sandbox/state").status_code == 200
    assert threading.active_count() == before
