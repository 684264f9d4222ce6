"""Logging: where it goes, how it looks, and that no secret gets into it."""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from io import StringIO
from typing import Any
from urllib.parse import quote

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr

from slotbridge.errors import ConfigurationError
from slotbridge.log import configure_logging

CODE = "s3cr3tc0de"
KNOWN = ("kn0wn-by/configuration", 'a"quoted\\one', "1234567890123", CODE)
SHAPES = (
    f"https://example.bitrix24.com/rest/1/{CODE}/booking.v1.resource.list",
    f"Authorization: Bearer {CODE}",
    f"sk_rsv_{CODE}",
    f"?client_secret={CODE}&auth={CODE}",
)


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


@dataclass(frozen=True)
class Holder:
    api_key: str
    inner: object = None


class Model(BaseModel):
    webhook_url: str


class Plain(BaseModel):
    name: str
    inner: Any = None


class Leaky:
    """What shows all it has."""

    def __init__(self, held: object) -> None:
        self.held = held

    def __repr__(self) -> str:
        return f"<Leaky {self.held!r} {self.held}>"


class LeakyNumber(int):
    def __repr__(self) -> str:
        return f"<{KNOWN[0]}>"


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    for name in ("httpx", "httpcore", "apscheduler", "alembic", "uvicorn"):
        logging.getLogger(name).setLevel(logging.NOTSET)


def configured(
    stream: StringIO,
    format: str = "json",  # noqa: A002
    level: str = "info",
    secrets: Collection[str] = (),
    **environ: str,
) -> Any:
    configure_logging(level, format, stream=stream, environ=environ, secrets=secrets)  # type: ignore[arg-type]
    return structlog.get_logger("slotbridge.test")


