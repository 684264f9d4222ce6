"""What both services tell us by themselves. It is believed for one thing: that looking now may be worth while.

Bitrix24 names the resource and proves itself by its application token. ReserveKit tells of bookings, which move no
hours but may lift a hold; its documentation knows no signature, so that anybody may say it.
"""

from __future__ import annotations

import hmac
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import parse_qsl

import structlog
from pydantic import SecretStr

from slotbridge.bitrix24.events import RESOURCE_EVENTS
from slotbridge.errors import Side
from slotbridge.settings import PairSettings

Verdict = Literal["accepted", "no pair", "ignored", "unreadable", "refused"]

_MOST_FIELDS = 200
_MOST_DIGITS = 18

log = structlog.get_logger("slotbridge.daemon")


@dataclass(frozen=True, slots=True)
class Heard:
    """What a notification says: nothing of interest, or which resources or services it is about."""

    verdict: Verdict
    ids: tuple[int, ...] = ()


def heard_from_bitrix24(body: bytes, token: str | None) -> Heard:
    """Judges an event of the portal, as a form. Refused is what does not carry `token`, and without one everything."""
    form = _form(body)
    if not token or not _same(form.get("auth[application_token]", ""), token):
        return Heard("refused")
    if form.get("event", "").upper() not in RESOURCE_EVENTS:
        return Heard("ignored")
    resource = _number(form.get("data[id]"))
    return Heard("unreadable") if resource is None else Heard("accepted", (resource,))


def heard_from_reservekit(body: bytes) -> Heard:
    """Judges an event of the reservation server: an envelope with bookings, or one booking with its time slot."""
    match _json(body):
        case {"bookings": list(bookings)}:
            pass
        case {"time_slot": dict()} as booking:
            bookings = [booking]
        case _:
            return Heard("unreadable")
    services = [service for booking in bookings if (service := _service_of(booking)) is not None]
    if bookings and not services:
        return Heard("unreadable")
    return Heard("accepted" if services else "ignored", tuple(dict.fromkeys(services)))


class Hooks:
    """Passes on what is heard. Every notification is counted in `counts`, by source and verdict.

    `notice` gets the name of a pair and who spoke, and returns at once.
    """

    def __init__(
        self,
        pairs: Sequence[PairSettings],
        token: SecretStr | None,
        *,
        notice: Callable[[str, str], None],
        counts: Counter[tuple[str, str]],
    ) -> None:
        self._by_resource = {pair.resource_id: pair.name for pair in pairs}
        self._by_service = {pair.service_id: pair.name for pair in pairs}
        self._token = token.get_secret_value() if token else None
        self._notice = notice
        self._counts = counts
        self._told = False

    def bitrix24(self, body: bytes) -> int:
        """Takes an event of the portal; the status of the answer. What we do not care for is answered like the rest."""
        heard = heard_from_bitrix24(body, self._token)
        self._tell_refusal(heard)
        self._pass_on("bitrix24", heard, self._by_resource)
        return 403 if heard.verdict == "refused" else 200

    def reservekit(self, body: bytes) -> int:
        """Takes an event of the reservation server; the status of the answer."""
        heard = heard_from_reservekit(body)
        self._pass_on("reservekit", heard, self._by_service)
        return 400 if heard.verdict == "unreadable" else 200

    def _pass_on(self, side: Side, heard: Heard, names: Mapping[int, str]) -> None:
        known = [names[number] for number in heard.ids if number in names]
        verdict = heard.verdict if known or not heard.ids else "no pair"
        self._counts[side, verdict] += 1
        for name in known:
            self._notice(name, f"{side} event")

    def _tell_refusal(self, heard: Heard) -> None:
        """Once: anybody can send wrong ones, as often as they like. The metrics count them all."""
        if heard.verdict == "refused" and not self._told:
            why = "the application token is another one" if self._token else "no application_token is configured"
            log.warning("hook.refused", side="bitrix24", why=why)
            self._told = True


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode("utf-8", "replace"))


def _form(body: bytes) -> dict[str, str]:
    """The fields of a form, names in lower case; none if there are too many of them."""
    try:
        fields = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        return {}
    return {name.lower(): value for name, value in fields}


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _service_of(booking: object) -> int | None:
    match booking:
        case {"service_id": service} | {"time_slot": {"service_id": service}}:
            return _number(service)
    return None


def _number(value: object) -> int | None:
    """An id, as a number or as digits."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= _MOST_DIGITS:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
