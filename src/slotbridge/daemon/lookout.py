"""Looking at Bitrix24 alone, which costs ReserveKit nothing: at what somebody tells of, and at all pairs while what is
left of the month is kept for changes. Only those are run that hold something else than before."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

import structlog

from slotbridge.clock import Clock
from slotbridge.daemon.condition import Condition
from slotbridge.daemon.early import Notices, Source, has_news, is_worth_the_reserve, trigger_of
from slotbridge.daemon.roster import Entry, Roster
from slotbridge.daemon.runner import Runner
from slotbridge.daemon.timetable import Timetable
from slotbridge.errors import ApiError, StoreError
from slotbridge.settings import PairSettings

LOOK: Final = "look"
"""What the history calls a run that nobody told us of: a look all round has shown that there is something to do."""

AGAIN: Final = 900.0
"""Seconds after which a look all round that failed is taken again, at the latest."""

log = structlog.get_logger("slotbridge.daemon")


class Portal(Protocol):
    """What can be asked about Bitrix24 alone."""

    async def bitrix24_digests(self, pairs: Sequence[PairSettings]) -> dict[str, str | None]:
        """What Bitrix24 holds for each pair now, in short. Raises ApiError."""

    def granted_anew(self) -> bool:
        """Whether somebody has granted access anew since it was asked last. Asks nobody; raises StoreError."""


class Lookout:
    """Looks, one look at a time, and calls `run` with the pairs that are worth a run and what that is to be called.

    `lost` is told when the database cannot be used.
    """

    def __init__(
        self,
        roster: Roster,
        portal: Portal,
        runner: Runner,
        timetable: Timetable,
        condition: Condition,
        clock: Clock,
        *,
        run: Callable[[Sequence[Entry], str], None],
        lost: Callable[[StoreError], None],
    ) -> None:
        self._roster = roster
        self._portal = portal
        self._runner = runner
        self._timetable = timetable
        self._condition = condition
        self._clock = clock
        self._run = run
        self._lost = lost
        self._notices = Notices()
        self._looking: asyncio.Task[None] | None = None
        self._round_at = float("-inf")

    def tell(self, name: str, source: Source) -> None:
        """Somebody says that this pair has changed."""
        self._notices.add(name, source, self._clock.monotonic())

    def look(self, now: float) -> None:
        """Begins a look, if one is due."""
        if self._looking is not None:
            return
        busy = {entry.name for entry in self._roster.entries if entry.running}
        if self._notices.due(now) and (taken := self._notices.take(busy)):
            self._looking = self._runner.start(self._look_at(taken))
        elif self._timetable.keeps_reserve and now >= self._round_at:
            self._looking = self._runner.start(self._look_round(self._roster.idle))

    def look_round_soon(self) -> None:
        """A side is back: what waited for it is looked at now."""
        self._round_at = float("-inf")

    def stop(self) -> None:
        """Breaks off the look that is under way, which only reads."""
        if self._looking is not None:
            self._looking.cancel()

    async def _look_at(self, taken: Mapping[str, Source]) -> None:
        """Runs those pairs of which a notice is news."""
        try:
            digests = await self._digests([name for name, source in taken.items() if source == "bitrix24"])
        finally:
            self._looking = None
        now = self._clock.monotonic()
        if digests is None:
            self._notices.look_again(taken, now)
            return
        news = self._news(digests, now)
        wanted = [name for name, source in taken.items() if source == "person" or name in news]
        echoes = any(self._roster[name].echo_until > now for name in taken)
        self._notices.looked(now, useful=bool(wanted) or echoes)
        for name, source in taken.items():
            self._condition.counters.notices[source, "run" if name in wanted else "no news"] += 1
        busy = [name for name in wanted if self._roster[name].running]
        for name in busy:  # since a moment ago: what it has read may be older than the notice
            self._notices.add(name, taken[name], now)
        self._run_idle(wanted, trigger_of(taken[name] for name in wanted if name not in busy))

    async def _look_round(self, entries: Sequence[Entry]) -> None:
        """Runs those pairs that hold something else than before."""
        wait = min(entry.pair.interval_max for entry in self._roster.entries)
        self._round_at = self._clock.monotonic() + wait
        try:
            digests = await self._digests([entry.name for entry in entries])
        finally:
            self._looking = None
        now = self._clock.monotonic()
        if digests is None:
            self._round_at = now + min(wait, AGAIN)
            return
        news = self._news(digests, now)
        self._run_idle([entry.name for entry in entries if entry.name in news], LOOK)

    def _news(self, digests: Mapping[str, str | None], now: float) -> set[str]:
        """The pairs that a run is worth its requests for; what is looked at now is no news to the next look."""
        saves = self._timetable.keeps_reserve
        judged = is_worth_the_reserve if saves else has_news
        found = {name for name, digest in digests.items() if judged(self._roster[name], digest, now)}
        for name, digest in digests.items() if saves else ():
            self._roster[name].looked = digest
        return found

    def _run_idle(self, names: Sequence[str], trigger: str) -> None:
        if group := [entry for entry in map(self._roster.__getitem__, names) if not entry.running]:
            self._run(group, trigger)

    async def _digests(self, names: Sequence[str]) -> Mapping[str, str | None] | None:
        """What Bitrix24 holds for these pairs; None where it cannot be asked now."""
        try:
            return await self._portal.bitrix24_digests([self._roster[name].pair for name in names]) if names else {}
        except StoreError as error:
            self._lost(error)
        except ApiError as error:
            log.warning("look.failed", error=str(error))
        return None
