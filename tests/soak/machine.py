"""The machine on which slotbridge runs: its processes, its disk, and what /proc tells of them."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from slotbridge.sandbox.server import Sandbox
from tests.soak.business import Business

DRAIN = 10.0
TOKEN = "soakapplicationtoken"
_COMMAND = (sys.executable, "-c", "from slotbridge.cli import main; raise SystemExit(main())")
_DISK = "24m"
_HOLDS = re.compile(r'^slotbridge_pair_holds\{pair="(\w+)"\} (\S+)$', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Sample:
    """What one process takes: kilobytes of memory, open files, threads; `at` is an instant."""

    at: float
    memory: int
    files: int
    threads: int


@dataclass(slots=True)
class Life:
    """One daemon, from its start to its end."""

    process: subprocess.Popen[bytes]
    log: Path
    begun: float
    samples: list[Sample] = field(default_factory=list)
    killed: bool = False
    stopped_in: float | None = None

    @property
    def lines(self) -> list[str]:
        """What it has written to standard error."""
        return self.log.read_text(errors="replace").splitlines()

    @property
    def events(self) -> list[dict[str, Any]]:
        """What it has logged."""
        return [entry for line in self.lines if (entry := _entry(line)) is not None]

    def has_said(self, event: str) -> bool:
        return any(entry["event"] == event for entry in self.events)

    def sample(self) -> None:
        """Looks at the process in /proc, if it is there."""
        try:
            status = Path(f"/proc/{self.process.pid}/status").read_text()
            files = len(os.listdir(f"/proc/{self.process.pid}/fd"))  # noqa: PTH208 - of a process that may be gone
        except OSError:
            return
        told = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
        if "VmRSS" in told:
            memory, threads = int(told["VmRSS"].split()[0]), int(told["Threads"])
            self.samples.append(Sample(time.monotonic(), memory, files, threads))


class Machine:
    """Runs one daemon after the other on one database, and commands beside it."""

    def __init__(self, sandbox: Sandbox, business: Business, folder: Path, disk: Path) -> None:
        self.folder, self.disk = folder, disk
        self.database = disk / "slotbridge.db"
        self.port = _free_port()
        self.lives: list[Life] = []
        self._environ = _environ(sandbox, business, self.database, self.port)
        (folder / "logs").mkdir()

    @property
    def life(self) -> Life:
        """The last daemon."""
        return self.lives[-1]

    @property
    def alive(self) -> bool:
        return bool(self.lives) and self.life.process.poll() is None

    @property
    def at_work(self) -> bool:
        """Whether the last daemon has come so far as to hold the lock, and is still there."""
        return self.alive and self.life.has_said("daemon.started")

    def start(self) -> None:
        log = self.folder / "logs" / f"{len(self.lives) + 1:03d}.log"
        with log.open("wb") as err:
            process = subprocess.Popen([*_COMMAND, "run"], env=self._environ, cwd=self.folder, stderr=err)
        self.lives.append(Life(process, log, time.monotonic()))

    def kill(self) -> None:
        self.life.killed = True
        self.life.process.kill()
        self.life.process.wait()

    def stop(self) -> None:
        """SIGTERM, and the time that it takes."""
        begun = time.monotonic()
        self.life.process.send_signal(signal.SIGTERM)
        try:
            self.life.process.wait(DRAIN + 10)
        except subprocess.TimeoutExpired:
            self.kill()
        self.life.stopped_in = time.monotonic() - begun

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Another slotbridge beside the daemon, to its end."""
        return subprocess.run(
            [*_COMMAND, *words], env=self._environ, cwd=self.folder, capture_output=True, text=True, timeout=60
        )

    def tell(self, body: bytes, path: str = "/hooks/bitrix24") -> int | None:
        """Sends something to the daemon's hooks; the status of its answer, None without one."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("POST", path, body)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def metrics(self) -> str:
        """What /metrics says; nothing if nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", "/metrics")
            return connection.getresponse().read().decode()
        except (OSError, http.client.HTTPException):
            return ""
        finally:
            connection.close()

    @property
    def held(self) -> set[str] | None:
        """The pairs that have holds, as /metrics tells; None if nobody answers."""
        text = self.metrics()
        return {pair for pair, count in _HOLDS.findall(text) if count != "0.0"} if text else None

    @property
    def hooks(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks"

    def fill_disk(self) -> None:
        """Takes all room on the database's disk."""
        block = bytes(2**16)
        try:
            with (self.disk / "ballast").open("ab", buffering=0) as ballast:
                while ballast.write(block):
                    pass
        except OSError:
            return

    def free_disk(self) -> None:
        (self.disk / "ballast").unlink(missing_ok=True)


def event(resource: int, token: str = TOKEN) -> bytes:
    """The portal's event about a resource."""
    form = {"event": "ONBOOKINGRESOURCEUPDATE", "data[ID]": resource, "auth[application_token]": token}
    return urlencode(form).encode()


@contextmanager
def small_disk(folder: Path) -> Iterator[bool]:
    """A file system of its own that can be made full, where this machine lets us; whether it does."""
    folder.mkdir()
    mounted = os.geteuid() == 0 and _ran("mount", "-t", "tmpfs", "-o", f"size={_DISK}", "tmpfs", str(folder))
    try:
        yield mounted
    finally:
        if mounted:
            _ran("umount", "--lazy", str(folder))


def _ran(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, timeout=10).returncode == 0
    except OSError:
        return False


def _entry(line: str) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) and "event" in entry else None


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _environ(sandbox: Sandbox, business: Business, database: Path, port: int) -> dict[str, str]:
    pairs = [
        {"name": book.name, "resource_id": resource, "service_id": service}
        for book, (resource, service) in zip(business.books, business.ids, strict=True)
    ]
    return {
        "PATH": os.environ["PATH"],
        **{name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ},
        "SLOTBRIDGE_BITRIX24__WEBHOOK_URL": sandbox.webhook_url,
        "SLOTBRIDGE_BITRIX24__APPLICATION_TOKEN": TOKEN,
        "SLOTBRIDGE_RESERVEKIT__BASE_URL": sandbox.base_url,
        "SLOTBRIDGE_RESERVEKIT__API_KEY": sandbox.api_key,
        "SLOTBRIDGE_RESERVEKIT__PLAN": "growth",
        "SLOTBRIDGE_STORE__URL": f"sqlite:///{database}",
        "SLOTBRIDGE_DAEMON__LISTEN": f"127.0.0.1:{port}",
        "SLOTBRIDGE_DAEMON__DRAIN": f"{DRAIN:.0f}s",
        "SLOTBRIDGE_SYNC__INTERVAL": "10s",
        "SLOTBRIDGE_SYNC__INTERVAL_MAX": "20s",
        "SLOTBRIDGE_SYNC__INITIAL": "merge",
        "SLOTBRIDGE_PAIRS": json.dumps(pairs),
    }
