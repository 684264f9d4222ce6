"""Where the portal announces changes of resources: what is bound there, and what should be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from slotbridge.bitrix24.events import RESOURCE_EVENTS, EventHandler, Events
from slotbridge.errors import Rejected

HOOK: Final = "/hooks/bitrix24"
"""Where the daemon listens for the portal."""

EXAMPLE: Final = "https://sync.example.com"


def hook_address(public_url: str | None) -> str | None:
    """The address that the portal is to call; None where nobody reaches the daemon from outside."""
    return None if public_url is None else f"{public_url.rstrip('/')}{HOOK}"


@dataclass(frozen=True, slots=True)
class Standing:
    """Which events of resources the portal announces at `address`, and which at other addresses."""

    address: str | None
    bound: tuple[str, ...]
    elsewhere: tuple[EventHandler, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        """The events that are not announced at the address."""
        return tuple(event for event in RESOURCE_EVENTS if event not in self.bound)


def standing(handlers: Sequence[EventHandler], address: str | None) -> Standing:
    """What handlers amount to. Those of other events are not ours to judge, offline ones call nobody."""
    calling = [each for each in handlers if each.event in RESOURCE_EVENTS and not each.offline]
    here = {each.event for each in calling if each.handler == address}
    elsewhere = tuple(each for each in calling if each.handler != address)
    return Standing(address, tuple(event for event in RESOURCE_EVENTS if event in here), elsewhere)


async def bind(events: Events, address: str) -> Standing:
    """Binds what is not bound yet. Tells what the portal says afterwards.

    It refuses a handler that it has, so another process may have bound one meanwhile: a refusal is raised only if
    something is missing in the end.
    """
    refusal: Rejected | None = None
    for event in standing(await events.get(), address).missing:
        try:
            await events.bind(event, address)
        except Rejected as error:
            refusal = refusal or error
    found = standing(await events.get(), address)
    if found.missing and refusal is not None:
        raise refusal
    return found


async def unbind(events: Events, address: str) -> Standing:
    """Removes the handlers at this address; those at others stay. Tells what the portal says afterwards."""
    for event in standing(await events.get(), address).bound:
        await events.unbind(event, address)
    return standing(await events.get(), address)