def events(stream: StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_of_json_says_when_how_grave_who_and_what() -> None:
    stream = StringIO()
    log = configured(stream)
    structlog.contextvars.bind_contextvars(pair="dental")
    log.info("changed %d slots", 3, run=7)

    (event,) = events(stream)

    assert event.pop("timestamp").endswith("Z")
    assert event == {
        "event": "changed 3 slots",
        "level": "info",
        "logger": "slotbridge.test",
        "pair": "dental",
        "run": 7,
    }


def test_records_of_other_libraries_go_the_same_way() -> None:
    stream = StringIO()
    configured(stream)
    logging.getLogger("somebody.else").warning("called %s", SHAPES[0])

    (event,) = events(stream)

    assert (event["level"], event["logger"]) == ("warning", "somebody.else")
    assert event["event"] == "called https://example.bitrix24.com/rest/1/***/booking.v1.resource.list"
    assert event["timestamp"].endswith("Z")


def test_what_is_below_the_level_is_not_written() -> None:
    stream = StringIO()
    log = configured(stream, level="warning")
    log.info("no")
    logging.getLogger("somebody.else").info("no")

    assert stream.getvalue() == ""


@pytest.mark.parametrize("name", ["httpx", "httpcore", "apscheduler.scheduler", "alembic.runtime.migration"])
@pytest.mark.parametrize(("level", "written"), [("debug", ["warning", "error"]), ("error", ["error"])])
def test_other_libraries_are_heard_from_warning_upwards(name: str, level: str, written: list[str]) -> None:
    stream = StringIO()
    configured(stream, level=level)
    for grade in ("debug", "info", "warning", "error"):
        getattr(logging.getLogger(name), grade)("x")

    assert [event["level"] for event in events(stream)] == written


def test_what_anybody_can_make_the_server_say_is_not_logged() -> None:
    stream = StringIO()
    configured(stream)
    logging.getLogger("uvicorn.error").warning("Invalid HTTP request received.")

    assert stream.getvalue() == ""


def test_auto_is_console_on_a_terminal_and_json_elsewhere() -> None:
    terminal, file = Terminal(), StringIO()
    configured(terminal, "auto").info("hello", run=1)
    configured(file, "auto").info("hello", run=1)

    assert "\x1b[" in terminal.getvalue()
    assert not terminal.getvalue().startswith("{")
    assert events(file)[0]["run"] == 1


def test_no_color_and_files_get_no_colours() -> None:
    plain, file = Terminal(), StringIO()
    configured(plain, "auto", NO_COLOR="1").warning("hello", run=1)
    configured(file, "console").warning("hello", run=1)

    for stream in (plain, file):
        assert "hello" in stream.getvalue()
        assert "run=1" in stream.getvalue()
        assert "\x1b[" not in stream.getvalue()


def test_configuring_again_replaces_the_stream_and_keeps_others_handlers() -> None:
    first, second, other = StringIO(), StringIO(), logging.NullHandler()
    logging.getLogger().addHandler(other)
    configured(first)
    configured(second).info("hello")

    assert first.getvalue() == ""
    assert len(events(second)) == 1
    assert other in logging.getLogger().handlers


@pytest.mark.parametrize(("level", "format"), [("loud", "json"), ("info", "xml")])
def test_an_unknown_level_or_format_is_a_configuration_problem(level: str, format: str) -> None:  # noqa: A002
    with pytest.raises(ConfigurationError):
        configured(StringIO(), format, level)


@pytest.mark.parametrize("format", ["json", "console"])
@pytest.mark.parametrize("foreign", [False, True])
def test_tracebacks_are_written_without_locals_and_without_secrets(format: str, foreign: bool) -> None:  # noqa: A002
    stream = StringIO()
    log = configured(stream, format)
    if foreign:
        log = logging.getLogger("somebody.else")
    try:
        local = "a-local-" + "value"
        raise ValueError(f"{len(local)} {SHAPES[0]}")
    except ValueError:
        log.exception("failed")

    assert "ValueError" in stream.getvalue()
    assert "test_log.py" in stream.getvalue()
    assert "a-local-value" not in stream.getvalue()
    assert "/rest/1/***/booking" in stream.getvalue()
    assert CODE not in stream.getvalue()


def test_a_record_that_cannot_be_written_is_named_and_not_shown(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # pytest's own raise what a handler swallows
    stream = StringIO()
    configured(stream)
    logging.getLogger("somebody.else").warning("%d", SHAPES[0])

    assert stream.getvalue() == "slotbridge: a log record of somebody.else could not be written (TypeError)\n"
    assert capsys.readouterr().err == ""


def test_a_closed_stream_does_not_stop_the_program() -> None:
    stream = StringIO()
    log = configured(stream)
    stream.close()
    log.info("hello")


def test_what_contains_itself_is_cut_off() -> None:
    stream = StringIO()
    endless: dict[str, object] = {}
    endless["again"] = endless
    configured(stream).info("hello", endless=endless)

    assert len(events(stream)) == 1


@pytest.mark.parametrize("unseen", ["\x1b[31m", "\x1b[0;1m", "\u200b", "\ufeff", "\\x1b[31m"])
def test_what_a_reader_does_not_see_parts_no_secret(unseen: str) -> None:
    stream = StringIO()
    configured(stream, secrets=KNOWN).info(f"seen {CODE[:5]}{unseen}{CODE[5:]}", key=f"sk_rsv_ab{unseen}{CODE}")

    assert events(stream)[0]["event"] == "seen ***"
    assert events(stream)[0]["key"] == "sk_rsv_***"


@pytest.mark.parametrize(
    "value",
    [("auth", CODE), ["X-Auth", CODE], [(b"authorization", CODE.encode())], {b"auth": CODE}, {"a": [("auth", 5)]}],
)
def test_what_comes_in_pairs_is_masked_by_its_name(value: object) -> None:
    stream = StringIO()
    configured(stream).info("hello", value=value)

    assert CODE not in stream.getvalue()
    assert "***" in stream.getvalue()


TELLING_KEYS = ("api_key", "Authorization", "webhook_url", "client_secret", "access_token", "auth", "X-Auth", "Cookie")

PLAIN = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8))
SECRETS = st.one_of(
    st.sampled_from(SHAPES),
    st.sampled_from(SHAPES).map(ValueError),
    st.sampled_from(SHAPES).map(str.encode),
    st.just(SecretStr(CODE)),
    st.just(Holder(CODE)),
    st.just(Model(webhook_url=CODE)),
    st.sampled_from(TELLING_KEYS).map(lambda key: {key: CODE}),
    st.sampled_from(TELLING_KEYS).map(lambda key: {key: [{"x": (CODE,)}]}),
    st.sampled_from(SHAPES).map(lambda shape: {shape: 1}),
    st.sampled_from(SHAPES).map(lambda shape: frozenset([shape])),
)
NESTED = st.recursive(
    SECRETS | PLAIN,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.tuples(inner, inner),
        st.dictionaries(st.text(max_size=5), inner, max_size=3),
        inner.map(lambda value: Holder("x", value)),
        inner.map(lambda value: ValueError("x", value)),
    ),
    max_leaves=8,
)


