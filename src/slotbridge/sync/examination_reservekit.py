"""What `doctor` finds at ReserveKit: from what the server answered to what kind of server it is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from slotbridge.errors import AccessRefused, ApiError, NotFound, SlotbridgeError, WriteRefused
from slotbridge.lenses.items import Odd, TimeSlot
from slotbridge.lenses.reservekit import time_forms
from slotbridge.reservekit import Service
from slotbridge.reservekit.failures import SAYS_ORIGIN
from slotbridge.reservekit.probes import Sample
from slotbridge.settings import PairSettings, Settings
from slotbridge.store import Memory
from slotbridge.sync.examination import Finding, Setting, counted, failed
from slotbridge.sync.reading import zone_of
from slotbridge.sync.work import Work

Slots = tuple[TimeSlot | Odd, ...]

Clock = Literal["wall", "utc"]

_CLOCKS: Final[Mapping[Clock, str]] = {"wall": "the service's clock", "utc": "UTC"}
_FORMS: Final[Mapping[frozenset[str], str]] = {
    frozenset({"naive"}): "without a zone",
    frozenset({"zoned"}): "with a zone",
    frozenset({"naive", "zoned"}): "partly with a zone (read as UTC)",
}
# What Go's own router says, and what others say. Any other 404 may as well be about time slot 0.
_ROUTE_MISSING: Final = re.compile(r"\bpage not found\b|\broute\b.*\bnot found\b", re.I)
_TAKES_ZONED: Final = 'Should it refuse the form of what is written, set time_format = "rfc3339"'
_DOMAIN: Final = 'origin = "https://www.example.com"'
_ZONE: Final = 'timezone = "Europe/Berlin"'


@dataclass(frozen=True, slots=True)
class PageFacts:
    """Three readings of one service's time slots: in full, one row to a page, and with no pages at all."""

    listed: int
    one: Sample
    whole: Sample


@dataclass(frozen=True, slots=True)
class ApiFacts:
    """What the server answered; an error where it did not, None where it was not asked.

    `slots` are by the ids of services. `write` is the answer to a deletion of what cannot exist: "taken" if it was
    understood.
    """

    access: Sample | SlotbridgeError
    services: Sequence[Service] | SlotbridgeError | None = None
    slots: Mapping[int, Slots | SlotbridgeError] = field(default_factory=dict)
    pages: PageFacts | SlotbridgeError | None = None
    write: Literal["taken"] | SlotbridgeError | None = None


def api(facts: ApiFacts, settings: Settings) -> Iterator[Finding]:
    """Everything about the server but its week. Where the key does not open it nothing more is said of the inside."""
    if isinstance(facts.access, SlotbridgeError):
        yield failed("reservekit.access", facts.access, setting=_missing_origin(facts.access, settings))
    else:
        numbers = f", and numbers its pages by {', '.join(facts.access.numbers)}" if facts.access.numbers else ""
        yield Finding("reservekit.access", "ok", f"the server accepts the key{numbers}")
        yield from _services(facts.services, settings.pairs)
        yield from _slots(facts.slots, settings.pairs)
        yield from _pages(facts.pages)
        yield from _times(facts.slots.values(), settings)
        yield from _writes(facts.write, settings)
        yield _first_write()


def zone_or_error(pair: PairSettings, services: Sequence[Service]) -> str | ApiError:
    """The zone of a pair's service (S7), or why there is none."""
    try:
        return zone_of(Work(pair, Memory()), {service.id: service.timezone for service in services})
    except ApiError as error:
        return error


def _services(found: Sequence[Service] | SlotbridgeError | None, pairs: Sequence[PairSettings]) -> Iterator[Finding]:
    if found is None:
        return
    if isinstance(found, SlotbridgeError):
        yield failed("reservekit.services", found)
        return
    faults = {pair.name: zone for pair in pairs if isinstance(zone := zone_or_error(pair, found), ApiError)}
    zoneless = {service.id for service in found if not service.timezone}
    for name, error in faults.items():
        missing = any(pair.name == name and pair.service_id in zoneless for pair in pairs)
        setting = Setting(f'[[pairs]] "{name}"', _ZONE) if missing else None
        about = "reservekit.services" if isinstance(error, NotFound) else "reservekit.zones"
        yield failed(about, error, pair=name, setting=setting)
    if not faults:
        said = (
            "each pair's service is there and has a time zone" if pairs else f"{counted(len(found), 'service')} found"
        )
        yield Finding("reservekit.services", "ok", said)


