"""Resources and services with what they are paired with, and pairs to paste."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from rich.text import Text

from slotbridge.bitrix24 import Resource
from slotbridge.cli.matching import Proposal, propose
from slotbridge.cli.render.toml import pair_toml
from slotbridge.cli.render.words import clean, plural
from slotbridge.reservekit import Service
from slotbridge.settings import PairSettings


@dataclass(frozen=True)
class Candidates:
    """What either side has, and the pairs that are configured."""

    resources: Sequence[Resource]
    services: Sequence[Service]
    pairs: Sequence[PairSettings]

    @cached_property
    def proposals(self) -> list[Proposal]:
        """Pairs by name among what is not paired yet."""
        resources = [resource for resource in self.resources if self.pair_of(resource) is None]
        return propose(resources, [service for service in self.services if self.pair_of(service) is None])

    def pair_of(self, one: Resource | Service) -> str | None:
        """The name of the pair that it is in."""
        if isinstance(one, Resource):
            return next((pair.name for pair in self.pairs if pair.resource_id == one.id), None)
        return next((pair.name for pair in self.pairs if pair.service_id == one.id), None)

    @cached_property
    def names(self) -> dict[Proposal, str]:
        """A name for each proposed pair: the resource's, with its number where it would not be the only one."""
        taken = {pair.name for pair in self.pairs}
        names = {}
        for proposal in self.proposals:
            name = clean(next(one.name for one in self.resources if one.id == proposal.resource_id)).strip()[:80]
            names[proposal] = f"{name} ({proposal.resource_id})" if name in taken else name
            taken.add(name)
        return names

    def zone_missing(self, proposal: Proposal) -> bool:
        """Whether the service names no time zone, so that the pair has to (S7)."""
        return any(service.id == proposal.service_id and not service.timezone for service in self.services)


def candidates_lines(found: Candidates) -> Iterator[Text]:
    """Both lists, and the tables to paste for what is not paired yet."""
    yield Text(f"Bitrix24: {plural(len(found.resources), 'resource')}", "bold")
    yield from (_line(found, resource, "") for resource in found.resources)
    yield Text(f"ReserveKit: {plural(len(found.services), 'service')}", "bold")
    yield from (_line(found, service, service.timezone or "no time zone") for service in found.services)
    yield Text()
    if not found.proposals:
        yield Text("No further pair is obvious from the names.")
        return
    said = plural(len(found.proposals), "pair")
    yield Text(f"# {said} by name, to be checked and pasted into the configuration:")
    for proposal in found.proposals:
        yield Text()
        if proposal.likeness < 1:
            yield Text(f"# the names are alike, not equal: {_names(found, proposal)}")
        yield Text(_toml(found, proposal).rstrip())


def _line(found: Candidates, one: Resource | Service, remark: str) -> Text:
    pair = found.pair_of(one)
    said = [remark, f'paired as "{clean(pair)}"' if pair else ""]
    tail = ", ".join(part for part in said if part)
    return Text.assemble(f"  {one.id:>6}  {clean(one.name)}", (f"  ({tail})" if tail else "", "dim"))


def _names(found: Candidates, proposal: Proposal) -> str:
    one = next(resource.name for resource in found.resources if resource.id == proposal.resource_id)
    two = next(service.name for service in found.services if service.id == proposal.service_id)
    return f'"{clean(one)}" and "{clean(two)}"'


def _toml(found: Candidates, proposal: Proposal) -> str:
    numbers = (proposal.resource_id, proposal.service_id)
    return pair_toml(found.names[proposal], *numbers, zone_missing=found.zone_missing(proposal))


def candidates_json(found: Candidates) -> dict[str, Any]:
    """The `discover --json` document."""
    return {
        "version": 1,
        "resources": [{"id": one.id, "name": one.name, "pair": found.pair_of(one)} for one in found.resources],
        "services": [
            {"id": one.id, "name": one.name, "timezone": one.timezone, "pair": found.pair_of(one)}
            for one in found.services
        ],
        "proposals": [
            {"name": found.names[p], **p._asdict(), "timezone_missing": found.zone_missing(p)} for p in found.proposals
        ],
    }
