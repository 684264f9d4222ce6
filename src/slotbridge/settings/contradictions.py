"""What is allowed key by key and does not go together. Values of the wrong kind are left to the models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from slotbridge.settings.kinds import lasting
from slotbridge.settings.models import SyncSettings
from slotbridge.settings.problems import pair_place
from slotbridge.settings.shape import Raw, table_of

_TARGETS = {"to-reservekit": "reservekit", "to-bitrix24": "bitrix24"}
_UNIQUE = ("name", "resource_id", "service_id")


def with_defaults(data: Raw) -> dict[str, Any]:
    """The raw configuration with the options of `[sync]` in every pair that has none of its own.

    The two sides' tables are there, if empty, so that what is missing in them is named key by key.
    """
    filled: dict[str, Any] = {"bitrix24": {}, "reservekit": {}, **data}
    defaults = {key: value for key, value in table_of(data, "sync").items() if key in SyncSettings.model_fields}
    if isinstance(pairs := data.get("pairs"), list):
        filled["pairs"] = [{**defaults, **pair} if isinstance(pair, Mapping) else pair for pair in pairs]
    return filled


def contradictions(data: Raw) -> Iterator[str]:
    """The problems that lie between the keys of a raw configuration that has its defaults filled in."""
    yield from _one_way_in(data)
    yield from _declared_twice(data)
    pairs = data.get("pairs")
    tables = [pair if isinstance(pair, Mapping) else {} for pair in pairs] if isinstance(pairs, list) else []
    for index, pair in enumerate(tables):
        place = pair_place(index, pair)
        yield from (f"{place}: {problem}" for problem in _within_pair(pair))
        yield from (f"{place}: {problem}" for problem in (*_taken(pair, tables[:index]), *_of_types(data, pair)))


def _one_way_in(data: Raw) -> Iterator[str]:
    if not isinstance(data.get("bitrix24", {}), Mapping):
        return
    table = table_of(data, "bitrix24")
    if "webhook_url" in table and "oauth" in table:
        yield "[bitrix24] webhook_url: cannot stand next to [bitrix24.oauth]; keep one of the two"
    if "webhook_url" not in table and "oauth" not in table:
        yield (
            "[bitrix24] webhook_url: missing; set it here, as SLOTBRIDGE_BITRIX24__WEBHOOK_URL "
            "or in a secret file, or give [bitrix24.oauth]"
        )


def _declared_twice(data: Raw) -> Iterator[str]:
    ids = [kind.get("id") for kind in _types(data)]
    for number in dict.fromkeys(one for one in ids if isinstance(one, int) and ids.count(one) > 1):
        yield f"[[resource_types]]: id {number} is declared more than once"
    codes = [code.casefold() for kind in _types(data) if isinstance(code := kind.get("code"), str)]
    for code in dict.fromkeys(one for one in codes if codes.count(one) > 1):
        yield f'[[resource_types]]: code "{code}" is declared more than once; each type needs its own'


def _types(data: Raw) -> list[Mapping[str, Any]]:
    types = data.get("resource_types")
    return [kind for kind in types if isinstance(kind, Mapping)] if isinstance(types, list) else []


def _of_types(data: Raw, pair: Raw) -> Iterator[str]:
    if pair.get("name") in [f"resource type {kind.get('id')}" for kind in _types(data)]:
        yield f'name = "{pair["name"]}" is what the history calls that one of [[resource_types]]; choose another name'


def _within_pair(pair: Raw) -> Iterator[str]:
    direction, initial = pair.get("direction"), pair.get("initial")
    if isinstance(direction, str) and initial is not None and _TARGETS.get(direction) == initial:
        other = "bitrix24" if initial == "reservekit" else "reservekit"
        yield (
            f'initial = "{initial}" makes the other side equal to {initial}, '
            f'but direction = "{direction}" never writes there; use "hold", "merge" or "{other}"'
        )
    interval, most = (lasting(pair.get(key)) for key in ("interval", "interval_max"))
    if interval is not None and most is not None and interval > most:
        yield f'interval = "{pair["interval"]}" is longer than interval_max = "{pair["interval_max"]}"'
    if pair.get("capacity") == "fixed":
        missing = [key for key in ("max_bookings", "slot_minutes") if pair.get(key) is None]
        if missing:
            yield f'capacity = "fixed" needs {" and ".join(missing)}, here or in [sync]'


def _plain(key: str, value: object) -> str:
    """A name as it is; an id in one of the ways in which it may be written: 15, "015" and 15.0 are the same."""
    whole, _, rest = str(value).partition(".")
    with suppress(ValueError):
        return str(value) if key == "name" or rest.strip("0") else str(int(whole))
    return str(value)


def _taken(pair: Raw, earlier: list[Raw]) -> Iterator[str]:
    for key in _UNIQUE:
        value = pair.get(key)
        if value is None or isinstance(value, dict | list):
            continue
        index = next((i for i, other in enumerate(earlier) if _plain(key, other.get(key)) == _plain(key, value)), None)
        if index is not None:
            yield f"{key} is taken by {pair_place(index, earlier[index])}; each may be in one pair only"
