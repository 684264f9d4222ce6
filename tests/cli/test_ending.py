"""How the process ends when it is told to, be it an ordinary one or the first of a container."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from slotbridge.cli import TAKING_VALUES, command_in
from slotbridge.cli.app import app

HEEDED = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
"""A shell that runs tests in the background switches Ctrl-C off."""

EARLY = """
import os, signal
from slotbridge.cli import main
from slotbridge.cli.invocation import Invocation

Invocation.settings = lambda self: os.kill(os.getpid(), signal.SIGTERM)
raise SystemExit(main())
"""
"""The signal comes while the settings are read."""

IMPORTING = """
import os, signal, sys

class Signal:
    def find_spec(self, name, *_):
        if name == "typer":
            os.kill(os.getpid(), signal.SIGTERM)

sys.meta_path.insert(0, Signal())
from slotbridge.cli import main
raise SystemExit(main())
"""

PARSING = """
import os, signal
from slotbridge.cli import app, main

app.get_command = lambda _app: os.kill(os.getpid(), signal.SIGTERM)
raise SystemExit(main())
"""

TWICE = """
import os, signal
from slotbridge.cli import main
from slotbridge.cli.invocation import Invocation

def settings(self):
    try:
        os.kill(os.getpid(), signal.SIGTERM)
    finally:
        os.kill(os.getpid(), signal.SIGTERM)
        print("still here")

Invocation.settings = settings
raise SystemExit(main())
"""


DEMO = """
import os, signal, tempfile
from slotbridge.cli import main, story

tempfile.tempdir = os.environ["FOLDER"]

def tell_story(stage):
    from slotbridge.cli.invocation import Invocation

    Invocation.settings = lambda self: os.kill(os.getpid(), signal.SIGTERM)
    stage.call("status")
    print("still here")

story.tell_story = tell_story
raise SystemExit(main())
"""

RENEWING = """
import asyncio, os, signal
from slotbridge.bitrix24.oauth import _to_its_end
from slotbridge.cli import main
from slotbridge.cli.invocation import Invocation
from slotbridge.together import both

async def renewed():
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.sleep(0.2)
    print("stored")

async def examined():
    await both(_to_its_end(renewed()), asyncio.sleep(5))

Invocation.settings = lambda self: asyncio.run(examined())
raise SystemExit(main())
"""
"""The signal comes while new tokens are on their way, and another request beside them."""

INTERRUPTED = "Interrupted. Run the same command again to go on.\n"
SIGNALS = pytest.mark.parametrize(("told", "code"), [("SIGINT", 130), ("SIGTERM", 143)])


def python(code: str, *argv: str) -> tuple[int, str, str]:
    done = subprocess.run([sys.executable, "-c", code, *argv], capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stdout, done.stderr


def told_by(name: str, code: str, *argv: str) -> tuple[int, str, str]:
    return python(HEEDED + code.replace("SIGTERM", name), *argv)


@SIGNALS
@pytest.mark.parametrize("argv", [["sync"], ["status", "--watch"], ["show", "run"]])
def test_a_signal_ends_a_command_with_a_code_of_its_own(argv: list[str], told: str, code: int) -> None:
    assert told_by(told, EARLY, *argv) == (code, "", INTERRUPTED)


@pytest.mark.parametrize("told", ["SIGINT", "SIGTERM"])
@pytest.mark.parametrize("moment", [EARLY, IMPORTING, PARSING])
def test_a_daemon_that_is_told_to_stop_before_it_has_begun_ends_with_0(told: str, moment: str) -> None:
    assert told_by(told, moment, "--log-level", "debug", "run") == (0, "", "")


@SIGNALS
@pytest.mark.parametrize("moment", [IMPORTING, PARSING])
def test_a_signal_is_heard_before_any_command_has_begun(told: str, code: int, moment: str) -> None:
    assert told_by(told, moment, "sync") == (code, "", INTERRUPTED)


@SIGNALS
def test_a_demo_that_is_interrupted_in_a_step_accuses_nobody(
    told: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOLDER", str(tmp_path))
    ended, out, err = told_by(told, DEMO, "demo")
    assert (ended, err) == (code, INTERRUPTED)
    assert out.splitlines()[-1] == "$ slotbridge status"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("", None),
        ("--version", None),
        ("run", "run"),
        ("--config run status", "status"),
        ("--config=run --log-format json run", "run"),
        ("show run", "show"),
    ],
)
def test_the_command_is_the_first_word_that_is_no_option_and_no_value_of_one(line: str, command: str | None) -> None:
    assert command_in(line.split()) == command


def test_the_options_that_take_a_value_are_known() -> None:
    options = {option.name for option in get_command(app).params if not option.is_flag}  # type: ignore[attr-defined]
    assert {f"--{name}".replace("_", "-") for name in options} == set(TAKING_VALUES)


@SIGNALS
def test_tokens_that_are_being_renewed_are_stored_before_a_signal_ends_the_process(told: str, code: int) -> None:
    assert told_by(told, RENEWING, "sync") == (code, "stored\n", INTERRUPTED)


def test_the_second_sigterm_does_not_wait() -> None:
    assert python(TWICE, "sync") == (143, "", "")


def test_called_from_another_program_it_leaves_its_signals_alone() -> None:
    code = "import signal; from slotbridge.cli import main; main(['--version'])\n"
    assert python(code + "print(signal.getsignal(signal.SIGTERM) == signal.SIG_DFL)")[1].endswith("True\n")
