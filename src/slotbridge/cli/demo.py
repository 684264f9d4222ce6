"""`demo`: a stage with a sandbox, a configuration and a database of its own; the story is played on it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from rich.text import Text

from slotbridge.cli.invocation import Invocation
from slotbridge.cli.sandbox import config_for
from slotbridge.errors import SlotbridgeError
from slotbridge.sandbox.sample import sample_world
from slotbridge.sandbox.server import running_sandbox
from slotbridge.sandbox.world import World

_WIDTH = 100

# The sandbox's own limits would make the demo wait: every command begins with a full bucket of its own.
_PACE = "requests_per_second = 100\nburst = 100\n"


class Unexpected(SlotbridgeError):
    """A step of the demo did not end as it should."""


@dataclass(slots=True)
class Stage:
    """Where the story is played: the business, and a way to call the program as a user would."""

    invocation: Invocation
    world: World
    config: Path
    steps: int = 0
    environ: dict[str, str] = field(default_factory=dict)

    def headline(self, text: str) -> None:
        """Begins a step."""
        self.steps += 1
        head = f"{self.steps}. {text} "
        self.tell("", f"{head}{'─' * max(0, _WIDTH - len(head))}", style="bold")

    def tell(self, *lines: str, style: str = "") -> None:
        """Says something to the reader."""
        self.invocation.say(Text(line, style) for line in lines)

    def call(self, *argv: str, expect: int = 0) -> None:
        """Calls the program. Raises Unexpected for any other exit code."""
        from slotbridge.cli.app import run

        shown = " ".join(f'"{word}"' if " " in word else word for word in argv)
        self.tell("", f"$ slotbridge {shown}", style="bold cyan")
        own = replace(self.invocation, environ=self.environ)
        code = run(own, ["--config", str(self.config), "--log-level", "critical", *argv])
        if code != expect:
            raise Unexpected(f"`slotbridge {shown}` ended with exit code {code}, not {expect}", hint=self.hint)

    def sync(self, *, expect: int = 0) -> None:
        """The plan, then the run."""
        self.call("sync", "--dry-run", expect=expect)
        self.call("sync", expect=expect)

    def check(self, truth: bool, what: str) -> None:
        """Raises Unexpected unless it is so."""
        if not truth:
            raise Unexpected(f"the demo expected that {what}", hint=self.hint)
        self.tell(f"✓ {what}", style="green")

    @property
    def hint(self) -> str:
        return "The demo checks itself, so this is a mistake in slotbridge. Please report it with the output above"


def play(invocation: Invocation, port: int, *, keep: bool) -> int:
    """Plays the story. Raises Unexpected when a step does not end as it should."""
    from slotbridge.cli.story import tell_story

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
