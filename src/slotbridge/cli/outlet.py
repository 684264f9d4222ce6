"""Standard output and error that may fail: a full disk, a reader who has seen enough, or no stream at all."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from functools import partial
from typing import TextIO


class Outlet(io.TextIOBase, TextIO):
    """Writes to a stream, None for nowhere. What it refuses is lost, and `failure` says why.

    So a command goes through with its work, and ends with the exit code of its work.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self.failure: OSError | None = None

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return getattr(self._stream, "encoding", None) or "utf-8"

    def isatty(self) -> bool:
        return self._stream is not None and self._stream.isatty()

    def fileno(self) -> int:
        if self._stream is None:
            raise io.UnsupportedOperation("fileno")
        return self._stream.fileno()

    def write(self, text: str) -> int:
        if self._stream is not None:
            self._tried(partial(self._stream.write, text))
        return len(text)

    def flush(self) -> None:
        if self._stream is not None:
            self._tried(self._stream.flush)

    def finish(self) -> OSError | None:
        """Writes what is still in a buffer. Why something was lost, if it was."""
        self.flush()
        if self.failure is not None:
            self._drain()
        return self.failure

    def _tried(self, what: Callable[[], object]) -> None:
        try:
            what()
        except OSError as error:
            self.failure = self.failure or error

    def _drain(self) -> None:
        """Python writes what is left in the buffer when it ends, and would fail once more."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        self._tried(lambda: os.dup2(nowhere, self.fileno()))
        os.close(nowhere)
