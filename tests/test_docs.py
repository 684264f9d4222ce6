"""The documents tell the truth: the table of the merge, the commands, the options."""

from __future__ import annotations

import re
from pathlib import Path

from typer.main import get_command

from slotbridge.cli.app import app
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
