"""The real daemon over real HTTP, as systemd or a container runs it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from slotbridge.lenses.items import Range
from slotbridge.sandbox.server import Sandbox, running_sandbox
from slotbridge.sandbox.world import World

ZONE = "Europe/Berlin"
TOKEN = "letmein"


class Office:
    """A business, and the daemon that looks after it."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self.sandbox, self.folder, self.world = sandbox, folder, sandbox.world
        self.resource = self.world.portal.add_resource("Dental")
        self.service = self.world.reservations.add_service("Dental", ZONE)
        self.put(540, 720)
        self.log: list[dict[str, Any]] = []
        self.started: list[subprocess.Popen[str]] = []

    def put(self, begin: int, end: int) -> None:
        self.world.portal.put_slots(self.resource, [Range(begin, end, ZONE, ("Mon",), 30)])

    def hours(self) -> list[tuple[int, int]]:
        return [(slot.start, slot.end) for slot in self.world.reservations.slots(self.service)]

    def start(self, **more: str) -> subprocess.Popen[str]:
        environ = {
            "PATH": os.environ["PATH"],
            "SLOTBRIDGE_BITRIX24__WEBHOOK_URL": self.sandbox.webhook_url,
            "SLOTBRIDGE_BITRIX24__APPLICATION_TOKEN": TOKEN,
            "SLOTBRIDGE_RESERVEKIT__BASE_URL": self.sandbox.base_url,
            "SLOTBRIDGE_RESERVEKIT__API_KEY": self.sandbox.api_key,
            "SLOTBRIDGE_STORE__URL": f"sqlite:///{self.folder / 'slotbridge.db'}",
            "SLOTBRIDGE_DAEMON__LISTEN": "127.0.0.1:0",
            "SLOTBRIDGE_PAIRS": json.dumps(
                [{"name": "dental", "resource_id": self.resource, "service_id": self.service}]
            ),
        }
        command = [sys.executable, "-c", "from slotbridge.cli import main; raise SystemExit(main())"]
        process = subprocess.Popen(
            [*command, "--log-format", "json", "run"],
            env=environ | more,
            cwd=self.folder,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(process)
        threading.Thread(target=self._listen, args=(process,), daemon=True).start()
        return process

    def _listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None
        for line in process.stderr:
            self.log.append(json.loads(line) if line.startswith("{") else {"event": "text", "text": line})

    def said(self) -> str:
        """What was written that is no log."""
        return "".join(entry["text"] for entry in self.log if "text" in entry)

    def events(self) -> list[str]:
        return [entry["event"] for entry in self.log]

    def ask(self, method: str, path: str, body: str | None = None) -> tuple[int, Any]:
        url = next(entry["url"] for entry in reversed(self.log) if entry["event"] == "endpoint.listening")
        connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=5)
        connection.request(method, path, body)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text

    def tell(self) -> int:
        """The portal's event about the resource."""
        form = {
            "event": "ONBOOKINGRESOURCEUPDATE",
            "data[ID]": self.resource,
            "auth[application_token]": TOKEN,
        }
        return self.ask("POST", "/hooks/bitrix24", urlencode(form))[0]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with running_sandbox(World()) as sandbox:
        world = sandbox.world
        world.portal.behaviour = replace(world.portal.behaviour, limiter=False)
        world.reservations.behaviour = replace(world.reservations.behaviour, limiter=False)
        office = Office(sandbox, tmp_path)
        yield office
        for process in office.started:
            if process.poll() is None:
                process.kill()
            process.wait()
            assert process.stderr is not None
            process.stderr.close()


def within(seconds: float, condition: Callable[[], bool], office: Office) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, office.log
        time.sleep(0.02)


def test_an_edit_that_is_told_travels_and_sigterm_ends_it_well_while_a_second_daemon_never_begins(
    office: Office,
) -> None:
    process = office.start()
    within(15, lambda: office.hours() == [(540, 720)] and "run.finished" in office.events(), office)
    assert office.ask("GET", "/healthz")[0] == 200
    assert office.ask("GET", "/readyz")[0] == 200
    second = office.start()
    office.put(600, 720)
    assert office.tell() == 200
    within(6, lambda: office.hours() == [(600, 720)], office)
    assert second.wait(10) == 5
    assert "another slotbridge works on this database" in office.said()
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    within(1, lambda: "daemon.stopped" in office.events(), office)
    assert {"daemon.started", "daemon.stopping", "daemon.stopped"} <= set(office.events())
    told = json.dumps(office.log)
    assert TOKEN not in told
    assert office.sandbox.api_key not in told


