"""Telling a whole side that is down from pairs that fail: one circuit per side, not a failure for every pair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from slotbridge.daemon.roster import Entry, Roster
from slotbridge.errors import (
    AccessRefused,
    BudgetSpent,
    LimitReached,
    NotSent,
    OutcomeUnknown,
    Side,
    SlotbridgeError,
    WriteRefused,
)
from slotbridge.http.retry import LONGEST_ABSENCE

_DOWN: Final = (NotSent, OutcomeUnknown, LimitReached, AccessRefused)
_SOON: Final = (30.0, 900.0)
_RARELY: Final = (900.0, 3600.0)


@dataclass(slots=True)
class Outage:
    """A side that is down: with which error, how often it was asked in vain since, and when it is asked next.

    `since` and `probe_at` are instants of the monotonic clock.
    """

    side: Side
    since: float
    error: SlotbridgeError
    probes: int = 0
    probe_at: float = 0.0


class Moved(NamedTuple):
    """The outages that a run has shown to begin, to go on, and to be over."""

    began: tuple[Outage, ...] = ()
    lasting: tuple[Outage, ...] = ()
    ended: tuple[Outage, ...] = ()


class Sides:
    """Which sides are down. While one is, a single pair asks now and then, and the others wait."""

    def __init__(self) -> None:
        self._outages: dict[Side, Outage] = {}

    @property
    def down(self) -> tuple[Side, ...]:
        """The sides that are down."""
        return tuple(self._outages)

    @property
    def probe_at(self) -> float:
        """When to ask next, if any side is down: once that is due of all of them."""
        return max((outage.probe_at for outage in self._outages.values()), default=0.0)

    @property
    def are_used_up(self) -> bool:
        """Whether one of them is down because the month's requests are used up: there is no reserve then."""
        return any(isinstance(outage.error, BudgetSpent) for outage in self._outages.values())

    def is_refused(self, side: Side) -> bool:
        """Whether a side is down because it does not let us in."""
        outage = self._outages.get(side)
        return outage is not None and isinstance(outage.error, AccessRefused)

    def ask_now(self, side: Side, now: float) -> None:
        """There is reason to ask a side that is down before its time."""
        self._outages[side].probe_at = now

    def learn(self, ran: Sequence[Entry], roster: Roster, now: float) -> Moved:
        """What a run that has just ended says about the sides; it has been noted in the entries already."""
        if any(entry.error is None for entry in ran):
            ended, self._outages = tuple(self._outages.values()), {}
            return Moved(ended=ended)
        answered = {entry.error.side for entry in ran if entry.error and down_side(entry.error) is None}
        ended = tuple(self._outages.pop(side) for side in answered & self._outages.keys() if side)
        lasting = tuple(self._outages.values())
        for outage in lasting:
            outage.probes += 1
        side = _fallen(ran, roster)
        error = next((entry.error for entry in ran if down_side(entry.error) == side), None)
        if side is None or error is None:
            return Moved((), lasting, ended)
        if side in self._outages:
            self._outages[side].error = error
            return Moved((), lasting, ended)
        self._outages[side] = began = Outage(side, now, error)
        return Moved((began,), lasting, ended)


def down_side(error: SlotbridgeError | None) -> Side | None:
    """The side that may be down as a whole, if a pair failed with this; None for what is about one item."""
    if error is None or isinstance(error, WriteRefused) or not isinstance(error, _DOWN):
        return None
    return error.side


def probe_wait(error: SlotbridgeError, probes: int, most: float) -> float:
    """The seconds until a side that is down is asked again, after so many probes in vain.

    They are no more than `most`, the longest that anybody wants to wait for news, unless waiting is of use: a key that
    is refused, and a month that is used up, do not come right by themselves within moments.
    """
    rare = isinstance(error, AccessRefused | BudgetSpent)
    first, longest = _RARELY if rare else _SOON
    asked = (error.retry_after or 0.0) if isinstance(error, LimitReached) else 0.0
    growing = min(longest, first * 2.0 ** min(probes, 16))
    return max(min(asked, LONGEST_ABSENCE), growing if rare else min(growing, most))


def next_probe(roster: Roster) -> Entry | None:
    """The pair that asks for all: the one whose last attempt is the longest ago, so that they take turns."""
    return min(roster.idle, key=lambda entry: entry.attempt_at or 0.0, default=None)


def _fallen(ran: Sequence[Entry], roster: Roster) -> Side | None:
    """The side that all these pairs failed at, unless another pair has succeeded since the last of them did.

    One answer to one pair of several, lost for the first time, says nothing about the side.
    """
    # Who failed for a thing of its own on the other side never asked this one, and is no witness.
    sides = {side for entry in ran if (side := down_side(entry.error)) is not None}
    if len(sides) != 1 or any(
        entry.error and entry.error.side in sides and not down_side(entry.error) for entry in ran
    ):
        return None
    passing = isinstance(ran[0].error, OutcomeUnknown | LimitReached) and not isinstance(ran[0].error, BudgetSpent)
    if len(ran) == 1 < len(roster.entries) and ran[0].failures < 2 and passing:
        return None
    never = float("-inf")
    last = max(never if entry.success_at is None else entry.success_at for entry in ran)
    names = {entry.name for entry in ran}
    others = [entry.success_at for entry in roster.entries if entry.name not in names]
    if any(at is not None and at > last for at in others):
        return None
    return sides.pop()
