"""What `doctor` finds at Bitrix24: from what the portal answered to what it means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeVar

from slotbridge.bitrix24 import Resource
from slotbridge.bitrix24.access import Words
from slotbridge.bitrix24.codes import UNKNOWN_METHOD
from slotbridge.bitrix24.events import EventHandler
from slotbridge.bitrix24.resource_types import ResourceType
from slotbridge.bitrix24.waitlist import ClientType
from slotbridge.errors import ApiError, SlotbridgeError
from slotbridge.lenses.items import Ranges
from slotbridge.settings import PairSettings, ResourceTypeSettings, Settings
from slotbridge.sync.binding import EXAMPLE, Standing, hook_address, standing
from slotbridge.sync.examination import Finding, Setting, counted, failed
from slotbridge.sync.resource_types import planned

REFRESHABLE: Final = timedelta(days=180)
"""How long the portal takes a refresh token, according to the API documentation."""

T = TypeVar("T")
Found = Mapping[int, T | ApiError]


@dataclass(frozen=True, slots=True)
class PortalFacts:
    """What the portal answered; an error where it did not, None where it was not asked.

    `scopes` are None where the portal was asked and does not tell them: then what comes after shows it. `resources`
    and `ranges` are by the ids of resources. `expires_at` is when the access token does, of an application. `types` are
    all the resource types there are.
    """

    scopes: frozenset[str] | SlotbridgeError | None
    resources: Found[Resource] | SlotbridgeError | None = None
    ranges: Found[Ranges] | SlotbridgeError | None = None
    client_types: Sequence[ClientType] | SlotbridgeError | None = None
    handlers: Sequence[EventHandler] | SlotbridgeError | None = None
    expires_at: datetime | SlotbridgeError | None = None
    types: Sequence[ResourceType] | SlotbridgeError | None = None


def portal(facts: PortalFacts, settings: Settings, words: Words) -> Iterator[Finding]:
    """Everything about the portal. Where there is no way in nothing more is said about what is behind it."""
    if isinstance(facts.scopes, SlotbridgeError):
        yield failed("bitrix24.access", facts.scopes)
    else:
        if facts.scopes is not None or not isinstance(facts.resources, SlotbridgeError):
            yield Finding("bitrix24.access", "ok", f"the portal accepts {words.name}")
        yield from _scopes(facts.scopes, settings, words)
        yield from _resources(facts.resources, settings.pairs)
        yield from _ranges(facts.ranges, facts.resources, settings.pairs)
        yield from _types(facts.types, facts.resources, settings.resource_types)
        yield from _client_types(facts.client_types)
        yield from _tokens(facts.expires_at)
        yield from _events(facts.handlers, settings)
    yield _limits(settings)


def needed_scopes(pairs: Sequence[PairSettings]) -> list[str]:
    """The permissions that the configuration makes use of."""
    return ["booking", "crm"] if any(pair.booked_slots == "waitlist" for pair in pairs) else ["booking"]


def _scopes(granted: frozenset[str] | None, settings: Settings, words: Words) -> Iterator[Finding]:
    needed = needed_scopes(settings.pairs)
    if granted is None:
        what = f"the portal does not tell which permissions {words.name} has, so what needs them was tried"
        untried = f"Whether it has `crm` shows only when a customer is moved. {words.permissions} crm"
        crm = "crm" in needed
        yield Finding("bitrix24.scopes", "warning" if crm else "ok", what, untried if crm else None)
        return
    for scope in needed:
        if scope not in granted:
            why = ', which booked_slots = "waitlist" needs' if scope == "crm" else ""
            what = f"{words.name} lacks the permission `{scope}`{why}"
            yield Finding("bitrix24.scopes", "problem", what, f"{words.permissions} {scope}")
    if granted.issuperset(needed):
        yield Finding("bitrix24.scopes", "ok", f"it has the permissions that are needed: {', '.join(needed)}")


def _resources(found: Found[Resource] | SlotbridgeError | None, pairs: Sequence[PairSettings]) -> Iterator[Finding]:
    if found is None:
        return
    if isinstance(found, SlotbridgeError):
        yield failed("bitrix24.version" if _is_too_old(found) else "bitrix24.resources", found)
        return
    old = next((each for each in found.values() if isinstance(each, ApiError) and _is_too_old(each)), None)
    if old is not None:
        yield failed("bitrix24.version", old)
        return
    yield Finding("bitrix24.version", "ok", "it knows the methods of online booking (version 25.300 or later)")
    yield from _each("bitrix24.resources", found, pairs, "resource", "is there")


def _is_too_old(error: SlotbridgeError) -> bool:
    return isinstance(error, ApiError) and (error.code or "").upper() == UNKNOWN_METHOD


def _ranges(
    found: Found[Ranges] | SlotbridgeError | None,
    resources: Found[Resource] | SlotbridgeError | None,
    pairs: Sequence[PairSettings],
) -> Iterator[Finding]:
    """The hours; what is wrong with the resource itself was told with it."""
    if isinstance(found, SlotbridgeError):
        refused = isinstance(found, ApiError) and found.code is not None
        if not (refused and _is_alike(found, resources)):
            yield failed("bitrix24.slots", found)
    elif found:
        told = resources if isinstance(resources, Mapping) else {}
        untold = {each: hours for each, hours in found.items() if not _is_alike(hours, told.get(each))}
        said = _each("bitrix24.slots", untold, pairs, "resource", "shows its hours")
        yield from (each for each in said if each.state != "ok" or len(untold) == len(found))


def _is_alike(one: object, other: object) -> bool:
    """Whether both are the same failure."""
    return (
        isinstance(one, ApiError) and isinstance(other, ApiError) and (type(one), one.code) == (type(other), other.code)
    )


def _each(name: str, found: Found[T], pairs: Sequence[PairSettings], word: str, verdict: str) -> Iterator[Finding]:
    """A problem for every pair whose resource has one, and the others counted."""
    names = {pair.resource_id: pair.name for pair in pairs}
    errors = {each: error for each, error in found.items() if isinstance(error, ApiError)}
    yield from (failed(name, error, pair=names.get(each)) for each, error in errors.items())
    if not errors:
        said = f"{counted(len(found), word)} found" if not pairs else f"each pair's {word} {verdict}"
        yield Finding(name, "ok", said)


def _types(
    found: Sequence[ResourceType] | SlotbridgeError | None,
    resources: Found[Resource] | SlotbridgeError | None,
    declared: Sequence[ResourceTypeSettings],
) -> Iterator[Finding]:
    """Whether the runs can bring the types in line with what is declared."""
    name = "bitrix24.types"
    if isinstance(found, SlotbridgeError):
        if not _is_alike(found, resources):
            yield failed(name, found)
    elif found is not None:
        plans = [planned(kind, found) for kind in declared]
        yield from (failed(name, plan) for plan in plans if isinstance(plan, ApiError))
        if not any(isinstance(plan, ApiError) for plan in plans):
            yield Finding(name, "ok", "each declared resource type is there, and can be what it is declared to be")


def _client_types(found: Sequence[ClientType] | SlotbridgeError | None) -> Iterator[Finding]:
    if isinstance(found, SlotbridgeError):
        yield failed("bitrix24.clients", found)
    elif found is not None and not any(each.code == "CONTACT" for each in found):
        hint = "Add a contact by hand to any booking in the portal, once: it learns it then"
        what = "the portal does not know contacts as clients yet, so nobody can be put on the wait list"
        yield Finding("bitrix24.clients", "problem", what, hint)


def _tokens(expires_at: datetime | SlotbridgeError | None) -> Iterator[Finding]:
    if isinstance(expires_at, SlotbridgeError):
        yield failed("bitrix24.tokens", expires_at)
    elif expires_at is not None:
        what = f"the access token is good until {expires_at:%Y-%m-%d %H:%M} UTC, and is renewed when it is needed"
        last = f"Without any run until {expires_at + REFRESHABLE:%Y-%m-%d}, access has to be granted again"
        yield Finding("bitrix24.tokens", "ok", what, f"{last}: slotbridge auth")


def _events(found: Sequence[EventHandler] | SlotbridgeError | None, settings: Settings) -> Iterator[Finding]:
    """A webhook may not ask which handlers there are: then all there is to look at is the configuration."""
    address = hook_address(settings.daemon.public_url)
    if isinstance(found, SlotbridgeError):
        yield failed("bitrix24.events", found)
    elif found is not None:
        yield _handlers(standing(found, address))
    if address is not None and settings.bitrix24.application_token is None:
        what = "no application_token is configured, so the daemon refuses what the portal announces"
        hint = "Every announcement carries it, as auth[application_token]; the page of an outgoing webhook shows it"
        yield Finding("bitrix24.token", "warning", what, hint, Setting("[bitrix24]", 'application_token = "…"'))


def _handlers(found: Standing) -> Finding:
    name = "bitrix24.events"
    if found.address is None:
        what = "changes are found by asking alone: the portal cannot announce them, since no public_url is configured"
        hint = "If the daemon can be reached from outside, name its address, and run `slotbridge events --bind`"
        return Finding(name, "ok", what, hint, Setting("[daemon]", f'public_url = "{EXAMPLE}"'))
    if found.missing:
        what = f"the portal does not announce {', '.join(found.missing)} to {found.address}"
        return Finding(name, "warning", what, "Run `slotbridge events --bind`; until then changes are found by asking")
    return Finding(name, "ok", f"the portal announces changes of resources to {found.address}")


def _limits(settings: Settings) -> Finding:
    portal = settings.bitrix24
    limits = portal.limits
    what = f"it is asked at most {limits.rate:g} times a second, and {limits.burst} times at once"
    own = {"requests_per_second": portal.requests_per_second, "burst": portal.burst}
    if numbers := [name for name, value in own.items() if value is not None]:
        rest = "" if len(numbers) == len(own) else f'; the other number is for plan = "{portal.plan}"'
        hint = f"That is as [bitrix24] {' and '.join(numbers)} {'say' if len(numbers) > 1 else 'says'}{rest}"
        return Finding("bitrix24.limits", "ok", what, hint)
    other = "enterprise" if portal.plan == "standard" else "standard"
    hint = f'That is for plan = "{portal.plan}"; change it if the portal has the other kind of plan'
    return Finding("bitrix24.limits", "ok", what, hint, Setting("[bitrix24]", f'plan = "{other}"'))