@pytest.mark.parametrize("format", ["json", "console"])
def test_no_nesting_of_a_secret_gets_into_a_line(format: str) -> None:  # noqa: A002
    stream = Terminal()
    log = configured(stream, format)

    @given(value=NESTED, shape=st.sampled_from(SHAPES))
    def whatever_is_logged(value: object, shape: str) -> None:
        stream.seek(0)
        stream.truncate()
        log.info(f"seen {shape}", value=value, **{shape: value})
        log.info("seen %s", shape)
        logging.getLogger("somebody.else").warning("seen %s", shape)

        assert stream.getvalue().count("seen") == 3
        assert CODE not in stream.getvalue()

    whatever_is_logged()


WRITTEN = st.sampled_from(KNOWN).flatmap(
    lambda secret: st.sampled_from(
        [
            secret,
            f"seen {secret} here",
            quote(secret, safe=""),
            json.dumps({"x": secret}),
            json.dumps(json.dumps(secret)),
            secret.encode(),
            repr(secret),
            LeakyNumber(7),
            int(KNOWN[2]),
        ]
    )
)
HELD = st.recursive(
    WRITTEN | PLAIN,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.tuples(inner, inner),
        st.dictionaries(st.text(max_size=5) | st.sampled_from(KNOWN), inner, max_size=3),
        WRITTEN.filter(lambda value: not isinstance(value, dict)).map(lambda value: frozenset([value])),
        inner.map(lambda value: Holder("x", value)),
        inner.map(lambda value: Plain(name="x", inner=value)),
        inner.map(lambda value: ValueError("x", value)),
        inner.map(Leaky),
        inner.map(lambda value: [Leaky({"x": value})]),
    ),
    max_leaves=8,
)


def spelt(secret: str) -> set[str]:
    """The secret as a reader of a line could find it."""
    quoted = json.dumps(secret)[1:-1]
    return {secret, quoted, json.dumps(quoted)[1:-1], quote(secret, safe=""), quote(secret)}


@pytest.mark.parametrize("format", ["json", "console"])
def test_no_nesting_of_a_known_secret_gets_into_a_line(format: str) -> None:  # noqa: A002
    stream = Terminal()
    log = configured(stream, format, secrets=KNOWN)

    @given(value=HELD, secret=st.sampled_from(KNOWN))
    def whatever_is_logged(value: object, secret: str) -> None:
        stream.seek(0)
        stream.truncate()
        log.info("held %s", value, value=value)
        with structlog.contextvars.bound_contextvars(pair=value):
            logging.getLogger("somebody.else").warning("held %r", [value])
        failing(log, value, secret)

        assert stream.getvalue().count("held") >= 3
        for known in KNOWN:
            assert [form for form in spelt(known) if form in stream.getvalue()] == []

    whatever_is_logged()


def failing(log: Any, value: object, secret: str) -> None:
    """Logs an error that has an error as its cause, with what is held in its text, its arguments and a note."""
    try:
        try:
            raise KeyError(value)
        except KeyError as error:
            error.add_note(f"noted: {secret}")
            raise RuntimeError(f"about {secret}", value) from error
    except RuntimeError:
        log.exception("held", why=secret)


def test_a_secret_that_is_learnt_later_is_masked_from_then_on() -> None:
    stream = StringIO()
    known: set[str] = set()
    log = configured(stream, secrets=known)
    known.add("refreshed-t0ken")
    log.info("renewed", said="refreshed-t0ken")

    assert events(stream)[0]["said"] == "***"


def test_numbers_that_are_no_secrets_stay_numbers() -> None:
    stream = StringIO()
    configured(stream, secrets=KNOWN).info("hello", run=7, seconds=0.5)

    assert (events(stream)[0]["run"], events(stream)[0]["seconds"]) == (7, 0.5)
