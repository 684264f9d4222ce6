"""Early notice: what the portal or the reservation server says has changed. It moves timing, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Literal

from slotbridge.daemon.roster import Entry

Source = Literal["bitrix24", "reservekit", "person"]

COLLECT: Final = 2.0
"""Seconds in which notices are collected before anything is looked at: an edit makes several events."""

AGAIN: Final = 30.0
"""Seconds after which a look that failed is taken again."""

_FORGET: Final = 300.0


def look_gap(useless: int) -> float:
    """The least seconds between two looks, after so many in a row that found nothing new."""
    return 2.0 if useless < 3 else 10.0 if useless < 6 else 60.0


def source_of(why: str) -> Source:
    """Whose word a notice is, by how its reason begins."""
    word = why.partition(" ")[0].lower()
    return "bitrix24" if word == "bitrix24" else "reservekit" if word == "reservekit" else "person"


def trigger_of(sources: Iterable[Source]) -> str:
    """What the history calls a run that such notices have started."""
    return " and ".join(sorted({"decision" if source == "person" else "event" for source in sources}))


def has_news(entry: Entry, digest: str | None, now: float) -> bool:
    """Whether Bitrix24 holds something else than at the end of the pair's last run.

    The echo of our own write does not. After a failed run that is not known, and the pair goes no faster than usual.
    """
    if digest is None or entry.attempt_at is None:
        return False
    if entry.digest is None:
        return now - entry.attempt_at >= entry.pair.interval
    return digest != entry.digest


def is_worth_the_reserve(entry: Entry, digest: str | None, now: float) -> bool:
    """Whether Bitrix24 holds something that waits to be carried over, so that a run may cost what is kept for changes.

    What is held for a person does not, since the run that held it has seen it. What has failed is tried again when it
    has changed, and else ever more rarely. A pair that never succeeded tells by its changes alone.
    """
    if digest is None or digest == entry.seen:
        return False
    is_new = entry.looked not in (None, digest)
    if entry.seen is None and entry.failures:
        return is_new
    return is_new or now >= entry.spared_until


class Notices:
    """Collects notices until they are due to be looked at. Instants are those of the monotonic clock."""

    def __init__(self) -> None:
        self._waiting: dict[str, Source] = {}
        self._look_at = 0.0
        self._looked_at = float("-inf")
        self._useless = 0

    def add(self, name: str, source: Source, now: float) -> None:
        """One more. Several for one pair are one; what a person asks for outweighs an event."""
        if not self._waiting:
            self._look_at = max(self._look_at, now + COLLECT)
        if self._waiting.get(name) != "person":
            self._waiting[name] = source

    def due(self, now: float) -> bool:
        """Whether it is time to look."""
        return bool(self._waiting) and now >= max(self._look_at, self._looked_at + look_gap(self._useless))

    def take(self, busy: set[str]) -> dict[str, Source]:
        """Those to look at now; those of pairs that are busy wait, for what they tell may have come after the read."""
        taken = {name: source for name, source in self._waiting.items() if name not in busy}
        self._waiting = {name: source for name, source in self._waiting.items() if name in busy}
        return taken

    def look_again(self, taken: Mapping[str, Source], now: float) -> None:
        """The look failed: what was taken waits for the next one, which says nothing about who sends notices."""
        self._looked_at = now
        self._look_at = now + AGAIN
        self._waiting = {**taken, **self._waiting}

    def looked(self, now: float, *, useful: bool) -> None:
        """A look was taken; one that found something new, or a long silence, is the end of caution."""
        long_ago = now - self._looked_at > _FORGET
        self._useless = 0 if useful else 1 if long_ago else self._useless + 1
        self._looked_at = now
