"""Names, descriptions and the settings of resource types in words: field by field, before and after."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slotbridge.cli.render.words import clean

MOST_SHOWN = 60
"""Characters of a text that are shown; `--json` has all of it."""


def is_fields(item: Mapping[str, Any] | None) -> bool:
    """Whether this is a part of a resource, a service or a type, and not a range or a time slot."""
    return item is not None and not {"odd", "weekDays", "day_of_week"} & item.keys()


def field_edit_words(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """`name "Dr. A" → "Dr. B"`, one after the other."""
    return ", ".join(f"{name} {_value(before.get(name))} → {_value(after[name])}" for name in after)


def field_words(fields: Mapping[str, Any]) -> str:
    """`name "Dr. A"`, one after the other."""
    return ", ".join(f"{name} {_value(value)}" for name, value in fields.items())


def _value(value: object) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "on" if value else "off"
    if not isinstance(value, str):
        return str(value)
    return f'"{clean(value[:MOST_SHOWN])}{"…" if len(value) > MOST_SHOWN else ""}"'
