"""The names of logged events come from one list, and nothing stands there that is never logged."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from slotbridge.events import EVENTS

SOURCE = Path(__file__).parents[1] / "src" / "slotbridge"
LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}


def is_log(node: ast.expr) -> bool:
    """Whether this is `log.info` or the like, or a choice between such."""
    match node:
        case ast.Attribute(value=ast.Name(id="log"), attr=level):
            return level in LEVELS
        case ast.IfExp(body=body, orelse=other):
            return is_log(body) and is_log(other)
    return False


def logged(source: str) -> Iterator[object]:
    """The name in every log call; None for one that is not written out."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and is_log(node.func):
            yield node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else None


def sources() -> dict[str, str]:
    return {str(path.relative_to(SOURCE)): path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py")}


def test_what_is_logged_is_what_is_listed() -> None:
    names = {name for source in sources().values() for name in logged(source)}

    assert names == set(EVENTS)


def test_every_logger_is_called_log_so_that_this_test_sees_it() -> None:
    made = {
        path: re.findall(r"^.*structlog\.(?:stdlib\.)?get_logger\(.*$", source, re.MULTILINE)
        for path, source in sources().items()
    }
    lines = [line for found in made.values() for line in found]

    assert lines
    assert [line for line in lines if not line.startswith("log = ")] == []


@pytest.mark.parametrize(("name", "meaning"), EVENTS.items())
def test_a_name_is_a_thing_and_what_became_of_it(name: str, meaning: str) -> None:
    assert re.fullmatch(r"[a-z0-9_]+\.[a-z_]+", name)
    assert meaning
    assert not meaning.endswith(".")


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ('log.info("a.b", x=1)', ["a.b"]),
        ('(log.info if fits else log.warning)("a.b")', ["a.b"]),
        ("log.info(name)", [None]),
        ('log.info(f"a.{b}")', [None]),
        ('other.info("a.b")', []),
    ],
)
def test_the_scan_sees_what_it_should(code: str, found: list[object]) -> None:
    assert list(logged(code)) == found
