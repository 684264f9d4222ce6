"""Output without secrets: text by text, before a document becomes JSON or a line gets its colours."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from rich.text import Text

from slotbridge.secrecy import fit_to_be_told


def masked_line(line: Text, secrets: Collection[str]) -> Text:
    """A line; one that has a secret loses the colours of its parts, which would no longer be where they belong."""
    told = fit_to_be_told(line.plain, secrets)
    return line if told == line.plain else Text(told, line.style)


def masked_document(document: Mapping[str, Any], secrets: Collection[str]) -> dict[str, Any]:
    """A document with every text in it masked. Its keys are ours, and numbers stay numbers, as promised."""
    return {key: _masked(value, secrets) for key, value in document.items()}


def _masked(value: object, secrets: Collection[str]) -> object:
    match value:
        case str():
            return fit_to_be_told(value, secrets)
        case Mapping():
            return masked_document(value, secrets)
        case list() | tuple():
            return [_masked(inner, secrets) for inner in value]
        case _:
            return value
