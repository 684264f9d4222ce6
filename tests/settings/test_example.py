"""The example file works as a copy and leaves nothing out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from slotbridge.settings import ResourceTypeSettings, Settings, SyncSettings, load_settings
from slotbridge.settings.models import PairSettings
from slotbridge.settings.shape import keys_of
from tests.settings.configured import load, without_secrets

EXAMPLE = Path(__file__).parents[2] / "config" / "slotbridge.example.toml"
SHOWN_DEFAULTS = "bitrix24", "reservekit", "store", "sync", "daemon"


def written_keys(text: str) -> set[tuple[str, ...]]:
    """The paths of the keys in a TOML text, those that are commented out too."""
    found: set[tuple[str, ...]] = set()
    table: tuple[str, ...] = ()
    for line in text.splitlines():
        if header := re.match(r"(?:# )?\[+([\w.]+)\]+$", line):
            table = tuple(header[1].split("."))
        elif key := re.match(r"(?:# )?(\w+) = ", line):
            found.add((*table, key[1]))
    return found


def test_the_example_works_as_a_copy(tmp_path: Path) -> None:
    settings = load_settings(EXAMPLE, without_secrets(tmp_path, {}))

    assert [pair.name for pair in settings.pairs] == ["dental"]


def test_every_key_of_the_models_is_in_the_example_and_no_other() -> None:
    own = set(PairSettings.model_fields) - set(SyncSettings.model_fields)
    known = {path for path in keys_of(Settings) if path not in {("pairs",), ("resource_types",)}}
    known |= {("pairs", key) for key in own} | {("resource_types", key) for key in ResourceTypeSettings.model_fields}

    assert written_keys(EXAMPLE.read_text(encoding="utf-8")) == known


def test_what_is_commented_out_works_too(tmp_path: Path) -> None:
    text = EXAMPLE.read_text(encoding="utf-8").replace("webhook_url = ", "# left out: ")
    settings = load(tmp_path, re.sub(r"^# (?=\[|\w+ = )", "", text, flags=re.MULTILINE))

    assert settings.bitrix24.oauth is not None
    assert settings.pairs[0].timezone == "Europe/Berlin"
    assert settings.resource_types[0].isReminderNotificationOn is True


@pytest.mark.parametrize("table", SHOWN_DEFAULTS)
def test_values_shown_in_the_example_are_the_defaults(tmp_path: Path, table: str) -> None:
    shown = load_settings(EXAMPLE, without_secrets(tmp_path, {}))
    default = load(tmp_path)

    hidden = {"webhook_url", "api_key"}
    assert getattr(shown, table).model_dump(exclude=hidden) == getattr(default, table).model_dump(exclude=hidden)
