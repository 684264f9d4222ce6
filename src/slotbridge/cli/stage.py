"""The stage that the demo's story is played on: a business, and a way to call the program as a user would."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from rich.text import Text

from slotbridge.cli.invocation import Invocation
from slotbridge.errors import SlotbridgeError
from slotbridge.sandbox.world import World

_WIDTH = 100


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
        # Not by --config, which every command would repeat that is recommended.
        own = replace(self.invocation, environ={**self.environ, "SLOTBRIDGE_CONFIG": str(self.config)})
        code = run(own, ["--log-level", "critical", *argv])
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