def _slots(found: Mapping[int, Slots | SlotbridgeError], pairs: Sequence[PairSettings]) -> Iterator[Finding]:
    names = {pair.service_id: pair.name for pair in pairs}
    errors = {each: slots for each, slots in found.items() if isinstance(slots, SlotbridgeError)}
    yield from (failed("reservekit.slots", error, pair=names.get(each)) for each, error in errors.items())
    if found and not errors:
        said = "each pair's time slots" if pairs else f"the time slots of {counted(len(found), 'service')}"
        yield Finding("reservekit.slots", "ok", f"{said} can be listed in full")


def _pages(found: PageFacts | SlotbridgeError | None) -> Iterator[Finding]:
    """Whether a list can be trusted to be whole: what a list leaves out looks like a deletion."""
    name = "reservekit.pages"
    if found is None:
        return
    if isinstance(found, SlotbridgeError):
        yield failed(name, found)
        return
    hint = "Do not let it run before this is understood: what a list leaves out looks deleted. Please report it"
    if found.whole.count > found.listed:
        what = f"a list of time slots had {found.listed} rows page by page, and {found.whole.count} without pages"
        yield Finding(name, "problem", what, hint)
    elif found.one.count < found.listed and not found.one.numbers:
        yield Finding(name, "warning", "the server cuts its lists, and does not say into how many pages", hint)
    else:
        rows = "one row" if found.one.count == 1 else "more than one row"  # how long a page may be was not looked at
        whole = "honours" if found.whole.count == found.listed else "ignores"
        said = f"the server answers {rows} for a page of one and {whole} no_pagination; lists are complete either way"
        yield Finding(name, "ok", said)


def _times(found: Iterable[Slots | SlotbridgeError], settings: Settings) -> Iterator[Finding]:
    """How times are written, and by which clock they are read. No answer proves the clock: a person has to look."""
    read = [slots for slots in found if not isinstance(slots, SlotbridgeError)]
    forms = frozenset(form for slots in read for form in time_forms(slots))
    if forms:
        yield _clock(forms, settings.reservekit.time_basis)
    elif read:
        what = "no time slot shows yet how times are written; the first write will tell"
        yield Finding("reservekit.times", "ok", what)
    else:
        yield Finding("reservekit.times", "ok", "how times are written was not looked at: no time slots were read")


def _clock(forms: frozenset[str], basis: Literal["wall", "utc", "auto"]) -> Finding:
    name = "reservekit.times"
    clock: Clock = basis if basis != "auto" else "utc" if forms == {"zoned"} else "wall"
    other: Clock = "wall" if clock == "utc" else "utc"
    what = f"times are written {_FORMS[forms]}, and read as {_CLOCKS[clock]}"
    if basis == "auto" and "zoned" in forms:
        hint = f'If the hours below are right, set this; if not, time_basis = "{other}". {_TAKES_ZONED}'
        return Finding(name, "warning", what, hint, Setting("[reservekit]", f'time_basis = "{clock}"'))
    hint = "If the hours below are wrong by the zone's offset, change it"
    hint = f"{hint}. {_TAKES_ZONED}" if "zoned" in forms else hint
    return Finding(name, "ok", what, hint, Setting("[reservekit]", f'time_basis = "{other}"'))


def _missing_origin(error: SlotbridgeError, settings: Settings) -> Setting | None:
    """The line that is missing where the server itself says that the key is bound to a domain."""
    says_so = isinstance(error, AccessRefused) and SAYS_ORIGIN.search(error.what)
    return Setting("[reservekit]", _DOMAIN) if says_so and settings.reservekit.origin is None else None


def _writes(found: Literal["taken"] | SlotbridgeError | None, settings: Settings) -> Iterator[Finding]:
    """The answer to the deletion of time slot 0: ids start above zero, so there is nothing to lose."""
    name, pairs = "reservekit.writes", settings.pairs
    match found:
        case None:
            return
        case WriteRefused() if pairs and all(pair.direction == "to-bitrix24" for pair in pairs):
            what = 'this key may not write time slots; with direction = "to-bitrix24" it need not'
            yield Finding(name, "ok", what)
        case WriteRefused() if found.status != 404 or _ROUTE_MISSING.search(found.what):
            what = f"this key may not write time slots, or the call is closed to keys: {found.what}"
            setting = _missing_origin(found, settings) or Setting("[sync]", 'direction = "to-bitrix24"')
            yield Finding(name, "problem", what, found.hint, setting)
        case SlotbridgeError():
            what = f"whether this key may write time slots could not be found out: {found.what}"
            yield Finding(name, "warning", what, "The first write will tell; nothing is lost if it is refused")
        case _:
            yield Finding(name, "ok", "this key may write time slots")


def _first_write() -> Finding:
    what = "not tried here: whether what is written reads back the same"
    hint = "The first write of each service is read back; if it differs, the pair fails and names the likely setting"
    return Finding("reservekit.first-write", "ok", what, hint)
