"""Both weeks in words, for a person with curl."""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter

from slotbridge.lenses.items import Range
from slotbridge.sandbox.reservations_state import DashboardSlot
from slotbridge.sandbox.world import World

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

_HELP = """\
slotbridge sandbox: a Bitrix24 portal and a ReserveKit account with sample data, on this machine only.

  Bitrix24    POST {base}/rest/1/sandbox/<method>
              POST {base}/rest/<method> with an access token of the application
              client_id local.sandbox, client_secret sandboxclientsecret
              GET {base}/oauth/authorize/?client_id=local.sandbox for a code, then GET {base}/oauth/token/
  ReserveKit  {base}/v1, header "Authorization: Bearer sk_rsv_sandbox"

What you do below is done as a person would in the two web interfaces. It costs no quota and needs no key.
Times are minutes since midnight, days of time slots count from Monday = 0.

  GET    /_sandbox/state                                    everything, as JSON
  GET    /_sandbox/requests                                 the requests so far
  GET    /_sandbox/deliveries                               the events and webhooks sent so far
  POST   /_sandbox/bitrix24/resources                       {{"name"}}
  PATCH  /_sandbox/bitrix24/resources/<id>                  {{"name", "description"}}, either or both
  DELETE /_sandbox/bitrix24/resources/<id>
  PUT    /_sandbox/bitrix24/resources/<id>/slots            [{{"from", "to", "timezone", "weekDays", "slotSize"}}]
  POST   /_sandbox/bitrix24/outgoing-webhook                {{"url", "token"}}
  DELETE /_sandbox/bitrix24/outgoing-webhook
  PUT    /_sandbox/bitrix24/bucket                          {{"level": 50}}, the requests that are in it
  POST   /_sandbox/reservekit/services/<id>/time-slots      {{"day", "start", "end", "max_bookings"}}
  PATCH  /_sandbox/reservekit/services/<id>/time-slots/<id> any of these
  DELETE /_sandbox/reservekit/services/<id>/time-slots/<id>
  POST   /_sandbox/reservekit/bookings                      {{"time_slot_id", "date", "name", "email", "phone"}}
  PATCH  /_sandbox/reservekit/bookings/<id>                 {{"status": "cancelled", "cancel_reason", "date"}}
  DELETE /_sandbox/reservekit/bookings/<id>
  POST   /_sandbox/reservekit/webhook                       {{"url"}}
  DELETE /_sandbox/reservekit/webhook
  POST   /_sandbox/faults                                   {{"match": "time-slots", "kind": "drop-after"}}
  DELETE /_sandbox/faults
  PATCH  /_sandbox/behaviour                                {{"bitrix24": {{}}, "reservekit": {{"patch": "replace"}}}}
"""


def overview(world: World, base: str) -> str:
    """The help and both weeks as they are now."""
    bitrix24 = [f"Bitrix24, {_bucket(world)}", *_resources(world)]
    parts = [_HELP.format(base=base), *bitrix24, "", "ReserveKit", *_services(world), ""]
    return "\n".join(parts)


def clock_text(minutes: int) -> str:
    """540 is 09:00, 1440 is 24:00."""
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _bucket(world: World) -> str:
    bucket = world.portal.sized_bucket()
    return f"{bucket.level:.0f} of {bucket.size} requests in the bucket"


def _resources(world: World) -> Iterable[str]:
    for resource in world.portal.resources.values():
        yield f"  {resource.name} (resource {resource.id})"
        yield from [f"    {_range(item)}" for item in world.portal.slots(resource.id)] or ["    no hours"]


def _range(item: Range) -> str:
    hours = f"{clock_text(item.start)}–{clock_text(item.end)}"
    step = f"every {item.slot_size} min" if item.slot_size else "one step"
    return f"{', '.join(item.week_days)} {hours}, {step} ({item.timezone})"


def _services(world: World) -> Iterable[str]:
    for service in world.reservations.services.values():
        yield f"  {service.name} (service {service.id}, {service.timezone})"
        slots = sorted(world.reservations.slots(service.id), key=attrgetter("day", "start"))
        yield from [f"    {_slot(item)}" for item in slots] or ["    no hours"]


def _slot(item: DashboardSlot) -> str:
    hours = f"{clock_text(item.start)}–{clock_text(item.end)}"
    return f"{_DAYS[item.day]} {hours}, up to {item.max_bookings} (time slot {item.id})"
