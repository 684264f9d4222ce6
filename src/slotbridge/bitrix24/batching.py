"""What goes into one request, what must not, and how it is named in messages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from itertools import islice
from typing import TypeVar

from slotbridge.bitrix24.codes import UNKNOWN_METHOD
from slotbridge.errors import AccessRefused, ApiError

T = TypeVar("T")

# Within a batch these refer to the results of other commands, and nothing escapes them. Half a surrogate pair,
# which JSON may carry, has no place in a query string.
_DISTORTED = re.compile(r"\$(?:result\[|total|next|error|time)|[\ud800-\udfff]", re.IGNORECASE)


def survives_batch(text: str) -> bool:
    """Whether a batch leaves free text as it is."""
    return _DISTORTED.search(text) is None


def named(resource_id: int) -> str:
    """One resource, for the `item` of an error."""
    return f"resource {resource_id}"


def counted(resource_ids: Iterable[int]) -> str:
    """Several resources, or the one there is."""
    ids = list(resource_ids)
    return named(ids[0]) if len(ids) == 1 else f"{len(ids)} resources"


def parts(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """The items in lists of at most `size`."""
    rest = iter(items)
    while part := list(islice(rest, size)):
        yield part


def require_access(answers: Sequence[object], item: str) -> None:
    """Raises the refusal that all of these commands met alike and that is about the way in, or the method, of them all.

    A batch hides it in the answers to its commands: a missing permission, a method that the portal does not know. What
    a single command met may be about its item alone.
    """
    first = answers[0] if len(answers) > 1 else None
    if not isinstance(first, ApiError) or not _is_about_all(first):
        return
    if all(isinstance(each, ApiError) and (type(each), each.code) == (type(first), first.code) for each in answers):
        told = copy(first)
        told.item = item
        raise told


def _is_about_all(error: ApiError) -> bool:
    return isinstance(error, AccessRefused) or (error.code or "").upper() == UNKNOWN_METHOD
