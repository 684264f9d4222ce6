"""One process after the other on one database file, each of which can be killed at any boundary of a step."""

from __future__ import annotations

import asyncio
import atexit
import functools
import shutil
import sqlite3
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, TypeVar

import httpx
from sqlalchemy import Engine

from slotbridge.errors import StoreError
from slotbridge.sandbox.world import RESERVEKIT_KEY, RESERVEKIT_PATH, WEBHOOK_PATH, World
from slotbridge.settings import Settings, load_settings
from slotbridge.store import Store
from slotbridge.store.engine import working_engine
from slotbridge.sync.bridge import Bridge
from tests.http.clock import FakeClock

HOST = "http://127.0.0.1:1"
MEMORY_DISK = Path("/dev/shm")  # noqa: S108 - a folder in memory, where there is one; every file in it has its own
STORE_STEPS = ("zones", "store_zones", "recall", "begin_run", "note_intent", "remember", "finish_run")

T = TypeVar("T")


class Death(BaseException):
    """The process is killed: nothing may catch this, and nothing runs after it."""


@dataclass
class Fate:
    """When a process dies, and when its disk fails. Boundaries are counted: before and after each request and each
    call of the store; `passed` names those that were crossed."""

    doom: int | None = None
    bad_disk: int | None = None
    dead: bool = False
    passed: list[str] = field(default_factory=list)
    store_calls: int = 0

    def cross(self, name: str) -> None:
        if self.dead:
            raise Death(name)
        self.passed.append(name)
        if self.doom is not None and len(self.passed) > self.doom:
            self.dead = True
            raise Death(name)

    def use_disk(self) -> None:
        self.store_calls += 1
        if self.store_calls - 1 == self.bad_disk:
            self.bad_disk = -1
            raise StoreError("the database cannot grow: the disk is full")


class MortalStore(Store):
    """The real store, whose steps can be the last ones of the process."""

    fate: Fate

    def obey(self, fate: Fate) -> MortalStore:
        self.fate = fate
        for name in STORE_STEPS:
            setattr(self, name, self._step(name, getattr(Store, name)))
        return self

    def require_identity(self) -> None:
        """Nobody takes the file away in a history, and looking takes a tenth of its time; `tests/store` does."""

    def _step(self, name: str, method: Callable[..., T]) -> Callable[..., T]:
        @functools.wraps(method)
        def step(*args: Any, **kwargs: Any) -> T:
            self.fate.cross(f"before {name}")
            self.fate.use_disk()
            result = method(self, *args, **kwargs)
            self.fate.cross(f"after {name}")
            return result

        return step


Exchange = Callable[[httpx.Request, bytes], httpx.Response]


class Wire(httpx.AsyncBaseTransport):
    """Hands requests to `exchange`, as long as the process lives."""

    def __init__(self, exchange: Exchange, fate: Fate) -> None:
        self._exchange = exchange
        self._fate = fate

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        name = request_name(request, body)
        self._fate.cross(f"before {name}")
        answer = self._exchange(request, body)
        self._fate.cross(f"after {name}")
        return answer


def request_name(request: httpx.Request, body: bytes) -> str:
    """A request in two words, for counters."""
    if request.url.path.startswith("/rest/"):
        return "slots.set" if b"slots.set" in body or b"slots.unset" in body else "slots.list"
    path = request.url.path.removeprefix(RESERVEKIT_PATH).strip("/").split("/")[0]
    return f"{request.method} {path}"


@functools.lru_cache
def base_settings(**reservekit: Any) -> Settings:
    """Settings without pairs; paces far beyond what is used."""
    environ = {
        "SLOTBRIDGE_BITRIX24__WEBHOOK_URL": HOST + WEBHOOK_PATH,
        "SLOTBRIDGE_BITRIX24__REQUESTS_PER_SECOND": "1000",
        "SLOTBRIDGE_RESERVEKIT__REQUESTS_PER_SECOND": "1000",
        "SLOTBRIDGE_RESERVEKIT__BASE_URL": HOST + RESERVEKIT_PATH,
        "SLOTBRIDGE_RESERVEKIT__API_KEY": RESERVEKIT_KEY,
    }
    environ |= {f"SLOTBRIDGE_RESERVEKIT__{key.upper()}": str(value) for key, value in reservekit.items()}
    return load_settings(None, environ)


