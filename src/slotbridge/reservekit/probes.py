"""What the listings of this server are like: single pages, asked for in ways that tell servers apart. Reads only.

The documentation has three forms of page numbers; that `no_pagination` is honoured, no captured answer proves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from slotbridge.reservekit.calls import Calls
from slotbridge.reservekit.pages import read_page


@dataclass(frozen=True, slots=True)
class Sample:
    """One page: how many rows it has, and the names of the page numbers that came along, none if there were none."""

    count: int
    numbers: tuple[str, ...] = ()


class Probe:
    """Asks one account for pages of one row. Raises ApiError, as the client does."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def services(self) -> Sample:
        """The first page of services."""
        return await self._sample("/services?page=1&page_size=1", "services", "services")

    async def time_slots(self, service_id: int, *, whole: bool = False) -> Sample:
        """The first page of a service's time slots; `whole` says that it is to be the only one."""
        query = f"service_id={service_id}&page=1&page_size=1{'&no_pagination=true' if whole else ''}"
        return await self._sample(f"/time-slots?{query}", "time_slots", f"time slots of service {service_id}")

    async def _sample(self, path: str, name: str, item: str) -> Sample:
        answer = await self._calls.read(path, item)
        return Sample(read_page(answer, name, item=item).count, _numbers(answer))


def _numbers(answer: Mapping[str, Any]) -> tuple[str, ...]:
    data = answer.get("data")
    places = (data if isinstance(data, dict) else {}, answer)
    found = (place.get(name) for place in places for name in ("pagination", "metadata"))
    return tuple(next((each for each in found if isinstance(each, dict)), {}))
