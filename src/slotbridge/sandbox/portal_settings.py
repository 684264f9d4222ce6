"""The notification fields that resources and resource types share."""

from __future__ import annotations

from collections.abc import Mapping

from slotbridge.sandbox import php
from slotbridge.sandbox.portal_binding import Refusal

_TEMPLATES = frozenset({"animate", "inanimate", "base"})
_TEXTS = ("templateType", "senderCode")


def check_templates(fields: Mapping[str, object]) -> None:
    """Refuses a template that does not exist with 422."""
    given = [value for name, value in fields.items() if name.startswith("templateType") and value is not None]
    if not _TEMPLATES.issuperset(map(php.to_text, given)):
        raise Refusal("422", "Invalid template type")


def apply_settings(settings: dict[str, object], fields: Mapping[str, object]) -> None:
    """Changes the known fields that are given. What is neither Y nor N is dropped without a word."""
    for name in settings.keys() & fields.keys():
        if not name.startswith("is"):
            settings[name] = _cast(name, fields[name])
        elif fields[name] in ("Y", "N"):
            settings[name] = fields[name]


def _cast(name: str, value: object) -> object:
    return php.to_text(value) if name.startswith(_TEXTS) else php.to_int(value)