def test_the_second_signal_does_not_wait(office: Office) -> None:
    process = office.start()
    within(15, lambda: "daemon.started" in office.events(), office)
    released = threading.Event()
    asked = threading.Event()

    def hang(_world: World, _api: str, method: str, _path: str) -> None:
        if method == "PATCH":
            asked.set()
            released.wait(20)

    office.world.on_request.append(hang)
    try:
        within(15, lambda: asked.is_set(), office)
        process.send_signal(signal.SIGINT)
        within(5, lambda: "daemon.stopping" in office.events(), office)
        time.sleep(0.2)
        assert process.poll() is None  # it waits for what is under way
        process.send_signal(signal.SIGTERM)
        assert process.wait(3) == 143
    finally:
        released.set()


def test_killed_and_started_again_it_goes_on(office: Office) -> None:
    first = office.start()
    within(15, lambda: "run.finished" in office.events(), office)
    first.kill()
    first.wait()
    office.put(480, 720)
    office.log.clear()
    second = office.start()
    within(15, lambda: office.hours() == [(480, 720)], office)
    second.send_signal(signal.SIGTERM)
    assert second.wait(10) == 0
    assert office.hours() == [(480, 720)]


def test_started_again_it_knows_how_many_pages_a_run_takes(office: Office) -> None:
    reservations = office.world.reservations
    reservations.behaviour = replace(reservations.behaviour, max_page_size=2)
    days = ("Mon", "Tue", "Wed", "Thu", "Fri")
    office.world.portal.put_slots(office.resource, [Range(540, 720, ZONE, days, 30)])
    for advice in ("8,640 a month; starter has 10,000", "25,920 a month; starter has 10,000: every 14 min fits"):
        office.log.clear()
        process = office.start()
        within(15, lambda: "run.finished" in office.events(), office)
        told = next(entry["advice"] for entry in office.log if entry["event"] == "budget.advice")
        assert told == f"1 pair every 5 min = {advice}"
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def test_a_database_that_cannot_be_used_is_waited_for(office: Office) -> None:
    database = office.folder / "slotbridge.db"
    database.write_bytes(b"no database at all, but somebody's diary" * 100)
    process = office.start(WATCHDOG_USEC="1000000")  # it looks again as often as a supervisor wants to hear of it
    within(15, lambda: "endpoint.listening" in office.events(), office)
    assert office.ask("GET", "/healthz")[0] == 200
    status, text = office.ask("GET", "/readyz")
    assert (status, json.loads(text)["reasons"]) == (
        503,
        ["starting", "cannot remember: the database is not an SQLite database"],
    )
    assert "slotbridge_ready 0.0" in office.ask("GET", "/metrics")[1]
    assert office.tell() == 403
    time.sleep(1.2)
    assert office.events().count("store.failed") == 1
    assert office.world.log == []
    database.rename(office.folder / "diary")
    within(15, lambda: office.hours() == [(540, 720)], office)
    within(15, lambda: office.ask("GET", "/readyz")[0] == 200, office)
    assert {"store.recovered", "daemon.started"} <= set(office.events())
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0


def test_while_it_waits_for_its_database_it_can_be_stopped(office: Office) -> None:
    process = office.start(SLOTBRIDGE_STORE__URL=f"sqlite:///{office.folder / 'not mounted yet' / 'slotbridge.db'}")
    within(15, lambda: "endpoint.listening" in office.events(), office)
    process.send_signal(signal.SIGTERM)
    assert process.wait(5) == 0
    assert office.said() == ""


def test_who_only_reads_stops_at_once_however_slow_the_server_is(office: Office) -> None:
    process = office.start()
    within(15, lambda: "run.finished" in office.events(), office)
    released, asked = threading.Event(), threading.Event()

    def hang(_world: World, _api: str, _method: str, _path: str) -> None:
        asked.set()
        released.wait(20)

    office.world.on_request.append(hang)
    office.put(600, 720)
    try:
        assert office.tell() == 200
        within(15, lambda: asked.is_set(), office)
        requests = len(office.world.log)
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0
        assert "drain.overrun" not in office.events()
        assert len(office.world.log) == requests
    finally:
        released.set()


def test_a_signal_that_comes_before_anything_has_begun_ends_it_well(office: Office) -> None:
    for wait in (0.15, 0.4):
        process = office.start()
        time.sleep(wait)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) in (0, -signal.SIGTERM)  # the interpreter itself takes some tens of milliseconds
    assert office.said() == ""
