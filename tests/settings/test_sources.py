"""Where values come from, and which source counts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from slotbridge.errors import ConfigurationError
from slotbridge.settings import load_settings
from tests.settings.configured import PAIR, SIDES, load, problems, without_secrets


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    folder = tmp_path / "secrets"
    folder.mkdir()
    return folder


def test_the_environment_counts_before_secret_files_before_the_file(tmp_path: Path, secrets: Path) -> None:
    (secrets / "SLOTBRIDGE_RESERVEKIT__API_KEY").write_text("sk_from_file\n")
    (secrets / "slotbridge_sync__conflict").write_text("bitrix24")
    (secrets / "unrelated").write_bytes(b"\xff")

    settings = load(
        tmp_path,
        SIDES + '[sync]\nconflict = "hold"\ninitial = "merge"\n',
        SLOTBRIDGE_SECRETS_DIR=str(secrets),
        SLOTBRIDGE_SYNC__CONFLICT="reservekit",
    )

    assert settings.reservekit.api_key.get_secret_value() == "sk_from_file"
    assert (settings.sync.conflict, settings.sync.initial) == ("reservekit", "merge")


def test_systemd_credentials_are_secret_files_too(tmp_path: Path, secrets: Path) -> None:
    (secrets / "SLOTBRIDGE_RESERVEKIT__API_KEY").write_text("sk_from_systemd\n")

    settings = load(tmp_path, CREDENTIALS_DIRECTORY=str(secrets))

    assert settings.reservekit.api_key.get_secret_value() == "sk_from_systemd"


def test_a_secret_file_as_windows_writes_it_has_the_secret_and_nothing_else(tmp_path: Path, secrets: Path) -> None:
    (secrets / "SLOTBRIDGE_RESERVEKIT__API_KEY").write_bytes(b"\xef\xbb\xbfsk_from_windows\r\n")
    settings = load(tmp_path, SLOTBRIDGE_SECRETS_DIR=str(secrets))
    assert settings.reservekit.api_key.get_secret_value() == "sk_from_windows"


def test_misnamed_and_unreadable_secret_files_are_problems(tmp_path: Path, secrets: Path) -> None:
    (secrets / "SLOTBRIDGE_RESERVKIT__API_KEY").write_text("sk_x")
    (secrets / "SLOTBRIDGE_STORE__URL").write_bytes(b"\xff")

    found = problems(tmp_path, SIDES, SLOTBRIDGE_SECRETS_DIR=str(secrets))

    assert found == (
        f"secret file {secrets / 'SLOTBRIDGE_STORE__URL'}: cannot be read (it is not UTF-8 text)",
        "SLOTBRIDGE_RESERVKIT__API_KEY: unknown variable; did you mean SLOTBRIDGE_RESERVEKIT__API_KEY?",
    )


def test_pairs_can_come_from_the_environment_and_take_the_defaults_of_sync(tmp_path: Path) -> None:
    pairs = json.dumps([{"name": "hall", "resource_id": 1, "service_id": 2}])

    settings = load(tmp_path, SIDES + PAIR, SLOTBRIDGE_PAIRS=pairs, SLOTBRIDGE_SYNC__INTERVAL="1m")

    assert [(pair.name, pair.interval) for pair in settings.pairs] == [("hall", 60)]


@pytest.mark.parametrize("text", ["[{]", "{}", "5", "", "[" * 100_000])
def test_pairs_that_are_not_a_json_list_are_a_problem(tmp_path: Path, text: str) -> None:
    (problem,) = problems(tmp_path, SIDES, SLOTBRIDGE_PAIRS=text)

    assert problem == "SLOTBRIDGE_PAIRS: must be a JSON list of objects, one for each pair"


def test_nested_tables_and_numbers_come_from_the_environment(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        '[reservekit]\napi_key = "k"\n',
        SLOTBRIDGE_BITRIX24__OAUTH__CLIENT_ID="id",
        SLOTBRIDGE_BITRIX24__OAUTH__CLIENT_SECRET="s",
        SLOTBRIDGE_BITRIX24__OAUTH__PORTAL="https://example.bitrix24.com",
        SLOTBRIDGE_SYNC__MAX_DELETE_RATIO="0.25",
        SLOTBRIDGE_DAEMON__LISTEN="",
    )

    assert settings.bitrix24.oauth is not None
    assert settings.sync.max_delete_ratio == 0.25
    assert settings.daemon.listen == ""


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("SLOTBRIDGE_CONFG", "SLOTBRIDGE_CONFIG"),
        ("SLOTBRIDGE_BITRIX24_WEBHOOK_URL", "SLOTBRIDGE_BITRIX24__WEBHOOK_URL"),
        ("SLOTBRIDGE_SYNC__INTERVALL", "SLOTBRIDGE_SYNC__INTERVAL"),
    ],
)
def test_an_unknown_variable_names_the_nearest_known_one(tmp_path: Path, name: str, near: str) -> None:
    (problem,) = problems(tmp_path, SIDES, **{name: "x"})

    assert problem == f"{name}: unknown variable; did you mean {near}?"


def test_the_file_is_the_argument_else_the_variable_else_the_usual_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config").mkdir()
    for name in ("config/slotbridge.toml", "variable.toml", "argument.toml"):
        (tmp_path / name).write_text(SIDES + f'[store]\nurl = "sqlite:///{name}.db"\n')
    environ = without_secrets(tmp_path, {})
    named = {**environ, "SLOTBRIDGE_CONFIG": "variable.toml"}

    assert load_settings(Path("argument.toml"), named).store.url == "sqlite:///argument.toml.db"
    assert load_settings(None, named).store.url == "sqlite:///variable.toml.db"
    assert load_settings(None, {**environ, "SLOTBRIDGE_CONFIG": ""}).store.url.endswith("slotbridge.toml.db")


def test_a_file_that_the_variable_names_must_exist(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as raised:
        load_settings(None, without_secrets(tmp_path, {"SLOTBRIDGE_CONFIG": str(tmp_path / "gone.toml")}))

    assert "gone.toml: cannot be read" in raised.value.problems[0]


def test_variables_alone_are_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    environ = {
        "SLOTBRIDGE_BITRIX24__WEBHOOK_URL": "https://example.bitrix24.com/rest/1/abc/",
        "SLOTBRIDGE_RESERVEKIT__API_KEY": "k",
    }

    assert load_settings(None, without_secrets(tmp_path, environ)).pairs == ()
    with pytest.raises(ConfigurationError, match="no file found"):
        load_settings(None, without_secrets(tmp_path, {"SLOTBRIDGE_RESERVEKIT__API_KEY": "k"}))


def test_the_process_environment_is_not_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLOTBRIDGE_SYNC__CONFLICT", "bitrix24")

    assert load(tmp_path).sync.conflict == "hold"
