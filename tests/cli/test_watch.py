"""`status --watch`: current until Ctrl-C."""

from __future__ import annotations

import asyncio
import io
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from slotbridge.cli.invocation import Invocation
from slotbridge.cli.look import show_status
from slotbridge.cli.sandbox import config_for
from slotbridge.sandbox.sample import sample_world
from slotbridge.store import DatabaseLock, Outcome, Store
from slotbridge.store.migrate import HEAD
from slotbridge.store.schedule import Planned
from tests.http.clock import FakeClock
from tests.store.samples import execute

from .conftest import Terminal

NOBODY = "http://127.0.0.1:9"
"""Where nothing listens: whoever asks a service fails."""

UP, SHOW_CURSOR = "\x1b[1A", "\x1b[?25h"


class Person(FakeClock):
    """Looks so many times, then presses Ctrl-C. `meanwhile` happens between the looks."""

    def __init__(self, looks: int, meanwhile: Callable[[int], object] = lambda look: None) -> None:
        super().__init__()
        self.looks = looks
        self.meanwhile = meanwhile

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds)
        if len(self.slept) == self.looks:
            raise KeyboardInterrupt
        self.meanwhile(len(self.slept))


class Watched:
    """A configuration whose services nobody could reach, and a database."""

    def __init__(self, folder: Path) -> None:
        self.config = folder / "slotbridge.toml"
        self.database = folder / "slotbridge.db"
        self.url = f"sqlite:///{self.database}"
        self.config.write_text(config_for(NOBODY, sample_world(), self.url), encoding="utf-8")
        self.clock = FakeClock()
        self.store = Store.open(self.url, clock=self.clock)

    def plan(self, why: str) -> None:
        self.store.schedules.plan({"Orthodontics": Planned(self.clock.now(), 300, why)})

    def succeed(self, _look: int = 0) -> None:
        run = self.store.begin_run("run")
        self.store.remember(run, [Outcome("Orthodontics", self.clock.now(), "quiet")])

    def look(self, *, terminal: bool = False) -> str:
        """One look, without watching."""
        code, said = self._call(self.clock, None, terminal=terminal)
        assert code == 0
        return said

    def watch(self, person: Person, *, terminal: bool = False, every: float = 2, **environ: str) -> tuple[int, str]:
        return self._call(person, every, terminal=terminal, **environ)

    def _call(self, clock: FakeClock, every: float | None, *, terminal: bool, **environ: str) -> tuple[int, str]:
        out = Terminal() if terminal else io.StringIO()
        environ = {"COLUMNS": "80", "LINES": "24", "TERM": "xterm", **environ}
        invocation = Invocation(out, io.StringIO(), environ, config=self.config, clock=clock)
        return show_status(invocation, every), out.getvalue()


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    made = Watched(tmp_path)
    yield made
    made.store.close()


def rows(said: str, name: str = "Orthodontics") -> list[str]:
    return [line.split()[1] for line in said.splitlines() if line.startswith(name)]


def test_one_look_tells_what_the_configuration_costs_and_asks_for(watched: Watched) -> None:
    text = watched.config.read_text(encoding="utf-8")
    watched.config.write_text(text.replace("[[pairs]]", '[[pairs]]\nnames = "reservekit"', 1), encoding="utf-8")
    said = watched.look().splitlines()
    assert said[-1] == "4 pairs every 5 min, with names, = 43,200 a month; starter has 10,000: every 24 min fits."
    assert [line for line in said if "name follows" in line] == [
        "Dental check-up: its name follows ReserveKit; no run has brought it over yet"
    ]


def test_one_look_has_dates_for_files_and_fits_a_terminal(watched: Watched) -> None:
    watched.succeed()
    watched.plan("after a change")
    assert "just now (2026-05-14 00:16 UTC)" in watched.look()
    assert "2026-05-14" not in watched.look(terminal=True)


def test_off_a_terminal_every_look_is_a_new_block(watched: Watched) -> None:
    code, said = watched.watch(Person(3, watched.succeed))
    assert code == 0
    assert rows(said) == ["never", "in", "in"]
    heads = [line for line in said.splitlines() if line.endswith("until Ctrl-C")]
    assert [head[:19] for head in heads] == [f"2026-05-14 00:16:{second}" for second in (40, 42, 44)]
    assert "\x1b" not in said


def test_it_waits_as_long_as_it_was_told(watched: Watched) -> None:
    person = Person(3)
    _, said = watched.watch(person, every=7.5)
    assert person.slept == [7.5] * 3
    assert "every 7.5 s until Ctrl-C" in said


