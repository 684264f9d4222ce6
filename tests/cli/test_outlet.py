"""Output that fails costs nothing but itself: the command does its work, and its exit code tells how that went."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from slotbridge import __version__
from slotbridge.cli import main
from slotbridge.cli.outlet import Outlet

from .conftest import Shell

COMMAND = "import sys; from slotbridge.cli import main; sys.exit(main())"
FULL = "error: standard output cannot be written (No space left on device)\n"

needs_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")


def shelled(shell: Shell, end: str, *argv: str) -> tuple[int, str, str]:
    """Calls a command from a shell, with `end` after it."""
    script = f'"$0" -c "$1" --config "$2" {" ".join(argv)} {end}'
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", script, sys.executable, COMMAND, str(shell.config)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=os.environ | {"SLOTBRIDGE_SECRETS_DIR": str(shell.folder / "none")},
    )
    return done.returncode, done.stdout, done.stderr


@needs_full
@pytest.mark.parametrize("command", ["status", "status --json", "--help", "--version", "healthcheck"])
def test_a_full_disk_is_called_so_in_one_line(shell: Shell, command: str) -> None:
    assert shelled(shell, ">/dev/full", command) == (1, "", FULL)


@needs_full
def test_what_could_not_be_told_is_done_all_the_same(shell: Shell) -> None:
    shell.world.portal.put_slots(16, [])
    code, _, err = shelled(shell, ">/dev/full", "sync --json")
    assert (code, err) == (1, FULL)
    assert shell.call("sync", "--json").document["pairs"][0]["status"] == "quiet"


@needs_full
def test_an_error_that_could_not_be_told_keeps_its_exit_code(shell: Shell) -> None:
    shell.config.write_text("[bitrix24]\n", encoding="utf-8")
    assert shelled(shell, ">/dev/full", "sync --json") == (2, "", FULL)
    assert shelled(shell, "2>/dev/full", "sync") == (2, "", "")


@pytest.mark.parametrize("command", ["status", "status --json", "--help", "history", "status --watch --every 0.2"])
def test_a_reader_who_has_seen_enough_is_no_failure(shell: Shell, command: str) -> None:
    shell.call("sync")
    code, out, err = shelled(shell, "| head -c 1", command)
    assert (code, len(out), err) == (0, 1, "")


def test_nobody_needs_to_listen(shell: Shell) -> None:
    assert shelled(shell, ">&-", "status") == (0, "", "")
    assert shelled(shell, ">&- 2>&-", "sync --nonsense") == (2, "", "")


def test_what_is_written_nowhere_is_no_error() -> None:
    nowhere = Outlet(None)
    assert nowhere.write("x") == 1
    assert not nowhere.isatty()
    assert nowhere.finish() is None
    with pytest.raises(io.UnsupportedOperation):
        nowhere.fileno()


def test_help_and_version_go_where_everything_goes() -> None:
    out = io.StringIO()
    assert main(["--version"], stdout=out) == 0
    assert out.getvalue() == f"slotbridge {__version__}\n"
