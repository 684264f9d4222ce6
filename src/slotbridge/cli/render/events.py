"""What `events` says: which changes the portal announces where, and how an outgoing webhook is made by hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.text import Text

from slotbridge.bitrix24.events import RESOURCE_EVENTS
from slotbridge.cli.render.decisions import Counsel
from slotbridge.cli.render.words import clean
from slotbridge.errors import SlotbridgeError
from slotbridge.sync.binding import EXAMPLE, HOOK, Standing

_LINE = 'application_token = "…"'


def standing_lines(found: Standing, counsel: Counsel, *, token: bool) -> Iterator[Text]:
    """Every event with where it is announced, and the next step."""
    for event in RESOURCE_EVENTS:
        bound = event in found.bound
        where = f"announced to {clean(found.address or '')}" if bound else "not announced to this daemon"
        yield Text.assemble("  ", ("✓", "green") if bound else ("·", "yellow"), f" {event}: {where}")
    for handler in found.elsewhere:
        yield Text(f"    {clean(handler.event)}: announced to {clean(handler.handler)} as well", "dim")
    yield from _next_lines(found, counsel, token=token)


def _next_lines(found: Standing, counsel: Counsel, *, token: bool) -> Iterator[Text]:
    if found.address is None:
        yield Text(
            "Nobody reaches the daemon from outside, as far as the configuration says: changes are found by asking."
        )
        yield Text.assemble("If it can be reached, write in [daemon]: ", (f'public_url = "{EXAMPLE}"', "cyan"))
    elif found.missing:
        yield Text.assemble("To have all of them announced: ", (counsel.call("events --bind"), "cyan"))
    if found.elsewhere:
        yield Text("To remove one elsewhere, put its address into public_url for a moment, and run events --unbind.")
    if found.bound and not token:
        yield Text(
            "The daemon believes no announcement yet: it does not know the application's token, which every one of"
        )
        yield Text.assemble("them carries as auth[application_token]. Write in [bitrix24]: ", (_LINE, "cyan"))


def standing_json(found: Standing, *, token: bool) -> dict[str, Any]:
    """The `events --json` document."""
    return {
        "version": 1,
        "way": "application",
        "address": found.address,
        "events": [{"event": event, "bound": event in found.bound} for event in RESOURCE_EVENTS],
        "elsewhere": [{"event": each.event, "handler": each.handler} for each in found.elsewhere],
        "application_token": token,
    }


def by_hand_lines(address: str | None, *, token: bool) -> Iterator[Text]:
    """The way with a webhook: the portal lets applications alone ask for announcements."""
    yield Text("The portal lets only applications ask for announcements, and slotbridge gets in by a webhook.")
    yield Text("Without them changes are found by asking. To have them announced, make an outgoing webhook by hand:")
    yield Text("  1. In the portal, among the developer resources: an outbound webhook.")
    yield Text.assemble("  2. The address of its handler: ", (clean(address or f"{EXAMPLE}{HOOK}"), "cyan"))
    if address is None:
        yield Text.assemble(
            "     with your own host, which also belongs into [daemon]: ", (f'public_url = "{EXAMPLE}"', "cyan")
        )
    yield Text(f"  3. Its events: {', '.join(RESOURCE_EVENTS)}.")
    done = " (there is one; compare it)" if token else ""
    yield Text.assemble("  4. The token that its page shows, in [bitrix24]: ", (_LINE, "cyan"), done)


def by_hand_json(address: str | None, refused: SlotbridgeError | None, *, token: bool) -> dict[str, Any]:
    """The `events --json` document where nothing can be bound; `refused` is why a wish was not granted."""
    events = [{"event": event, "bound": None} for event in RESOURCE_EVENTS]
    return {
        "version": 1,
        "way": "by hand",
        "address": address,
        "events": events,
        "elsewhere": [],
        "application_token": token,
        "error": refused and refused.as_json(),
    }
