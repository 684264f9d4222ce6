"""What PHP does to data on its way in and out of a Bitrix24 portal.

In: query strings whose brackets make arrays, numbers cast from any text. Out: one array type for lists
and maps, so that an empty map reads `[]` and one with the keys 0..n-1 reads as a list; JSON with slashes,
quotes and angle brackets escaped.
"""

from __future__ import annotations

import json
import math
import re
from urllib.parse import unquote_plus

_NAME = re.compile(r"([^\[]+)((?:\[[^\]]*\])*)")
_KEY = re.compile(r"\[([^\]]*)\]")
_NUMERIC = re.compile(r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*")
_NUMBER_AT_START = re.compile(r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_ESCAPABLE = re.compile(r"\\.|[/<>&']")
_ESCAPED = {
    '\\"': "\\u0022",
    "/": "\\/",
    "<": "\\u003C",
    ">": "\\u003E",
    "&": "\\u0026",
    "'": "\\u0027",
}


def parse_query(text: str, max_variables: int) -> dict[str, object]:
    """The variables of a query string; the ones beyond `max_variables` vanish without a word, as in PHP."""
    tree: dict[str, object] = {}
    for piece in [piece for piece in text.split("&") if piece][:max_variables]:
        name, _, value = piece.partition("=")
        path = _path(unquote_plus(name))
        if path:
            _store(tree, path, unquote_plus(value))
    return tree


def _path(name: str) -> list[str]:
    found = _NAME.match(name.lstrip(" "))
    if found is None:
        return []
    return [re.sub(r"[. ]", "_", found[1]), *_KEY.findall(found[2])]


def _store(tree: dict[str, object], path: list[str], value: str) -> None:
    for name in path[:-1]:
        key = name or _next_index(tree)
        child = tree.get(key)
        if not isinstance(child, dict):
            child = tree[key] = {}
        tree = child
    tree[path[-1] or _next_index(tree)] = value


def _next_index(tree: dict[str, object]) -> str:
    return str(max((int(key) for key in tree if key.isdecimal()), default=-1) + 1)


def is_array(value: object) -> bool:
    return isinstance(value, dict | list)


def values(array: object) -> list[object]:
    """The values of a PHP array, whichever JSON form it came in."""
    if isinstance(array, dict):
        return list(array.values())
    return list(array) if isinstance(array, list) else []


def items(array: object) -> dict[str, object]:
    """A PHP array as a map from its keys, index numbers as text."""
    if isinstance(array, dict):
        return {str(key): value for key, value in array.items()}
    return {str(index): value for index, value in enumerate(array)} if isinstance(array, list) else {}


def is_numeric(value: object) -> bool:
    if isinstance(value, str):
        return _NUMERIC.fullmatch(value) is not None
    return isinstance(value, int | float) and not isinstance(value, bool)


def to_int(value: object) -> int:
    """`(int) $value`: "540.9" is 540, "abc" and "" are 0, a non-empty array is 1."""
    if isinstance(value, str):
        found = _NUMBER_AT_START.match(value)
        value = float(found[0]) if found else 0
    if isinstance(value, float):
        return int(value) if math.isfinite(value) else 0
    return value if isinstance(value, int) and not isinstance(value, bool) else int(bool(value))


def to_text(value: object) -> str:
    """`(string) $value` for what is no array."""
    if isinstance(value, bool):
        return "1" if value else ""
    return "" if value is None else str(value)


def truthy(value: object) -> bool:
    """`(bool) $value`: "false" is true, "0" and "" are false."""
    return bool(value) and value != "0"


def encode(value: object) -> bytes:
    """JSON as the portal writes it."""
    text = json.dumps(_shaped(value), ensure_ascii=False, separators=(",", ":"))
    return _ESCAPABLE.sub(lambda found: _ESCAPED.get(found[0], found[0]), text).encode()


def _shaped(value: object) -> object:
    """An array as PHP's JSON has it: a list where its keys happen to be 0, 1, 2 …"""
    if isinstance(value, dict):
        if not value or ("0" in value and list(value) == [str(index) for index in range(len(value))]):
            return [_shaped(member) for member in value.values()]
        return {key: _shaped(member) if is_array(member) else member for key, member in value.items()}
    if isinstance(value, list):
        return [_shaped(member) if is_array(member) else member for member in value]
    return value
