"""`healthcheck`: whether the daemon on this machine is well. Asked every few seconds, it imports next to nothing."""

from __future__ import annotations

import http.client
import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from slotbridge.errors import ConfigurationError

if TYPE_CHECKING:
    from slotbridge.cli.invocation import Invocation

# As in slotbridge.settings, which takes longer to import than all this takes to run; a test compares.
PLACES = (Path("config/slotbridge.toml"), Path("/etc/slotbridge/slotbridge.toml"))
LISTEN = "127.0.0.1:8080"
ADDRESS = r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):(\d{1,5})"
VARIABLE = "SLOTBRIDGE_DAEMON__LISTEN"

TIMEOUT = 3.0
SILENT = "no answer at"
_MAX_ANSWER = 64 * 1024
_HERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where to ask a daemon that listens everywhere


def checked(argv: Sequence[str], environ: Mapping[str, str], out: TextIO) -> int | None:
    """The exit code of a command line that asks for nothing but a health check; what it takes to read others is not
    loaded for it. None for all others, and where the configuration is wrong: that is told better there.
    """
    match argv:
        case ["healthcheck"]:
            config = None
        case ["--config", file, "healthcheck"]:
            config = Path(file)
        case [option, "healthcheck"] if option.startswith("--config="):
            config = Path(option.removeprefix("--config="))
        case _:
            return None
    try:
        return _told(config, environ, out)
    except ConfigurationError:
        return None


def check_health(invocation: Invocation) -> int:
    """0 if the daemon is alive and ready; else 1, and the reasons in one line.

    Raises ConfigurationError if the configuration has no address to ask, or cannot be read.
    """
    return _told(invocation.config, invocation.environ, invocation.stdout)


def _told(config: Path | None, environ: Mapping[str, str], out: TextIO) -> int:
    host, port = _address(listen_of(config, environ))
    reasons = _asked(host, port, "/healthz")
    if not any(reason.startswith(SILENT) for reason in reasons):  # else it would be waited for twice
        reasons += _asked(host, port, "/readyz")
    out.write(f"{'; '.join(dict.fromkeys(reasons)) or 'ready'}\n")
    return 1 if reasons else 0


def silence(listen: str) -> str | None:
    """Why a daemon that is known to run is not alive; None if it is, or where it cannot be asked.

    Where nobody listens, it was started with another configuration: only a silent or a sick one counts.
    """
    if not listen or listen.endswith(":0"):
        return None
    reasons = _asked(*_address(listen), "/healthz", timeout=1.0)
    return next((why for why in reasons if "hangs" in why or "tick" in why), None)


def listen_of(config: Path | None, environ: Mapping[str, str]) -> str:
    """What `[daemon] listen` is: the variable's value before the file's before the default. Is not checked here."""
    named = config or (Path(environ["SLOTBRIDGE_CONFIG"]) if environ.get("SLOTBRIDGE_CONFIG") else None)
    file = named or next((place for place in PLACES if place.is_file()), None)
    given = next((value for name, value in environ.items() if name.upper() == VARIABLE), None)
    if given is not None or file is None:
        return LISTEN if given is None else given
    table = _read(file).get("daemon")
    return str(table.get("listen", LISTEN)) if isinstance(table, dict) else LISTEN


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not valid TOML"
        hint = "`slotbridge status` names every problem of a configuration"
        raise ConfigurationError(f"{file} cannot be read: {why}", hint=hint) from None


def _address(listen: str) -> tuple[str, int]:
    address = re.fullmatch(ADDRESS, listen, re.ASCII)
    if address is None or int(address[2]) > 65535:
        what = f"[daemon] listen is {listen!r}" if listen else "the daemon listens nowhere, so it cannot be asked"
        raise ConfigurationError(what, hint='Set [daemon] listen to an address and a port, such as "127.0.0.1:8080"')
    host = address[1].strip("[]")
    return _HERE.get(host, host), int(address[2])


def _asked(host: str, port: int, path: str, timeout: float = TIMEOUT) -> list[str]:
    """Why the daemon is not well; nothing if it is. http.client knows no proxies."""
    connection = http.client.HTTPConnection(host, port, timeout=timeout)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read(_MAX_ANSWER)
    except (OSError, http.client.HTTPException) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
        if isinstance(error, TimeoutError):
            why = f"silent for {timeout:g} s: the daemon hangs"
        return [f"{SILENT} {host}:{port} ({why})"]
    finally:
        connection.close()
    return [] if answer.status == 200 else _reasons(body) or [f"{path} answers {answer.status}"]


def _reasons(body: bytes) -> list[str]:
    try:
        told = json.loads(body)
    except ValueError:
        return []
    reasons = told.get("reasons") if isinstance(told, dict) else None
    return [" ".join(str(reason).split()) for reason in reasons] if isinstance(reasons, list) else []
