"""The real process over real HTTP, killed at each of its requests: the next runs heal it, and nothing is doubled."""

from __future__ import annotations

import io
import json
import multiprocessing
import os
import signal
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import pytest

from slotbridge.cli import main
from slotbridge.lenses.items import Range
from slotbridge.sandbox.server import Sandbox, running_sandbox
from slotbridge.sandbox.traffic import Fault
from slotbridge.sandbox.world import World

ZONE = "Europe/Berlin"
REQUESTS = 8
"""How many requests the run that is killed sends; a test checks it."""

IN_STEP_BITRIX24 = [
    ("Fri", 600, 660, 30),
    ("Mon", 480, 720, 30),
    ("Sun", 600, 720, 60),
    ("Thu", 540, 600, 30),
]
IN_STEP_RESERVEKIT = [(0, 480, 720, 8), (3, 540, 600, 2), (4, 600, 660, 2), (6, 600, 720, 2)]

# Each run is a process of its own, forked from one that has imported all it needs: that takes longer than a run.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["slotbridge.cli.sync", "httpcore", "anyio._backends._asyncio", __name__])


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it wrote."""

    code: int | None
    out: str
    err: str


def sync(environ: Mapping[str, str], out: Path, err: Path) -> None:
    """The whole life of such a process."""
    os.chdir(out.parent)
    with out.open("w") as stdout, err.open("w") as stderr, redirect_stdout(stdout), redirect_stderr(stderr):
        code = main(["sync", "--json"], stdout=stdout, stderr=stderr, environ=environ)
    raise SystemExit(code)


class Office:
    """A business whose both sides have been edited since they were in step."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self.sandbox, self.folder, self.world = sandbox, folder, sandbox.world
        self.resource = self.world.portal.add_resource("Dental")
        self.service = self.world.reservations.add_service("Dental", ZONE)
        self._put(("Mon", 540, 720, 30), ("Tue", 540, 720, 30), ("Wed", 540, 1020, 30), ("Thu", 540, 720, 30))
        assert self.called().code == 0
        slots = {slot.day: slot.id for slot in self.world.reservations.slots(self.service)}
        self.monday = slots[0]
        self.world.reservations.remove_slot(slots[1])
        self.world.reservations.edit_slot(slots[3], end=600, max_bookings=2)
        self.world.reservations.add_slot(self.service, 6, 600, 720, 2)
        self._put(("Mon", 480, 720, 30), ("Tue", 540, 720, 30), ("Thu", 540, 720, 30), ("Fri", 600, 660, 30))

    def _put(self, *ranges: tuple[str, int, int, int]) -> None:
        made = [Range(start, end, ZONE, (day,), size) for day, start, end, size in ranges]
        self.world.portal.put_slots(self.resource, made)

    def sync(self) -> Done:
        return self._ended(self.started())

    def called(self) -> Done:
        """A sync in this process, where nothing is to happen to it."""
        out, err = io.StringIO(), io.StringIO()
        code = main(["sync", "--json"], stdout=out, stderr=err, environ=self.environ)
        return Done(code, out.getvalue(), err.getvalue())

    def _ended(self, process: ForkServerProcess) -> Done:
        process.join(60)
        assert process.exitcode is not None, "it does not end"
        return Done(process.exitcode, *(file.read_text() for file in self._streams))

    @property
    def environ(self) -> dict[str, str]:
        return {
            "SLOTBRIDGE_BITRIX24__WEBHOOK_URL": self.sandbox.webhook_url,
            "SLOTBRIDGE_RESERVEKIT__BASE_URL": self.sandbox.base_url,
            "SLOTBRIDGE_RESERVEKIT__API_KEY": self.sandbox.api_key,
            "SLOTBRIDGE_RESERVEKIT__REQUESTS_PER_SECOND": "1000",
            "SLOTBRIDGE_STORE__URL": f"sqlite:///{self.folder / 'slotbridge.db'}",
            "SLOTBRIDGE_PAIRS": json.dumps(
                [{"name": "dental", "resource_id": self.resource, "service_id": self.service}]
            ),
        }

    @property
    def _streams(self) -> tuple[Path, Path]:
        return self.folder / "out", self.folder / "err"

    def started(self) -> ForkServerProcess:
        process = PROCESSES.Process(target=sync, args=(self.environ, *self._streams), daemon=True)
        process.start()
        return process

    def killed_at(self, number: int, *, executed: bool) -> int | None:
        """Runs a sync that is killed while its request of that number is on its way; returns the exit code."""
        process: list[ForkServerProcess] = []
        seen: list[str] = []

        def kill(world: World, _api: str, _method: str, path: str) -> None:
            seen.append(path)
            if len(seen) == number and process:
                process[0].kill()
                wait([process[0].sentinel])
                if not executed:
                    world.faults.append(Fault("", "drop-before"))

        self.world.on_request.append(kill)
        process.append(self.started())
        code = self._ended(process[0]).code
        self.world.on_request.remove(kill)
        self.world.faults.clear()
        return code

    def state(self) -> tuple[list[Any], list[Any]]:
        ranges = sorted(
            (" ".join(r.week_days), r.start, r.end, r.slot_size) for r in self.world.portal.slots(self.resource)
        )
        slots = sorted((s.day, s.start, s.end, s.max_bookings) for s in self.world.reservations.slots(self.service))
        return ranges, slots


@pytest.fixture
def office(tmp_path: Path) -> Any:
    with running_sandbox(World()) as sandbox:
        world = sandbox.world
        world.portal.behaviour = replace(world.portal.behaviour, limiter=False)
        world.reservations.behaviour = replace(world.reservations.behaviour, limiter=False)
        yield Office(sandbox, tmp_path)


def test_the_run_that_is_killed_sends_so_many_requests(office: Office) -> None:
    before = len(office.world.log)
    done = office.sync()
    assert done.code == 0, done.out + done.err
    assert office.state() == (IN_STEP_BITRIX24, IN_STEP_RESERVEKIT)
    assert len(office.world.log) - before == REQUESTS


@pytest.mark.parametrize("executed", [True, False])
@pytest.mark.parametrize("number", range(1, REQUESTS + 1))
def test_W4_killed_at_a_request_the_next_run_understands(number: int, executed: bool, office: Office) -> None:
    assert office.killed_at(number, executed=executed) == -signal.SIGKILL
    healed = office.sync()
    assert healed.code == 0, healed.out + healed.err
    assert office.state() == (IN_STEP_BITRIX24, IN_STEP_RESERVEKIT)
    assert office.monday in [slot.id for slot in office.world.reservations.slots(office.service)]
    writes = sum(logged.write for logged in office.world.log)
    quiet = json.loads(office.called().out)
    assert quiet["pairs"][0]["status"] == "quiet"
    assert sum(logged.write for logged in office.world.log) == writes