@functools.lru_cache
def folder() -> Path:
    """A folder for this process's databases, in memory if the machine has such a place."""
    made = Path(tempfile.mkdtemp(prefix="slotbridge-sim-", dir=MEMORY_DISK if MEMORY_DISK.is_dir() else None))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


@functools.lru_cache
def _engine(file: Path) -> Engine:
    """One engine for all processes: a new one would compile every statement anew. It is no memory of a process."""
    return working_engine(file)


@functools.lru_cache
def _empty_database() -> Path:
    file = folder() / "empty.db"
    Store.open(f"sqlite:///{file}", clock=FakeClock()).close()
    return file


class Machine:
    """Where slotbridge runs: a clock, a database file, and one process after the other.

    `counts` is whether each request is counted in the database as it leaves, which takes a sixth of the time.
    """

    def __init__(
        self, world: World, clock: FakeClock, settings: Settings, exchange: Exchange, *, counts: bool = True
    ) -> None:
        self.counts = counts
        self.world = world
        self.clock = clock
        self.settings = settings
        self.exchange = exchange
        self.file = folder() / "case.db"
        self.random = Random(1)
        self.fate = Fate()
        self._store: MortalStore | None = None
        self._bridge: Bridge | None = None
        self._eye: sqlite3.Connection | None = None
        self.lose_database()

    @property
    def store(self) -> Store:
        """The store of the process that runs."""
        self._start()
        assert self._store is not None
        return self._store

    async def run(self, job: Callable[[Bridge], Awaitable[T]], fate: Fate | None = None, *, dry: bool = False) -> T:
        """Does a job in the process that runs, or a dry one beside it. Raises Death when it is not survived."""
        bridge = self._connected(self.store, read_only=True) if dry else self._start()
        self.fate = fate or Fate()
        try:
            return await job(bridge)
        except Death:
            await self._bury()
            self.stop()
            raise
        finally:
            self.fate = Fate()

    def _start(self) -> Bridge:
        if self._bridge is None:
            fate = _PresentFate(self)
            self._store = store = MortalStore(_engine(self.file), self.clock).obey(fate)
            self._bridge = self._connected(store, read_only=not self.counts)
        return self._bridge

    def _connected(self, store: Store, *, read_only: bool = False) -> Bridge:
        store.read_only = read_only
        wire = Wire(self.exchange, _PresentFate(self))
        bridge = Bridge.connect(self.settings, store, clock=self.clock, random=self.random, network=wire)
        store.read_only = False
        return bridge

    def stop(self) -> None:
        """Ends the process: what it had in memory is gone."""
        if self._store is not None:
            self._store.close()
        if self._eye is not None:
            self._eye.close()
        self._store = self._bridge = self._eye = None

    def peek(self, query: str) -> list[Any]:
        """Rows of the database, read past the store."""
        if self._eye is None:
            self._eye = sqlite3.connect(self.file)
        return self._eye.execute(query).fetchall()

    def all_rows(self) -> dict[str, list[Any]]:
        """The whole database: its schema, and the rows of every table."""
        tables = self.peek("SELECT name, sql FROM sqlite_master WHERE type = 'table'")
        rows = {name: self.peek(f"SELECT * FROM {name}") for name, _ in tables}  # noqa: S608
        return rows | {"sqlite_master": self.peek("SELECT type, name, tbl_name, sql FROM sqlite_master")}

    def lose_database(self) -> None:
        """Somebody deletes the database; the next process begins with none."""
        self.stop()
        for suffix in ("-wal", "-shm"):
            self.file.with_name(self.file.name + suffix).unlink(missing_ok=True)
        shutil.copyfile(_empty_database(), self.file)

    async def _bury(self) -> None:
        """Whatever else was under way in the dead process never goes on."""
        rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)


class _PresentFate(Fate):
    """The fate of whatever run is under way."""

    def __init__(self, machine: Machine) -> None:
        super().__init__()
        self._machine = machine

    def cross(self, name: str) -> None:
        self._machine.fate.cross(name)

    def use_disk(self) -> None:
        self._machine.fate.use_disk()
