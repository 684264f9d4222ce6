"""Things to store, and a look behind the store's back."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from slotbridge.reconcile.agreement import Agreement
from slotbridge.reconcile.model import Change, Hold, HoldKind, Link
from slotbridge.store import Intent
from slotbridge.week import Window

START = datetime(2026, 5, 14, 9, 0, 0, 123456, tzinfo=UTC)

AGREEMENT = Agreement(15, 123, "Europe/Kyiv", "window", "derive", "monday", "auto", None)
MONDAY = Link(Window(0, 540, 1020), 60, 41, 0, 8)
TUESDAY = Link(Window(1, 540, 1440), 30, 42, 0, 30)
AFTER_MIDNIGHT = Link(Window(2, 0, 120), 30, 42, 1, 30)
INTENT = Intent(START, START + timedelta(minutes=2), ((MONDAY.window, 8), (TUESDAY.window, 30)), (7, 9))


class StillClock:
    """A clock that moves when it is told to, or when somebody sleeps."""

    def __init__(self) -> None:
        self.time = START

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.time.timestamp()

    async def sleep(self, seconds: float) -> None:
        self.pass_by(seconds)

    def pass_by(self, seconds: float) -> datetime:
        self.time += timedelta(seconds=seconds)
        return self.time


def hold(fingerprint: str = "f00d", *, pair: str = "dental", kind: HoldKind = "conflict", reason: str = "") -> Hold:
    return Hold(kind, reason or "both sides changed", fingerprint, pair, ({"base": "Mon 09:00–17:00", "n": [1]},))


def change(why: str = "new in Bitrix24") -> Change:
    return Change("reservekit", "create", None, {"day_of_week": 0, "max_bookings": 8}, why)


def select(file: Path, statement: str) -> list[Any]:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(statement).fetchall()


def execute(file: Path, *statements: str) -> None:
    with closing(sqlite3.connect(file)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()
