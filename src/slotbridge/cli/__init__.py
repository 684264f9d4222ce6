"""The command line. Exit codes: see `slotbridge.errors` and `RunReport.exit_code`."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from io import TextIOWrapper
from typing import TextIO

__all__ = ["main"]


def main(
    argv: Sequence[str] | None = None,
    *,
    stdout: TextIO | None = None,
    stderr: TextIO | None = None,
    environ: Mapping[str, str] = os.environ,
) -> int:
    """Runs one command and returns its exit code; without `argv`, that of the process. Never raises for bad input."""
    if argv is None:
        # Nothing has begun: leave at once. As process 1 of a container, SIGTERM without a handler would be ignored.
        code = 0 if "run" in sys.argv[1:] else 128 + signal.SIGTERM
        signal.signal(signal.SIGTERM, lambda _number, _frame: os._exit(code))
    from slotbridge.cli.app import run
    from slotbridge.cli.invocation import Invocation

    out, err = stdout or sys.stdout, stderr or sys.stderr
    for stream in (out, err):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without our dashes and arrows gets question marks
    return run(Invocation(out, err, environ), list(sys.argv[1:] if argv is None else argv))