def test_on_a_terminal_each_look_takes_the_place_of_the_last(watched: Watched) -> None:
    code, said = watched.watch(Person(2, watched.succeed), terminal=True)
    assert code == 0
    first, second, *_ = said.split("2026-05-14 00:16:42")
    assert "never run" in first
    assert "in step" in second
    assert UP in first, "the cursor goes back up before the second look"
    assert said.rstrip().endswith(SHOW_CURSOR)


def test_a_terminal_that_cannot_go_back_gets_blocks(watched: Watched) -> None:
    _, said = watched.watch(Person(2), terminal=True, TERM="dumb")
    assert said.count("Requests in May") == 2
    assert UP not in said


def test_a_small_terminal_is_not_overrun(watched: Watched) -> None:
    for pair in ("Dental check-up", "Orthodontics", "Teeth cleaning", "Emergency room"):
        watched.store.remember(watched.store.begin_run("run"), [Outcome(pair, watched.clock.now(), "quiet")])
    _, said = watched.watch(Person(1), terminal=True, LINES="8")
    shown = re.sub(r"\x1b\[[?\d;]*[a-zA-Z]", "", said.rpartition("2026-05-14")[2])
    assert "more in step" in shown
    assert "Requests in May" in shown
    assert len(shown.strip().splitlines()) <= 8


def test_a_database_that_comes_later_is_seen(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    watched.store.close()
    for file in tmp_path.glob("slotbridge.db*"):
        file.unlink()

    def begin(_look: int) -> None:
        Store.open(watched.url, clock=watched.clock).close()

    _, said = watched.watch(Person(2, begin))
    assert said.count("Nothing has run yet") == 1
    assert rows(said) == ["never"]


def test_a_database_that_cannot_be_read_is_told_and_read_again(watched: Watched) -> None:
    version = "UPDATE alembic_version SET version_num = '{}'"
    execute(watched.database, version.format("0999"))
    code, said = watched.watch(Person(2, lambda _: execute(watched.database, version.format(HEAD))))
    assert code == 0
    assert said.count("newer slotbridge") == 1
    assert rows(said) == ["never"]


def test_the_daemon_is_seen_to_plan_and_to_end(watched: Watched) -> None:
    lock = DatabaseLock(watched.url, "run")
    asyncio.run(lock.acquire(0, watched.clock))
    watched.plan("after a change")
    _, said = watched.watch(Person(2, lambda _: lock.release()))
    before, after = said.split("2026-05-14 00:16:42")
    assert "now, after a change" in before
    assert "The daemon is running" in before
    assert "no daemon" in after
    assert "after a change" not in after


def test_watching_changes_nothing(watched: Watched) -> None:
    watched.store.close()
    before = {file.name: file.read_bytes() for file in watched.config.parent.iterdir()}
    watched.watch(Person(3))
    assert {file.name: file.read_bytes() for file in watched.config.parent.iterdir()} == before


WATCH = """
import os, signal, sys
from pathlib import Path
from slotbridge.cli.invocation import Invocation
from slotbridge.cli.look import show_status

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell that runs tests in the background switches it off
invocation = Invocation(sys.stdout, sys.stderr, os.environ, config=Path(sys.argv[1]))
raise SystemExit(show_status(invocation, 0.2))
"""


class Screen:
    """A real terminal with a program on it. `said` is all that it has shown."""

    def __init__(self, *command: str) -> None:
        self._screen, inside = pty.openpty()
        environ = {"PATH": os.environ["PATH"], "TERM": "xterm", "COLUMNS": "80", "LINES": "24"}
        self.process = subprocess.Popen(command, stdin=inside, stdout=inside, stderr=inside, env=environ)
        os.close(inside)
        self.said = ""

    def wait_for(self, words: str, patience: float = 20) -> None:
        """Reads until it has shown these words since the last time."""
        until, begun = time.monotonic() + patience, len(self.said)
        while words not in self.said[begun:]:
            assert time.monotonic() < until, f"not shown: {words}"
            if select.select([self._screen], [], [], 0.1)[0]:
                self.said += os.read(self._screen, 65536).decode()

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._screen)


def test_a_real_ctrl_c_in_a_real_terminal_ends_it_with_0(watched: Watched) -> None:
    with closing(Screen(sys.executable, "-c", WATCH, str(watched.config))) as screen:
        screen.wait_for("never run")
        watched.succeed()
        screen.wait_for("in step")
        screen.process.send_signal(signal.SIGINT)
        screen.wait_for(SHOW_CURSOR)
        assert screen.process.wait(10) == 0
    assert "Traceback" not in screen.said
    assert "Interrupted" not in screen.said
