"""`sandbox`: both APIs on this machine, and how to play with them."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from slotbridge.cli.invocation import Invocation
from slotbridge.cli.render.toml import pair_toml, sides_toml
from slotbridge.sandbox.sample import sample_world
from slotbridge.sandbox.server import serve
from slotbridge.sandbox.world import RESERVEKIT_KEY, RESERVEKIT_PATH, WEBHOOK_PATH, World

_CURL = """\
curl {url}/_sandbox                     # both weeks, and all that can be done here
curl -X PUT {url}/_sandbox/bitrix24/resources/16/slots \\
  -d '[{{"from": 600, "to": 960, "timezone": "Europe/Berlin", "weekDays": ["Tue", "Thu"], "slotSize": 60}}]'
curl -X POST {url}/_sandbox/reservekit/services/125/time-slots \\
  -d '{{"day": 4, "start": 840, "end": 1080, "max_bookings": 4}}'"""


def serve_sandbox(invocation: Invocation, host: str, port: int, *, empty: bool) -> int:
    """Serves until it is told to stop. Raises ConfigurationError for an address that cannot be used."""
    world = sample_world(invocation.clock)
    if empty:
        without_hours(world)

    def ready(url: str) -> None:
        invocation.say(welcome(url, world))
        invocation.stdout.flush()

    serve(host, port, state=world, ready=ready)
    return 0


def without_hours(world: World) -> None:
    """Takes all hours from the business; its resources and services stay."""
    for resource_id in world.portal.resources:
        world.portal.put_slots(resource_id, [])
    for slot_id in list(world.reservations.time_slots):
        world.reservations.remove_slot(slot_id)


def config_for(url: str, world: World, store_url: str) -> str:
    """A complete configuration for a sandbox at this address, with a pair for each name that both sides have."""
    services = {service.name: service.id for service in world.reservations.services.values()}
    pairs = [
        pair_toml(resource.name, resource.id, services[resource.name])
        for resource in world.portal.resources.values()
        if resource.name in services
    ]
    sides = sides_toml(f"{url}{WEBHOOK_PATH}", f"{url}{RESERVEKIT_PATH}", RESERVEKIT_KEY, store_url)
    return "\n".join([sides, *pairs])


def welcome(url: str, world: World) -> Iterator[Text]:
    """Where it listens, a configuration to paste, and how to be the other user."""
    yield Text(f"Both APIs are served at {url} until Ctrl-C. Nothing here is kept.")
    yield Text()
    yield Text(f"  Bitrix24 webhook   {url}{WEBHOOK_PATH}")
    yield Text(f"  ReserveKit         {url}{RESERVEKIT_PATH}, key {RESERVEKIT_KEY}")
    yield Text()
    yield Text("Save this as sandbox.toml, then: slotbridge --config sandbox.toml sync --dry-run", "bold")
    yield Text()
    yield Text(config_for(url, world, "sqlite:///sandbox.db").rstrip())
    yield Text()
    yield Text("To be the user of either side (times in minutes since midnight, Monday is day 0):", "bold")
    yield Text()
    yield Text(_CURL.format(url=url))
