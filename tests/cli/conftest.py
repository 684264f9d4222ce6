"""The command line against a sandbox, called as the shell calls it, but in this process."""

from __future__ import annotations

import io
import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from slotbridge.cli import main
from slotbridge.cli.sandbox import config_for
from slotbridge.sandbox.sample import sample_world
from slotbridge.sandbox.server import running_sandbox
from slotbridge.sandbox.world import World

UNHURRIED = {"SLOTBRIDGE_RESERVEKIT__REQUESTS_PER_SECOND": "1000", "SLOTBRIDGE_RESERVEKIT__BURST": "1000"}
"""No test waits for the pace of the plan, whose limits the sandbox leaves out here, too."""


class Result(NamedTuple):
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)

    @property
    def last(self) -> str:
        return self.out.rstrip().splitlines()[-1]


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@dataclass
class Shell:
    """A user with a configuration file in a folder of their own."""

    folder: Path
    world: World

    @property
    def config(self) -> Path:
        return self.folder / "slotbridge.toml"

    @property
    def database(self) -> Path:
        return self.folder / "slotbridge.db"

    @property
    def program(self) -> str:
        """How they call slotbridge, in what it recommends."""
        return f"slotbridge --config {shlex.quote(str(self.config))}"

    def call(self, *argv: str, terminal: bool = False, **environ: str) -> Result:
        out, err = (Terminal(), Terminal()) if terminal else (io.StringIO(), io.StringIO())
        environ = {"SLOTBRIDGE_SECRETS_DIR": str(self.folder / "none"), "COLUMNS": "120", **UNHURRIED, **environ}
        code = main(["--config", str(self.config), *argv], stdout=out, stderr=err, environ=environ)
        return Result(code, out.getvalue(), err.getvalue())

    def writes(self) -> int:
        return sum(request.write for request in self.world.log)


def unlimited(world: World) -> World:
    world.portal.behaviour = replace(world.portal.behaviour, limiter=False)
    world.reservations.behaviour = replace(world.reservations.behaviour, limiter=False)
    return world


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    """The sample business on a real socket, and a configuration with its four pairs."""
    with running_sandbox(unlimited(sample_world())) as sandbox:
        shell = Shell(tmp_path, sandbox.world)
        text = config_for(sandbox.url, sandbox.world, f"sqlite:///{shell.database}")
        shell.config.write_text(text, encoding="utf-8")
        yield shell
