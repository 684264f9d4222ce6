"""What a side refused or did not keep, and when it is sent again (W3, W5)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Final

from slotbridge.errors import AccessRefused, ApiError, Rejected, is_final
from slotbridge.lenses.items import Odd, Range, Ranges, TimeSlot
from slotbridge.reconcile.model import Change
from slotbridge.settings import ReserveKitSettings
from slotbridge.sync.repetition import held_off, marked, what, within_the_hour
from slotbridge.sync.work import Work


def as_refused(work: Work, changes: Iterable[Change], settings: ReserveKitSettings, now: datetime) -> tuple[str, ...]:
    """Under which names these are remembered, which ReserveKit found wrong: sent again once, then no more within the
    hour."""
    return tuple(marked(name, work.memory.refused, now) for name in _digests(changes, settings, work.snapshot))


SHUT: Final = "bitrix24:shut"
"""Stands among what is refused where that is no matter of these hours: the portal would take no others either."""

ABOUT_HOURS: Final = frozenset({"422", "1007", "1009", "1017"})
"""Codes of `slots.set` that speak of one resource and its ranges (`reference/bitrix24.md` 2.3)."""


def note_refused_ranges(work: Work, ranges: Ranges, error: ApiError, now: datetime) -> None:
    """Remembers that Bitrix24 refused these ranges, if that is what it did: sent again once, then once an hour.

    A permission, or the portal's plan, may be put right without anybody touching the hours.
    """
    if is_final(error):
        denied = isinstance(error, AccessRefused)
        if error.code not in ABOUT_HOURS:
            work.refused[SHUT] = error.words
        work.refused[marked(_of_ranges(work, ranges), work.memory.refused, now, denied=denied)] = error.words


def still_refused_ranges(work: Work, ranges: Ranges, now: datetime) -> Rejected | None:
    """Why these ranges are not to be sent to Bitrix24 now; None if they may be."""
    known = work.memory.refused
    name = held_off(_of_ranges(work, ranges), known, now, patient=work.patient)
    if name is None:
        return None
    hint = "It is sent again once other hours are to be written there, or an hour has passed"
    return Rejected(known[name], side="bitrix24", item=f"resource {work.pair.resource_id}", hint=hint)


def withholds_ranges(work: Work, ranges: Ranges, now: datetime) -> bool:
    """Whether these ranges are not sent now, since Bitrix24 would refuse them again: then the pair fails with that."""
    error = still_refused_ranges(work, ranges, now)
    if error is None:
        return False
    kept = _of_ranges(work, ranges)
    work.refused |= {name: words for name, words in work.memory.refused.items() if what(name) in (kept, SHUT)}
    work.fail(error)
    return True


def keep_names_back(works: Iterable[Work]) -> None:
    """Names wait for as long as Bitrix24 would not take the ranges back that go with an update of the name (S5)."""
    works = list(works)
    refusing = {work.name: _refused_hours(work) for work in works}
    shut = next((known[SHUT] for known in refusing.values() if SHUT in known), None)
    for work in works:
        words = next(iter(refusing[work.name].values()), shut)
        work.keep_name_back(
            f"Bitrix24 refuses hours, and an update of the name would delete these: {words}" if words else None
        )


def _refused_hours(work: Work) -> dict[str, str]:
    """What Bitrix24 would not take of a pair that failed, with the words for it."""
    known = {**work.memory.refused, **work.refused} if work.error is not None else {}
    return {name: words for name, words in known.items() if name.startswith("bitrix24:")}


def _of_ranges(work: Work, ranges: Ranges) -> str:
    """A short name for a write to Bitrix24, which replaces the whole list."""
    return f"bitrix24:{_digest(json.dumps([work.pair.resource_id, sorted(map(repr, ranges))]))}"


def as_not_kept(work: Work, changes: Iterable[Change], settings: ReserveKitSettings) -> tuple[str, ...]:
    """Under which names these are remembered, which the server took and made something else of: not sent again.

    Not as long as anything stands that may have come of them, whatever else people do in the service.
    """
    came = _came(work)
    if not came:
        return tuple(_digests(changes, settings, work.snapshot))
    return tuple(f"{name} {','.join(came)}" for name in _digests(changes, settings))


def tell_not_kept(work: Work) -> None:
    """Says of what waits why it differs, where a slot still stands that came otherwise than it was sent (W3)."""
    came = set(_came(work))
    standing = {name: words for name, words in work.memory.refused.items() if came & _came_of(name)}
    if work.plan is None or not work.plan.holds or not standing:
        return
    work.refused |= standing
    why = f"; {next(iter(standing.values()))}"
    holds = [
        replace(hold, reason=hold.reason + why) if hold.kind in ("first-sync", "conflict") else hold
        for hold in work.plan.holds
    ]
    work.plan = replace(work.plan, holds=tuple(holds))


def _came_of(name: str) -> set[str]:
    return set(name.partition(" ")[2].split(","))


def still_refused(work: Work, settings: ReserveKitSettings, now: datetime) -> ApiError | None:
    """Why what is planned is not to be sent now, and when it is sent again; None if it may be sent."""
    planned, known, came = work.planned("reservekit"), work.memory.refused, set(_came(work))
    alone, names = set(_digests(planned, settings)), set(_digests(planned, settings, work.snapshot))
    for name, words in known.items():
        if name in names or (what(name) in alone and came & _came_of(name)):
            hint = "It is not sent again until that setting, or these hours, have changed"
            return ApiError(words, side="reservekit", hint=hint)
    for name, words in known.items():
        if name in {within_the_hour(digest, now) for digest in names}:
            hint = "It is sent again once either side has changed, or an hour has passed"
            return ApiError(words, side="reservekit", hint=hint)
    return None


def _came(work: Work) -> list[str]:
    """Digests of the time slots that neither the base nor Bitrix24 has: what came of a creation that is not there as it
    was sent is among them."""
    rows = [verdict.row for verdict in work.plan.verdicts] if work.plan else []
    both = [(row.bitrix24, row.reservekit) for row in rows if row.bitrix24 and row.reservekit]
    known = {link.slot_id for link in work.memory.links} | {two.key[0] for one, two in both if one.window == two.window}
    return sorted(_digest(repr(item)) for item in work.reservekit if item.id not in known)


def _digests(
    changes: Iterable[Change], settings: ReserveKitSettings, around: Iterable[Iterable[Range | TimeSlot | Odd]] = ()
) -> list[str]:
    """Short names for writes: what was sent on top of what, under which settings, and what stood `around` it.

    What the server refused may be tried anew once anything has changed. What it took and changed may not: it would
    be there twice.
    """
    ways = (
        settings.day_zero,
        settings.time_basis,
        settings.time_format,
        settings.end_of_day,
        settings.patch,
        settings.max_batch,
    )
    shown = [sorted(map(repr, items)) for items in around]
    return [_digest(json.dumps([change.before, change.after, ways, shown], default=dict)) for change in changes]


def _digest(told: str) -> str:
    return hashlib.sha256(told.encode(errors="surrogatepass")).hexdigest()[:16]
