"""Which resource may belong to which service, by name."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple, Protocol

ALIKE = 0.8
"""How alike two names have to be, of 1."""


class Named(Protocol):
    """A resource or a service."""

    @property
    def id(self) -> int: ...

    @property
    def name(self) -> str: ...


class Proposal(NamedTuple):
    """A pair that could be meant; `likeness` of the two names is 1 when they are equal."""

    resource_id: int
    service_id: int
    likeness: float


def propose(resources: Sequence[Named], services: Sequence[Named]) -> list[Proposal]:
    """Pairs by name, the most alike first, each resource and service at most once.

    Case, spaces, punctuation and accents do not count. Among equals the lower numbers come first.
    """
    found = sorted(_candidates(resources, services), key=lambda p: (-p.likeness, p.resource_id, p.service_id))
    chosen: list[Proposal] = []
    taken: tuple[set[int], set[int]] = (set(), set())
    for proposal in found:
        if proposal.resource_id not in taken[0] and proposal.service_id not in taken[1]:
            chosen.append(proposal)
            taken[0].add(proposal.resource_id)
            taken[1].add(proposal.service_id)
    return chosen


def _candidates(resources: Sequence[Named], services: Sequence[Named]) -> Iterator[Proposal]:
    keys = [(resource.id, plain(resource.name)) for resource in resources]
    for service in services:
        name = plain(service.name)
        matcher = SequenceMatcher(None, "", name, autojunk=False)
        for resource_id, key in keys:
            likeness = 1.0 if key == name else _likeness(matcher, key)
            if key and likeness >= ALIKE:
                yield Proposal(resource_id, service.id, round(likeness, 3))


def _likeness(matcher: SequenceMatcher[str], key: str) -> float:
    """The ratio, or 0 where a cheap upper bound of it is too small already."""
    matcher.set_seq1(key)
    if matcher.real_quick_ratio() < ALIKE or matcher.quick_ratio() < ALIKE:
        return 0.0
    return min(matcher.ratio(), 0.999)


def plain(name: str) -> str:
    """The letters and digits of a name, without case and accents."""
    spread = unicodedata.normalize("NFKD", name.casefold())
    return "".join(letter for letter in spread if letter.isalnum())
