"""One call of the program: where it writes, what it was told for every command, and how it fails."""

from __future__ import annotations

import json
import random
import shlex
import traceback
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TextIO

from slotbridge.clock import Clock, SystemClock
from slotbridge.errors import ConfigurationError, SlotbridgeError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from slotbridge.cli.render.decisions import Counsel
    from slotbridge.secrecy import Holder, Secrets
    from slotbridge.settings import Settings

LogFormat = Literal["auto", "json", "console"]
LogLevel = Literal["debug", "info", "warning", "error", "critical"]

BUG = "This is a mistake in slotbridge, not in what you did. Please report it, with what --log-level debug adds"


@dataclass(slots=True)
class Invocation:
    """Filled in by the global options, then handed to the command.

    `as_json` says that standard output carries one document and nothing else. `command` is the one that was called.
    """

    stdout: TextIO
    stderr: TextIO
    environ: Mapping[str, str]
    command: str | None = None
    config: Path | None = None
    log_level: LogLevel | None = None
    log_format: LogFormat = "auto"
    as_json: bool = False
    clock: Clock = field(default_factory=SystemClock)
    random: random.Random = field(default_factory=random.Random)
    secrets: Secrets | None = None

    def settings(self) -> Settings:
        """The configuration; logging is set up first. Raises ConfigurationError.

        Where nobody said what to log, a terminal shows the report alone: it says the same as the log.
        """
        from slotbridge.log import configure_logging
        from slotbridge.secrecy import Secrets, secrets_of
        from slotbridge.settings import load_settings

        level = self.log_level or ("critical" if self.stderr.isatty() else "warning")
        configure_logging(level, self.log_format, stream=self.stderr, environ=self.environ)
        settings = load_settings(self.config, self.environ)
        # An application's id is a secret to the log alone: the address has it where a person grants access.
        oauth = settings.bitrix24.oauth
        shown = [oauth.client_id.get_secret_value()] if oauth else []
        self.secrets = Secrets(secrets_of(settings), shown=shown)
        configure_logging(level, self.log_format, stream=self.stderr, environ=self.environ, secrets=self.secrets)
        return settings

    def counsel(self, settings: Settings | None = None) -> Counsel:
        """What the commands need that are recommended to the user: they are to work as they stand."""
        from slotbridge.cli.pairs import followed_sides
        from slotbridge.cli.render.decisions import Counsel

        program = "slotbridge" if self.config is None else f"slotbridge --config {shlex.quote(str(self.config))}"
        return Counsel(program, {} if settings is None else followed_sides(settings.pairs))

    def hide_those_of(self, holder: Holder) -> None:
        """What it holds is masked from now on, also what it gets later. It takes the place of the last one."""
        if self.secrets is not None:
            self.secrets.holder = holder

    def console(self, stream: TextIO | None = None) -> Console:
        """Colours and widths for a stream; plain text where it is no terminal. NO_COLOR is honoured."""
        from rich.console import Console

        terminal = (stream or self.stdout).isatty()
        plain = not terminal or bool(self.environ.get("NO_COLOR"))
        return Console(
            file=stream or self.stdout,
            force_terminal=terminal,
            no_color=plain,
            markup=False,
            highlight=False,
            emoji=False,
            _environ=self.environ,
        )

    def say(self, lines: Iterable[Text], *, stream: TextIO | None = None) -> None:
        """Writes the lines for people; long ones are left to the terminal to wrap."""
        console = self.console(stream)
        for line in self.fit_to_be_told(lines):
            console.print(line, soft_wrap=True)

    def fit_to_be_told(self, lines: Iterable[Text]) -> Iterator[Text]:
        """The lines without secrets, which a server may have sent back in a text or a name."""
        from slotbridge.cli.masking import masked_line

        secrets = self.secrets.unmistakable if self.secrets else []
        return (masked_line(line, secrets) for line in lines)

    @property
    def is_heard(self) -> bool:
        """Whether what is said still arrives somewhere; a reader may have gone."""
        return getattr(self.stdout, "failure", None) is None

    def emit(self, document: Mapping[str, Any]) -> None:
        """Writes the one document of `--json`, without secrets as `fit_to_be_told` has it."""
        from slotbridge.cli.masking import masked_document

        document = masked_document(document, self.secrets.unmistakable if self.secrets else [])
        unicode = (self.stdout.encoding or "utf-8").lower().startswith("utf")
        json.dump(document, self.stdout, ensure_ascii=not unicode, indent=2)
        self.stdout.write("\n")

    def failed(self, error: Exception) -> int:
        """Tells about an error that ended the command, and returns the exit code."""
        known = error if isinstance(error, SlotbridgeError) else self._as_bug(error)
        if self.as_json:
            self.emit({"version": 1, "error": error_json(known)})
        else:
            self._complain(known)
        if known is not error and self.log_level == "debug":
            self.stderr.write(self._safe("".join(traceback.format_exception(error))))
        return known.exit_code

    def _as_bug(self, error: Exception) -> SlotbridgeError:
        return SlotbridgeError(self._safe(f"unexpected {type(error).__name__}: {error}"), hint=BUG)

    def _safe(self, text: str) -> str:
        """A text that nobody has looked through, without secrets."""
        from slotbridge.secrecy import scrubbed

        return scrubbed(text, self.secrets or ())

    def _complain(self, error: SlotbridgeError) -> None:
        from slotbridge.cli.render.errors import error_lines

        self.say(error_lines(error), stream=self.stderr)


def error_json(error: SlotbridgeError) -> dict[str, Any]:
    """The error of a `--json` document; of a wrong configuration, every problem."""
    problems = {"problems": list(error.problems)} if isinstance(error, ConfigurationError) else {}
    return {**error.as_json(), **problems}
