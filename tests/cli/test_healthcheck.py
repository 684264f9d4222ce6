"""`healthcheck`: whom it asks, what it says, and how little it needs for that."""

from __future__ import annotations

import asyncio
import io
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from slotbridge.cli import main
from slotbridge.cli.healthcheck import LISTEN, PLACES, _address, check_health, listen_of
from slotbridge.cli.invocation import Invocation
from slotbridge.daemon.endpoint import serving
from slotbridge.errors import ConfigurationError
from slotbridge.settings.load import PLACES as KNOWN_PLACES
from slotbridge.settings.models import DaemonSettings

HEAVY = ("httpx", "sqlmodel", "sqlalchemy", "rich", "pydantic", "structlog", "starlette", "uvicorn", "apscheduler")

WHOLE = """
import sys
from slotbridge.cli import main
code = main()
print(code, *sys.modules)
"""

CHECK = """
import io, pathlib, sys
from slotbridge.cli.healthcheck import check_health
from slotbridge.cli.invocation import Invocation
config = pathlib.Path(sys.argv[1])
code = check_health(Invocation(sys.stdout, sys.stderr, {"http_proxy": "http://192.0.2.1:9"}, config=config))
print(code, *sys.modules)
"""


def daemon(alive: Sequence[str] = (), ready: Sequence[str] = ()) -> Starlette:
    """A daemon that is not alive, or not ready, for these reasons."""

    def route(path: str, reasons: Sequence[str]) -> Route:
        async def endpoint(_request: Request) -> Response:
            return JSONResponse({"reasons": list(reasons)}, 503 if reasons else 200)

        return Route(path, endpoint)

    return Starlette(routes=[route("/healthz", alive), route("/readyz", ready)])


def configured(folder: Path, listen: str) -> Path:
    config = folder / "slotbridge.toml"
    config.write_text(f'[daemon]\nlisten = "{listen}"\n', encoding="utf-8")
    return config


def check(config: Path | None = None, **environ: str) -> tuple[int, str]:
    out = io.StringIO()
    return check_health(Invocation(out, io.StringIO(), environ, config=config)), out.getvalue()


async def asked(app: Starlette, folder: Path, listen: str = "127.0.0.1:0", shown: str = "") -> tuple[int, str]:
    """What is said of a daemon that listens there; `shown` is how the configuration writes its address."""
    async with serving(listen, app) as url:
        port = str(url).rpartition(":")[2]
        config = configured(folder, f"{shown or '127.0.0.1'}:{port}")
        return await asyncio.to_thread(check, config)


async def test_a_daemon_that_is_well_is_ready(tmp_path: Path) -> None:
    assert await asked(daemon(), tmp_path) == (0, "ready\n")


async def test_all_reasons_why_it_is_not_come_in_one_line(tmp_path: Path) -> None:
    app = daemon(["no tick for 20 seconds"], ["stale: dental", "odd\nname"])

    assert await asked(app, tmp_path) == (1, "no tick for 20 seconds; stale: dental; odd name\n")


async def test_a_daemon_that_listens_everywhere_is_asked_here(tmp_path: Path) -> None:
    assert await asked(daemon(), tmp_path, "0.0.0.0:0", "0.0.0.0") == (0, "ready\n")  # noqa: S104


async def test_a_daemon_that_listens_everywhere_by_ipv6_is_asked_here(tmp_path: Path) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")

    assert await asked(daemon(), tmp_path, "[::]:0", "[::]") == (0, "ready\n")


@pytest.mark.parametrize("body", ["x", "[]", '{"reasons": 1}', '{"reasons": []}', ""])
async def test_an_answer_without_reasons_is_told_by_its_status(body: str, tmp_path: Path) -> None:
    async def endpoint(_request: Request) -> Response:
        return Response(body, 500)

    app = Starlette(routes=[Route("/healthz", endpoint), Route("/readyz", endpoint)])

    assert await asked(app, tmp_path) == (1, "/healthz answers 500; /readyz answers 500\n")


