"""`$result[key][field]` in a batch: an earlier command's result in place of a text."""

from __future__ import annotations

import re
from collections.abc import Mapping

from slotbridge.sandbox import php

# The portal's source: a reference swallows everything up to the next white space.
_REFERENCE = re.compile(r"\$(result|total|next|error|time)((?:\[[^\]\s]*\])+)\S*")
_KEY = re.compile(r"\[([^\]]*)\]")


def resolved(value: object, roots: Mapping[str, object]) -> object:
    """A query's value with its references replaced. There is no way to write one that is meant as a text."""
    if isinstance(value, dict):
        return {name: resolved(member, roots) for name, member in value.items()}
    if not isinstance(value, str):
        return value
    alone = _REFERENCE.fullmatch(value)
    if alone is not None and php.is_array(_reached(alone, roots)):
        return _reached(alone, roots)
    return _REFERENCE.sub(lambda found: _text(found, roots), value)


def _text(found: re.Match[str], roots: Mapping[str, object]) -> str:
    reached = _reached(found, roots)
    return found[0] if php.is_array(reached) else php.to_text(reached)


def _reached(found: re.Match[str], roots: Mapping[str, object]) -> object:
    """What the path leads to; one that ends early leads to where it ended."""
    reached = roots[found[1]]
    for key in _KEY.findall(found[2]):
        members = php.items(reached)
        if key not in members:
            break
        reached = members[key]
    return reached
