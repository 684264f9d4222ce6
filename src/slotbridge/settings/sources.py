"""Values from outside the file: environment variables and secret files, both named after the key's path."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import BaseModel
from pydantic_settings import BaseSettings, EnvSettingsSource

from slotbridge.settings.problems import nearest
from slotbridge.settings.shape import keys_of

PREFIX = "SLOTBRIDGE_"
CONFIG, SECRETS_DIR = PREFIX + "CONFIG", PREFIX + "SECRETS_DIR"  # about the configuration, not in it

_LISTS = {PREFIX + "PAIRS": "pair", PREFIX + "RESOURCE_TYPES": "resource type"}


class Variables(EnvSettingsSource):
    """The variables that were passed in, instead of the process's own."""

    def __init__(self, settings: type[BaseSettings], variables: Mapping[str, str]) -> None:
        self._variables = {name.lower(): value for name, value in variables.items()}
        super().__init__(settings)

    def _load_env_vars(self) -> Mapping[str, str | None]:
        return self._variables


def gathered(environ: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Our variables by upper-case name, the environment's before secret files', and what was unreadable."""
    files = (environ.get(SECRETS_DIR) or "/run/secrets", environ.get("CREDENTIALS_DIRECTORY"))
    variables: dict[str, str] = {}
    problems: list[str] = []
    for path in (path for folder in files if folder for path in _secret_files(Path(folder))):
        try:
            variables[path.name.upper()] = path.read_text(encoding="utf-8-sig").strip()
        except (OSError, UnicodeDecodeError) as error:
            problems.append(f"secret file {path}: cannot be read ({_reason(error)})")
    variables |= {name.upper(): value for name, value in environ.items() if _is_ours(name)}
    return {name: value for name, value in variables.items() if name not in (CONFIG, SECRETS_DIR)}, problems


def usable(variables: Mapping[str, str], settings: type[BaseModel]) -> tuple[dict[str, str], list[str]]:
    """The variables that stand for a key of the settings, and a problem for each of the others."""
    known = {PREFIX + "__".join(path).upper() for path in keys_of(settings)}
    problems = {name: _unknown(name, known) for name in variables if name not in known}
    for name, one in _LISTS.items():
        if name in variables and not _is_json_list(variables[name]):
            problems[name] = f"{name}: must be a JSON list of objects, one for each {one}"
    return {name: value for name, value in variables.items() if name not in problems}, list(problems.values())


def _is_ours(name: str) -> bool:
    return name.upper().startswith(PREFIX)


def _secret_files(folder: Path) -> Iterator[Path]:
    """The files in a folder that bear names of ours; none if there is no folder, or it is closed to us."""
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return
    yield from (path for path in entries if _is_ours(path.name) and path.is_file())


def _unknown(name: str, known: set[str]) -> str:
    near = nearest(name, {other.lower() for other in (*known, CONFIG, SECRETS_DIR)})
    return f"{name}: unknown variable" + (f"; did you mean {near.upper()}?" if near else "")


def _is_json_list(text: str) -> bool:
    try:
        return isinstance(json.loads(text), list)
    except (ValueError, RecursionError):
        return False


def _reason(error: OSError | UnicodeDecodeError) -> str:
    return error.strerror or type(error).__name__ if isinstance(error, OSError) else "it is not UTF-8 text"
