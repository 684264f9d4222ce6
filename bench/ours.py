"""Our Bitrix24 client as the product sets it up. The only part of the contenders that needs slotbridge.

python -m bench.ours WEBHOOK FILE is an earlier process: it fills the bucket as far as it may, and remembers that.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from importlib import import_module
from pathlib import Path
from random import Random
from typing import Any

from slotbridge.bitrix24 import Bitrix24Client
from slotbridge.bitrix24.access import WebhookAccess
from slotbridge.clock import Clock, SystemClock
from slotbridge.errors import ApiError
from slotbridge.http.limiter import Limiter
from slotbridge.http.transport import Transport
from slotbridge.lenses.items import Range
from slotbridge.settings.limits import BITRIX24_PLANS

PLAN = BITRIX24_PLANS["standard"]
_PRODUCT = ("slotbridge.settings", "slotbridge.store", "slotbridge.sync.connection")


class Ours:
    """One process of ours. With a database it goes on from what an earlier one left in the bucket."""

    def __init__(
        self, webhook: str, memory: Path | None = None, *, clock: Clock | None = None, network: Any = None
    ) -> None:
        import_module("anyio._backends._asyncio")  # httpx does so with the first request, and imports count for nobody
        self._clock = clock or SystemClock()
        self._network = network
        self._closing: list[Callable[[], Awaitable[None]]] = []
        self._client = self._alone(webhook) if memory is None else self._remembering(webhook, memory)

    async def read(self, ids: Sequence[int] | None) -> dict[int, list[int]]:
        """By resource, when its ranges end. Without ids, of all resources that there are."""
        wanted = [each.id for each in await self._client.list_resources()] if ids is None else ids
        found: dict[int, list[int]] = {}
        for each, items in (await self._client.list_slots(wanted)).items():
            if isinstance(items, ApiError):
                raise items
            found[each] = sorted(item.end for item in items if isinstance(item, Range))
        return found

    async def fill(self) -> None:
        """Sends as many requests as may be sent at once."""
        for _ in range(PLAN.burst):
            await self._client.scopes()

    async def aclose(self) -> None:
        """Closes connections and database."""
        for close in self._closing:
            await close()

    def _alone(self, webhook: str) -> Bitrix24Client:
        limiter = Limiter(PLAN.rate, PLAN.burst, self._clock)
        transport = Transport("bitrix24", limiter, self._clock, handler=self._network, trust_env=False)
        self._closing.append(transport.aclose)
        return Bitrix24Client(WebhookAccess(webhook), transport, clock=self._clock, random=Random(1))

    def _remembering(self, webhook: str, memory: Path) -> Bitrix24Client:
        # Not at the top: without a database, the memory that this process takes is the client's alone.
        settings, store, connection = map(import_module, _PRODUCT)
        given = {
            "SLOTBRIDGE_BITRIX24__WEBHOOK_URL": webhook,
            "SLOTBRIDGE_RESERVEKIT__BASE_URL": "http://127.0.0.1:1/v1",
            "SLOTBRIDGE_RESERVEKIT__API_KEY": "bench",
        }
        known = store.Store.open(f"sqlite:///{memory}", clock=self._clock)
        sides = connection.connect(
            settings.load_settings(None, given), known, clock=self._clock, random=Random(1), network=self._network
        )
        self._closing += [sides.aclose, lambda: asyncio.to_thread(known.close)]
        client: Bitrix24Client = sides.bitrix24
        return client


async def _earlier(webhook: str, memory: Path) -> None:
    process = Ours(webhook, memory)
    await process.fill()
    await process.aclose()


if __name__ == "__main__":
    asyncio.run(_earlier(sys.argv[1], Path(sys.argv[2])))
