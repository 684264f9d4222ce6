"""Logging: one pipeline for our events and other libraries' records, and no secret leaves it.

Redaction comes after tracebacks have been rendered and right before the line is made: it sees everything.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Mapping
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
from slotbridge.http.redact import MASK, redact

Format = Literal["auto", "json", "console"]

LEVELS = ("debug", "info", "warning", "error", "critical")

_SECRET_KEY = re.compile(
    r"token|secret|passw|authori[sz]ation|api_?key|webhook|credential|cookie|(?:^|[_-])auth(?:[_-]|$)",
    re.IGNORECASE,
)
_DEEPEST = 12

# At INFO httpx prints whole addresses, where a webhook has its secret; at DEBUG httpcore prints headers.
_TALKATIVE = ("httpx", "httpcore")

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
) -> None:
    """Sends every log record from `level` upwards to `stream`, one line each, tracebacks aside.

    `auto` is for people on a terminal, JSON elsewhere. Colours only on a terminal, and not with NO_COLOR set.
    May be called again; the last call counts. Raises ConfigurationError for an unknown level or format.
    """
    if level not in LEVELS or format not in ("auto", "json", "console"):
        problem = f"the level is one of {', '.join(LEVELS)}; the format is auto, json or console"
        raise ConfigurationError("unknown log level or format", problems=(problem,), hint=problem)
    terminal = stream.isatty()
    console = format == "console" or (format == "auto" and terminal)
    formatter = ProcessorFormatter(
        foreign_pre_chain=_SHARED,
        processors=_console(colours=terminal and not environ.get("NO_COLOR")) if console else _json(),
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
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
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


def _console(*, colours: bool) -> list[Processor]:
    renderer = structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=structlog.dev.plain_traceback)
    return [ProcessorFormatter.remove_processors_meta, ExceptionRenderer(), _redacted, renderer]


def _json() -> list[Processor]:
    tracebacks = ExceptionRenderer(ExceptionDictTransformer(show_locals=False))
    return [ProcessorFormatter.remove_processors_meta, tracebacks, _redacted, JSONRenderer()]


def _redacted(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {redact(str(key)): _clean(value, key) for key, value in event.items()}


def _clean(value: object, key: object = "", depth: int = 0) -> object:
    """The value in plain kinds, without its secrets: those under a telling key or of a telling shape."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, SecretStr | SecretBytes) or _SECRET_KEY.search(str(key)) or depth > _DEEPEST:
        return MASK
    match value:
        case int() | float():
            return value
        case str():
            return redact(value)
        case Mapping():
            return {redact(str(name)): _clean(inner, name, depth + 1) for name, inner in value.items()}
        case BaseException():
            return {type(value).__name__: _clean(value.args, depth=depth + 1)}
        case BaseModel():
            return _clean(dict(value), depth=depth + 1)
        case list() | tuple() | set() | frozenset():
            return [_clean(inner, depth=depth + 1) for inner in value]
    if is_dataclass(value) and not isinstance(value, type):
        return _clean({field.name: getattr(value, field.name) for field in fields(value)}, depth=depth + 1)
    return redact(repr(value))
