from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest

from slotbridge import __version__
from slotbridge.cli import main
from slotbridge.cli.healthcheck import PLACES
from slotbridge.cli.invocation import Invocation
from slotbridge.errors import ApiError, LockHeld

from .conftest import Shell, Terminal

COMMANDS = ("sync", "show", "status", "discover", "sandbox", "demo")


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(f"\n  {command} " in shown for command in COMMANDS)
    assert "..." not in shown.partition("Commands:")[2], "a description is cut off"


def test_help_names_every_place_of_the_configuration(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--help"])
    shown = "".join(capsys.readouterr().out.split())
    assert all(str(place) in shown for place in ("$SLOTBRIDGE_CONFIG", *PLACES))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    assert f"Usage: slotbridge {command}" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["sync", "history"])
def test_G3_help_does_not_say_that_accept_deletes_releases_booked_slots(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main([command, "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert "held as a likely accident" in said
    assert "Slots with upcoming bookings stay held" in said


def test_help_loads_nothing_that_it_does_not_need() -> None:
    code = """
import sys
from slotbridge.cli import main
main(["--help"])
heavy = {"pydantic", "sqlalchemy", "sqlmodel", "httpx", "structlog", "uvicorn", "starlette", "alembic", "rich"}
sys.exit(", ".join(sorted(heavy & set(sys.modules))) or 0)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_without_a_command_help_is_shown() -> None:
    out = io.StringIO()
    assert main([], stdout=out) == 0
    assert "Commands:" in out.getvalue()


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"slotbridge {__version__}\n"


@pytest.mark.parametrize(
    "argv", [["snyc"], ["sync", "--initial", "guess"], ["show"], ["--log-level", "loud", "status"]]
)
def test_wrong_usage_exits_with_2(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(argv) == 2
    assert "Usage: slotbridge" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("sync --config x.toml", "--config stands before the command: slotbridge --config … sync"),
        ("db backup --log-level=debug", "--log-level stands before the command: slotbridge --log-level … db backup"),
        ("status --version", "--version stands before the command: slotbridge --version"),
    ],
)
def test_an_option_of_the_program_behind_a_command_says_where_it_stands(line: str, said: str, shell: Shell) -> None:
    assert shell.call(*line.split()).err.splitlines()[-1] == said
    done = shell.call(*line.split(), "--json")
    assert (done.code, done.document["error"]["hint"]) == (2, said)


@pytest.mark.parametrize("argv", [["sync", "--confg", "x"], ["--config"], ["--version", "--confg"]])
def test_no_other_option_is_said_to_stand_elsewhere(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    main(argv)
    assert "stands before" not in capsys.readouterr().err


@pytest.mark.parametrize("argv", [["sync", "--initial", "guess"], ["show"], ["status", "--watch"], ["nonsense"]])
def test_wrong_usage_with_json_is_one_document_besides(argv: list[str], shell: Shell) -> None:
    done = shell.call(*argv, "--json")
    assert done.code == 2
    assert done.document["error"]["kind"] == "ConfigurationError"
    assert done.document["error"]["what"]
    assert "Usage: slotbridge" in done.err


def test_what_a_command_takes_is_in_brackets_once() -> None:
    out = io.StringIO()
    assert main(["db", "backup", "--help"], stdout=out) == 0
    assert "Usage: slotbridge db backup [OPTIONS] [FILE]\n" in out.getvalue()


@pytest.mark.parametrize("command", [["sync"], ["show", "x"], ["status"], ["discover"]])
def test_every_configuration_problem_is_listed_and_no_request_is_sent(shell: Shell, command: list[str]) -> None:
    shell.config.write_text('[bitrix24]\nplan = "free"\n[sync]\nintervall = "5m"\n', encoding="utf-8")
    done = shell.call(*command)
    assert (done.code, done.out) == (2, "")
    assert all(f"  {place}" in done.err for place in ("[bitrix24] plan", "[sync] intervall", "[reservekit] api_key"))
    assert done.err.startswith("error: the configuration in ")
    assert shell.world.log == []


def test_a_configuration_problem_as_json_is_one_document(shell: Shell) -> None:
    shell.config.write_text("[bitrix24]\n", encoding="utf-8")
    done = shell.call("sync", "--json")
    assert (done.code, done.err) == (2, "")
    assert done.document["version"] == 1
    assert done.document["error"]["kind"] == "ConfigurationError"
    assert len(done.document["error"]["problems"]) == 2


def test_a_missing_file_says_where_it_was_looked_for(shell: Shell) -> None:
    shell.config.unlink()
    done = shell.call("status")
    assert done.code == 2
    assert f"{shell.config}: cannot be read" in done.err


def failed(error: Exception, level: str | None = None) -> tuple[int, str]:
    err = io.StringIO()
    invocation = Invocation(io.StringIO(), err, {})
    invocation.log_level = level  # type: ignore[assignment]
    try:
        raise error
    except Exception as raised:
        return invocation.failed(raised), err.getvalue()


def test_an_error_of_ours_has_no_traceback_and_its_own_exit_code() -> None:
    assert failed(LockHeld("taken", hint="Wait"), "debug") == (5, "error: taken\nWait\n")
    error = ApiError("no answer", side="bitrix24", pair="dental", item="resource 15")
    assert failed(error) == (1, "error: dental, Bitrix24, resource 15: no answer\n")


def test_a_mistake_in_the_program_is_called_so_and_tells_no_secret() -> None:
    code, said = failed(ValueError("sk_rsv_0123456789abcdef"))
    assert code == 1
    assert said.startswith("error: unexpected ValueError: ")
    assert "mistake in slotbridge" in said
    assert "Traceback" not in said
    assert "0123456789abcdef" not in said


def test_a_traceback_is_shown_for_debugging_only_and_tells_no_secret() -> None:
    _, said = failed(ValueError("sk_rsv_0123456789abcdef"), "debug")
    assert "Traceback" in said
    assert "0123456789abcdef" not in said


@pytest.mark.parametrize("level", ["debug", "critical"])
@pytest.mark.parametrize("json", [[], ["--json"]])
def test_a_mistake_in_the_program_tells_no_secret_of_the_configuration(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, level: str, json: list[str]
) -> None:
    def break_down(invocation: Invocation, _request: object) -> int:
        invocation.settings()
        raise RuntimeError("the server said 0rdinaryW0rds, and appl1cation-tok3n")

    monkeypatch.setattr("slotbridge.cli.sync.sync_once", break_down)
    done = shell.call("--log-level", level, "sync", *json, SLOTBRIDGE_BITRIX24__APPLICATION_TOKEN="appl1cation-tok3n")

    assert done.code == 1
    assert "0rdinaryW0rds, and ***" in done.out + done.err
    assert "appl1cation-tok3n" not in done.out + done.err


def test_colours_are_for_terminals_and_not_with_no_color(shell: Shell) -> None:
    shell.call("sync")
    assert "\x1b[" in shell.call("status", terminal=True).out
    assert "\x1b[3" not in shell.call("status", terminal=True, NO_COLOR="1").out
    assert "\x1b[" not in shell.call("status", FORCE_COLOR="1").out


def test_a_stream_that_knows_no_dashes_gets_question_marks(tmp_path: Path) -> None:
    raw = io.BytesIO()
    err = io.TextIOWrapper(raw, encoding="ascii")
    assert main(["--config", str(tmp_path / "Zähne.toml"), "status"], stdout=io.StringIO(), stderr=err, environ={}) == 2
    err.flush()
    assert b"Z?hne.toml" in raw.getvalue()


def test_json_for_a_stream_that_knows_only_ascii_is_still_right() -> None:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii")
    Invocation(out, Terminal(), {}).emit({"name": "Zähne"})
    out.flush()
    assert b"Z\\u00e4hne" in raw.getvalue()
