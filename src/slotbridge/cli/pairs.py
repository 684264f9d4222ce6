"""The pairs that a command line names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

from slotbridge.daemon.pace import Advice, advice
from slotbridge.errors import ConfigurationError, Side
from slotbridge.settings import PairSettings, Settings

NO_PAIRS = (
    "Add a [[pairs]] table with name, resource_id and service_id to the configuration; "
    "`slotbridge discover` lists the candidates, ready to paste"
)


_FOLLOWED: Mapping[str, Side] = {"to-reservekit": "bitrix24", "to-bitrix24": "reservekit"}


def followed_sides(pairs: Iterable[PairSettings]) -> dict[str, Side]:
    """The side that each one-way pair follows (M7)."""
    return {pair.name: _FOLLOWED[pair.direction] for pair in pairs if pair.direction in _FOLLOWED}


def month_advice(settings: Settings, pages: Mapping[int, int]) -> Advice | None:
    """Whether ReserveKit's plan has room for the intervals of all pairs; `pages` as `Usage.pages` has them."""
    pairs, api = settings.pairs, settings.reservekit
    return advice(
        [pair.interval for pair in pairs],
        api.limits.per_month,
        api.plan_words,
        [pair.interval for pair in pairs if pair.names != "off"],  # each takes a listing of all services in its runs
        pages=[pages.get(pair.service_id, 1) for pair in pairs],
        listing=pages.get(0, 1),
    )


def chosen(settings: Settings, names: Sequence[str]) -> tuple[PairSettings, ...]:
    """The pairs of these names in the order of the configuration, all of them for no name.

    Raises ConfigurationError for a name that no pair has, and when there is no pair at all.
    """
    if not settings.pairs:
        raise ConfigurationError("no pairs are configured", hint=NO_PAIRS)
    known = [pair.name for pair in settings.pairs]
    unknown = [name for name in dict.fromkeys(names) if name not in known]
    if unknown:
        problems = tuple(_unknown(name, known) for name in unknown)
        raise ConfigurationError("no such pair", problems=problems, hint=f"Known pairs: {', '.join(known)}")
    return tuple(pair for pair in settings.pairs if not names or pair.name in names)


def _unknown(name: str, known: Sequence[str]) -> str:
    folded = {other.casefold(): other for other in known}
    near = get_close_matches(name.casefold(), folded, n=1)
    return f'"{name}": unknown' + (f'; did you mean "{folded[near[0]]}"?' if near else "")
