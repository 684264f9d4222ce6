"""`events`: whether the portal announces changes to the daemon, and how to make it do so."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Literal

from slotbridge.cli.invocation import Invocation
from slotbridge.cli.render.events import by_hand_json, by_hand_lines, standing_json, standing_lines
from slotbridge.errors import ConfigurationError
from slotbridge.settings import Settings
from slotbridge.sync.binding import EXAMPLE, Standing, bind, hook_address, standing, unbind
from slotbridge.sync.connection import connect

Wish = Literal["show", "bind", "unbind"]


def show_events(invocation: Invocation, wish: Wish) -> int:
    """Shows, binds or unbinds the handlers of an application; with a webhook tells what to do by hand.

    Returns 1 if the portal does not announce afterwards what it was asked to, or still announces what it was asked not
    to; 2 if it was asked by a webhook. Raises ConfigurationError for a wish without an address, and ApiError.
    """
    settings = invocation.settings()
    token = settings.bitrix24.application_token is not None
    if settings.bitrix24.oauth is None:
        address = hook_address(settings.daemon.public_url)
        if invocation.as_json:
            invocation.emit(by_hand_json(address, _by_webhook(wish), token=token))
        else:
            invocation.say(by_hand_lines(address, token=token))
        return 0 if wish == "show" else ConfigurationError.exit_code
    found = asyncio.run(_events(invocation, settings, wish))
    if invocation.as_json:
        invocation.emit(standing_json(found, token=token))
    else:
        invocation.say(standing_lines(found, invocation.counsel(), token=token))
    return int(bool((wish == "bind" and found.missing) or (wish == "unbind" and found.bound)))


def _by_webhook(wish: Wish) -> ConfigurationError | None:
    """Why nothing is bound or unbound; None where nobody wished it."""
    if wish == "show":
        return None
    hint = "Set up [bitrix24.oauth] and run `slotbridge auth`, or make an outbound webhook in the portal by hand"
    return ConfigurationError("the portal notifies applications only, and slotbridge gets in by a webhook", hint=hint)


async def _events(invocation: Invocation, settings: Settings, wish: Wish) -> Standing:
    address = hook_address(settings.daemon.public_url)
    clock, random = invocation.clock, invocation.random
    async with aclosing(connect(settings, None, clock=clock, random=random, network=None, capped=False)) as sides:
        invocation.hide_those_of(sides.access)
        events = sides.bitrix24.events
        if wish == "show":
            return standing(await events.get(), address)
        if address is None:
            hint = f'Set public_url = "{EXAMPLE}" in [daemon]: the address at which the portal reaches the daemon'
            raise ConfigurationError("it is not known where the portal could reach the daemon", hint=hint)
        return await (bind if wish == "bind" else unbind)(events, address)
