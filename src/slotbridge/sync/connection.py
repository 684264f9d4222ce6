"""Both services as the configuration names them: at the pace of their plans, counted, by their way in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any
from urllib.parse import urlsplit

from slotbridge.bitrix24 import Bitrix24Client
from slotbridge.bitrix24.access import Access
from slotbridge.bitrix24.gateway import ANSWERS_WITHIN
from slotbridge.clock import Clock
from slotbridge.errors import Side
from slotbridge.http.limiter import Limiter
from slotbridge.http.meter import Meter, Unmetered
from slotbridge.http.observer import RequestObserver
from slotbridge.http.transport import Transport
from slotbridge.reservekit import ReserveKitClient
from slotbridge.reservekit.calls import Calls
from slotbridge.reservekit.probes import Probe
from slotbridge.settings import Limits, Settings
from slotbridge.settings.kinds import is_loopback
from slotbridge.store import Store
from slotbridge.sync.access import access_to
from slotbridge.sync.metering import SpentMeter, StoreMeter, digest_of


@dataclass(frozen=True, slots=True)
class Connection:
    """A client for each side, and what they send through. `probe` sends as `reservekit` does."""

    bitrix24: Bitrix24Client
    reservekit: ReserveKitClient
    probe: Probe
    transports: Mapping[Side, Transport]
    access: Access

    @property
    def requests(self) -> dict[Side, int]:
        """How many requests were sent to each side so far, repetitions included."""
        return {side: transport.requests for side, transport in self.transports.items()}

    async def aclose(self) -> None:
        """Closes what is kept open between requests."""
        for transport in self.transports.values():
            await transport.aclose()
        await self.access.aclose()


def connect(
    settings: Settings,
    store: Store | None,
    *,
    clock: Clock,
    random: Random,
    network: Any = None,
    observer: RequestObserver | None = None,
    capped: bool = False,
) -> Connection:
    """Connects to both sides. `network` is an HTTP transport to use in place of the real network.

    With a store that may be written, every request is counted there as it leaves; `capped` then sends none beyond the
    plan's number for a month. Raises ConfigurationError for a key that no request can carry.
    """

    def transport(side: Side, address: str, limits: Limits, **patience: float) -> Transport:
        limiter = Limiter(limits.rate, limits.burst, clock)
        # A proxy knows its own loopback only, and not the sandbox on ours.
        trusting = not is_loopback(urlsplit(address).hostname or "")
        cap = limits.per_month if capped else None
        meter = _meter(side, key_of(settings, side), store, limiter, clock, cap)
        return Transport(
            side, limiter, clock, handler=network, trust_env=trusting, meter=meter, observer=observer, **patience
        )

    portal, api = settings.bitrix24, settings.reservekit
    access = access_to(settings, clock=clock, random=random, network=network)
    bitrix24 = transport("bitrix24", access.base, portal.limits, timeout=ANSWERS_WITHIN)
    reservekit = transport("reservekit", api.base_url, api.limits)
    key = api.api_key.get_secret_value()
    calls = Calls(api.base_url, key, reservekit, clock=clock, random=random, origin=api.origin)
    return Connection(
        Bitrix24Client(access, bitrix24, clock=clock, random=random),
        ReserveKitClient(calls),
        Probe(calls),
        {"bitrix24": bitrix24, "reservekit": reservekit},
        access,
    )


def key_of(settings: Settings, side: Side) -> str:
    """A digest of what a side's answers depend on: by which key, and on which plan, it is asked."""
    if side == "bitrix24":
        way = settings.bitrix24.webhook_url or (settings.bitrix24.oauth.client_id if settings.bitrix24.oauth else None)
        return digest_of(way.get_secret_value() if way else "", settings.bitrix24.limits)
    api = settings.reservekit
    return digest_of(api.api_key.get_secret_value(), api.limits)


def _meter(side: Side, key: str, store: Store | None, limiter: Limiter, clock: Clock, cap: int | None) -> Meter:
    """Goes on with the bucket as an earlier process left it, also where nothing may be written."""
    if store is None:
        return Unmetered()
    known = store.usage.side(side, key)
    if known.bucket_empty_at is not None:
        limiter.restore((known.bucket_empty_at - clock.now()).total_seconds())
    if store.read_only:
        return SpentMeter(side, known, clock)
    return StoreMeter(side, store.usage, limiter, clock, key=key, cap=cap)
