"""How the process ends when it is told to, be it an ordinary one or the first of a container."""

from __future__ import annotations

import subprocess
import sys

import pytest

EARLY = """
import os, signal
from slotbridge.cli import main
from slotbridge.cli.invocation import Invocation

Invocation.settings = lambda self: os.kill(os.getpid(), signal.SIGTERM)
raise SystemExit(main())
"""
"""SIGTERM comes while the settings are read."""

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


def python(code: str, *argv: str) -> tuple[int, str, str]:
    done = subprocess.run([sys.executable, "-c", code, *argv], capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("argv", [["sync"], ["status", "--watch"], ["doctor"]])
def test_sigterm_ends_a_command_with_143(argv: list[str]) -> None:
    assert python(EARLY, *argv) == (143, "", "Interrupted. Run the same command again to go on.\n")


def test_a_daemon_that_is_told_to_stop_before_it_has_begun_ends_with_0() -> None:
    assert python(EARLY, "run") == (0, "", "")


@pytest.mark.parametrize(("command", "code"), [("run", 0), ("sync", 143)])
@pytest.mark.parametrize("moment", [IMPORTING, PARSING])
def test_sigterm_is_heard_before_any_command_has_begun(command: str, code: int, moment: str) -> None:
    assert python(moment, command) == (code, "", "")


def test_the_second_sigterm_does_not_wait() -> None:
    assert python(TWICE, "sync") == (143, "", "")


def test_called_from_another_program_it_leaves_its_signals_alone() -> None:
    code = "import signal; from slotbridge.cli import main; main(['--version'])\n"
    assert python(code + "print(signal.getsignal(signal.SIGTERM) == signal.SIG_DFL)")[1].endswith("True\n")
