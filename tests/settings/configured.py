"""A configuration to begin with, and what loading it says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from slotbridge.errors import ConfigurationError
from slotbridge.settings import Settings, load_settings

CODE = "s3cr3tc0de"
KEY = "sk_rsv_s3cr3tkey"

SIDES = f"""
[bitrix24]
webhook_url = "https://example.bitrix24.com/rest/1/{CODE}/"

[reservekit]
api_key = "{KEY}"
"""

PAIR = """
[[pairs]]
name = "dental"
resource_id = 15
service_id = 123
"""


def load(folder: Path, text: str = SIDES + PAIR, **environ: str) -> Settings:
    file = folder / "slotbridge.toml"
    file.write_text(text, encoding="utf-8")
    return load_settings(file, without_secrets(folder, environ))


def without_secrets(folder: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """An environment whose secret files are not the machine's own."""
    return {"SLOTBRIDGE_SECRETS_DIR": str(folder / "no-such-folder"), **environ}


def problems(folder: Path, text: str, **environ: str) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as raised:
        load(folder, text, **environ)
    assert raised.value.exit_code == 2
    assert CODE not in str(raised.value) + repr(raised.value.problems)
    assert KEY not in str(raised.value) + repr(raised.value.problems)
    return raised.value.problems
