"""Logging: one pipeline for our events and other libraries' records, and no secret leaves it.

Redaction comes after tracebacks have been rendered and right before the line is made: it sees everything.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import fields, is_dataclass
from typing import Literal, TextIO

import structlog
from pydantic import BaseModel, SecretBytes, SecretStr
from structlog.processors import ExceptionRenderer, JSONRenderer, StackInfoRenderer, TimeStamper
from structlog.stdlib import ProcessorFormatter
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import EventDict, Processor, WrappedLogger

from slotbridge.errors import ConfigurationError
from slotbridge.http.redact import MASK
from slotbridge.secrecy import scrubbed

Format = Literal["auto", "json", "console"]

LEVELS = ("debug", "info", "warning", "error", "critical")

_SECRET_KEY = re.compile(
    r"token|secret|passw|authori[sz]ation|api_?key|webhook|credential|cookie|(?:^|[_-])auth(?:[_-]|$)",
    re.IGNORECASE,
)
_DEEPEST = 12

_TALKATIVE = (
    ("httpx", logging.WARNING),  # at INFO it prints whole addresses, where a webhook has its secret
    ("httpcore", logging.WARNING),  # at DEBUG it prints headers
    ("apscheduler", logging.WARNING),  # at INFO it tells of every tick
    ("alembic", logging.WARNING),  # at INFO it tells which database it is at
    ("uvicorn", logging.ERROR),  # it warns of every request that is not HTTP, and anybody can send those
)

_SHARED: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    TimeStamper(fmt="iso", utc=True),
    StackInfoRenderer(),
)


def configure_logging(
    level: str,
    format: Format,  # noqa: A002
    *,
    stream: TextIO,
    environ: Mapping[str, str] = os.environ,
    secrets: Collection[str] = (),
) -> None:
    """Sends every log record from `level` upwards to `stream`, one line each, tracebacks aside.

    `auto` is for people on a terminal, JSON elsewhere. Colours only on a terminal, and not with NO_COLOR set.
    `secrets` are masked wherever they stand; the collection is looked at for every record, so it may grow.
    May be called again; the last call counts. Raises ConfigurationError for an unknown level or format.
    """
    if level not in LEVELS or format not in ("auto", "json", "console"):
        problem = f"the level is one of {', '.join(LEVELS)}; the format is auto, json or console"
        raise ConfigurationError("unknown log level or format", problems=(problem,), hint=problem)
    terminal = stream.isatty()
    console = format == "console" or (format == "auto" and terminal)
    exceptions, renderer = _console(colours=terminal and not environ.get("NO_COLOR")) if console else _json()
    formatter = ProcessorFormatter(
        foreign_pre_chain=_SHARED,
        processors=[ProcessorFormatter.remove_processors_meta, exceptions, _Redaction(secrets), renderer],
    )
    _install(_Handler(stream), formatter, getattr(logging, level.upper()))


class _Handler(logging.StreamHandler[TextIO]):
    """The one handler that is ours. A record that fails is named, not shown: nothing has redacted it yet."""

    def handleError(self, record: logging.LogRecord) -> None:
        error = sys.exc_info()[0]
        name = error.__name__ if error else "unknown error"
        with suppress(OSError, ValueError):
            self.stream.write(f"slotbridge: a log record of {record.name} could not be written ({name})\n")


def _install(handler: _Handler, formatter: logging.Formatter, level: int) -> None:
    handler.setFormatter(formatter)
    root = logging.getLogger()
    for old in [known for known in root.handlers if isinstance(known, _Handler)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    for name, least in _TALKATIVE:
        logging.getLogger(name).setLevel(max(level, least))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.stdlib.PositionalArgumentsFormatter(),
            ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        # A cached logger would keep to the first of several configurations.
        cache_logger_on_first_use=False,
    )


def _console(*, colours: bool) -> tuple[Processor, Processor]:
    renderer = structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=structlog.dev.plain_traceback)
    return ExceptionRenderer(), renderer


def _json() -> tuple[Processor, Processor]:
    return ExceptionRenderer(ExceptionDictTransformer(show_locals=False)), JSONRenderer()


def _is_telling(key: object) -> bool:
    return bool(_SECRET_KEY.search(key.decode("ascii", "replace") if isinstance(key, bytes) else str(key)))


class _Redaction:
    """Turns all values into plain kinds, without their secrets: known ones, telling keys, telling shapes."""

    def __init__(self, secrets: Collection[str]) -> None:
        self._secrets = secrets

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        return {self._text(str(key)): self._clean(value, key) for key, value in event.items()}

    def _text(self, text: str) -> str:
        return scrubbed(text, self._secrets)

    def _clean(self, value: object, key: object = "", depth: int = 0) -> object:
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, SecretStr | SecretBytes) or _is_telling(key) or depth > _DEEPEST:
            return MASK
        match value:
            case int() | float():
                return MASK if MASK in self._text(repr(value)) else value
            case str():
                return self._text(value)
            case Mapping():
                return {self._text(str(name)): self._clean(inner, name, depth + 1) for name, inner in value.items()}
            case BaseException():
                return {type(value).__name__: self._clean(value.args, depth=depth + 1)}
            case BaseModel():
                return self._clean(dict(value), depth=depth + 1)
            case [str() | bytes() as name, _] if _is_telling(name):  # headers and parameters come in pairs, too
                return [self._clean(name), MASK]
            case list() | tuple() | set() | frozenset():
                return [self._clean(inner, depth=depth + 1) for inner in value]
        if is_dataclass(value) and not isinstance(value, type):
            held = {field.name: getattr(value, field.name) for field in fields(value)}
            return self._clean(held, depth=depth + 1)
        return self._text(repr(value))
