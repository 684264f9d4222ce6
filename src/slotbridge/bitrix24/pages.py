"""Complete listings. Pages ride in batches: a request costs the same for one page as for fifty."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeVar

from slotbridge.bitrix24.gateway import BATCH_SIZE, Command, Gateway
from slotbridge.errors import ApiError

PAGE_SIZE = 50
# Most portals have fewer than 500 of anything; every page asked for in vain is work for the portal.
FIRST_PAGES = 10


class Identified(Protocol):
    @property
    def id(self) -> int: ...


Row = TypeVar("Row", bound=Identified)


async def list_all(
    gateway: Gateway,
    method: str,
    read: Callable[[object, str], Sequence[Row]],
    item: str,
    parameters: Mapping[str, object],
) -> list[Row]:
    """Every row of a list method by ascending id, each once. `read` takes a page's result apart.

    Raises the error of the first page that failed or cannot be read. Rows that come or go meanwhile shift the
    pages, so one that is missing here need not be gone.
    """
    # The portal's source: `total` is always 0 and `next` never comes; a page that is not full is the last one.
    found: dict[int, Row] = {}
    start, pages = 0, FIRST_PAGES
    while True:
        starts = range(start, start + pages * PAGE_SIZE, PAGE_SIZE)
        commands = [Command(method, {**parameters, "start": first}, item) for first in starts]
        for answer in await gateway.batch(commands, item):
            page = _page(answer, read, item)
            known = len(found)
            found |= {row.id: row for row in page}
            if len(page) < PAGE_SIZE:
                return _ordered(found)
        if len(found) == known:  # a portal that answers every page with the same one
            return _ordered(found)
        start, pages = starts.stop, BATCH_SIZE


def _page(answer: object | ApiError, read: Callable[[object, str], Sequence[Row]], item: str) -> Sequence[Row]:
    if isinstance(answer, ApiError):
        raise answer
    return read(answer, item)


def _ordered(found: Mapping[int, Row]) -> list[Row]:
    return [found[each] for each in sorted(found)]
