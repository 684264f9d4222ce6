"""Finds the configuration, puts its layers together, hands it out whole or says all that is wrong with it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from slotbridge.errors import ConfigurationError
from slotbridge.http.redact import redact
from slotbridge.settings.contradictions import contradictions, with_defaults
from slotbridge.settings.models import (
    Bitrix24Settings,
    DaemonSettings,
    PairSettings,
    ReserveKitSettings,
    ResourceTypeSettings,
    StoreSettings,
    SyncSettings,
)
from slotbridge.settings.problems import schema_problems
from slotbridge.settings.sources import CONFIG, PREFIX, Variables, gathered, usable

PLACES = (Path("config/slotbridge.toml"), Path("/etc/slotbridge/slotbridge.toml"))
EXAMPLE = "config/slotbridge.example.toml"

_HELP = f"Every key is explained in {EXAMPLE}"


class Settings(BaseSettings):
    """The whole configuration. Each of `pairs` has every option in effect for it; `sync` holds the defaults.

    Reads nothing but what it is given. Raises ConfigurationError with every problem there is.
    """

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        env_prefix=PREFIX,
        env_nested_delimiter="__",
    )

    bitrix24: Bitrix24Settings
    reservekit: ReserveKitSettings
    store: StoreSettings = StoreSettings()
    sync: SyncSettings = SyncSettings()
    daemon: DaemonSettings = DaemonSettings()
    pairs: tuple[PairSettings, ...] = ()
    resource_types: tuple[ResourceTypeSettings, ...] = ()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)

    @model_validator(mode="wrap")
    @classmethod
    def _whole(cls, data: dict[str, Any], handler: ModelWrapValidatorHandler[Self]) -> Self:
        filled = with_defaults(data)
        problems = list(contradictions(filled))
        try:
            settings = handler(filled)
        except ValidationError as error:
            problems = [*schema_problems(error, data, cls), *problems]
        if problems:
            raise ConfigurationError("the configuration is wrong", problems=tuple(problems))
        return settings


def load_settings(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """Reads the configuration: environment variables before secret files before the file before the defaults.

    The file is `path`, else the one that SLOTBRIDGE_CONFIG names, else the first of PLACES that exists.
    Without any file the variables must be enough. Uses no network. Raises ConfigurationError with every
    problem at once.
    """
    file = _find(path, environ)
    variables, unread = gathered(environ)
    if file is None and not variables and not unread:
        raise _no_file()
    variables, misnamed = usable(variables, Settings)
    problems: tuple[str, ...] = (*unread, *misnamed)
    sources = (Variables(Settings, variables), InitSettingsSource(Settings, _read(file, problems) if file else {}))
    try:
        settings = Settings(_build_sources=(sources, {}))
    except ConfigurationError as error:
        problems += error.problems
    if problems:
        raise _wrong(file, problems)
    return settings


def _find(path: Path | None, environ: Mapping[str, str]) -> Path | None:
    named = path or (Path(environ[CONFIG]) if environ.get(CONFIG) else None)
    return named or next((place for place in PLACES if place.is_file()), None)


def _read(file: Path, others: tuple[str, ...]) -> dict[str, Any]:
    """What is in the file. Raises ConfigurationError if it cannot be read, with the problems that there are besides."""
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except tomllib.TOMLDecodeError as error:
        problem = f"{file}: not valid TOML: {redact(str(error))}"
    except UnicodeDecodeError:
        problem = f"{file}: not UTF-8 text"
    except OSError as error:
        problem = f"{file}: cannot be read ({error.strerror})"
    raise ConfigurationError("the configuration file cannot be read", problems=(*others, problem), hint=_HELP)


def _no_file() -> ConfigurationError:
    places = " nor at ".join(str(place) for place in PLACES)
    hint = f"Copy {EXAMPLE} to {PLACES[0]} and fill it in, or name another file with --config or {CONFIG}"
    return ConfigurationError("no configuration found", problems=(f"there is no file at {places}",), hint=hint)


def _wrong(file: Path | None, problems: tuple[str, ...]) -> ConfigurationError:
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    source = f"in {file}" if file else "from the environment (no file found)"
    return ConfigurationError(f"the configuration {source} has {count}", problems=problems, hint=_HELP)
