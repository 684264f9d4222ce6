"""How PHP writes arrays: in JSON answers, and in the query strings of batch commands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import quote


def as_map(value: object) -> dict[str, object] | None:
    """A PHP array as a dict, or None if it is no array.

    PHP's JSON has `[]` for an empty array, a list where the keys happen to be 0, 1, 2 …, else an object.
    """
    if isinstance(value, dict):
        return value
    return {str(index): item for index, item in enumerate(value)} if isinstance(value, list) else None


def as_list(value: object) -> list[object] | None:
    """A PHP array as a list of its values in their order, or None if it is no array."""
    if isinstance(value, list):
        return value
    return list(value.values()) if isinstance(value, dict) else None


def query(parameters: Mapping[str, object]) -> str:
    """Parameters as `slots[0][from]=540&…`, values percent-encoded once.

    Empty arrays cannot be expressed, and every value arrives as a string.
    """
    return "&".join(f"{name}={quote(text, safe='')}" for name, text in _leaves(parameters))


def _leaves(parameters: Mapping[str, object], outer: str = "") -> Iterator[tuple[str, str]]:
    for key, value in parameters.items():
        name = f"{outer}[{key}]" if outer else key
        inner = as_map(value)
        if inner is None:
            yield name, str(value)
        else:
            yield from _leaves(inner, name)
