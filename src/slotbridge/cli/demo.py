"""`demo`: the story, played on a stage with a sandbox, a configuration and a database of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from rich.text import Text

from slotbridge.cli.invocation import Invocation
from slotbridge.cli.sandbox import config_for
from slotbridge.cli.stage import Stage
from slotbridge.cli.story import tell_story
from slotbridge.sandbox.sample import sample_world
from slotbridge.sandbox.server import running_sandbox

# The sandbox's own limits would make the demo wait: every command begins with a full bucket of its own.
_PACE = "requests_per_second = 100\nburst = 100\n"


def play(invocation: Invocation, port: int, *, keep: bool) -> int:
    """Plays the story. Raises Unexpected when a step does not end as it should."""
    with _folder(invocation, keep=keep) as folder, _stage(invocation, folder, port) as stage:
        tell_story(stage)
    return 0


@contextmanager
def _folder(invocation: Invocation, *, keep: bool) -> Iterator[Path]:
    if keep:
        folder = Path(tempfile.mkdtemp(prefix="slotbridge-demo-"))
        yield folder
        invocation.say([Text(f"Configuration and database are in {folder}")])
        return
    with tempfile.TemporaryDirectory(prefix="slotbridge-demo-") as name:
        yield Path(name)


@contextmanager
def _stage(invocation: Invocation, folder: Path, port: int) -> Iterator[Stage]:
    world = sample_world(invocation.clock)
    world.portal.behaviour = replace(world.portal.behaviour, limiter=False)
    world.reservations.behaviour = replace(world.reservations.behaviour, limiter=False)
    with running_sandbox(world, port=port) as sandbox:
        config = folder / "slotbridge.toml"
        text = config_for(sandbox.url, world, f"sqlite:///{folder / 'slotbridge.db'}")
        for table in ("[bitrix24]\n", "[reservekit]\n"):
            text = text.replace(table, table + _PACE)
        config.write_text(text, encoding="utf-8")
        yield Stage(invocation, world, config, environ=_untouched(invocation, folder))


def _untouched(invocation: Invocation, folder: Path) -> dict[str, str]:
    """The environment without the user's own configuration."""
    ours = ("SLOTBRIDGE_", "CREDENTIALS_DIRECTORY")
    kept = {name: value for name, value in invocation.environ.items() if not name.upper().startswith(ours)}
    return {**kept, "SLOTBRIDGE_SECRETS_DIR": str(folder / "secrets")}
