"""The command line. Exit codes: see `slotbridge.errors` and `RunReport.exit_code`."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from io import TextIOWrapper
from types import FrameType
from typing import TextIO

from slotbridge.cli.outlet import Outlet

__all__ = ["main"]

TAKING_VALUES = ("--config", "--log-level", "--log-format")
"""The global options that are followed by a value."""


def main(
    argv: Sequence[str] | None = None,
    *,
    stdout: TextIO | None = None,
    stderr: TextIO | None = None,
    environ: Mapping[str, str] = os.environ,
) -> int:
    """Runs one command and returns its exit code; without `argv`, that of the process. Never raises for bad input.

    Output that cannot be written changes nothing about the command; it makes a 0 a 1, unless the reader has just gone.
    """
    if argv is None:
        signal.signal(signal.SIGTERM, _ended)
    streams = stdout or sys.stdout, stderr or sys.stderr
    for stream in streams:
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without our dashes and arrows gets question marks
    out, err = map(Outlet, streams)
    with redirect_stdout(out), redirect_stderr(err):
        code = _begun(list(sys.argv[1:] if argv is None else argv), out, err, environ)
    lost = out.finish()
    if lost is None or isinstance(lost, BrokenPipeError):
        return code
    err.write(f"error: standard output cannot be written ({lost.strerror})\n")
    return code or 1


def _begun(argv: list[str], out: TextIO, err: TextIO, environ: Mapping[str, str]) -> int:
    try:
        return _run(argv, out, err, environ)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except KeyboardInterrupt:
        code = 128 + signal.SIGINT
    if _told:
        code = 128 + _told[0]
    if command_in(argv) == "run":
        return 0  # a daemon is told to stop, and is stopped
    err.write("Interrupted. Run the same command again to go on.\n")
    return code


def _run(argv: list[str], out: TextIO, err: TextIO, environ: Mapping[str, str]) -> int:
    from slotbridge.cli.healthcheck import checked

    if (code := checked(argv, environ, out)) is not None:
        return code
    from slotbridge.cli.app import run
    from slotbridge.cli.invocation import Invocation

    return run(Invocation(out, err, environ), argv)


def command_in(argv: Sequence[str]) -> str | None:
    """The command of a command line, for as long as nothing is imported that reads command lines well."""
    words = zip(("", *argv), argv, strict=False)
    return next((word for before, word in words if not word.startswith("-") and before not in TAKING_VALUES), None)


_told: list[int] = []
"""The signal that ended the process, where that was passed on as a Ctrl-C."""


def _ended(number: int, _frame: FrameType | None) -> None:
    """Ends the process as Ctrl-C does; at the second signal at once.

    The kernel's own way of ending does not reach the first process of a container, so this comes before all imports.
    As a Ctrl-C it reaches asyncio, which brings to its end what must not be broken off, such as new tokens that have to
    be stored. An exception from here would end the loop, and with it everything that runs there.
    """
    signal.signal(number, lambda number, _frame: os._exit(128 + number))
    if not callable(signal.getsignal(signal.SIGINT)):  # started in the background by a shell
        raise SystemExit(128 + number)
    _told.append(number)
    signal.raise_signal(signal.SIGINT)
