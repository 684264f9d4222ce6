"""What the portal's lists have in common: pages of 50, filters and orders that drop what they do not know."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from slotbridge.sandbox import php
from slotbridge.sandbox.portal_binding import Params, Refusal

T = TypeVar("T")
Test = Callable[[T], bool]
Key = Callable[[T], "str | int"]

PAGE = 50


def first_row(params: Params) -> int:
    """Where the page begins: `start`, rounded down to a multiple of 50."""
    start = php.to_int(params["start"]) if php.is_numeric(params.get("start")) else 0
    return max(0, start) // PAGE * PAGE


def page(rows: Sequence[T], params: Params) -> Sequence[T]:
    """The rows of the page that is asked for."""
    first = first_row(params)
    return rows[first : first + PAGE]


def filtered(
    rows: Sequence[T], conditions: Mapping[str, object], tests: Mapping[str, Callable[[object], Test[T]]]
) -> list[T]:
    """The rows that fit every known condition; unknown ones, such as `>id`, are dropped without an error."""
    wanted = [tests[name](value) for name, value in conditions.items() if name in tests]
    return [row for row in rows if all(test(row) for test in wanted)]


def ordered(rows: Sequence[T], order: Mapping[str, object], keys: Mapping[str, Key[T]]) -> list[T]:
    """The rows in this order, its first member first; unknown members are dropped. Raises Refusal."""
    result = list(rows)
    for name in [name for name in reversed(list(order)) if name in keys]:
        direction = php.to_text(order[name])
        if direction.lower() not in ("asc", "desc"):
            raise Refusal("100", f'Invalid order "{direction}"')
        result.sort(key=keys[name], reverse=direction.lower() == "desc")
    return result


def is_like(text: str, pattern: str) -> bool:
    """SQL's LIKE with the pattern anywhere in the text; `%` and `_` in it are wildcards."""
    like = re.escape(pattern).replace("%", ".*").replace("_", ".")
    return re.search(like, text, re.IGNORECASE) is not None