def test_nobody_there_is_not_ready_and_says_where_it_asked(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closing:
        port = closing.getsockname()[1]

    assert check(configured(tmp_path, f"127.0.0.1:{port}")) == (
        1,
        f"no answer at 127.0.0.1:{port} (Connection refused)\n",
    )


async def test_somebody_else_who_listens_there_is_not_ready(tmp_path: Path) -> None:
    async def babble(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example.com\r\n")
        writer.close()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        code, said = await asyncio.to_thread(check, configured(tmp_path, f"127.0.0.1:{port}"))

    assert code == 1
    assert said.startswith(f"no answer at 127.0.0.1:{port} (")


@pytest.mark.parametrize("listen", ["", "8080", "127.0.0.1:http", "127.0.0.1:99999", "local host:80", "127.0.0.1: 80"])
def test_without_an_address_there_is_nobody_to_ask(listen: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as raised:
        check(configured(tmp_path, listen))

    assert raised.value.exit_code == 2
    assert "127.0.0.1:8080" in str(raised.value)


@pytest.mark.parametrize("text", ["[daemon", "\udcff"])
def test_a_file_that_cannot_be_read_is_a_configuration_problem_that_shows_none_of_it(text: str, tmp_path: Path) -> None:
    config = tmp_path / "slotbridge.toml"
    config.write_bytes(b'api_key = "sk_rsv_s3cr3t"\n' + text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ConfigurationError) as raised:
        check(config)

    assert "s3cr3t" not in str(raised.value)
    assert "not valid TOML" in str(raised.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none\.toml cannot be read: No such file"):
        check(tmp_path / "none.toml")


def test_the_variable_comes_before_the_file_and_the_file_before_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = configured(tmp_path, "127.0.0.1:1")
    silent = tmp_path / "silent.toml"
    silent.write_text("daemon = 1")

    assert listen_of(config, {"slotbridge_daemon__listen": "127.0.0.1:2"}) == "127.0.0.1:2"
    assert listen_of(config, {"SLOTBRIDGE_DAEMON__LISTEN": ""}) == ""
    assert listen_of(config, {"SLOTBRIDGE_CONFIG": str(silent)}) == "127.0.0.1:1"
    assert listen_of(None, {"SLOTBRIDGE_CONFIG": str(config)}) == "127.0.0.1:1"
    assert listen_of(silent, {}) == listen_of(None, {"SLOTBRIDGE_DAEMON__LISTEN": LISTEN}) == LISTEN


def test_the_places_and_the_default_are_those_of_the_settings() -> None:
    assert PLACES == KNOWN_PLACES
    assert DaemonSettings().listen == LISTEN
    for listen in ("[::1]:80", "localhost:65535", "a b:80", "a:65536", "a:1234567", "a:٨", "::1:80", ":80", "a"):
        with suppress(ValidationError):
            assert _address(DaemonSettings(listen=listen).listen)
            continue
        with pytest.raises(ConfigurationError):
            _address(listen)


@pytest.mark.parametrize("command", [["--config"], ["--config="]])
async def test_the_command_loads_nothing_of_what_other_commands_need(command: list[str], tmp_path: Path) -> None:
    async with serving("127.0.0.1:0", daemon()) as url:
        config = str(configured(tmp_path, str(url).removeprefix("http://")))
        argv = [*command, config] if command == ["--config"] else [command[0] + config]
        done = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-c", WHOLE, *argv, "healthcheck"],
            capture_output=True,
            text=True,
            check=True,
        )
    said, told = done.stdout.splitlines()
    code, *modules = told.split()

    assert (said, code) == ("ready", "0")
    assert [module for module in modules if module.partition(".")[0] in (*HEAVY, "typer", "asyncio")] == []


def test_what_it_does_not_know_is_told_as_always(tmp_path: Path) -> None:
    out, err = io.StringIO(), io.StringIO()
    assert main(["healthcheck", "--help"], stdout=out, stderr=err) == 0
    assert "Ask the daemon on this machine" in out.getvalue()
    assert main(["healthcheck", "--nonsense"], stdout=out, stderr=err) == 2
    assert main(["--config", str(tmp_path / "none.toml"), "healthcheck"], stdout=out, stderr=err, environ={}) == 2
    assert "none.toml cannot be read" in err.getvalue()


async def test_it_imports_next_to_nothing_and_trusts_no_proxy(tmp_path: Path) -> None:
    async with serving("127.0.0.1:0", daemon()) as url:
        config = configured(tmp_path, str(url).removeprefix("http://"))
        argv = [sys.executable, "-c", CHECK, str(config)]
        done = await asyncio.to_thread(subprocess.run, argv, capture_output=True, text=True, check=True)
    said, told = done.stdout.splitlines()
    code, *modules = told.split()

    assert (said, code) == ("ready", "0")
    assert "http.client" in modules
    assert [module for module in modules if module.partition(".")[0] in HEAVY] == []
    assert [module for module in modules if module.startswith(("slotbridge.settings", "slotbridge.sync"))] == []
