"""The documents tell the truth: the table of the merge, the commands, the options."""

from __future__ import annotations

import re
import shlex
from io import StringIO
from pathlib import Path

import pytest
from typer.main import get_command

from slotbridge.cli import main
from slotbridge.cli.app import app
from slotbridge.cli.sandbox import config_for
from slotbridge.sandbox.sample import sample_world
from slotbridge.sandbox.server import running_sandbox
from tests.reconcile.table27 import as_markdown

ROOT = Path(__file__).parent.parent


def test_the_architecture_page_has_the_table_that_the_tests_go_through() -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    found = re.search(r"<!-- table27 -->\n(.*?)\n<!-- /table27 -->", page, re.DOTALL)
    assert found is not None
    assert found[1].splitlines() == as_markdown()


def test_the_readme_names_every_command_and_no_other() -> None:
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    told = set(re.findall(r"^\| `([a-z]+)", page, re.MULTILINE))
    assert told == set(get_command(app).commands)  # type: ignore[attr-defined]


def test_what_the_readme_lets_one_try_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    tried = page.partition("## Try it")[2].partition("##")[0]
    sandbox, *commands = [shlex.split(line) for line in re.findall(r"^    .venv/bin/slotbridge (.*?)#", tried, re.M)]
    assert (sandbox, len(commands)) == (["sandbox"], 3)
    monkeypatch.chdir(tmp_path)
    with running_sandbox(sample_world()) as served:
        Path("sandbox.toml").write_text(config_for(served.url, served.world, "sqlite:///sandbox.db"), encoding="utf-8")
        codes = [main(command, stdout=StringIO(), stderr=StringIO(), environ={}) for command in commands]
    assert codes == [0, 0, 0]


def test_every_room_of_the_architecture_page_exists() -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rooms = set(re.findall(r"^\| (`[a-z0-9`, ]+`) \|", page, re.MULTILINE))
    named = {name for room in rooms for name in re.findall(r"`([a-z0-9]+)`", room)}
    assert {"week", "lenses", "reconcile", "sync", "store", "http", "cli"} <= named
    source = ROOT / "src" / "slotbridge"
    assert [name for name in named if not (source / name).exists() and not (source / f"{name}.py").exists()] == []


def test_every_file_that_a_document_points_to_exists() -> None:
    for page in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"):
        text = (ROOT / page).read_text(encoding="utf-8")
        for path in re.findall(r"`((?:sync|reconcile|store|settings|sandbox|tests|config)/[\w./-]+\w)`", text):
            assert (ROOT / path).exists() or (ROOT / "src" / "slotbridge" / path).exists(), f"{page}: {path}"
