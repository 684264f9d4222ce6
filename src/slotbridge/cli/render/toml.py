"""Pieces of a configuration file, ready to be pasted."""

from __future__ import annotations

import json

from slotbridge.cli.render.words import clean

NO_ZONE = '# timezone = "Europe/Berlin"   # needed: this service has no time zone of its own'


def pair_toml(name: str, resource_id: int, service_id: int, *, zone_missing: bool = False) -> str:
    """One `[[pairs]]` table."""
    lines = ["[[pairs]]", f"name = {_text(name)}", f"resource_id = {resource_id}", f"service_id = {service_id}"]
    return "\n".join([*lines, NO_ZONE] if zone_missing else lines) + "\n"


def sides_toml(webhook_url: str, base_url: str, api_key: str, store_url: str) -> str:
    """The tables that come before the pairs."""
    tables = {
        "bitrix24": {"webhook_url": webhook_url},
        "reservekit": {"base_url": base_url, "api_key": api_key},
        "store": {"url": store_url},
    }
    return "\n".join(_table(name, values) for name, values in tables.items())


def _table(name: str, values: dict[str, str]) -> str:
    return "\n".join([f"[{name}]", *(f"{key} = {_text(value)}" for key, value in values.items())]) + "\n"


def _text(value: str) -> str:
    """A basic string: TOML escapes as JSON does."""
    return json.dumps(clean(value), ensure_ascii=False)
